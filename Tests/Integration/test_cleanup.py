"""P4, expired means gone: the bytes leave, with the command beside a running server and by the server itself."""

import json
import os
import subprocess
import threading
import time

import running
import wire
from store import Store
from uploads import assert_file, assert_gone, get, id_at, put, sha256, state, upload_of
from waiting import eventually, seeded

MIB = 1024 * 1024
LASTING = {"X-Expiration-Seconds": "3600"}
BRIEF = {"X-Expiration-Seconds": "1"}


def cleanup(server, *options) -> dict:
    done = server.run("cleanup", "--json", *options)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    told = json.loads(done.stdout)
    assert told["dryRun"] is ("--dry-run" in options)
    return told


def is_over(server, upload) -> bool:
    return wire.request(server, "HEAD", upload.path).status == 410


def test_command_beside_a_running_server(serve):
    """First it only says what it would do, then it does exactly that, then there is nothing left to do."""
    server = serve(NO_CLEANUP=True, RESUME_SECONDS=1)
    store = Store(server.data)
    random = seeded("cleanup")
    bodies = [random.randbytes(size) for size in (100000, 200000, 300000, 400000)]
    expired, consumed = put(server, bodies[0], headers=BRIEF), put(server, bodies[1])
    lasting, waiting = put(server, bodies[2], headers=LASTING), put(server, bodies[3])
    assert_file(get(server, consumed.path), bodies[1])
    eventually(lambda: is_over(server, expired), 8, "the upload expires")
    told = eventually(
        lambda: (now := cleanup(server, "--dry-run"))["deletedObjects"] == 2 and now, 10, "two files are due", every=0.2
    )
    assert told["freedBytes"] == 300000
    assert {upload.id for upload in (expired, consumed, lasting, waiting)} == {name.split("/")[-1] for name in store.files("u")}, (
        "a dry run deleted"
    )
    told = cleanup(server)
    assert (told["deletedObjects"], told["freedBytes"]) == (2, 300000)
    assert {name.split("/")[-1] for name in store.files("u")} == {lasting.id, waiting.id}
    told = cleanup(server)
    assert (told["deletedObjects"], told["freedBytes"]) == (0, 0)
    assert_gone(server, expired.path)
    assert_gone(server, consumed.path)
    assert_file(get(server, lasting.path), bodies[2])
    assert_file(get(server, waiting.path), bodies[3])


def test_text_output(serve):
    """Without --json it is for people: one pass, the numbers, exit 0."""
    server = serve(NO_CLEANUP=True)
    upload = put(server, b"x" * 1000, headers=BRIEF)
    eventually(lambda: is_over(server, upload), 8, "the upload expires")
    done = server.run("cleanup")
    assert done.returncode == 0 and "1" in done.stdout and not done.stdout.lstrip().startswith("{"), done
    assert not Store(server.data).path(upload.id).exists()


def test_progress_on_a_terminal(serve):
    """Who watches sees how far it has come; the line goes again, and a log gets none."""
    server = serve(NO_CLEANUP=True)
    upload = put(server, b"x" * 1000, headers=BRIEF)
    eventually(lambda: is_over(server, upload), 8, "the upload expires")
    assert "so far" not in server.run("cleanup", "--dry-run").stderr
    master, terminal = os.openpty()
    environment = running.environment(server.folder, server.settings)
    done = subprocess.run([running.BINARY, "cleanup"], env=environment, stderr=terminal, stdout=subprocess.PIPE, text=True, timeout=60)
    seen = os.read(master, 1 << 16).decode()
    for descriptor in (master, terminal):
        os.close(descriptor)
    assert done.returncode == 0 and done.stdout.startswith("deleted 1 objects"), done
    assert seen.startswith("\rcleanup: ") and "objects removed so far" in seen and seen.endswith("\r\x1b[K"), repr(seen)


def test_orphans_of_expired_folders_leave(serve):
    """A file that no row knows, under an id whose time is over, goes; files of living ids and what is not ours stay."""
    server = serve(NO_CLEANUP=True)
    store = Store(server.data)
    lasting = put(server, b"lasting", headers=LASTING)
    orphans = [
        store.path(id_at(time.time() - seconds, f"orphan000{number}"))
        for number, seconds in enumerate((86400, 86400, 10 * 86400, 200 * 86400))
    ]
    for orphan in orphans:
        orphan.parent.mkdir(parents=True, exist_ok=True)
        orphan.write_bytes(b"x" * 1000)
    foreign = server.data / "notes.txt"
    foreign.write_text("of the operator")
    assert cleanup(server, "--dry-run")["freedBytes"] == 4000
    assert all(orphan.exists() for orphan in orphans)
    assert cleanup(server)["freedBytes"] == 4000
    assert not any(orphan.exists() for orphan in orphans)
    assert foreign.read_text() == "of the operator"
    assert store.files("u") == {f"{lasting.id[:4]}/{lasting.id}": 7}
    assert_file(get(server, lasting.path), b"lasting")


def test_server_cleans_by_itself(serve):
    """Within one CLEANUP_INTERVAL after the end (and after RESUME_SECONDS) the bytes have left."""
    server = serve(CLEANUP_INTERVAL=1, RESUME_SECONDS=1)
    store = Store(server.data)
    expired, consumed, lasting = (
        put(server, b"e" * 1000, headers=BRIEF),
        put(server, b"c" * 1000),
        put(server, b"l" * 1000, headers=LASTING),
    )
    assert get(server, consumed.path).status == 200
    # Object first, then the row: between the two the index still knows bytes that have gone.
    eventually(
        lambda: {name.split("/")[-1] for name in store.files("u")} == store.ids_with_bytes() == {lasting.id},
        10,
        "only the lasting file is on disk and in the index",
    )
    assert_gone(server, expired.path)
    assert_gone(server, consumed.path)
    assert_file(get(server, lasting.path), b"l" * 1000)


def test_no_cleanup(serve):
    """NO_CLEANUP leaves the bytes to the command, and still serves nothing that expired."""
    server = serve(NO_CLEANUP=True, CLEANUP_INTERVAL=1, RESUME_SECONDS=1)
    store = Store(server.data)
    expired, marker = put(server, b"e" * 1000, headers=BRIEF), put(server, b"m", headers={"X-Expiration-Seconds": "3"})
    eventually(lambda: is_over(server, marker), 8, "two seconds after the first expired, the second did")
    assert_gone(server, expired.path)
    assert store.path(expired.id).exists() and store.path(marker.id).exists()
    assert cleanup(server)["deletedObjects"] == 2


def test_transfers_under_way_are_untouched(serve):
    """A half-sent upload and a half-read download do not notice a cleanup."""
    server = serve(NO_CLEANUP=True)
    body = seeded("under way").randbytes(16 * MIB)
    once = put(server, body, "once.bin")
    with (
        wire.Connection(server, timeout=30) as up,
        wire.Connection(server, timeout=30) as form,
        wire.Connection(server, rcvbuf=16 * 1024, timeout=30) as down,
    ):
        up.send_head("PUT", "/up.bin", {"Content-Length": str(4 * MIB)})
        up.send(body[: 2 * MIB])
        form.send_head("PUT", "/chunked.bin", {"Transfer-Encoding": "chunked"})
        form.send(wire.chunk(body[: 2 * MIB]))
        down.send_head("GET", once.path)
        assert down.head().status == 200
        first = down.take(MIB)
        eventually(lambda: all(wire.queues(server.port).get(one.local_port) == (0, 0) for one in (up, form)), 5, "both uploads run")
        for _ in range(3):
            told = cleanup(server)
            assert (told["deletedObjects"], told["forgottenRows"]) == (0, 0)
        up.send(body[2 * MIB : 4 * MIB])
        form.send(wire.chunk(body[2 * MIB : 4 * MIB]) + b"0\r\n\r\n")
        uploads = [upload_of(connection.read("PUT")) for connection in (up, form)]
        assert sha256(first + down.take(15 * MIB, 30)) == sha256(body)
    for upload in uploads:
        assert_file(get(server, upload.path), body[: 4 * MIB])
    assert_gone(server, once.path)


def test_command_under_load(serve):
    """Cleanup again and again while uploads, downloads and expiries go on: nobody loses a file or meets a locked index."""
    server = serve(RESUME_SECONDS=1, CLEANUP_INTERVAL=1)
    random = seeded("cleanup load")
    ending, problems, served = threading.Event(), [], []

    def work(number):
        while not ending.is_set():
            body = b"%d" % number * 5000
            try:
                brief, upload = put(server, body, headers=BRIEF), put(server, body)
                assert_file(get(server, upload.path), body)
                assert_gone(server, upload.path)
                assert state(server, brief.id)["state"] in ("available", "expired")
                served.append(upload.id)
            except BaseException as problem:
                problems.append(repr(problem))
                return

    threads = [threading.Thread(target=work, args=(random.randrange(1000),)) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        passes = [cleanup(server) for _ in range(12)]
    finally:
        ending.set()
        for thread in threads:
            thread.join(30)
    assert not problems, problems[:3]
    assert len(served) >= 20 and len(passes) == 12


def test_command_without_a_server(serve):
    """The same index and files, nobody running."""
    server = serve(NO_CLEANUP=True)
    expired, lasting = put(server, b"e" * 1000, headers=BRIEF), put(server, b"l" * 1000, headers=LASTING)
    eventually(lambda: is_over(server, expired), 8, "the upload expires")
    server.stop()
    assert cleanup(server)["deletedObjects"] == 1
    store = Store(server.data)
    assert not store.path(expired.id).exists() and store.path(lasting.id).exists()
    server.start()
    assert_gone(server, expired.path)
    assert_file(get(server, lasting.path), b"l" * 1000)


def test_command_where_nothing_is(tmp_path):
    """A DATA_DIR that does not exist is said, or there is nothing to do; it is no crash."""
    done = running.run(["cleanup", "--json"], tmp_path, {"DATA_DIR": tmp_path / "nothing"}, 30)
    assert done.returncode >= 0 and not any(mark in done.stderr for mark in running.CRASH_MARKS), done
    if done.returncode == 0:
        assert json.loads(done.stdout)["deletedObjects"] == 0
    else:
        assert "nothing" in done.stderr or "DATA_DIR" in done.stderr
