"""Transfers end with their upload: 60 s after its expiry or deletion at the latest, and the disk space is free then."""

import os
from pathlib import Path

import pytest

import wire
from uploads import get, put
from waiting import eventually, seeded

MIB = 1024 * 1024


def deleted_files(server) -> list:
    """Open files of the server that have no name any more: disk space that is not free."""
    found = []
    for path in Path(f"/proc/{server.pid}/fd").iterdir():
        try:
            target = os.readlink(path)
        except OSError:
            continue
        if "/u/" in target and target.endswith("(deleted)"):
            found.append(target)
    return found


def read_slowly_until_the_space_is_free(server, connection):
    """A little now and then, as a reader does that wants to keep the file; the kernel may still deliver what it has."""

    def is_free():
        try:
            connection.take(4096, 0.2)
        except (wire.NoAnswer, ConnectionError):
            pass
        return not deleted_files(server)

    eventually(is_free, 60, "the disk space is free", every=0.2)


@pytest.mark.parametrize("headers", [{"X-Expiration-Seconds": "600"}, {}], ids=["by link", "one-time"])
@pytest.mark.parametrize("range_", [None, "bytes=0-40000000"], ids=["whole", "piece"])
def test_slow_readers_end_with_their_upload(serve, headers, range_):
    """Deletion ends them all, and no descriptor keeps the space."""
    server = serve(MIN_RATE=1, IDLE_TIMEOUT=600, CLEANUP_INTERVAL=1)
    upload = put(server, seeded("slow").randbytes(48 * MIB), headers=headers)
    with wire.Connection(server, rcvbuf=16384) as connection:
        connection.send_head("GET", upload.path, {"Range": range_} if range_ else {})
        assert connection.head().status in (200, 206)
        connection.take(65536)
        assert wire.request(server, "DELETE", upload.path, {"X-Delete-Token": upload.token}).status == 204
        assert deleted_files(server), "the reader keeps the file open"
        read_slowly_until_the_space_is_free(server, connection)
    assert get(server, upload.path).status == 410


def test_a_transfer_ends_after_the_expiry(serve):
    """The same at the end of its time, which nobody has to announce."""
    server = serve(MIN_RATE=1, IDLE_TIMEOUT=600, CLEANUP_INTERVAL=1)
    upload = put(server, seeded("expiry").randbytes(16 * MIB), headers={"X-Expiration-Seconds": "1"})
    with wire.Connection(server, rcvbuf=16384) as connection:
        connection.send_head("GET", upload.path)
        connection.head()
        connection.take(65536)
        eventually(lambda: deleted_files(server), 60, "cleanup has removed the file")
        read_slowly_until_the_space_is_free(server, connection)
