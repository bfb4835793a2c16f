"""P5, bounded: resident memory does not grow with file size or with the number of waiting clients."""

import hashlib
import shutil
import subprocess
import threading

import pytest

import wire
from uploads import assert_file, assert_gone, get, put, repr_digest, upload_of
from waiting import eventually, seeded

KIB, MIB, GIB = 1024, 1024 * 1024, 1024 * 1024 * 1024
SIZE = 5 * GIB
STEP = 8 * MIB


def sparse_file(path, random):
    """5 GiB on paper, little on disk: 4 KiB of noise at an odd place in every 8 MiB, so every misplaced block shows."""
    with open(path, "wb") as file:
        for start in range(0, SIZE, STEP):
            file.seek(start + random.randrange(STEP - 4 * KIB))
            file.write(random.randbytes(4 * KIB))
        file.truncate(SIZE)


def digest(source) -> str:
    sha, block = hashlib.sha256(), bytearray(MIB)
    while count := source.readinto(block):
        sha.update(memoryview(block)[:count])
    return sha.hexdigest()


def test_five_gibibytes_there_and_back(serve, tmp_path):
    """The largest file that the default settings allow, through curl both ways, in at most 64 MiB of memory."""
    free = shutil.disk_usage(tmp_path).free
    assert free > SIZE + 2 * GIB, f"this test needs {(SIZE + 2 * GIB) / GIB:.0f} GiB in {tmp_path}, free: {free / GIB:.1f} GiB"
    server = serve()
    source = tmp_path / "five.bin"
    sparse_file(source, seeded("five gibibytes"))
    expected = []
    hashing = threading.Thread(target=lambda: expected.append(digest(open(source, "rb", buffering=0))))
    hashing.start()
    try:
        sent = subprocess.run(
            ["curl", "-sS", "--fail", "-H", "Accept: text/uri-list", "-T", str(source), server.url],
            capture_output=True,
            text=True,
            timeout=240,
        )
        hashing.join()
        assert sent.returncode == 0, sent.stderr
        peak_up = server.rss_peak()
        url = sent.stdout.strip()
        source.unlink()
        with subprocess.Popen(["curl", "-sS", "--fail", url], stdout=subprocess.PIPE, bufsize=0) as curl:
            received = digest(curl.stdout)
        assert curl.returncode == 0
        assert received == expected[0]
        peak = server.rss_peak()
        print(f"peak after upload {peak_up / MIB:.1f} MiB, after download {peak / MIB:.1f} MiB")
        assert peak <= 64 * MIB, f"peak {peak / MIB:.1f} MiB"
    finally:
        source.unlink(missing_ok=True)
        server.kill9()
        shutil.rmtree(server.data, ignore_errors=True)


def all_read(server, connections) -> bool:
    """True when the server has every connection and has taken all that was sent to it."""
    queues = wire.queues(server.port)
    return all(queues.get(connection.local_port, (0, 1))[1] == 0 for connection in connections)


@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
def test_two_hundred_paused_uploads(serve, chunked):
    """200 clients stop in the middle of their bodies: at most 96 MiB; each of them can still finish."""
    random = seeded("paused")
    server = serve()
    body = random.randbytes(2 * MIB)
    half = len(body) // 2
    connections = []
    try:
        for number in range(200):
            connection = wire.Connection(server, timeout=60)
            connections.append(connection)
            length = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body)))
            connection.send_head("PUT", f"/paused{number}.bin", [length])
            first = body[:half]
            assert connection.send(wire.chunk(first) if chunked else first)
        eventually(lambda: all_read(server, connections), 30, "the server has read all that was sent", every=0.1)
        peak = server.rss_peak()
        print(f"200 paused uploads: resident {server.rss() / MIB:.1f} MiB, peak {peak / MIB:.1f} MiB")
        assert peak <= 96 * MIB, f"peak {peak / MIB:.1f} MiB"
        for connection in connections[::20]:
            rest = body[half:]
            assert connection.send(wire.chunk(rest) + b"0\r\n\r\n" if chunked else rest)
            upload = upload_of(connection.read("PUT"))
            assert upload.response.header("Repr-Digest") == repr_digest(body)
        assert_file(get(server, upload.path), body)
    finally:
        for connection in connections:
            connection.close()


STALLED = b"GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n"


def flood(connection, data: bytes, limit: int):
    """Sends until the server takes no more, for two seconds at most."""
    connection.sock.settimeout(2)
    sent = 0
    try:
        while sent < limit:
            sent += connection.sock.send(data)
    except OSError:
        pass


@pytest.mark.parametrize(
    "fields, data",
    [(b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 2000), (b"Connection: Upgrade\r\nUpgrade: h2c\r\n", b"x" * 65536)],
    ids=["small requests", "another protocol"])
def test_what_comes_behind_a_stalled_download(serve, fields, data):
    """60 clients read nothing of a download and send on: at most 96 MiB."""
    server = serve()
    body = bytes(40 * MIB)
    upload = put(server, body, headers={"X-Expiration-Seconds": "600"})
    connections = []
    try:
        for _ in range(60):
            connection = wire.Connection(server, rcvbuf=4096)
            connections.append(connection)
            connection.send(STALLED % (upload.path.encode(), fields))
        threads = [threading.Thread(target=flood, args=(connection, data, 20 * MIB)) for connection in connections]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        peak = server.rss_peak()
        print(f"60 floods: peak {peak / MIB:.1f} MiB")
        assert peak <= 96 * MIB, f"peak {peak / MIB:.1f} MiB"
        assert wire.request(server, "GET", "/healthz").status == 200
    finally:
        for connection in connections:
            connection.close()


def test_idle(serve):
    """A server that has done a little work and now does nothing: at most 48 MiB."""
    server = serve()
    fresh = server.rss()
    for size in (10, 100 * KIB, MIB):
        body = seeded(f"idle {size}").randbytes(size)
        upload = put(server, body)
        assert_file(get(server, upload.path), body)
        assert_gone(server, upload.path)
    eventually(lambda: not wire.queues(server.port), 5, "no connection is open")
    print(f"resident after start {fresh / MIB:.1f} MiB, after some work {server.rss() / MIB:.1f} MiB")
    assert fresh <= 48 * MIB, f"resident {fresh / MIB:.1f} MiB after the start"
    assert server.rss() <= 48 * MIB, f"resident {server.rss() / MIB:.1f} MiB when idle"
