"""One client must not stop a node: each attack with few means, and what everybody else gets meanwhile."""

import os
import socket
import subprocess
import threading

import pytest

import running
import wire
from attacks import MIB, Clock, descriptors, many, processor_seconds, told
from store import Store
from uploads import assert_error, get, put, urls
from waiting import eventually, pause

FORM = {"Content-Type": "multipart/form-data; boundary=B"}


def part(number: int, data: bytes) -> bytes:
    return b'--B\r\nContent-Disposition: form-data; name="f"; filename="%d.bin"\r\n\r\n%s\r\n' % (number, data)


# -- space that is promised and not used


def test_slow_uploads_hold_no_space(serve):
    """Two clients declare all of the quota and send 80 B/s: everybody else uploads on."""
    server = serve(STORAGE_QUOTA="64MiB", MIN_RATE=16, IDLE_TIMEOUT=10)
    with many(server, 2) as slow:
        for connection in slow:
            connection.send_head("PUT", "/slow.bin", {"Content-Length": str(31 * MIB)})
            connection.send(b"x" * 80)
        clock = Clock()

        def taken():
            for connection in slow:
                connection.send(b"x" * 16)
            return wire.request(server, "PUT", "/other.bin", {}, bytes(8 * MIB)).status == 200

        eventually(taken, 30, "others upload although slow clients have declared much", every=0.2)
        told("two slow uploads", others_upload_after_s=clock.seconds)
        assert clock.seconds < 20


def test_a_slow_upload_that_finds_no_space_ends_cleanly(serve):
    """It was let in, and the quota is used up by others meanwhile: 507, and nothing of it stays."""
    server = serve(STORAGE_QUOTA="16MiB", MIN_RATE=16, IDLE_TIMEOUT=20)
    with wire.Connection(server, timeout=30) as slow:
        slow.send_head("PUT", "/slow.bin", {"Content-Length": str(12 * MIB)})
        slow.send(b"x" * 1000)

        def taken():
            return wire.request(server, "PUT", "/other.bin", {}, bytes(12 * MIB)).status == 200

        eventually(taken, 30, "the slow upload's space is given to others", every=0.5)
        before = Store(server.data).snapshot()
        slow.send(bytes(12 * MIB - 1000))
        assert_error(slow.read("PUT"), 507)
    assert Store(server.data).snapshot() == before


# -- forms that do not end


def test_forms_that_do_not_end(serve):
    """60 forms of 99 small files each, none of which ends: memory, descriptors, and who else may send a form."""
    server = serve()
    before = descriptors(server)
    body = b"".join(part(number, bytes(60 * 1024)) for number in range(99))
    with many(server, 60, timeout=60) as forms:
        for form in forms:
            form.send_head("POST", "/", {**FORM, "Content-Length": str(100 * MIB)})

        def feed(connection):
            try:
                connection.send(body)
            except OSError:
                pass

        senders = [threading.Thread(target=feed, args=(form,)) for form in forms]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
        used = descriptors(server) - before

        def is_taken():
            return wire.request(server, "POST", "/", FORM, part(1, b"hello") + b"--B--\r\n").status == 200

        eventually(is_taken, 10, "another client's form is taken", every=0.2)
        told("60 unfinished forms", peak_MiB=server.rss_peak() / MIB, descriptors=used)
        assert server.rss_peak() <= 96 * MIB, f"peak {server.rss_peak() / MIB:.0f} MiB"
        assert used <= 1200, f"{used} descriptors"


# -- waits


def test_continue_that_nobody_reads(serve):
    """Answers fill the buffers of clients that read nothing, until some want to be told to go on and cannot be: all are let go."""
    server = serve(IDLE_TIMEOUT=1, HEADER_TIMEOUT=1)
    upload = put(server, b"", "x", {"X-Expiration-Seconds": "3600"})
    padding = put(server, bytes(1000), "x", {"X-Expiration-Seconds": "3600"})
    # A small answer of a request that wants 100 Continue and keeps its connection.
    fields = {
        "Content-Type": "application/x-www-form-urlencoded", "Content-Length": "1", "Expect": "100-continue"}
    with many(server, 60, rcvbuf=2048) as connections:
        for number, connection in enumerate(connections):
            # So that the buffers are full at another byte of the answers for each.
            connection.send_head("GET", padding.path, {"Range": f"bytes=0-{number * 12}"})
            connection.sock.setblocking(False)
        batch = (wire.head_bytes("POST", upload.path, fields, connections[0].host) + b"x") * 25
        sent = [0] * len(connections)

        def all_gone():
            """Sends on where all has been read: more than 32 requests in one read are refused."""
            queues = wire.queues(server.port)
            for number, connection in enumerate(connections):
                if queues.get(connection.local_port, (0, 1))[1] == 0:
                    try:
                        sent[number] += connection.sock.send(batch)
                    except OSError:
                        pass
            return not any(connection.local_port in queues for connection in connections)

        clock = Clock()
        eventually(all_gone, 40, "clients that read nothing are let go")
        told("100 Continue that nobody reads", let_go_after_s=clock.seconds, requests=max(sent) // len(batch) * 25)
    assert get(server, "/healthz").status == 200


@pytest.fixture(scope="module")
def secure(serve_once, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-keyout", folder / "key.pem", "-out", folder / "cert.pem"], check=True, capture_output=True)
    server = serve_once(
        start=False, TLS_CERT_FILE=folder / "cert.pem", TLS_KEY_FILE=folder / "key.pem", HEADER_TIMEOUT=2, IDLE_TIMEOUT=2)
    server.spawn()
    eventually(lambda: "listening" in server.log(), 20, "the server listens")
    return server


HELLO = bytes.fromhex("16030102000100") + b"\x01\xfc\x03\x03" + bytes(490)
HANDSHAKES = {"silence": (b"", b""), "half a hello": (HELLO[:100], b""), "a byte at a time": (b"", HELLO)}


@pytest.mark.parametrize("name", HANDSHAKES)
def test_handshakes_that_never_end(secure, name):
    """Nothing can be answered before TLS is there; the connection ends within HEADER_TIMEOUT all the same."""
    first, drip = HANDSHAKES[name]
    with many(secure, 10) as connections:
        clock = Clock()
        for connection in connections:
            connection.send(first)
        for byte in drip:
            if clock.seconds > 12 or not all([connection.send(bytes([byte])) for connection in connections]):
                break
            pause(0.2)
        eventually(
            lambda: not any(connection.local_port in wire.queues(secure.port) for connection in connections),
            max(0.1, 12 - clock.seconds), "handshakes that do not end are ended")
        told(f"TLS, {name}", ended_after_s=clock.seconds)


# -- limits count every way in


@pytest.mark.parametrize("body", [b"", b"a=1"], ids=["empty", "short"])
def test_small_posts_count_as_uploads(serve, body):
    server = serve(UPLOADS_PER_MINUTE=3)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    statuses = [wire.request(server, "POST", f"/n{number}.txt", headers, body).status for number in range(6)]
    assert statuses == [200] * 3 + [429] * 3


def test_files_of_forms_count_as_uploads(serve):
    """A form may be a minute's worth ahead of the limit; what it was ahead the next uploads wait for."""
    server = serve(UPLOADS_PER_MINUTE=10)

    def form(count):
        body = b"".join(part(number, b"x") for number in range(count)) + b"--B--\r\n"
        return wire.request(server, "POST", "/", {**FORM, "Accept": "text/uri-list"}, body)

    assert len(urls(form(15).text)) == 15
    assert wire.request(server, "PUT", "/x", {}, b"x").status == 429
    assert_error(wire.request(server, "POST", "/", FORM, part(0, b"x") * 30 + b"--B--\r\n"), 429)
    fresh = serve(UPLOADS_PER_MINUTE=10)
    body = b"".join(part(number, b"x") for number in range(30)) + b"--B--\r\n"
    assert_error(wire.request(fresh, "POST", "/", FORM, body), 429)
    assert Store(fresh.data).rows() == 0


def test_connections_of_one_network_count_together(tmp_path):
    """Eight addresses of a /64 are one client."""
    script = f"""
ip link set lo up
for n in 1 2 3 4 5 6 7 8; do ip -6 addr add 2001:db8:1:2::$n/128 dev lo nodad; done
ip -6 addr add 2001:db8:1:3::1/128 dev lo nodad
HOST=:: PORT=3000 METRICS_PORT=0 DATA_DIR={tmp_path}/data MIN_FREE_SPACE=1MiB MAX_CONNECTIONS_PER_CLIENT=4 \
  {running.BINARY} serve 2>{tmp_path}/log & server=$!
trap 'kill $server' EXIT
for try in $(seq 200); do grep -q listening {tmp_path}/log && break; sleep 0.1; done
python3 - <<'END'
import socket
def ask(source):
    s = socket.socket(socket.AF_INET6)
    s.bind((source, 0)); s.settimeout(10); s.connect(("::1", 3000))
    s.sendall(b"GET /healthz HTTP/1.1\\r\\nHost: a\\r\\n\\r\\n")
    return s, s.recv(100).split()[1].decode()
kept = [ask(f"2001:db8:1:2::{{n}}") for n in range(1, 9)] + [ask("2001:db8:1:3::1")]
print(" ".join(status for _, status in kept))
END
"""
    isolated = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    done = subprocess.run([*isolated, "bash", "-ec", script], capture_output=True, text=True, timeout=90)
    assert done.stdout.split() == ["200"] * 4 + ["429"] * 4 + ["200"], done


# -- work per request


def processor(server, work) -> float:
    before = processor_seconds(server)
    work()
    return processor_seconds(server) - before


COSTLY = {
    "User-Agent": "a" * 30000,
    "User-Agent of words": ("User-Agent", "bot " * 7500),
    "Accept": ("Accept", "," * 30000),
    "Accept of types": ("Accept", "a/b;q=0.1," * 3000),
    "Accept of weights": ("Accept", "text/html" + ";q=1" * 7000),
    "Range": ("Range", "bytes=" + "0-0," * 7000),
    "If-None-Match": ("If-None-Match", '"a",' * 7000),
    "If-Match": ("If-Match", '"a",' * 7000),
    "Cookie": ("Cookie", "a=b; " * 6000),
    "Authorization": ("Authorization", "Basic " + "QUFB" * 7000),
    "X-Forwarded-For": ("X-Forwarded-For", "1.1.1.1," * 3500),
    "Content-Type": ("Content-Type", "text/plain" + "; a=b" * 5000),
}
COSTLY["User-Agent"] = ("User-Agent", COSTLY["User-Agent"])


@pytest.fixture(scope="module")
def costly(serve_once):
    server = serve_once(TRUSTED_PROXIES="127.0.0.1")
    return server, put(server, b"hello", "file.txt", {"X-Expiration-Seconds": "3600"})


@pytest.mark.parametrize("name", COSTLY)
def test_long_fields_cost_little(costly, name):
    """A head of 30 KiB costs at most 5 ms of an event loop (46 ms for a User-Agent before)."""
    server, upload = costly
    rounds = 40

    def ask():
        with wire.Connection(server) as connection:
            for _ in range(rounds):
                connection.exchange("GET", upload.path, [COSTLY[name]])

    ask()
    cost = processor(server, ask) / rounds * 1000
    told(f"30 KiB of {name}", ms_per_request=cost)
    assert cost <= 5


def test_near_boundaries_cost_little(serve):
    """A file full of lines that begin like the boundary: no system call for each of them."""
    server = serve()
    data = b"\r\n--Bx" * (4 * MIB // 7)
    body = part(1, data) + b"--B--\r\n"
    clock = Clock()
    cost = processor(server, lambda: wire.request(server, "POST", "/", FORM, body, timeout=120))
    told("4 MiB of near boundaries", processor_s=cost, seconds=clock.seconds)
    assert cost <= 0.6


def test_chunks_of_a_byte_cost_little(serve):
    server = serve()
    body = b"1\r\nx\r\n" * MIB + b"0\r\n\r\n"
    cost = processor(server, lambda: wire.request(server, "PUT", "/x", {"Transfer-Encoding": "chunked"}, body, timeout=120))
    told("1 MiB in chunks of a byte", processor_s=cost)
    assert cost <= 3


# -- the log


def test_a_log_that_nobody_reads(serve):
    """Standard error is a pipe that is full: requests are answered, lines are dropped and counted."""
    server = serve(start=False, METRICS_PORT=running.free_port())
    reader, writer = os.pipe()
    try:
        server.folder.mkdir(parents=True, exist_ok=True)
        server.process = subprocess.Popen(
            [str(running.BINARY), "serve"], cwd=server.folder, env=running.environment(server.folder, server.settings),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=writer, start_new_session=True)
        server.wait_ready()
        clock = Clock()
        for _ in range(16):
            with wire.Connection(server, timeout=10) as connection:
                for _ in range(500):
                    assert connection.exchange("GET", "/api/config").status in (200, 503)
        told("8,000 requests with a log that nobody reads", seconds=clock.seconds)
        page = metrics(server)
        assert page["bashupload_log_lines_dropped"] > 0
        # The reader comes back: it gets whole lines, and is told of the gap.
        os.set_blocking(reader, False)
        text = bytearray()

        def told_of_gap():
            try:
                text.extend(os.read(reader, 1 << 20))
            except BlockingIOError:
                wire.request(server, "GET", "/api/config")
            return b"were dropped" in text

        eventually(told_of_gap, 20, "the log tells of the lines that were dropped")
        lines = bytes(text).split(b"\n")[:-1]
        assert all(line.startswith(b"{") and line.endswith(b"}") for line in lines)
        server.term()
        assert server.wait(15) == 0
    finally:
        os.close(reader)
        os.close(writer)


def metrics(server) -> dict:
    class Metrics:
        host, port, tls = "127.0.0.1", int(server.settings["METRICS_PORT"]), None

    lines = wire.request(Metrics, "GET", "/metrics").text.splitlines()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if not line.startswith("#")}
