"""P3 and P1 against a power cut: what is answered has been synced before. strace tells the order of the system calls."""

import re
import shutil
import subprocess

import pytest
from uploads import get, put

CALLS = "openat,fsync,fdatasync,linkat,write,writev,sendto,sendfile"


class Trace:
    """The system calls of a running server, in order."""

    def __init__(self, server, folder):
        assert shutil.which("strace"), "strace is missing: scripts/install-deps test"
        self.path = folder / "calls.txt"
        self.process = subprocess.Popen(
            ["strace", "-f", "-y", "-s", "40", "-e", f"trace={CALLS}", "-o", self.path, "-p", str(server.process.pid)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for line in self.process.stderr:
            if "attached" in line:
                break

    def end(self) -> list:
        self.process.terminate()
        self.process.wait(10)
        return self.path.read_text().splitlines()


def position(calls: list, pattern: str, after: int = -1) -> int:
    """The first call after another one that looks like this."""
    for index in range(after + 1, len(calls)):
        if re.search(pattern, calls[index]):
            return index
    pytest.fail(f"no {pattern} after call {after} in:\n" + "\n".join(calls))


@pytest.fixture
def traced(serve, tmp_path):
    server = serve()
    put(server, b"warm")  # the folder of this half hour exists
    trace = Trace(server, tmp_path)
    yield server, trace
    if trace.process.poll() is None:
        trace.end()


@pytest.mark.parametrize("size", [1_000, 200_000], ids=["small", "large"])
def test_upload_is_synced_before_its_answer(traced, size):
    server, trace = traced
    assert put(server, b"x" * size).id
    calls = trace.end()
    file = position(calls, r"fsync\(\d+<[^>]*/u/#\d+")
    row = position(calls, r"(fdatasync|fsync)\(\d+<[^>]*index\.sqlite-wal>", file)
    name = position(calls, r'linkat\(.*/u>, "\w{4}/\w{16}"', row)
    folder = position(calls, r"fsync\(\d+<[^>]*/u/\w{4}>", name)
    position(calls, r"HTTP/1\.1 200 OK", folder)
    assert not any("HTTP/1.1 200 OK" in call for call in calls[:folder]), "answered before it was durable"


def test_small_download_is_spent_durably_before_its_bytes(traced):
    server, trace = traced
    once = put(server, b"y" * 1_000)
    assert get(server, once.path).status == 200
    calls = trace.end()
    answer = [index for index, call in enumerate(calls) if "HTTP/1.1 200 OK" in call]
    assert len(answer) == 2
    row = position(calls, r"(fdatasync|fsync)\(\d+<[^>]*index\.sqlite-wal>", answer[0])
    assert row < answer[1], "sent before it was spent"

