"""Bad input: the right status, one clear line, nothing stored, and the server lives on."""

import time

import pytest

import hostile_requests
import wire
from store import Store
from uploads import assert_file, disposition, get, put, upload_of
from waiting import eventually, seeded

PATIENCE = 8.0
LIMITS = dict(HEADER_TIMEOUT=1, IDLE_TIMEOUT=1, MIN_RATE=64)


@pytest.fixture(scope="module")
def server(serve_once):
    return serve_once(**LIMITS)


@pytest.fixture(scope="module")
def shared(server):
    """An uncounted file of 1,000 bytes that some rows ask for."""
    body = bytes(range(250)) * 4
    return put(server, body, "shared.bin", {"X-Expiration-Seconds": "3600"}), body


class Untouched:
    """What is stored before the first row, and stays so. A file that was stored under a harmless name and deleted again
    leaves its row behind (it answers 410), which is counted here."""

    def __init__(self, store):
        self.store = store
        self.rows, *self.files = store.snapshot()

    def holds(self) -> bool:
        rows, *files = self.store.snapshot()
        return rows == self.rows and files == self.files

    def check(self):
        """Fails when something was stored; what was stored then counts as known, so that only one test fails for it."""
        try:
            eventually(self.holds, 3, "nothing is stored")
        except AssertionError:
            self.rows, *self.files = self.store.snapshot()
            raise


@pytest.fixture(scope="module")
def untouched(server, shared):
    untouched = Untouched(Store(server.data))
    yield untouched
    assert untouched.holds(), "something of the hostile requests was stored after its test had looked"


def play(server, row, path) -> wire.Response | None:
    """Sends a row as it stands and returns the answer, or None when the server hung up without one."""

    def fill(data):
        return data.replace(b"{host}", f"{server.host}:{server.port}".encode()).replace(b"{shared}", path.encode())

    with wire.Connection(server, timeout=PATIENCE) as connection:
        if row.data:
            connection.send(fill(row.data))
        if row.half_close:
            connection.half_close()
        deadline = time.monotonic() + PATIENCE
        for byte in fill(row.drip):
            assert time.monotonic() < deadline, f"after {PATIENCE} s the server still puts up with a byte every {row.every} s"
            if connection.readable(row.every) or not connection.send(bytes([byte])):
                break
        try:
            response = connection.read("GET")
        except wire.Closed as closed:
            assert row.closed, f"hung up without an answer: {closed}"
            return None
        assert response.complete, f"the answer is cut short: {response!r}"
        if row.ends or connection.readable(0):
            assert ends_silently(connection), (
                f"the connection stays open after {response.status}, or more follows: {connection.buffer[:200]!r}"
            )
        return response


def ends_silently(connection) -> bool:
    """The peer closes without another answer; a farewell of 408 to an idle connection is none."""
    return connection.ends() or connection.ended and connection.buffer.startswith(b"HTTP/1.1 408 ")


def harmless(server, response, untouched):
    """What was stored under a tricky name comes back under a harmless one; the file is deleted again."""
    upload = upload_of(response)
    served = wire.request(server, "HEAD", upload.path)
    assert served.status == 200, served
    _, plain, full = disposition(served)
    for name in (plain, full):
        assert name not in ("", ".", "..") and not set(name) & set("/\\") and name.isprintable(), f"a name that bites: {name!r}"
    gone = wire.request(server, "DELETE", f"/{upload.id}", {"X-Delete-Token": upload.token})
    assert gone.status == 204, gone
    untouched.rows += 1


def check_answer(server, row, response, shared_body, untouched):
    stored = row.safe_name and response.status == 200
    assert stored or response.status in row.accept, f"expected {sorted(row.accept)}: {response!r}"
    for name, _ in response.headers:
        assert name.lower() not in ("set-cookie", "x-evil"), f"a header of the client's making: {response!r}"
    if stored:
        harmless(server, response, untouched)
    elif response.status >= 400:
        line = response.text.strip()
        assert line and line.isprintable(), f"not one line: {response!r}"
        assert response.header("Content-Type", "").startswith("text/plain"), response
    elif b"{shared}" in row.data:
        assert len(response.body) <= 128 * 1024, "more bytes than anybody needs of a small file"
        if response.status == 200:
            assert_file(response, shared_body)


def test_the_table_is_long_enough_and_its_names_differ():
    names = [row.name for row in hostile_requests.ROWS]
    assert len(names) >= 120 and len(set(names)) == len(names)


def test_control_row_is_seen(serve):
    """The same harness sees a good request stored: a row, a file and the bytes."""
    server = serve(**LIMITS)
    store = Store(server.data)
    before = store.snapshot()
    assert before == (0, (), ())
    row = hostile_requests.row("good", hostile_requests.GOOD, 200)
    response = play(server, row, "/")
    upload = upload_of(response)
    assert store.rows() == 1 and store.files("u") == {f"{upload.id[:4]}/{upload.id}": 5}
    assert store.path(upload.id).read_bytes() == b"hello"
    with pytest.raises(AssertionError, match="nothing is stored"):
        eventually(lambda: store.snapshot() == before, 0.1, "nothing is stored")
    assert_file(get(server, upload.path), b"hello")


@pytest.mark.parametrize("row", hostile_requests.ROWS, ids=lambda row: row.name.encode("ascii", "replace").decode())
def test_refused(server, shared, untouched, row):
    """Right status, one line, nothing stored, still alive."""
    upload, body = shared
    response = play(server, row, upload.path)
    try:
        if response is not None:
            check_answer(server, row, response, body, untouched)
        assert get(server, "/healthz").status == 200, "the server does not answer any more"
    finally:
        untouched.check()


def test_names_of_255_bytes_are_good(serve):
    """The boundary beside the refused 256."""
    server = serve(**LIMITS)
    for name, kept in [("n" * 251 + ".txt", "n" * 251 + ".txt"), ("%c3%bc" * 125 + "x.txt", "ü" * 125 + "x.txt")]:
        assert len(kept.encode()) == 255
        upload = put(server, b"hello", name)
        assert disposition(wire.request(server, "HEAD", upload.path))[2] == kept


def test_limits_are_not_too_strict(serve):
    """Just below the limits for the request line, the fields and their size everything works."""
    server = serve(**LIMITS)
    upload = put(server, b"x", "file.bin", {"X-Expiration-Seconds": "600"})
    assert get(server, "/healthz?" + "q" * 8000).status == 200
    assert get(server, upload.path, [(f"X-{number}", "y") for number in range(95)]).status == 200
    assert get(server, upload.path, [("X-A", "y" * 30 * 1024)]).status == 200


def test_random_bytes(server, untouched):
    """Noise, and noise behind a good beginning: an error or the end, never a hang or a crash."""
    random = seeded("noise")
    good = hostile_requests.GOOD
    for number in range(60):
        data = random.randbytes(random.randrange(1, 3000))
        if number % 3 == 0:
            cut = random.randrange(len(good) - 8)
            data = good[:cut] + data
        with wire.Connection(server, timeout=PATIENCE) as connection:
            connection.send(data)
            connection.half_close()
            try:
                response = connection.read()
            except wire.Closed:
                continue
            assert 400 <= response.status < 600 and response.complete, response
    assert get(server, "/healthz").status == 200
    eventually(untouched.holds, 3, "nothing is stored")


def test_flipped_bits_in_a_form(server, untouched):
    """One bit of a good form changed at a time: stored whole or refused, never a hang or a crash."""
    random = seeded("flips")
    form = hostile_requests.form(hostile_requests.part(hostile_requests.FILE) + hostile_requests.END)
    form = form.replace(b"{host}", f"{server.host}:{server.port}".encode())
    for _ in range(80):
        at = random.randrange(form.index(b"--XX"), len(form))
        data = form[:at] + bytes([form[at] ^ (1 << random.randrange(8))]) + form[at + 1 :]
        with wire.Connection(server, timeout=PATIENCE) as connection:
            connection.send(data)
            response = connection.read()
        assert response.status in (200, 400), response
        if response.status == 200:
            harmless(server, response, untouched)
    assert get(server, "/healthz").status == 200
    eventually(untouched.holds, 5, "what was stored is deleted again")


def test_reader_that_stands_still_is_let_go(serve):
    """A download nobody reads holds its connection no longer than IDLE_TIMEOUT allows."""
    server = serve(**LIMITS)
    upload = put(server, seeded("stalled").randbytes(16 * 1024 * 1024), headers={"X-Expiration-Seconds": "600"})
    began = time.monotonic()
    with wire.Connection(server, rcvbuf=16 * 1024) as connection:
        connection.send_head("GET", upload.path)
        assert connection.head().status == 200
        assert connection.local_port in wire.queues(server.port)
        eventually(lambda: connection.local_port not in wire.queues(server.port), 10, "the connection is ended")
    assert time.monotonic() - began >= 0.8, "ended before IDLE_TIMEOUT"


def test_idle_connection_is_let_go(serve):
    """Keep-alive is not for ever."""
    server = serve(**LIMITS)
    with wire.Connection(server) as connection:
        assert connection.exchange("GET", "/healthz").status == 200
        assert ends_silently(connection), "an idle connection stays open"
