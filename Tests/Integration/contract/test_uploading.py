"""Ways to upload and forms of the answer."""

import json
import subprocess
import time

import pytest

import wire
from store import Store
from uploads import (
    BROWSER,
    CHINESE,
    ENGLISH,
    assert_error,
    assert_file,
    assert_gone,
    disposition,
    get,
    id_of,
    instant,
    multipart,
    put,
    repr_digest,
    sha256,
    upload_of,
    urls,
)
from waiting import eventually, seeded

JSON_FIELDS = {
    "url",
    "id",
    "name",
    "size",
    "contentType",
    "sha256",
    "createdAt",
    "expiresAt",
    "maxDownloads",
    "oneTime",
    "deleteToken",
}
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def server(serve_once):
    return serve_once()


def check_text(response, count=1):
    """`\\n\\nURL\\n\\nnote`: the URLs one per line, then the note in English and Chinese."""
    assert response.header("Content-Type").lower().replace(" ", "") == "text/plain;charset=utf-8"
    assert response.text.startswith("\n\nhttp"), response.text
    lines = response.text[2:].split("\n")
    assert [line.startswith("http") for line in lines[:count]] == [True] * count and lines[count] == "", response.text
    note = "\n".join(lines[count + 1 :])
    assert CHINESE.search(note) and ENGLISH.search(note), f"no note in English and Chinese: {note!r}"
    return lines[:count]


@pytest.mark.parametrize("size", [0, 1, 1000, 65536, 65537, 3 * MIB + 1])
@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
def test_put(server, size, chunked):
    """The bytes come back once, whatever their number and framing; the answer has URL, note and headers."""
    body = seeded(f"put {size}").randbytes(size)
    before = time.time()
    upload = put(server, body, "data.bin", chunked=chunked)
    response = upload.response
    assert check_text(response) == [upload.url]
    assert upload.url.startswith(f"http://127.0.0.1:{server.port}/{upload.id}")
    assert response.header("Location") == upload.url
    assert response.header("X-One-Time-Upload") == "true"
    assert response.header("Repr-Digest") == repr_digest(body)
    assert len(upload.token) >= 16
    allowance = 600 if chunked else size / MIB
    assert -2 <= instant(response.header("X-Expires")) - before - 3600 - allowance <= 3
    assert_file(get(server, upload.path), body)
    assert_gone(server, upload.path)


def test_put_without_a_name(server):
    """`... | curl -T - host` is `PUT /`."""
    upload = upload_of(wire.request(server, "PUT", "/", {}, b"from a pipe"))
    assert_file(get(server, upload.path), b"from a pipe")


@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
def test_post_raw_is_text(server, chunked):
    """A raw POST is stored as text under an id with .txt."""
    body = "some words\nund Wörter\n".encode()
    if chunked:
        response = wire.request(server, "POST", "/", {"Transfer-Encoding": "chunked"}, wire.chunk(body) + b"0\r\n\r\n")
    else:
        response = wire.request(server, "POST", "/", {"Content-Type": "application/x-www-form-urlencoded"}, body)
    upload = upload_of(response)
    check_text(response)
    assert upload.path.split("/")[1] == f"{upload.id}.txt"
    answer = get(server, upload.path)
    assert_file(answer, body)
    assert answer.header("Content-Type").startswith("text/plain")


def test_post_to_a_name(server):
    """`POST /name` stores under that name."""
    upload = upload_of(wire.request(server, "POST", "/notes/today.csv", {"Content-Type": "text/csv"}, b"a,b\n"))
    answer = get(server, upload.path)
    assert_file(answer, b"a,b\n")
    assert disposition(answer)[2] == "today.csv"


PARTS = [
    ("a", "one.txt", "text/plain", b"first\r\n"),
    ("note", None, None, b"not a file"),
    ("b", "zwei ü.bin", None, bytes(range(256)) * 300),
    ("a", "empty.dat", "application/octet-stream", b""),
    ("c", "last.html", "text/html", b"--b0und4r\r\n--b0und4ry_\r\n"),
]
FILES = [part for part in PARTS if part[1] is not None]


@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
def test_form_with_several_files(server, chunked):
    """Every file part is stored, in order; fields are not; a body that resembles the boundary stays whole."""
    headers, body = multipart(PARTS)
    if chunked:  # cut into odd pieces, so that boundaries fall across reads
        headers["Transfer-Encoding"] = "chunked"
        body = b"".join(wire.chunk(body[at : at + 97]) for at in range(0, len(body), 97)) + b"0\r\n\r\n"
    response = wire.request(server, "POST", "/", headers, body)
    assert response.status == 200
    found = check_text(response, len(FILES))
    assert len({id_of(url) for url in found}) == len(FILES)
    for url, (_, name, kind, data) in zip(found, FILES):
        answer = get(server, url.removeprefix(server.url))
        assert_file(answer, data)
        assert disposition(answer)[2] == name
        if kind:
            assert answer.header("Content-Type").split(";")[0] == kind
        assert_gone(server, url.removeprefix(server.url))


def test_form_is_all_or_nothing(server):
    """A second part that is cut off takes the first one with it."""
    store = Store(server.data)
    before = store.snapshot()
    headers, body = multipart(FILES)
    assert_error(wire.request(server, "POST", "/", headers, body[:-300]), 400)
    eventually(lambda: store.snapshot() == before, 3, "nothing is stored")


@pytest.mark.parametrize("preamble, epilogue", [(b"", b""), (b"preamble\r\n", b""), (b"", b"epilogue\r\n"), (b"\r\n", b"\r\n")])
def test_form_with_text_around(server, preamble, epilogue):
    """RFC 2046 allows text before the first and after the last boundary."""
    headers, body = multipart([("f", "x.bin", None, b"inside")])
    upload = upload_of(wire.request(server, "POST", "/", headers, preamble + body + epilogue))
    assert_file(get(server, upload.path), b"inside")


@pytest.mark.parametrize("boundary, header", [("X" * 70, None), ("a b", '"a b"'), ("'()+_,-./:=?", '"\'()+_,-./:=?"'), ("0", None)])
def test_form_boundaries(server, boundary, header):
    """Everything RFC 2046 allows as a boundary, 70 characters included."""
    _, body = multipart([("f", "x.bin", None, b"inside")], boundary)
    headers = {"Content-Type": f"Multipart/Form-Data; charset=utf-8; Boundary={header or boundary}"}
    assert_file(get(server, upload_of(wire.request(server, "POST", "/", headers, body)).path), b"inside")


def test_answer_as_uri_list(server):
    """`Accept: text/uri-list`: just `URL\\n`, one per line."""
    accept = {"Accept": "text/uri-list"}
    upload = put(server, b"x", headers=accept)
    assert upload.response.text == upload.url + "\n"
    assert upload.response.header("Content-Type").startswith("text/uri-list")
    headers, body = multipart(FILES)
    response = wire.request(server, "POST", "/", {**headers, **accept}, body)
    assert len(urls(response.text)) == len(FILES) and response.text == "".join(url + "\n" for url in urls(response.text))


@pytest.mark.parametrize("headers, downloads", [({}, 1), ({"X-Max-Downloads": "3"}, 3), ({"X-Expiration-Seconds": "600"}, None)])
def test_answer_as_json(server, headers, downloads):
    """`Accept: application/json`: one object with exactly the agreed fields."""
    body = b"\x89PNG\r\n"
    response = wire.request(server, "PUT", "/pict%20ure.png", {**headers, "Accept": "application/json"}, body)
    assert response.status == 200 and response.header("Content-Type").startswith("application/json"), response
    told = response.json()
    assert set(told) | {"maxDownloads"} == JSON_FIELDS and (downloads is None or "maxDownloads" in told)
    assert (told["name"], told["size"], told["contentType"], told["sha256"]) == ("pict ure.png", 6, "image/png", sha256(body))
    assert told.get("maxDownloads") == downloads and told["oneTime"] is (downloads == 1)
    assert told["url"] == response.header("Location") and id_of(told["url"]) == told["id"]
    assert told["deleteToken"] == response.header("X-Delete-Token")
    assert abs(instant(told["createdAt"]) - time.time()) < 5
    assert instant(told["expiresAt"]) == instant(response.header("X-Expires"))
    assert_file(get(server, told["url"].removeprefix(server.url)), body)


def test_answer_as_json_for_several_files(server):
    headers, body = multipart(FILES)
    response = wire.request(server, "POST", "/", {**headers, "Accept": "application/json"}, body)
    told = response.json()
    assert isinstance(told, list) and [one["name"] for one in told] == [part[1] for part in FILES]
    for one, (_, _, _, data) in zip(told, FILES):
        assert set(one) == JSON_FIELDS and (one["size"], one["sha256"]) == (len(data), sha256(data))


def test_page_form_works_without_scripts(server):
    """A browser that submits the page's form gets the link."""
    headers, body = multipart([("file", "from the page.txt", "text/plain", b"hello")])
    response = wire.request(server, "POST", "/", {**BROWSER, **headers}, body)
    assert response.status == 200
    link = next(url for url in urls(response.text) if url.startswith(server.url))
    assert_file(get(server, link.removeprefix(server.url)), b"hello")


# -- Repr-Digest


@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
def test_repr_digest_is_verified(server, chunked):
    """A right one is taken, a wrong one is 400 and nothing is kept."""
    store = Store(server.data)
    body = seeded("digest").randbytes(100000)
    upload = put(server, body, headers={"Repr-Digest": repr_digest(body)}, chunked=chunked)
    before = store.snapshot()
    data = wire.chunk(body) + b"0\r\n\r\n" if chunked else body
    framing = {"Transfer-Encoding": "chunked"} if chunked else {}
    response = wire.request(server, "PUT", "/wrong.bin", {"Repr-Digest": repr_digest(body + b"x"), **framing}, data)
    assert_error(response, 400)
    eventually(lambda: store.snapshot() == before, 3, "nothing is kept")
    answer = get(server, upload.path)
    assert_file(answer, body)
    assert answer.header("Repr-Digest") == repr_digest(body)


def test_repr_digest_among_others(server):
    """Algorithms nobody knows here are passed over, sha-256 is found among them."""
    value = f"crc32c=:AAAAAA==:, {repr_digest(b'hello')}, unixsum=:AAAA:"
    assert put(server, b"hello", headers={"Repr-Digest": value}).response.header("Repr-Digest") == repr_digest(b"hello")
    wrong = f"crc32c=:AAAAAA==:, {repr_digest(b'hellO')}"
    assert_error(wire.request(server, "PUT", "/x", {"Repr-Digest": wrong}, b"hello"), 400)


# -- with the real programs


def curl(*arguments, stdin=None) -> str:
    done = subprocess.run(["curl", "-sS", "--fail-with-body", *arguments], input=stdin, capture_output=True, timeout=60)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return done.stdout.decode()


def test_curl(server, tmp_path):
    """-T with and without a final slash, from a pipe, -d, --data-binary, several -F."""
    (tmp_path / "a b ü.txt").write_bytes(b"named\n")
    (tmp_path / "big.bin").write_bytes(seeded("curl").randbytes(3 * MIB))
    cases = [
        (["-T", str(tmp_path / "a b ü.txt"), server.url], None, b"named\n", "a b ü.txt"),
        (["-T", str(tmp_path / "a b ü.txt"), server.url + "/"], None, b"named\n", "a b ü.txt"),
        (["-T", str(tmp_path / "big.bin"), server.url], None, (tmp_path / "big.bin").read_bytes(), "big.bin"),
        (["-T", "-", f"{server.url}/piped.log"], b"piped\n", b"piped\n", "piped.log"),
        (["-d", "a=b", server.url], None, b"a=b", None),
        (["--data-binary", "@-", server.url], b"line\nline\n", b"line\nline\n", None),
        (["-F", f"file=@{tmp_path / 'a b ü.txt'}", server.url], None, b"named\n", "a b ü.txt"),
    ]
    for arguments, stdin, body, name in cases:
        url = urls(curl(*arguments, stdin=stdin))[0]
        if name:
            assert disposition(wire.request(server, "HEAD", url.removeprefix(server.url)))[2] == name
        got = subprocess.run(["curl", "-sS", "--fail", url], capture_output=True, timeout=60)
        assert got.returncode == 0 and got.stdout == body, arguments
        assert subprocess.run(["curl", "-sS", "--fail", url], capture_output=True, timeout=60).returncode == 22


def test_curl_sends_large_bodies_without_delay(server, tmp_path):
    """`Expect: 100-continue` is answered: curl does not wait its second before the body."""
    (tmp_path / "big.bin").write_bytes(bytes(2 * MIB))
    took = curl("-o", str(tmp_path / "out"), "-w", "%{time_total}", "-T", str(tmp_path / "big.bin"), server.url)
    assert float(took) < 0.9, f"{took} s: curl gave up waiting for 100 Continue"


def test_wget_and_curl_keep_the_name(server, tmp_path):
    """`curl -OJ` and `wget --content-disposition` write the file under its own name."""
    for name, command in [("c d.txt", ["curl", "-sS", "--fail", "-OJ"]), ("w d.txt", ["wget", "-q", "--content-disposition"])]:
        upload = put(server, b"kept\n", name.replace(" ", "%20"))
        subprocess.run([*command, upload.url], cwd=tmp_path, check=True, timeout=60)
        assert (tmp_path / name).read_bytes() == b"kept\n"


def test_wget_uploads(server, tmp_path):
    """`wget --method=PUT --body-file`."""
    (tmp_path / "w.txt").write_bytes(b"by wget\n")
    done = subprocess.run(
        ["wget", "-qO-", "--method=PUT", f"--body-file={tmp_path / 'w.txt'}", f"{server.url}/w.txt"],
        capture_output=True,
        timeout=60,
        check=True,
    )
    assert_file(get(server, urls(done.stdout.decode())[0].removeprefix(server.url)), b"by wget\n")


def test_problem_json_only_when_asked(server):
    """An error is text, and RFC 9457 JSON for who accepts JSON."""
    plain = get(server, "/zzzzzz0123456789")
    assert_error(plain, 404)
    response = get(server, "/zzzzzz0123456789", {"Accept": "application/json"})
    assert response.status == 404 and response.header("Content-Type").startswith("application/problem+json"), response
    problem = json.loads(response.body)
    assert problem["status"] == 404 and problem["title"] and isinstance(problem.get("detail", problem["title"]), str)
