"""P2, nothing is spent by accident: aborts, probes, previews; and what resuming may and may not do."""

import re
import subprocess
import time
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

import pytest

import wire
from store import Store
from uploads import (
    BROWSER,
    assert_error,
    assert_file,
    assert_gone,
    assert_locked,
    get,
    get_when_free,
    multipart,
    put,
    sha256,
    state,
)
from waiting import eventually, pause, seeded

KIB, MIB = 1024, 1024 * 1024
LEASE = 5
SIZE = 32 * MIB
# Where the client leaves, in body bytes read. The last point leaves half a megabyte unread.
POINTS = (
    0,
    1,
    1023,
    KIB,
    64 * KIB - 1,
    64 * KIB,
    64 * KIB + 1,
    256 * KIB,
    MIB,
    2 * MIB,
    4 * MIB,
    6 * MIB + 7,
    8 * MIB,
    12 * MIB,
    16 * MIB,
    20 * MIB + 13,
    24 * MIB,
    28 * MIB,
    SIZE - MIB,
    SIZE - 512 * KIB,
)
assert len(POINTS) == 20

PREVIEWS = {
    "Slackbot": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Twitterbot": "Twitterbot/1.0",
    "facebook": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "WhatsApp": "WhatsApp/2.23.20.0",
    "Telegram": "TelegramBot (like TwitterBot)",
    "Discord": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "LinkedIn": "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Skype": "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "Google": "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Bing": "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Apple": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15 (Applebot/0.1)",
}
PREVIEW_ANSWERS = (200, 403)

# name: (method, headers, accepted statuses)
PROBES = {
    "HEAD": ("HEAD", {}, (200,)),
    "HEAD with a range": ("HEAD", {"Range": "bytes=0-"}, (200, 206)),
    "first byte": ("GET", {"Range": "bytes=0-0"}, (206,)),
    "first two bytes": ("GET", {"Range": "bytes=0-1"}, (206,)),
    "browser": ("GET", BROWSER, (200,)),
    "browser that wants HTML only": ("GET", {**BROWSER, "Accept": "text/html"}, (200,)),
    "Sec-Purpose: prefetch": ("GET", {**BROWSER, "Sec-Purpose": "prefetch"}, (200, 204, 403, 503)),
    "Sec-Purpose: prefetch;prerender": ("GET", {"Sec-Purpose": "prefetch;prerender", "Accept": "*/*"}, (200, 204, 403, 503)),
    "Purpose: prefetch": ("GET", {"Purpose": "prefetch", "Accept": "*/*"}, (200, 204, 403, 503)),
    "not modified": ("GET", {"If-None-Match": "*"}, (304,)),
    "failed precondition": ("GET", {"If-Match": '"something else"'}, (412,)),
    "unsatisfiable range": ("GET", {"Range": "bytes=99999999-"}, (416,)),
    **{f"preview by {name}": ("GET", {"User-Agent": agent, "Accept": "*/*"}, PREVIEW_ANSWERS) for name, agent in PREVIEWS.items()},
}


def start_download(server, target, headers=None, rcvbuf=16 * KIB, seconds=LEASE + 5):
    """An open counted download whose head has been read; 423 before it is allowed if it says when to return."""
    opened = []

    def try_once():
        connection = wire.Connection(server, rcvbuf=rcvbuf)
        connection.send_head("GET", target, headers)
        response = connection.head()
        if response.status == 423:
            assert_locked(connection.body(response))
            connection.close()
            return None
        opened.append((connection, response))
        return opened[0]

    return eventually(try_once, seconds, f"{target} can be downloaded", every=0.05)


def leave(connection, number):
    """Half of the clients leave with RST, half with a plain close and data unread."""
    if number % 2:
        connection.reset()
    else:
        connection.close()


@pytest.fixture(scope="module")
def server(serve_once):
    return serve_once(LEASE_SECONDS=LEASE, RESUME_SECONDS=3)


@pytest.fixture(scope="module")
def big():
    return seeded("abort").randbytes(SIZE)


@pytest.mark.parametrize("number, point", list(enumerate(POINTS)), ids=[str(point) for point in POINTS])
def test_aborted_download_can_be_fetched_again(server, big, number, point):
    """A client that leaves at this point has spent nothing; the next GET is whole, and it is the last one."""
    upload = put(server, big, "big.bin")
    connection, response = start_download(server, upload.path)
    assert response.status == 200 and response.header("Content-Length") == str(SIZE)
    assert connection.take(point) == big[:point]
    leave(connection, number)
    assert_file(get_when_free(server, upload.path, LEASE + 5), big)
    assert_gone(server, upload.path)


@pytest.mark.parametrize("name", PROBES)
def test_probe_spends_nothing(server, name):
    """Asked three times, the upload is still there, still counts one, and its bytes were not in the answer."""
    method, headers, accepted = PROBES[name]
    body = seeded(f"probe {name}").randbytes(5000)
    upload = put(server, body, "secret.bin")
    for _ in range(3):
        response = wire.request(server, method, upload.path, headers)
        assert response.status in accepted and response.complete, response
        assert body not in response.body, "the probe got the whole file"
        if response.status == 206 and method == "GET":
            assert response.body == body[: len(response.body)] and len(response.body) <= 2
    seen = eventually(lambda: (now := state(server, upload.id))["state"] != "leased" and now, LEASE + 5, "no lease left")
    assert (seen["state"], seen["remainingDownloads"]) == ("available", 1)
    assert_file(get_when_free(server, upload.path, LEASE + 5), body)
    assert_gone(server, upload.path)


class Forms(HTMLParser):
    """The forms of a page: (method, action, fields)."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        if tag == "form":
            self.found.append(((values.get("method") or "get").lower(), values.get("action") or "", {}))
        elif tag in ("input", "button") and self.found and values.get("name"):
            self.found[-1][2][values["name"]] = values.get("value") or ""


@pytest.mark.parametrize("allowed", [1, 2])
def test_button_of_the_page_spends_and_delivers(server, allowed):
    """The page shows name, size and what is left; its button (POST) is a download like any other."""
    body = seeded(f"button {allowed}").randbytes(123456)
    upload = put(server, body, "holiday%20photo.jpg", {"X-Max-Downloads": str(allowed)})
    for left in range(allowed, 0, -1):
        page = get(server, upload.path, BROWSER)
        assert page.status == 200 and page.header("Content-Type").startswith("text/html"), page
        assert "holiday photo.jpg" in page.text
        assert re.search(r"123[, ]?456|12[0134](\.\d+)? ?[kK]", page.text), "the page does not tell the size"
        assert re.search(rf"\b{left}\b", re.sub(r"<style.*?</style>", "", page.text, flags=re.S)), "nor what is left"
        assert "<script" not in page.text.lower()
        assert "no-store" in page.header("Cache-Control", ""), "a page that changes with every download was cacheable"
        forms = Forms()
        forms.feed(page.text)
        posts = [form for form in forms.found if form[0] == "post"]
        assert len(posts) == 1, f"one form with method=post expected: {forms.found}"
        _, action, values = posts[0]
        target = urlsplit(urljoin(upload.url, action))
        assert target.netloc == urlsplit(upload.url).netloc
        form = {**BROWSER, "Content-Type": "application/x-www-form-urlencoded"}
        answer = wire.request(
            server, "POST", target.path + (f"?{target.query}" if target.query else ""), form, urlencode(values).encode()
        )
        assert_file(answer, body)
        assert 'filename="holiday photo.jpg"' in answer.header("Content-Disposition")
        assert answer.header("X-Remaining-Downloads") == str(left - 1)
    assert_gone(server, upload.path)
    assert get(server, upload.path, BROWSER).status == 410


def test_button_pressed_twice_delivers_once(server):
    """Two POSTs in the same moment are two downloads: the second is told 423 or 410."""
    body = seeded("button race").randbytes(300000)
    upload = put(server, body, "once.bin")
    connections = [wire.Connection(server) for _ in range(2)]
    page = Forms()
    page.feed(get(server, upload.path, BROWSER).text)
    action = urlsplit(urljoin(upload.url, next(form[1] for form in page.found if form[0] == "post")))
    for connection in connections:
        connection.send_head("POST", action.path + (f"?{action.query}" if action.query else ""), {**BROWSER, "Content-Length": "0"})
    answers = sorted((connection.read() for connection in connections), key=lambda answer: answer.status)
    assert_file(answers[0], body)
    assert answers[1].status in (423, 410), answers[1]
    for connection in connections:
        connection.close()


def test_browser_gets_uncounted_files_at_once(server):
    """The page guards what is counted; a file with a time limit opens directly."""
    body = b"plain words\n"
    upload = put(server, body, "words.txt", {"X-Expiration-Seconds": "600"})
    assert_file(get(server, upload.path, BROWSER), body)


def test_curl_continues_an_aborted_download(server, big, tmp_path):
    """`curl -C -` after a killed curl: the rest of the same one-time file, then it is gone."""
    upload = put(server, big, "big.bin")
    part = tmp_path / "part.bin"
    first = subprocess.Popen(["curl", "-sS", "--fail", "--limit-rate", "8M", "-o", str(part), upload.url])
    try:
        eventually(lambda: part.exists() and part.stat().st_size >= 2 * MIB, 15, "curl has two megabytes", every=0.01)
    finally:
        first.kill()
        first.wait()
    had = part.stat().st_size
    assert 2 * MIB <= had < SIZE
    command = ["curl", "-sS", "--fail", "-C", "-", "-w", "%{http_code} %{size_download}", "-o", str(part), upload.url]

    def resumed():
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 or done.stdout.startswith("423"), f"curl -C -: {done.returncode} {done.stdout} {done.stderr}"
        return done.returncode == 0 and done.stdout

    told = eventually(resumed, LEASE + 5, "curl -C - is served")
    assert told == f"206 {SIZE - had}"
    assert sha256(part.read_bytes()) == sha256(big)
    assert_gone(server, upload.path)


def test_wget_continues_an_aborted_download(server, big, tmp_path):
    """The same with `wget -c`."""
    upload = put(server, big, "big.bin")
    part = tmp_path / "part.bin"
    first = subprocess.Popen(["wget", "-q", "--limit-rate=8m", "-O", str(part), upload.url])
    try:
        eventually(lambda: part.exists() and part.stat().st_size >= 2 * MIB, 15, "wget has two megabytes", every=0.01)
    finally:
        first.kill()
        first.wait()
    command = ["wget", "-q", "-c", "-t", "1", "-O", str(part), upload.url]
    eventually(lambda: subprocess.run(command, timeout=60).returncode == 0, LEASE + 5, "wget -c is served", every=0.2)
    assert sha256(part.read_bytes()) == sha256(big)
    assert_gone(server, upload.path)


def test_lost_last_packet_is_not_a_lost_file(server):
    """The same address may fetch the tail again for RESUME_SECONDS after the download was counted, and no longer."""
    body = seeded("tail").randbytes(200000)
    upload = put(server, body, "tail.bin")
    assert_file(get(server, upload.path), body)
    counted = time.monotonic()
    tail = {"Range": f"bytes={len(body) - 100}-"}
    response = get(server, upload.path, tail)
    assert_file(response, body[-100:], 206)
    assert response.header("Content-Range") == f"bytes {len(body) - 100}-{len(body) - 1}/{len(body)}"
    assert get(server, upload.path).status == 410, "a request without a range is a new delivery"
    assert get(server, upload.path, tail, source="127.0.0.2").status == 410, "another address resumed"
    served = counted

    def over():
        nonlocal served
        answer = get(server, upload.path, tail)
        if answer.status == 206:
            assert_file(answer, body[-100:], 206)
            served = time.monotonic()
            return False
        assert_error(answer, 410)
        return True

    eventually(over, 3 + 5, "the time to resume is over", every=0.1)
    assert 2.0 <= served - counted <= 4.5, f"the tail was served for {served - counted:.1f} s with RESUME_SECONDS=3"


@pytest.mark.parametrize(
    "ranges",
    [
        ["bytes=0-"],
        ["bytes=0-99999"],
        ["bytes=-100000"],
        ["bytes=0-0,1-"],
        ["bytes=0-49999,50000-"],
        ["bytes=0-49999", "bytes=50000-"],
        ["bytes=0-99998", "bytes=99999-"],
    ],
    ids=lambda ranges: " then ".join(ranges),
)
def test_ranges_that_give_the_whole_file_spend_it(server, ranges):
    """However a whole file is cut into ranges, it was delivered; a second whole delivery is refused."""
    body = seeded("ranges").randbytes(100000)
    upload = put(server, body, "ranges.bin")
    for value in ranges:
        response = get_when_free(server, upload.path, LEASE + 5, {"Range": value})
        assert response.status in (200, 206) and response.complete, response
        assert len(response.body) >= min(len(body), 1), response

    def answer():
        response = get(server, upload.path)
        assert response.status in (423, 410), f"delivered a second time: {response!r}"
        return response.status == 410

    eventually(answer, LEASE + 5, "the upload is spent")


def test_more_than_ten_attempts_end_it(server, big):
    """All but the last byte, for ever, is not for free: after ten aborted attempts the upload is gone."""
    upload = put(server, big, "greedy.bin")
    for attempt in range(10):
        connection, response = start_download(server, upload.path)
        assert response.status == 200, f"attempt {attempt + 1}: {response!r}"
        assert connection.take(64 * KIB) == big[: 64 * KIB]
        connection.reset()
    answer = get_when_free(server, upload.path, LEASE + 5)
    assert_error(answer, 410)


def test_probes_are_not_attempts(server):
    """An attempt counts from 1 KiB on: thirty small looks leave the file as it was."""
    body = seeded("looks").randbytes(50000)
    upload = put(server, body, "looked-at.bin")
    for number in range(30):
        response = get_when_free(server, upload.path, LEASE + 5, {"Range": f"bytes=0-{number}"})
        assert_file(response, body[: number + 1], 206)
    assert_file(get_when_free(server, upload.path, LEASE + 5), body)


def test_held_lease_is_told_and_ends_with_the_holder(server, big):
    """While one client downloads, others (another address too) get 423; when it leaves they get the file."""
    upload = put(server, big, "held.bin")
    connection, response = start_download(server, upload.path)
    assert response.status == 200
    assert_locked(get(server, upload.path))
    assert_locked(get(server, upload.path, source="127.0.0.2"))
    assert get(server, upload.path, {"Range": "bytes=100-"}, source="127.0.0.2").status == 423, "a stranger continued"
    assert state(server, upload.id)["state"] == "leased"
    assert wire.request(server, "HEAD", upload.path).status == 200
    connection.reset()
    assert_file(get_when_free(server, upload.path, LEASE + 5, source="127.0.0.2"), big)


def test_slow_reader_keeps_the_lease(serve, big):
    """A lease is renewed while bytes move: a reader much slower than LEASE_SECONDS is not overtaken."""
    server = serve(LEASE_SECONDS=2)
    upload = put(server, big, "slow.bin")
    connection, response = start_download(server, upload.path)
    started, data = time.monotonic(), []
    while time.monotonic() - started < 6:
        data.append(connection.take(128 * KIB))
        assert_locked(get(server, upload.path))
        pause(0.1)
    data.append(connection.take(SIZE - sum(map(len, data)), 60))
    assert sha256(b"".join(data)) == sha256(big)
    assert_gone(server, upload.path)


def test_slow_reader_of_the_tail_gets_all(serve):
    """LEASE_SECONDS=1: a reader that takes several leases for the tail of the file, behind the point where it is spent."""
    server = serve(LEASE_SECONDS=1)
    body = seeded("tail").randbytes(2 * MIB)
    upload = put(server, body, "tail.bin")
    connection, response = start_download(server, upload.path, rcvbuf=4 * KIB)
    data = connection.take(len(body) - 128 * KIB)
    started = time.monotonic()
    while len(data) < len(body) - 8 * KIB:
        data += connection.take(4 * KIB)
        pause(0.12)
    assert time.monotonic() - started > 3
    data += connection.take(8 * KIB)
    assert sha256(data) == sha256(body)
    assert_gone(server, upload.path)


def test_overtaken_reader_never_completes(serve, big):
    """A reader that stands still loses the lease; who takes over gets the file, the first one never all of it."""
    server = serve(LEASE_SECONDS=2)
    upload = put(server, big, "still.bin")
    connection, response = start_download(server, upload.path)
    data = connection.take(MIB)
    assert get(server, upload.path).status == 423
    assert_file(get_when_free(server, upload.path, 2 + 5), big)
    rest = connection.take(SIZE - MIB, 30)
    assert len(data) + len(rest) < SIZE, "both clients received the whole file"
    assert_gone(server, upload.path)


def test_abort_of_one_of_three(server, big):
    """With three downloads allowed an abort gives its slot back: still exactly three whole deliveries."""
    upload = put(server, big, "three.bin", {"X-Max-Downloads": "3"})
    for number in range(3):
        connection, response = start_download(server, upload.path)
        assert response.status == 200
        connection.take(MIB)
        leave(connection, number)
        assert_file(get_when_free(server, upload.path, LEASE + 5), big)
    assert_gone(server, upload.path)


def test_aborted_upload_is_never_visible(serve):
    """The other direction: a body that ends too early, with and without length, and in a form, leaves nothing."""
    server = serve()
    store = Store(server.data)
    before = store.snapshot()
    headers, form = multipart([("file", "a.txt", None, b"x" * 200000)])
    broken = [
        ("PUT", {"Content-Length": "200000"}, b"x" * 100000),
        ("PUT", {"Transfer-Encoding": "chunked"}, wire.chunk(b"x" * 100000)),
        ("POST", {**headers, "Content-Length": str(len(form))}, form[:150000]),
    ]
    for method, fields, part in broken:
        connection = wire.Connection(server)
        connection.send_head(method, "/cut.bin" if method == "PUT" else "/", fields)
        connection.send(part)
        eventually(lambda: wire.queues(server.port).get(connection.local_port) == (0, 0), 5, "the server has read the part")
        connection.half_close()
        assert not (data := connection.take(4096)) or data.startswith(b"HTTP/1.1 4"), data
        connection.close()
        eventually(lambda: store.snapshot() == before, 5, f"nothing is left of a cut-off {method}")
