"""What a download answers: headers, ranges, conditions, forms of the URL, and content that must not run."""

import re
import time
from email.parser import BytesParser
from html import unescape
from urllib.parse import quote

import pytest

import wire
from uploads import (
    BROWSER,
    assert_error,
    assert_file,
    assert_gone,
    disposition,
    get,
    id_at,
    instant,
    multipart,
    put,
    repr_digest,
    state,
    upload_of,
)
from waiting import seeded

SIZE = 1000
UNCOUNTED = {"X-Expiration-Seconds": "3600"}


@pytest.fixture(scope="module")
def server(serve_once):
    return serve_once()


@pytest.fixture(scope="module")
def body():
    return seeded("download").randbytes(SIZE)


@pytest.fixture(scope="module")
def shared(server, body):
    """An uncounted upload: ranges and conditions can be asked for again and again."""
    return put(server, body, "shared.bin", UNCOUNTED)


def check_headers(response, body, name):
    assert response.header("Content-Length") == str(len(body))
    assert response.header("Accept-Ranges") == "bytes"
    assert response.header("Repr-Digest") == repr_digest(body)
    assert re.fullmatch(r'"[!#-~]+"', response.header("ETag", "")), "a strong entity tag"
    assert response.header("X-Content-Type-Options") == "nosniff"
    assert "sandbox" in response.header("Content-Security-Policy", "")
    assert "allow-scripts" not in response.header("Content-Security-Policy")
    assert "no-store" in response.header("Cache-Control", "")
    assert disposition(response)[2] == name
    for field in ("Content-Length", "ETag", "Content-Type", "Content-Disposition", "X-Content-Type-Options"):
        assert len(response.all(field)) == 1, f"{field} more than once"


def test_headers_of_a_one_time_file(server, body):
    upload = put(server, body, "once.bin")
    response = get(server, upload.path)
    assert_file(response, body)
    check_headers(response, body, "once.bin")
    assert response.header("X-One-Time-Download") == "true"
    assert response.header("X-Expiration-Download") is None
    assert response.header("X-Remaining-Downloads") == "0"
    assert response.header("X-Accel-Buffering") == "no"
    assert_gone(server, upload.path)


def test_headers_of_three_downloads(server, body):
    """X-Remaining-Downloads counts down to 0 and tells what is left after this download."""
    upload = put(server, body, "three.bin", {"X-Max-Downloads": "3"})
    assert upload.response.header("X-One-Time-Upload") == "false"
    for left in (2, 1, 0):
        response = get(server, upload.path)
        assert_file(response, body)
        assert response.header("X-Remaining-Downloads") == str(left)
        assert response.header("X-Expiration-Download") == "true"
        assert response.header("X-One-Time-Download") is None
        assert response.header("X-Accel-Buffering") == "no"
        assert instant(response.header("X-Expiration-Time")) == instant(upload.response.header("X-Expires"))
    assert_gone(server, upload.path)


def test_headers_of_an_uncounted_file(server, shared, body):
    for _ in range(3):
        response = get(server, shared.path)
        assert_file(response, body)
        check_headers(response, body, "shared.bin")
        assert response.header("X-Expiration-Download") == "true"
        assert response.header("X-One-Time-Download") is None
        assert response.header("X-Accel-Buffering") is None, "costs nginx much and helps nobody here"
        assert instant(response.header("X-Expiration-Time")) == instant(shared.response.header("X-Expires"))
    assert shared.response.header("X-One-Time-Upload") == "false"


@pytest.mark.parametrize("headers", [{}, {"X-Max-Downloads": "2"}, UNCOUNTED], ids=["once", "twice", "uncounted"])
def test_head_tells_the_same(server, body, headers):
    """HEAD has the headers of GET, no body, and spends nothing however often it is asked."""
    upload = put(server, body, "head.bin", headers)
    heads = [wire.request(server, "HEAD", upload.path) for _ in range(3)]
    response = get(server, upload.path)
    assert_file(response, body)
    changing = {"date", "x-remaining-downloads", "connection", "keep-alive"}

    def lasting(answer):
        return sorted((name.lower(), value) for name, value in answer.headers if name.lower() not in changing)

    for head in heads:
        assert head.status == 200 and head.body == b"" and lasting(head) == lasting(response)


def test_entity_tags_differ_with_content(server, body, shared):
    one, two = (
        wire.request(server, "HEAD", put(server, data, "same.bin").path).header("ETag") for data in (body, body[:-1] + b"!")
    )
    assert one != two
    assert wire.request(server, "HEAD", shared.path).header("ETag") == get(server, shared.path).header("ETag")


@pytest.mark.parametrize(
    "form", ["/{id}", "/{id}.bin", "/{id}.txt", "/{id}.bin/shared.bin", "/{id}/shared.bin", "/{id}/any%20name.x"]
)
def test_forms_of_the_url(server, shared, body, form):
    """`/<id>[.ext][/name]`."""
    assert_file(get(server, form.format(id=shared.id)), body)


TYPES = [
    ("photo.jpg", None, "image/jpeg"),
    ("photo.PNG", None, "image/png"),
    ("words.txt", None, "text/plain"),
    ("paper.pdf", None, "application/pdf"),
    ("data.json", None, "application/json"),
    ("backup.tar", None, "application/x-tar"),
    ("noextension", None, "application/octet-stream"),
    ("what.is.zzz", None, "application/octet-stream"),
    ("photo.bin", "image/webp", "image/webp"),
    ("clip.mp4", None, "video/mp4"),
]


@pytest.mark.parametrize("name, sent, expected", TYPES)
def test_content_type(server, name, sent, expected):
    """As the client said, else by the name's extension, else bytes."""
    upload = put(server, b"x", name, {**UNCOUNTED, **({"Content-Type": sent} if sent else {})})
    assert get(server, upload.path).header("Content-Type").split(";")[0] == expected


ACTIVE = [
    ("page.html", None),
    ("page.HTM", None),
    ("page.xhtml", None),
    ("image.svg", None),
    ("feed.xml", None),
    ("page.txt", "text/html"),
    ("page.txt", "Text/HTML; charset=utf-8"),
    ("page.txt", " text/html"),
    ("x.bin", "text/html;"),
    ("x.png", "image/svg+xml"),
    ("x.bin", "application/xhtml+xml"),
    ("x.bin", "text/xml"),
    ("x.bin", "application/xml"),
    ("x.bin", "application/rss+xml"),
    ("x.bin", "application/mathml+xml"),
    ("x.bin", "text/xsl"),
]
SCRIPT = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(document.domain)"><script>alert(1)</script></svg>'


@pytest.mark.parametrize("headers", [UNCOUNTED, {}], ids=["uncounted", "once"])
@pytest.mark.parametrize("name, kind", ACTIVE, ids=str)
def test_active_content_cannot_run_here(server, name, kind, headers):
    """HTML, SVG and XML are attachments, nosniff, in a sandbox; also for a browser and also as a part of a form."""
    put_upload = put(server, SCRIPT, name, {**headers, **({"Content-Type": kind} if kind else {})})
    form, data = multipart([("f", name, kind, SCRIPT)])
    form_upload = upload_of(wire.request(server, "POST", "/", {**headers, **form}, data))
    for upload in (put_upload, form_upload):
        browser = get(server, upload.path, BROWSER)
        assert browser.status == 200
        if headers:
            assert_file(browser, SCRIPT)
            check_harmless(browser)
        else:
            assert SCRIPT not in browser.body and b"<script" not in browser.body.lower(), "the page shows the file"
        direct = get(server, upload.path)
        assert_file(direct, SCRIPT)
        check_harmless(direct)
        part = get(server, upload.path, {"Range": "bytes=0-9"})
        assert part.status == (206 if headers else 410)
        if headers:
            check_harmless(part)


def check_harmless(response):
    assert disposition(response)[0] == "attachment"
    assert response.header("X-Content-Type-Options") == "nosniff"
    assert "sandbox" in response.header("Content-Security-Policy", "")
    assert "allow-scripts" not in response.header("Content-Security-Policy")
    assert "allow-same-origin" not in response.header("Content-Security-Policy")


@pytest.mark.parametrize(
    "name", ['"><img src=x onerror=alert(1)>.txt', "<script>alert(1)<script>.txt", "&lt;b&gt;.txt", "javascript:alert(1)"]
)
def test_page_escapes_the_name(server, name):
    """A name is text on the download page, whatever it looks like."""
    upload = put(server, b"x", quote(name, safe=""))
    page = get(server, upload.path, BROWSER)
    assert page.status == 200 and page.header("Content-Type").startswith("text/html")
    assert "<img" not in page.text and "<script" not in page.text.lower() and 'href="javascript' not in page.text
    assert page.header("X-Content-Type-Options") == "nosniff"
    policy = page.header("Content-Security-Policy", "")
    assert "default-src 'none'" in policy or "script-src 'none'" in policy or "sandbox" in policy, (
        f"the page has no policy: {policy!r}"
    )
    assert name in unescape(page.text)


# -- ranges


RANGES = [
    ("bytes=0-0", 0, 0),
    ("bytes=0-99", 0, 99),
    ("bytes=100-", 100, 999),
    ("bytes=999-", 999, 999),
    ("bytes=-1", 999, 999),
    ("bytes=-100", 900, 999),
    ("bytes=-5000", 0, 999),
    ("bytes=0-5000", 0, 999),
    ("bytes=0-", 0, 999),
    ("bytes=500-500", 500, 500),
    ("bytes=000-009", 0, 9),
]


@pytest.mark.parametrize("value, first, last", RANGES)
def test_single_range(server, shared, body, value, first, last):
    response = get(server, shared.path, {"Range": value})
    assert_file(response, body[first : last + 1], 206)
    assert response.header("Content-Range") == f"bytes {first}-{last}/{SIZE}"
    assert response.header("Content-Length") == str(last - first + 1)
    assert response.header("Repr-Digest") == repr_digest(body), "the digest is of the whole representation"
    assert response.header("Content-Type").startswith("application/octet-stream")


@pytest.mark.parametrize(
    "value, parts",
    [
        ("bytes=0-9,20-29", [(0, 9), (20, 29)]),
        ("bytes=0-0, -1", [(0, 0), (999, 999)]),
        ("bytes=500-599,0-9,100-", [(500, 599), (0, 9), (100, 999)]),
        ("bytes=0-9,5000-,20-29", [(0, 9), (20, 29)]),
    ],
)
def test_multiple_ranges(server, shared, body, value, parts):
    """multipart/byteranges with every satisfiable range; coalesced or sorted is allowed, missing bytes are not."""
    response = get(server, shared.path, {"Range": value})
    assert response.status == 206 and response.complete, response
    kind = response.header("Content-Type")
    assert kind.startswith("multipart/byteranges; boundary="), kind
    assert response.header("Content-Range") is None
    message = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + response.body)
    covered = set()
    for part in message.get_payload():
        first, last, size = map(int, re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", part["Content-Range"]).groups())
        assert size == SIZE
        covered |= set(range(first, last + 1))
    assert covered == {at for first, last in parts for at in range(first, last + 1)}
    boundary = re.search(r'boundary="?([^";]+)', kind)[1].encode()
    pieces = response.body.split(b"--" + boundary)[1:]
    assert pieces[-1].startswith(b"--")
    for piece in pieces[:-1]:  # the bytes, not as the mail parser sees them
        head, data = piece.split(b"\r\n\r\n", 1)
        first, last = map(int, re.search(rb"bytes (\d+)-(\d+)", head).groups())
        assert data == body[first : last + 1] + b"\r\n"


@pytest.mark.parametrize("value", ["bytes=1000-", "bytes=5000-6000", "bytes=1000-1000,2000-"])
def test_unsatisfiable_range(server, shared, value):
    response = get(server, shared.path, {"Range": value})
    assert_error(response, 416)
    assert response.header("Content-Range") == f"bytes */{SIZE}"


def test_ranges_of_an_empty_file(server):
    """There is no first byte to ask for, and the whole of nothing is 200."""
    upload = put(server, b"", "empty", UNCOUNTED)
    assert_file(get(server, upload.path), b"")
    assert_error(get(server, upload.path, {"Range": "bytes=0-0"}), 416)
    assert get(server, upload.path, {"Range": "bytes=0-"}).status in (200, 416)


def test_range_on_head_is_ignored(server, shared):
    """RFC 9110: Range is defined for GET only."""
    response = wire.request(server, "HEAD", shared.path, {"Range": "bytes=0-9"})
    assert (response.status, response.header("Content-Length")) == (200, str(SIZE))


def test_large_range_in_a_large_file(server):
    body = seeded("large range").randbytes(5 * 1024 * 1024)
    upload = put(server, body, headers=UNCOUNTED)
    assert_file(get(server, upload.path, {"Range": "bytes=1000001-4999999"}), body[1000001:5000000], 206)


# -- conditions


def test_if_range(server, shared, body):
    """The range only when the tag is exactly the file's; else the whole file."""
    tag = wire.request(server, "HEAD", shared.path).header("ETag")
    ranged = {"Range": "bytes=10-19"}
    assert_file(get(server, shared.path, {**ranged, "If-Range": tag}), body[10:20], 206)
    for other in ('"other"', "W/" + tag, "Wed, 21 Oct 2015 07:28:00 GMT"):
        assert_file(get(server, shared.path, {**ranged, "If-Range": other}), body)


# (headers with {tag}, status)
CONDITIONS = [
    ({"If-None-Match": "{tag}"}, 304),
    ({"If-None-Match": "W/{tag}"}, 304),
    ({"If-None-Match": "*"}, 304),
    ({"If-None-Match": '"a", {tag}, "b"'}, 304),
    ({"If-None-Match": '"other"'}, 200),
    ({"If-Match": "{tag}"}, 200),
    ({"If-Match": '"a", {tag}'}, 200),
    ({"If-Match": "*"}, 200),
    ({"If-Match": '"other"'}, 412),
    ({"If-Match": "W/{tag}"}, 412),
    ({"If-Match": '"other"', "If-None-Match": "{tag}"}, 412),
    ({"If-None-Match": "{tag}", "Range": "bytes=0-9"}, 304),
    ({"If-Match": '"other"', "Range": "bytes=0-9"}, 412),
]


@pytest.mark.parametrize("headers, status", CONDITIONS, ids=str)
@pytest.mark.parametrize("counted", [False, True], ids=["uncounted", "once"])
def test_conditions(server, body, headers, status, counted):
    """RFC 9110 section 13: 304 and 412 have the tag, and spend nothing of a one-time file."""
    upload = put(server, body, "conditional.bin", {} if counted else UNCOUNTED)
    tag = wire.request(server, "HEAD", upload.path).header("ETag")
    headers = {name: value.replace("{tag}", tag) for name, value in headers.items()}
    assert wire.request(server, "HEAD", upload.path, headers).status == status
    response = get(server, upload.path, headers)
    assert response.status == status and response.complete, response
    if status == 304:
        assert response.body == b"" and response.header("ETag") == tag
    if status == 412:
        assert_error(response, 412)
    if counted and status != 200:
        assert state(server, upload.id)["remainingDownloads"] == 1
        assert_file(get(server, upload.path), body)
        assert_gone(server, upload.path)
    if counted and status == 200:
        assert_gone(server, upload.path)


def test_range_with_a_matching_condition(server, shared, body):
    tag = wire.request(server, "HEAD", shared.path).header("ETag")
    assert_file(get(server, shared.path, {"If-Match": tag, "Range": "bytes=0-9"}), body[:10], 206)


# -- what is not there


def test_unknown_is_404_and_over_is_410(server):
    """An id that never was is 404; a well-formed id whose time is over is 410 without asking anybody."""
    for seconds, status in (
        (time.time() + 3000, 404),
        (time.time() + 86000, 404),
        (time.time() - 5, 410),
        (time.time() - 10**7, 410),
        (1704067200, 410),
    ):
        id = id_at(seconds)
        for target in (f"/{id}", f"/{id}.txt", f"/{id}/name.txt"):
            assert_error(get(server, target), status)
            assert wire.request(server, "HEAD", target).status == status
    for target in (
        "/abc",
        "/no/such/thing",
        "/0123456789ABCDEF",
        "/0123456789abcde!",
        "/favicon.txt",
        "/api/v1/nothing",
        "/api/v1/uploads/",
        "/metrics",
    ):
        assert_error(get(server, target), 404)


def test_unknown_for_a_browser_is_no_page_with_a_button(server):
    response = get(server, f"/{id_at(time.time() + 3000)}", BROWSER)
    assert response.status == 404 and b"<form" not in response.body


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "PROPFIND"])
def test_other_methods(server, shared, method):
    """What is not offered is 405 with the methods that are (OPTIONS may be answered)."""
    response = wire.request(server, method, shared.path)
    assert response.status in ((200, 204, 405) if method == "OPTIONS" else (405, 501)), response
    if response.status == 405:
        assert {"GET", "HEAD", "DELETE"} <= set(response.header("Allow", "").replace(" ", "").split(","))


def test_the_button_is_never_answered_with_what_the_browser_has(serve_once):
    """304 is for GET and HEAD: whoever presses the button wants the bytes."""
    server = serve_once()
    body = seeded("button").randbytes(SIZE)
    for name, value in (("If-None-Match", "*"), ("If-Modified-Since", "Fri, 01 Jan 2100 00:00:00 GMT")):
        upload = put(server, body)
        response = wire.request(server, "POST", upload.path, {name: value})
        assert (response.status, response.body) == (200, body), name
