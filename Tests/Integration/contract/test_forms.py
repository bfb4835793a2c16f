"""Forms as clients write them: nothing with a name or a type is dropped, and a body means the same under PUT and POST."""

import socket
import subprocess
import threading
import time

import pytest

import wire
from store import Store
from uploads import assert_error, assert_file, disposition, get, urls
from waiting import eventually, seeded

B = b"--B\r\n"
END = b"--B--\r\n"
FORM = {"Content-Type": "multipart/form-data; boundary=B", "Accept": "text/uri-list"}


@pytest.fixture(scope="module")
def server(serve_once):
    return serve_once()


def part(disposition: str, data: bytes = b"hello", *fields: str) -> bytes:
    lines = [f"Content-Disposition: form-data; {disposition}", *fields]
    return B + "\r\n".join(lines).encode() + b"\r\n\r\n" + data + b"\r\n"


def send(server, *parts, method="POST", target="/", headers=None) -> wire.Response:
    return wire.request(server, method, target, {**FORM, **(headers or {})}, b"".join(parts) + END)


def names(server, response) -> list:
    """The names under which the files of an answer are served; each is fetched whole."""
    assert response.status == 200, response
    found = []
    for url in urls(response.text):
        path = "/" + url.split("/", 3)[3]
        found.append(disposition(wire.request(server, "HEAD", path))[2])
        assert_file(get(server, path), b"hello")
    return found


NAMES = {
    "urllib3 before 1.25": "filename*=utf-8''gr%C3%BCn%20%E6%96%87.txt",
    "upper case": "filename*=UTF-8'de'gr%c3%bcn%20%e6%96%87.txt",
    "quoted": "filename*=\"utf-8''gr%C3%BCn%20%E6%96%87.txt\"",
    "both": "filename=\"gr_n.txt\"; filename*=utf-8''gr%C3%BCn%20%E6%96%87.txt",
    "both, the other way round": "filename*=utf-8''gr%C3%BCn%20%E6%96%87.txt; filename=\"gr_n.txt\"",
    "raw": 'filename="grün 文.txt"',
    "continued": "filename*0*=utf-8''gr%C3%BCn; filename*1*=%20%E6%96%87; filename*2=.txt",
    "word of base 64": 'filename="=?utf-8?B?Z3LDvG4g5paHLnR4dA==?="',
    "words": 'filename="=?UTF-8?Q?gr=C3=BCn_?= =?utf-8?b?5paHLnR4dA==?="',
}


@pytest.mark.parametrize("name", NAMES)
def test_ways_to_write_a_name(server, name):
    assert names(server, send(server, part(f'name="file"; {NAMES[name]}'))) == ["grün 文.txt"]


def test_latin_1(server):
    assert names(server, send(server, part("name=\"file\"; filename*=iso-8859-1''gr%FCn.txt"))) == ["grün.txt"]


def test_two_files_are_two_urls(server):
    """As requests 2.20 sends them."""
    response = send(server, part('name="a"; filename="plain.txt"'), part("name=\"b\"; filename*=utf-8''gr%C3%BCn.txt"))
    assert names(server, response) == ["plain.txt", "grün.txt"]


def test_a_type_makes_a_file(server):
    """`files={'a': (None, data, 'text/csv')}` of requests has no file name."""
    response = send(server, part('name="a"', b"hello", "Content-Type: text/csv"), part('name="b"; filename="x.txt"'))
    assert len(urls(response.text)) == 2


def test_fields_of_text_are_no_files(server):
    response = send(server, part('name="note"', b"for you"), part('name="b"; filename="x.txt"'))
    assert names(server, response) == ["x.txt"]
    assert_error(send(server, part('name="note"')), 400)


REFUSED = {
    "charset that is not known": part("name=\"a\"; filename*=gbk''%B0%A1.txt"),
    "no escape": part("name=\"a\"; filename*=utf-8''%zz"),
    "no charset": part('name="a"; filename*=x.txt'),
    "not UTF-8": part("name=\"a\"; filename*=utf-8''%FF"),
    "parts in a part": part('name="a"', b"--C--", "Content-Type: multipart/mixed; boundary=C"),
    "base 64": part('name="a"; filename="a.txt"', b"aGVsbG8=", "Content-Transfer-Encoding: base64"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_understood_is_refused(server, name):
    """One line, and nothing of the form is kept."""
    store = Store(server.data)
    before = store.snapshot()
    assert_error(send(server, part('name="good"; filename="good.txt"'), REFUSED[name], headers={"Accept": "*/*"}), 400)
    assert store.snapshot() == before


@pytest.mark.parametrize("target", ["/", "/photo.jpg", "/a/b.txt"])
def test_put_of_a_form_is_the_file(server, target):
    response = send(server, part('name="file"; filename="inside.bin"'), method="PUT", target=target)
    assert names(server, response) == ["inside.bin"]


def test_put_of_a_form_by_curl(server, tmp_path):
    data = seeded("put of a form").randbytes(200_000)
    (tmp_path / "photo.jpg").write_bytes(data)
    done = subprocess.run(
        ["curl", "-sS", "-H", "Accept: text/uri-list", "-X", "PUT", "-F", f"file=@{tmp_path}/photo.jpg", server.url + "/photo.jpg"],
        capture_output=True, text=True, timeout=60)
    path = "/" + done.stdout.strip().split("/", 3)[3]
    assert_file(get(server, path), data)


@pytest.mark.parametrize("method", ["PUT", "POST"])
@pytest.mark.parametrize("kind", ["mixed", "related", "alternative", "MIXED"])
def test_other_multiparts_are_refused(server, method, kind):
    response = send(
        server, part('name="file"; filename="a.txt"'), method=method, target="/a.txt",
        headers={"Content-Type": f"multipart/{kind}; boundary=B", "Accept": "*/*"})
    assert_error(response, 415)
    assert "multipart/form-data" in response.text


def test_two_content_types_are_refused(server):
    headers = [("Content-Type", "text/plain"), ("Content-Type", "multipart/form-data; boundary=B")]
    assert_error(wire.request(server, "PUT", "/x", headers, part('name="a"; filename="a.txt"') + END), 400)


# -- refused while sending

SIZE = 96 << 20


@pytest.fixture(scope="module")
def guarded(serve_once):
    return serve_once(PASSWORD="right")


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "large.bin"
    with open(path, "wb") as file:
        file.truncate(SIZE)
    return path


def test_wget_reads_why(guarded, large):
    done = subprocess.run(
        ["wget", "-nv", "--tries=1", "--method=PUT", f"--body-file={large}", "--header=Authorization: x", "-O", "-", guarded.url + "/b"],
        capture_output=True, text=True, timeout=120)
    # 6: the password; 4: a network failure.
    assert done.returncode == 6 and "Authentication" in done.stderr, done


def test_who_sends_slowly_reads_why(guarded):
    """The refusal is there after more seconds, and more bytes, than buffers hide: 10 s at 1 MiB/s."""
    with wire.Connection(guarded, timeout=30) as connection:
        connection.send_head("PUT", "/slow.bin", {"Content-Length": str(SIZE), "Authorization": "x"})
        tick = threading.Event()
        begin = time.monotonic()
        while time.monotonic() - begin < 10:
            assert connection.send(bytes(256 << 10)), "the connection was reset before the answer was read"
            tick.wait(0.25)
        assert_error(connection.read("PUT"), 401)


def test_a_broken_chunk_behind_many_bytes_reads_why(guarded):
    """The body cannot be read any more; what still comes is swallowed all the same."""
    with wire.Connection(guarded, timeout=30) as connection:
        connection.send_head("PUT", "/broken.bin", {"Transfer-Encoding": "chunked", "Authorization": "right"})
        connection.send(wire.chunk(b"x" * 1000) + b"nonsense\r\n")
        for _ in range(64):
            assert connection.send(bytes(256 << 10)), "the connection was reset before the answer was read"
        assert_error(connection.read("PUT"), 400)


def test_who_stops_sending_is_let_go(serve):
    """Swallowing ends with the bytes: IDLE_TIMEOUT, and MIN_RATE for a trickle."""
    server = serve(PASSWORD="right", IDLE_TIMEOUT=1, MIN_RATE=1000)
    with wire.Connection(server) as still, wire.Connection(server) as trickle:
        for connection in (still, trickle):
            connection.send_head("PUT", "/x", {"Content-Length": str(SIZE), "Authorization": "x"})
            connection.send(b"x" * 1000)

        def reset():
            trickle.send(b"x")
            return all(gone(connection.sock) for connection in (still, trickle))

        eventually(reset, 15, "both connections are closed by the server", every=0.2)


def gone(sock: socket.socket) -> bool:
    """Nobody is at the other end any more: what is sent is answered by a reset."""
    try:
        sock.send(b"x")
        sock.send(b"x")
        return False
    except OSError:
        return True

