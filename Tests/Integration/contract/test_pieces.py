"""A counted file fetched in pieces, by our own requests and by programs that people use: whole, and spent once."""

import os
import shutil
import subprocess
import threading

import pytest

import wire
from uploads import assert_error, assert_file, get, put, sha256, state
from waiting import eventually, seeded

MIB = 1024 * 1024
SIZE = 24 * MIB


@pytest.fixture(scope="module")
def body():
    return seeded("pieces").randbytes(SIZE)


@pytest.fixture(scope="module")
def server(serve_once):
    return serve_once()


def pieces(size, step):
    return [(start, min(start + step, size) - 1) for start in range(0, size, step)]


def fetch(server, upload, first, last):
    return get(server, upload.path, {"Range": f"bytes={first}-{last}"}, timeout=60)


@pytest.mark.parametrize("step", [MIB // 4, MIB, 2 * MIB, SIZE - 1])
def test_pieces_one_after_the_other(server, body, step):
    """What BITS and `wget2 --chunk-size` do: every byte once, in order."""
    upload = put(server, body, "in-order.bin")
    for first, last in pieces(SIZE, step):
        assert_file(fetch(server, upload, first, last), body[first : last + 1], 206)
    assert state(server, upload.id)["state"] == "consumed"
    assert_error(get(server, upload.path), 410)


def test_sixteen_pieces_at_once_and_more(server, body):
    """All at the same moment, in any order: the one with the last byte spends the download, the others still come."""
    for turn in range(3):
        upload = put(server, body, "at-once.bin")
        parts = pieces(SIZE, SIZE // 16)
        seeded(f"order {turn}").shuffle(parts)
        answers = {}

        def one(first, last):
            answers[first] = (fetch(server, upload, first, last), last)

        threads = [threading.Thread(target=one, args=part) for part in parts]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for first, (answer, last) in answers.items():
            assert_file(answer, body[first : last + 1], 206)
        assert state(server, upload.id)["state"] == "consumed"


def test_last_piece_first(server, body):
    """Spent with the last byte; the same client gets what it lacks, from the first byte on; nobody else does."""
    upload = put(server, body, "last-first.bin")
    assert fetch(server, upload, SIZE - MIB, SIZE - 1).status == 206
    assert state(server, upload.id)["state"] == "consumed"
    assert_error(get(server, upload.path, {"Range": "bytes=0-99"}, source="127.0.0.2"), 410)
    for first, last in pieces(SIZE - MIB, 4 * MIB):
        assert_file(fetch(server, upload, first, last), body[first : last + 1], 206)
    assert_error(get(server, upload.path), 410)


def test_pieces_have_a_byte_budget(server, body):
    """All but the last byte is not for ever: after twice the size and 1 MiB the file is gone, and everybody is told so."""
    upload = put(server, body, "budget.bin")
    count = 0
    while fetch(server, upload, 0, SIZE - 2).status == 206:
        count += 1
        assert count <= 4
    assert count >= 2
    for answer in (get(server, upload.path), wire.request(server, "HEAD", upload.path)):
        assert answer.status == 410, f"{answer!r}"
    told = state(server, upload.id)
    assert (told["state"], told["remainingDownloads"]) == ("consumed", 0)


def test_used_up_by_pieces_frees_the_disk(serve, body):
    """A slot that pieces have used up is over like any other: its bytes leave the disk, long before they expire."""
    server = serve(RESUME_SECONDS=0, CLEANUP_INTERVAL=1)
    upload = put(server, body, "used-up.bin")
    while fetch(server, upload, 0, SIZE - 2).status == 206:
        pass
    eventually(
        lambda: not [path for path in server.on_disk.glob("u/*/*") if path.name == upload.id], 20, "the file leaves the disk"
    )


def test_pieces_that_are_cut_off_cost_what_was_sent(server, body):
    """Pieces that the client leaves at once: no attempts, and the file is still there. (Each costs what fits into the buffers on
    the way, some MiB; charged in full six of them would be three times what a file may cost.)"""
    upload = put(server, body, "cut.bin")
    for _ in range(6):
        with wire.Connection(server, rcvbuf=16384) as connection:
            connection.send_head("GET", upload.path, {"Range": f"bytes=0-{SIZE - 2}"})
            connection.head()
            connection.reset()
    eventually(lambda: state(server, upload.id)["state"] == "available", 10, "still available")
    assert_file(get(server, upload.path, timeout=60), body)


PROGRAMS = {
    "axel": "axel -q -n 16 -o out {url}",
    "lftp": 'lftp -c "pget -n 16 {url} -o out"',
    "aria2c": "aria2c -q -x16 -s16 -k1M -o out {url}",
    "wget2": "wget2 -q -O out {url}",
    "wget2 in chunks": "wget2 -q --chunk-size=1M -O out {url}",
    "curl": "curl -sSf -o out {url}",
    "wget": "wget -q -O out {url}",
    "busybox wget": "busybox wget -q -O out {url}",
    "HTTPie": "http --ignore-stdin --download -o out {url}",
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_programs_fetch_a_file_once(server, body, tmp_path, program):
    """Each of 20 files is whole and spent."""
    command = PROGRAMS[program]
    assert shutil.which(command.split()[0]), f"{command.split()[0]} is not installed: make test-deps"
    for turn in range(20):
        folder = tmp_path / str(turn)
        folder.mkdir()
        upload = put(server, body, "file.bin")
        done = subprocess.run(
            command.format(url=upload.url), shell=True, cwd=folder, capture_output=True, timeout=120, stdin=subprocess.DEVNULL,
            env={**os.environ, "HOME": str(folder)},
        )
        assert done.returncode == 0, (turn, done)
        assert sha256((folder / "out").read_bytes()) == sha256(body), f"turn {turn}: not the file"
        assert state(server, upload.id)["state"] == "consumed", f"turn {turn}"
        shutil.rmtree(folder)
