"""Pieces of a one-time file over a bucket, also over one that takes a single write of a claim a second."""

import shutil
import subprocess
import threading

import pytest

from uploads import assert_error, assert_file, get, put, sha256, state
from waiting import seeded

MIB = 1024 * 1024
SIZE = 24 * MIB


@pytest.fixture(scope="module")
def body():
    return seeded("bucket pieces").randbytes(SIZE)


def test_sixteen_pieces_at_once_over_two_nodes(nodes, bucket, body):
    """Every piece is served, whichever node it meets, and one download is spent."""
    servers = nodes(bucket, 2, NO_CLEANUP=True)
    upload = put(servers[0], body)
    step, answers = SIZE // 16, {}

    def fetch(number):
        first = number * step
        answers[number] = get(servers[number % 2], upload.path, {"Range": f"bytes={first}-{first + step - 1}"}, timeout=60)

    threads = [threading.Thread(target=fetch, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, answer in answers.items():
        assert_file(answer, body[number * step : (number + 1) * step], 206)
    assert state(servers[0], upload.id)["state"] == "consumed"
    assert_error(get(servers[1], upload.path), 410)


@pytest.mark.parametrize("program", ["axel -q -n 16 -o out {url}", 'lftp -c "pget -n 16 {url} -o out"', "aria2c -q -x16 -s16 -k1M -o out {url}"])
def test_programs_fetch_a_file_once(nodes, radosgw, body, tmp_path, program):
    (server,) = nodes(radosgw, 1, NO_CLEANUP=True)
    assert shutil.which(program.split()[0]), "not installed: make test-deps"
    for turn in range(3):
        upload = put(server, body)
        folder = tmp_path / str(turn)
        folder.mkdir()
        subprocess.run(program.format(url=upload.url), shell=True, cwd=folder, timeout=120, stdin=subprocess.DEVNULL, check=True)
        assert sha256((folder / "out").read_bytes()) == sha256(body)
        assert state(server, upload.id)["state"] == "consumed"
