"""A descriptor is closed once. The second close hits whatever another thread has opened meanwhile under the same number: the
index, somebody's file. strace sees it in every run, where its damage shows in one of a thousand."""

import shutil
import subprocess

import running
import wire
from uploads import assert_file, get, put
from waiting import eventually

MIB = 1024 * 1024


def strace(folder, *options) -> list:
    assert shutil.which("strace"), "strace is missing: scripts/install-deps test"
    return ["strace", "-f", "-y", "-e", "trace=desc", "-e", "status=failed", "-o", str(folder / "calls.txt"), *options]


def assert_no_bad_descriptor(folder):
    calls = (folder / "calls.txt").read_text().splitlines()
    assert any("exited with" in line for line in calls), "the trace is empty"
    # SQLite asks for a write lock on its read-only connections too, as they close.
    bad = [line for line in calls if "EBADF" in line and "F_WRLCK" not in line]
    assert not bad, bad[:5]


def test_cleanup_beside_a_running_server(serve, tmp_path):
    server = serve(RESUME_SECONDS=1)
    put(server, b"c" * 1000, headers={"X-Expiration-Seconds": "1"})
    for options in (["--dry-run"], []):
        done = running.run(["cleanup", *options], tmp_path, server.settings, wrapper=strace(tmp_path))
        assert done.returncode == 0, done
        assert_no_bad_descriptor(tmp_path)


def test_second_server_on_a_data_directory(serve, tmp_path):
    server = serve()
    settings = {**server.settings, "PORT": running.free_port()}
    done = running.run(["serve"], tmp_path, settings, wrapper=strace(tmp_path))
    assert done.returncode != 0 and "in use" in done.stderr, done
    assert_no_bad_descriptor(tmp_path)


def test_life_of_a_server(serve, tmp_path):
    """Uploads that end and that do not, downloads whole, in part and cut off, a cleanup, the end."""
    server = serve(RESUME_SECONDS=1, CLEANUP_INTERVAL=1)
    trace = subprocess.Popen(strace(tmp_path, "-p", str(server.pid)), stderr=subprocess.PIPE, text=True)
    assert any("attached" in line for line in trace.stderr)
    for size in (0, 1000, 200_000, 5 * MIB):
        upload = put(server, b"d" * size, headers={"X-Max-Downloads": "3"})
        assert_file(get(server, upload.path), b"d" * size)
        if size > 1:
            assert get(server, upload.path, headers={"Range": "bytes=1-99"}).status == 206
        with wire.Connection(server, rcvbuf=4096) as cut_off:
            cut_off.send_head("GET", upload.path)
            cut_off.head()
        with wire.Connection(server) as unfinished:
            unfinished.send_head("PUT", "/x", {"Content-Length": "9000000"})
            unfinished.send(b"u" * size)
    brief = put(server, b"e" * 1000, headers={"X-Expiration-Seconds": "1"})
    eventually(lambda: wire.request(server, "HEAD", brief.path).status == 410, 10, "the upload expires")
    server.stop()
    trace.wait(20)
    assert_no_bad_descriptor(tmp_path)
