"""P5, bounded: a full disk or quota is a clear refusal, and what was acknowledged stays; a broken index is said at the start."""

import hashlib
import os
import re
import sqlite3
import subprocess

import pytest

import running
import wire
from store import Store
from uploads import assert_error, assert_file, assert_gone, get, get_when_free, put, repr_digest, state, upload_of
from waiting import eventually, seeded

KIB, MIB = 1024, 1024 * 1024
DISK, KEEP = 48 * MIB, 4 * MIB


@pytest.fixture
def small_disk(serve):
    """A server whose DATA_DIR is a file system of 48 MiB of which 4 MiB must stay free; and its filler."""
    server = serve(start=False, MIN_FREE_SPACE="4MiB")
    server.data.mkdir()
    server.wrapper = running.mounted(f"mount -t tmpfs -o size={DISK} tmpfs '{server.data}'")
    server.start()
    filler = Filler(server.on_disk)
    assert filler.free() <= DISK, "the small file system is not in use"
    return server, filler


class Filler:
    """Takes space away from the server and gives it back."""

    def __init__(self, folder):
        self.folder = folder
        self.path = folder / "filler"

    def free(self) -> int:
        usage = os.statvfs(self.folder)
        return usage.f_bavail * usage.f_frsize

    def leave(self, count: int):
        """Fills the disk until at most `count` bytes are free."""
        with open(self.path, "ab", buffering=0) as file:
            while (more := self.free() - count) > 0:
                try:
                    file.write(bytes(min(more, MIB)))
                except OSError:
                    break
        assert self.free() <= count

    def give_back(self):
        self.path.unlink()


def no_space(response):
    """507 with one line that has a number in it."""
    assert_error(response, 507)
    assert re.search(r"\d", response.text), f"no limit in numbers: {response.text!r}"


def refused_before_the_body(server, size, headers=None):
    """A client that waits for 100 Continue is told 507 at once, sends no byte, and the connection ends."""
    with wire.Connection(server) as connection:
        connection.send_head("PUT", "/too-big.bin", {"Content-Length": str(size), "Expect": "100-continue", **(headers or {})})
        response = connection.read("PUT")
        assert response.interim == [], "100 Continue before the refusal"
        no_space(response)
        assert connection.ends(), "the connection stays open for a body nobody wants"


def fill_the_body(connection, count, piece=256 * KIB):
    """Sends up to `count` bytes in chunks and stops when an answer is there."""
    data = wire.chunk(bytes(piece))
    for _ in range(count // piece):
        if connection.readable(0) or not connection.send(data):
            return
    connection.send(b"0\r\n\r\n")


def curl_upload(server, path, *options):
    """(exit code, status, bytes sent, body) of a real curl."""
    out = subprocess.run(
        ["curl", "-sS", "-w", "\n%{http_code} %{size_upload}", *options, "-T", str(path), server.url],
        capture_output=True,
        text=True,
        timeout=60,
    )
    body, _, last = out.stdout.rpartition("\n")
    status, _, size = last.partition(" ")
    return out.returncode, int(status), int(size), body


def test_full_disk_refuses_keeps_and_recovers(small_disk, tmp_path):
    """Less than MIN_FREE_SPACE left: 507 for new files, the old ones are delivered, and space given back is used again."""
    server, disk = small_disk
    random = seeded("disk full")
    shared, once, later = (random.randbytes(size) for size in (MIB, 300 * KIB, 200 * KIB))
    kept = put(server, shared, "shared.bin", {"X-Expiration-Seconds": "3600"})
    single, waiting = put(server, once, "once.bin"), put(server, later, "later.bin")
    store = Store(server.on_disk)
    disk.leave(KEEP + MIB)
    before = store.snapshot()

    refused_before_the_body(server, 8 * MIB)
    refused_before_the_body(server, MIB + 64 * KIB)
    big = tmp_path / "big.bin"
    big.write_bytes(bytes(8 * MIB))
    code, status, sent, body = curl_upload(server, big)
    assert (status, sent) == (507, 0) and len(body.strip().splitlines()) == 1, (code, status, sent, body)
    with open(big, "rb") as source:  # the same from a pipe: no length, so the disk is seen to fill under way
        piped = subprocess.run(
            ["curl", "-sS", "-o", "-", "-w", "\n%{http_code}", "-T", "-", f"{server.url}/piped.bin"],
            stdin=source,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert piped.stdout.splitlines()[-1] == "507", (piped.stdout, piped.stderr)

    with wire.Connection(server) as connection:
        connection.send_head("PUT", "/chunked.bin", {"Transfer-Encoding": "chunked"})
        fill_the_body(connection, 8 * MIB)
        no_space(connection.read("PUT"))
    eventually(lambda: store.snapshot() == before, 5, "nothing is left of what was refused")
    assert disk.free() >= KEEP, "the space that must stay free was used"

    assert_file(get(server, kept.path), shared)
    assert_file(get(server, single.path), once)
    assert_gone(server, single.path)
    assert get(server, "/healthz").status == 200

    disk.give_back()
    body = random.randbytes(8 * MIB)
    eventually(lambda: wire.request(server, "PUT", "/again.bin", {}, b"x").status == 200, 5, "uploads are taken again", every=0.2)
    again = put(server, body, "again.bin")
    assert again.response.header("Repr-Digest") == repr_digest(body)
    assert_file(get(server, again.path), body)
    assert_file(get(server, kept.path), shared)
    assert_file(get(server, waiting.path), later)
    eventually(lambda: get(server, "/readyz").status == 200, 5, "/readyz is content again")


@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
def test_disk_that_fills_under_a_running_upload(small_disk, chunked):
    """Somebody else takes the last byte while a body streams: 507, nothing stored, and the files there survive."""
    server, disk = small_disk
    random = seeded("no space left")
    shared, once = random.randbytes(MIB), random.randbytes(100 * KIB)
    kept, single = put(server, shared, headers={"X-Expiration-Seconds": "3600"}), put(server, once)
    store = Store(server.on_disk)
    size = 12 * MIB
    with wire.Connection(server, timeout=30) as connection:
        connection.send_head("PUT", "/running.bin", {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(size)})
        piece = wire.chunk(bytes(MIB)) if chunked else bytes(MIB)
        assert connection.send(piece)
        eventually(lambda: wire.queues(server.port).get(connection.local_port) == (0, 0), 5, "the first megabyte is taken")
        disk.leave(0)
        for _ in range(size // MIB - 1):
            if connection.readable(0) or not connection.send(piece):
                break
        no_space(connection.read("PUT"))
    assert get(server, "/healthz").status == 200
    assert_file(get(server, kept.path), shared)
    # Counting needs a write; on a disk without a byte left that may be refused, but it must not cost the file.
    answer = get(server, single.path)
    if answer.status != 200:
        assert_error(answer, 503, 507)
    else:
        assert_file(answer, once)
    disk.give_back()
    if answer.status != 200:
        assert_file(get_when_free(server, single.path, 10), once)
    assert_gone(server, single.path)
    eventually(lambda: wire.request(server, "PUT", "/again.bin", {}, b"x").status == 200, 5, "uploads are taken again", every=0.2)
    assert {name.split("/")[-1] for name in store.files("u")} == store.ids_with_bytes(), "files and index differ"
    assert not store.files("tmp")


def test_reserved_space_is_not_promised_twice(small_disk):
    """Two uploads that fit alone but not together: the second is refused before its body."""
    server, disk = small_disk
    disk.leave(KEEP + 10 * MIB)
    body = seeded("reserved").randbytes(7 * MIB)
    with wire.Connection(server) as first:
        first.send_head("PUT", "/first.bin", {"Content-Length": str(len(body)), "Expect": "100-continue"})
        assert first.continue_() == 100
        refused_before_the_body(server, 7 * MIB)
        assert first.send(body)
        upload = upload_of(first.read("PUT"))
    assert_file(get(server, upload.path), body)


def test_quota(serve):
    """STORAGE_QUOTA: refused before the body where the length is known, under way where not; deleting makes room."""
    server = serve(STORAGE_QUOTA="4MiB")
    store = Store(server.data)
    body = seeded("quota").randbytes(3 * MIB)
    kept = put(server, body, "kept.bin", {"X-Expiration-Seconds": "3600"})
    before = store.snapshot()
    refused_before_the_body(server, 2 * MIB)
    with wire.Connection(server) as connection:
        connection.send_head("PUT", "/chunked.bin", {"Transfer-Encoding": "chunked"})
        fill_the_body(connection, 3 * MIB)
        no_space(connection.read("PUT"))
    eventually(lambda: store.snapshot() == before, 5, "nothing is left of what was refused")
    assert_file(get(server, kept.path), body)
    small = put(server, b"x" * (512 * KIB), "small.bin")
    assert_file(get(server, small.path), b"x" * (512 * KIB))
    assert wire.request(server, "DELETE", f"/{kept.id}", {"X-Delete-Token": kept.token}).status == 204
    assert_gone(server, kept.path)

    def there_is_room():
        response = wire.request(server, "PUT", "/after.bin", {}, body)
        return response.status == 200 and upload_of(response)

    after = eventually(there_is_room, 10, "the space of the deleted file is free again", every=0.2)
    assert_file(get(server, after.path), body)


def test_quota_is_reserved(serve):
    """Two bodies under way count before they are stored."""
    server = serve(STORAGE_QUOTA="4MiB")
    with wire.Connection(server) as first:
        first.send_head("PUT", "/first.bin", {"Content-Length": str(3 * MIB)})
        first.send(bytes(MIB))
        eventually(lambda: wire.queues(server.port).get(first.local_port) == (0, 0), 5, "the first upload runs")
        refused_before_the_body(server, 2 * MIB)
        first.send(bytes(2 * MIB))
        assert first.read("PUT").status == 200


# -- the index at start-up


@pytest.fixture
def stopped(serve):
    """A server that has stored two files and was stopped in order: (server, store, the bytes under u/)."""
    server = serve()
    for number in range(2):
        put(server, seeded(f"index {number}").randbytes(10000), headers={"X-Expiration-Seconds": "3600"})
    server.stop()
    store = Store(server.data)
    assert len(store.files("u")) == 2
    return server, store, fingerprints(store)


def fingerprints(store) -> dict:
    return {name: hashlib.sha256((store.folder / "u" / name).read_bytes()).hexdigest() for name in store.files("u")}


def does_not_start(server, what: str, remedy: str, wrapper=(), seconds=60, where=r"index"):
    """`serve` ends by itself, non-zero, and one line says where, what is wrong and what to do."""
    done = running.run(["serve"], server.folder, server.settings, seconds, wrapper)
    output = done.stdout + done.stderr
    assert done.returncode > 0, f"ended with {done.returncode}:\n{output}"
    assert not any(mark in output for mark in running.CRASH_MARKS), output
    lines = running.alarm_lines(output)
    good = [
        line for line in lines if re.search(what, line, re.I) and re.search(remedy, line, re.I) and re.search(where, line, re.I)
    ]
    assert good, "no line says what is wrong and how to repair it:\n" + "\n".join(lines)
    return done


def still_there(server, store, bytes_before):
    """A start that failed touched nothing: after the repair everything is served."""
    assert fingerprints(store) == bytes_before, "a failed start changed the stored bytes"
    server.start()
    for id in store.ids():
        assert state(server, id)["state"] == "available"
        assert get(server, f"/{id}").status == 200


@pytest.mark.parametrize(
    "part, where", [("index.sqlite", "index"), (".", "index|DATA_DIR|data directory")], ids=["the file", "the directory"]
)
def test_index_read_only(stopped, part, where):
    """The index cannot be written: the start says so and says what to change."""
    server, store, before = stopped
    target = os.path.normpath(server.data / part)
    wrapper = running.mounted(f"mount --bind '{target}' '{target}'; mount -o remount,bind,ro '{target}'")
    does_not_start(
        server,
        r"read.?only|not writable|cannot write|permission",
        r"chown|chmod|remount|writable|permission|DATA_DIR",
        wrapper,
        where=where,
    )
    still_there(server, store, before)


@pytest.mark.parametrize("keep", [0, 100], ids=["all of it", "all but its header"])
def test_index_corrupt(stopped, keep):
    """Garbage where the index was: the start says so, says how to repair, and repairs nothing by itself."""
    server, store, before = stopped
    good = store.index.read_bytes()
    garbage = good[:keep] + seeded("garbage").randbytes(len(good) - keep)
    for suffix in ("-wal", "-shm"):
        store.index.with_name(store.index.name + suffix).unlink(missing_ok=True)
    store.index.write_bytes(garbage)
    does_not_start(server, r"corrupt|malformed|not a database|damaged", r"backup|restore|rebuild|move|rename|remove|delete")
    assert store.index.read_bytes() == garbage, "the broken index, which somebody may want to look at, was changed"
    store.index.write_bytes(good)
    still_there(server, store, before)


def test_index_locked_by_another_process(stopped):
    """Somebody holds the index: the start waits at most a while, then ends and says who may be meant."""
    server, store, before = stopped
    holder = sqlite3.connect(store.index, isolation_level=None)
    try:
        holder.execute("BEGIN EXCLUSIVE")
        does_not_start(server, r"lock|busy|in use", r"stop|close|end|wait|another|other")
    finally:
        holder.close()
    still_there(server, store, before)


def test_second_serve_on_one_data_directory(serve):
    """One `serve` per DATA_DIR: the second ends with 1 and one clear line, the first does not notice."""
    server = serve()
    upload = put(server, b"first", headers={"X-Expiration-Seconds": "600"})
    second = running.run(["serve"], server.folder, {**server.settings, "PORT": running.free_port()}, 30)
    assert second.returncode == 1, second
    lines = running.alarm_lines(second.stdout + second.stderr)
    assert [
        line
        for line in lines
        if re.search(r"DATA_DIR|data directory|" + re.escape(str(server.data)), line)
        and re.search(r"another|already|in use|second", line)
    ], lines
    assert len([line for line in lines if re.search(r"another|already|in use|second", line)]) == 1, lines
    assert_file(get(server, upload.path), b"first")
    server.kill9()
    server.start()
    assert_file(get(server, upload.path), b"first")
