"""Refusals before the body, keep-alive, pipelining: what happens on one connection."""

import subprocess

import pytest

import wire
from store import Store
from uploads import assert_error, assert_file, get, put, repr_digest, upload_of
from waiting import eventually, seeded

MIB = 1024 * 1024
SECRET = "sesame"


@pytest.fixture(scope="module")
def small(serve_once):
    """1 MiB a file, 3 MiB altogether, and a password."""
    return serve_once(MAX_UPLOAD_SIZE="1MiB", STORAGE_QUOTA="3MiB", PASSWORD=SECRET)


@pytest.fixture(scope="module")
def server(serve_once):
    return serve_once()


OPEN = {"Authorization": SECRET}
# name: (headers, size, status, text that the line contains)
REFUSALS = {
    "too large": (OPEN, MIB + 1, 413, "1"),
    "far too large": (OPEN, 1 << 50, 413, "1"),
    "no password": ({}, 1000, 401, "assword"),
    "wrong password": ({"Authorization": "x"}, 1000, 401, "assword"),
    "bad downloads": ({**OPEN, "X-Max-Downloads": "0"}, 1000, 400, "X-Max-Downloads"),
    "bad expiry": ({**OPEN, "X-Expiration-Seconds": "soon"}, 1000, 400, "X-Expiration-Seconds"),
    "bad digest": ({**OPEN, "Repr-Digest": "sha-256=nonsense"}, 1000, 400, "Repr-Digest"),
    "bad form": ({**OPEN, "Content-Type": "multipart/form-data"}, 1000, 400, "boundary"),
    "quota": (OPEN, 700 * 1024, 507, "3"),
}


@pytest.fixture(scope="module")
def nearly_full(small):
    """2.5 of the 3 MiB are taken."""
    for _ in range(5):
        put(small, b"x" * 512 * 1024, headers={**OPEN, "X-Expiration-Seconds": "3600"})
    return small


@pytest.mark.parametrize("waits", [True, False], ids=["waits for 100", "does not wait"])
@pytest.mark.parametrize("name", REFUSALS)
def test_refused_before_the_body(nearly_full, name, waits):
    """The answer comes without 100 Continue and without a byte of the body; then the connection ends."""
    headers, size, status, word = REFUSALS[name]
    method, target = ("POST", "/") if name == "bad form" else ("PUT", "/refused.bin")
    store = Store(nearly_full.data)
    before = store.snapshot()
    with wire.Connection(nearly_full) as connection:
        connection.send_head(
            method, target, {**headers, "Content-Length": str(size), **({"Expect": "100-continue"} if waits else {})}
        )
        response = connection.read(method)
        assert response.interim == []
        assert_error(response, status)
        assert word in response.text, response.text
        assert connection.ends(), "the connection stays open for a body nobody wants"
    assert store.snapshot() == before


@pytest.mark.parametrize("name", ["too large", "no password", "bad downloads", "bad expiry"])
def test_refused_before_the_body_of_curl(nearly_full, tmp_path, name):
    """A real curl prints the line and has sent nothing."""
    headers, size, status, word = REFUSALS[name]
    (tmp_path / "big.bin").write_bytes(bytes(min(size, 2 * MIB)))
    options = [part for header, value in headers.items() for part in ("-H", f"{header}: {value}")]
    done = subprocess.run(
        ["curl", "-sS", "-H", "Expect: 100-continue", "-w", "\n%{http_code} %{size_upload}", *options, "-T", str(tmp_path / "big.bin"), nearly_full.url],
        capture_output=True,
        text=True,
        timeout=60,
    )
    body, _, told = done.stdout.rpartition("\n")
    assert (done.returncode, told) == (0, f"{status} 0"), done
    assert word in body and len(body.strip().splitlines()) == 1


def test_continue_is_sent_for_what_is_wanted(nearly_full):
    """The boundary itself: a body of exactly the size that is left is asked for with 100 Continue."""
    body = seeded("continue").randbytes(100 * 1024)
    with wire.Connection(nearly_full) as connection:
        connection.send_head("PUT", "/wanted.bin", {**OPEN, "Content-Length": str(len(body)), "Expect": "100-continue"})
        assert connection.continue_() == 100
        connection.send(body)
        upload = upload_of(connection.read("PUT"))
        assert connection.exchange("HEAD", upload.path, OPEN).status == 200, "the connection goes on"
    assert_file(get(nearly_full, upload.path, OPEN), body)


FORM = {**OPEN, "Content-Type": "multipart/form-data; boundary=B"}
REFUSED_FORMS = {
    "bad downloads": ({**FORM, "X-Max-Downloads": "0"}, 1000, 400, "X-Max-Downloads"),
    "bad expiry": ({**FORM, "X-Expiration-Seconds": "soon"}, 1000, 400, "X-Expiration-Seconds"),
    "quota": (FORM, 900 * 1024, 507, "3"),
}


@pytest.mark.parametrize("name", REFUSED_FORMS)
def test_forms_are_refused_before_the_body(nearly_full, name):
    headers, size, status, word = REFUSED_FORMS[name]
    with wire.Connection(nearly_full) as connection:
        connection.send_head("POST", "/", {**headers, "Content-Length": str(size), "Expect": "100-continue"})
        response = connection.read("POST")
        assert response.interim == []
        assert_error(response, status)
        assert word in response.text and connection.ends()


def test_largest_upload(serve):
    """Exactly MAX_UPLOAD_SIZE is taken, with and without a length."""
    server = serve(MAX_UPLOAD_SIZE="1MiB")
    body = seeded("largest").randbytes(MIB)
    for chunked in (False, True):
        assert put(server, body, chunked=chunked).response.header("Repr-Digest") == repr_digest(body)
    data = wire.chunk(body) + wire.chunk(b"x") + b"0\r\n\r\n"
    assert_error(wire.request(server, "PUT", "/x", {"Transfer-Encoding": "chunked"}, data), 413)
    form = b'--B\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n' + body + b"x\r\n--B--\r\n"
    response = wire.request(
        server,
        "POST",
        "/",
        {"Content-Type": "multipart/form-data; boundary=B", "Transfer-Encoding": "chunked"},
        wire.chunk(form) + b"0\r\n\r\n",
    )
    assert_error(response, 413)


def test_too_large_while_an_unsized_body_streams(serve, tmp_path):
    """Without a length the limit is enforced under way; the sender, raw or curl, can read the answer."""
    server = serve(MAX_UPLOAD_SIZE="1MiB")
    store = Store(server.data)
    before = store.snapshot()
    with wire.Connection(server) as connection:
        connection.send_head("PUT", "/endless.bin", {"Transfer-Encoding": "chunked"})
        for _ in range(200):
            if connection.readable(0) or not connection.send(wire.chunk(bytes(64 * 1024))):
                break
        assert_error(connection.read("PUT"), 413)
        assert connection.ends()
    with open("/dev/zero", "rb") as zero:
        body = zero.read(20 * MIB)
    done = subprocess.run(
        ["curl", "-sS", "-w", "\n%{http_code}", "-T", "-", f"{server.url}/endless.bin"], input=body, capture_output=True, timeout=60
    )
    line, _, status = done.stdout.decode().rpartition("\n")
    assert status == "413" and len(line.strip().splitlines()) == 1, done
    eventually(lambda: store.snapshot() == before, 3, "nothing is stored")


# -- one connection, several requests


def test_keep_alive(server):
    """Uploads, downloads, errors and HEAD one after another on one connection."""
    with wire.Connection(server) as connection:
        for number in range(3):
            body = b"%d" % number * 1000
            upload = upload_of(connection.exchange("PUT", "/kept.bin", {}, body))
            assert connection.exchange("HEAD", upload.path).status == 200
            assert_file(connection.exchange("GET", upload.path), body)
            assert_error(connection.exchange("GET", upload.path), 410)
            assert_error(connection.exchange("GET", "/no/such/thing"), 404)
            upload = upload_of(
                connection.exchange("PUT", "/chunked.bin", {"Transfer-Encoding": "chunked"}, wire.chunk(body) + b"0\r\n\r\n")
            )
            assert connection.exchange("GET", upload.path, {"If-None-Match": "*"}).status == 304
            assert connection.exchange("GET", upload.path, {"Range": "bytes=0-0"}).status == 206
            assert connection.exchange("DELETE", f"/{upload.id}", {"X-Delete-Token": upload.token}).status == 204


@pytest.mark.parametrize(
    "version, headers, stays",
    [("1.1", {}, True), ("1.1", {"Connection": "close"}, False), ("1.1", {"Connection": "x, Close"}, False), ("1.0", {}, False)],
)
def test_connection_persistence(server, version, headers, stays):
    with wire.Connection(server) as connection:
        connection.send(
            wire.head_bytes("GET", "/healthz", headers, connection.host).replace(b"HTTP/1.1", b"HTTP/" + version.encode())
        )
        assert connection.read().status == 200
        if stays:
            assert connection.exchange("GET", "/healthz").status == 200
        else:
            assert connection.ends()


def test_pipelining(server):
    """Requests sent together, bodies among them, are answered in order."""
    shared = put(server, b"shared" * 1000, headers={"X-Expiration-Seconds": "600"})
    with wire.Connection(server) as connection:

        def head(method, target, headers=None):
            return wire.head_bytes(method, target, headers, connection.host)

        connection.send(
            head("GET", "/healthz")
            + head("PUT", "/one.txt", {"Content-Length": "3"})
            + b"one"
            + head("GET", shared.path)
            + head("HEAD", shared.path)
            + head("PUT", "/two.txt", {"Transfer-Encoding": "chunked"})
            + wire.chunk(b"two")
            + b"0\r\n\r\n"
            + head("GET", "/no/such/thing")
            + head("GET", "/api/config")
        )
        assert connection.read().status == 200
        one = upload_of(connection.read("PUT"))
        assert_file(connection.read(), b"shared" * 1000)
        assert connection.read("HEAD").header("Content-Length") == "6000"
        two = upload_of(connection.read("PUT"))
        assert_error(connection.read(), 404)
        assert connection.read().json()["needPassword"] is False
    assert_file(get(server, one.path), b"one")
    assert_file(get(server, two.path), b"two")


def test_request_in_small_pieces(server):
    """Every byte in a packet of its own is the same request."""
    body = b"in pieces"
    with wire.Connection(server) as connection:
        for byte in (
            wire.head_bytes("PUT", "/pieces.txt", {"Transfer-Encoding": "chunked"}, connection.host)
            + wire.chunk(body[:4])
            + wire.chunk(body[4:])
            + b"0\r\nX-Trailer: t\r\n\r\n"
        ):
            connection.send(bytes([byte]))
        upload = upload_of(connection.read("PUT"))
    assert_file(get(server, upload.path), body)


def test_absolute_form(server):
    """RFC 9112: a server must accept it; its authority is the host."""
    with wire.Connection(server) as connection:
        connection.send(
            b"GET http://%s/healthz HTTP/1.1\r\nHost: %s\r\n\r\n" % (connection.host.encode(), connection.host.encode())
        )
        assert connection.read().status == 200


def test_chunk_extensions_are_passed_over(server):
    """Small ones are legal."""
    response = wire.request(server, "PUT", "/x.bin", {"Transfer-Encoding": "chunked"}, b'5;a=b;c="d"\r\nhello\r\n00;x\r\n\r\n')
    assert_file(get(server, upload_of(response).path), b"hello")


def test_http_1_0_client(server):
    """No Host is needed, and no chunks come back."""
    with wire.Connection(server) as connection:
        connection.send(b"PUT /old.txt HTTP/1.0\r\nContent-Length: 5\r\nHost: files.example\r\n\r\nhello")
        upload = upload_of(connection.read("PUT"))
        assert connection.ends()
    with wire.Connection(server) as connection:
        connection.send(f"GET {upload.path} HTTP/1.0\r\n\r\n".encode())
        response = connection.read()
        assert_file(response, b"hello")
        assert response.header("Transfer-Encoding") is None


UPGRADES = {"h2c": ("Upgrade, HTTP2-Settings", "h2c"), "websocket": ("Upgrade", "websocket")}


@pytest.mark.parametrize("name", UPGRADES)
def test_another_protocol_is_not_taken(server, name):
    """The answer comes in this one and says that the connection ends: nothing behind the request is read."""
    connection_field, protocol = UPGRADES[name]
    body = seeded("upgrade").randbytes(100 * 1024)
    with wire.Connection(server) as connection:
        headers = {"Connection": connection_field, "Upgrade": protocol, "Content-Length": str(len(body))}
        connection.send_head("PUT", "/upgraded.bin", headers)
        connection.send(body)
        response = connection.read("PUT")
        upload = upload_of(response)
        assert response.header("Connection") == "close" and connection.ends()
    assert_file(get(server, upload.path), body)


def test_curl_that_offers_http_2(server, tmp_path):
    (tmp_path / "file").write_bytes(b"x" * 1000)
    words = ["curl", "-sS", "--http2", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}\n"]
    done = subprocess.run(
        [*words, f"{server.url}/healthz", "-o", "/dev/null", f"{server.url}/healthz"], capture_output=True, text=True, timeout=20)
    assert done.stdout.split() == ["200", "200"], done
    done = subprocess.run(
        [*words, "-T", str(tmp_path / "file"), f"{server.url}/a", "-o", "/dev/null", "-T", str(tmp_path / "file"), f"{server.url}/b"],
        capture_output=True, text=True, timeout=20)
    assert done.stdout.split() == ["200", "200"], done


def test_a_body_that_nobody_reads_ends_the_connection(server):
    with wire.Connection(server) as connection:
        response = connection.exchange("GET", "/healthz", {"Content-Length": "5"}, b"GET /")
        assert response.status == 200 and response.header("Connection") == "close" and connection.ends()


def test_every_expectation_counts(server):
    with wire.Connection(server) as connection:
        connection.send_head("PUT", "/x", [("Content-Length", "5"), ("Expect", "100-continue"), ("Expect", "more")])
        response = connection.read("PUT")
        assert response.interim == []
        assert_error(response, 417)


def test_a_refused_head_has_no_body(server):
    with wire.Connection(server) as connection:
        connection.send(b"HEAD / HTTP/1.1\r\nHost: a b\r\n\r\n")
        assert connection.head().status == 400 and connection.ends()


def test_requests_that_come_at_once_are_limited(server):
    """Thirty-two are answered in their order; who sends more is told so and not kept in memory."""
    request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    with wire.Connection(server) as connection:
        connection.send(request * 32)
        assert [connection.read().status for _ in range(32)] == [200] * 32
        connection.send(request * 1000)
        answers = []
        while not answers or answers[-1].status == 200:
            answers.append(connection.read())
        assert_error(answers[-1], 400)
        assert "32 requests" in answers[-1].text and connection.ends()


def test_a_body_in_chunks_of_a_byte(server):
    body = seeded("bytes").randbytes(50_000)
    data = b"".join(wire.chunk(body[i:i + 1]) for i in range(len(body))) + b"0\r\n\r\n"
    upload = upload_of(wire.request(server, "PUT", "/bytes.bin", {"Transfer-Encoding": "chunked"}, data))
    assert_file(get(server, upload.path), body)


def test_url_without_host(server):
    with wire.Connection(server) as connection:
        connection.send(b"PUT /x.txt HTTP/1.0\r\nContent-Length: 2\r\nAccept: text/uri-list\r\n\r\nhi")
        response = connection.read("PUT")
        assert response.status == 200 and response.text.startswith("http://"), response
