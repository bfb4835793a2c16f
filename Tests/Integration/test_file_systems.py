"""File systems that lack something: every step of publishing is tried before anybody is served."""

import os
import subprocess

import pytest

import running
import wire
from uploads import assert_file, get, multipart, put, state, upload_of, urls
from waiting import eventually, seeded

MIB = 1024 * 1024


@pytest.fixture
def exfat(tmp_path):
    """A file system without hard links, nameless files and owners (field case: disks, SMB shares, some FUSE mounts)."""
    image, folder = tmp_path / "image", tmp_path / "exfat"
    folder.mkdir()
    with open(image, "wb") as file:
        file.truncate(256 * MIB)
    subprocess.run(["mkfs.exfat", image], check=True, capture_output=True)
    device = subprocess.run(["losetup", "-f", "--show", image], check=True, capture_output=True, text=True).stdout.strip()
    try:
        subprocess.run(["mount.exfat-fuse", device, folder], check=True, capture_output=True)
        yield folder
        subprocess.run(["umount", folder], check=True, capture_output=True)
    finally:
        subprocess.run(["umount", "-l", folder], capture_output=True)
        subprocess.run(["losetup", "-d", device], check=True, capture_output=True)


def test_uploads_and_downloads_on_exfat(exfat, serve):
    """Small, large, a form with two files, a kill -9 and a restart: it works, by renaming, and leaves nothing."""
    server = serve(DATA_DIR=exfat / "data")
    small, large = b"small", seeded("exfat").randbytes(3 * MIB)
    for body in (small, large):
        upload = put(server, body)
        assert_file(get(server, upload.path), body)
        assert get(server, upload.path).status == 410
    headers, form = multipart([("file", "a.txt", None, small), ("file", "b.bin", None, large)])
    answer = wire.request(server, "POST", "/", headers, form, timeout=30)
    assert answer.status == 200 and len(urls(answer.text)) == 2
    kept = put(server, large)
    server.kill9()
    server.start()
    assert_file(get(server, kept.path), large)
    with wire.Connection(server) as connection:
        connection.send_head("PUT", "/half.bin", {"Content-Length": str(MIB)})
        connection.send(large[: MIB // 2])
    eventually(lambda: not os.listdir(exfat / "data/tmp"), 10, "nothing is left of a half upload")
    server.stop()


LACKS = {
    # No linkat and no rename at all: what is left of a file system that nobody can publish on.
    "no way to name a file": "--inject=link,linkat,rename,renameat,renameat2:error=EPERM",
    "no fsync": "--inject=fsync:error=EINVAL",
    "no write": "--inject=pwrite64:error=EIO",
}


@pytest.mark.parametrize("lack", LACKS)
def test_a_file_system_that_cannot_publish_ends_the_start(tmp_path, lack):
    """One line with the call that failed, and the folder; nobody is served."""
    settings = {**running.DEFAULTS, "DATA_DIR": tmp_path / "data", "PORT": running.free_port()}
    strace = ["strace", "-f", "-qq", "-o", tmp_path / "trace", "-e", LACKS[lack].removeprefix("--")]
    done = running.run(["serve"], tmp_path, settings, 60, wrapper=[str(word) for word in strace])
    assert done.returncode == 1, done
    lines = running.alarm_lines(done.stdout + done.stderr)
    assert len(lines) == 1 and str(tmp_path / "data") in lines[0], lines


def test_without_links_files_are_renamed(serve, tmp_path):
    """The calls for hard links fail as they do on SMB: uploads work all the same, and no upload replaces another."""
    strace = ["strace", "-f", "-qq", "-o", str(tmp_path / "trace"), "-e", "inject=link,linkat:error=EOPNOTSUPP"]
    server = serve(wrapper=strace)
    body = seeded("links").randbytes(200_000)
    upload = put(server, body)
    assert_file(get(server, upload.path), body)
    assert state(server, upload.id)["state"] == "consumed"


def test_readiness_and_the_log_tell_of_a_disk_that_stops_working(serve):
    """The folder of uploads is gone: not ready within seconds, and the log has the cause of every failure."""
    server = serve()
    (server.data / "u").rename(server.data / "away")
    (server.data / "u").write_text("no folder")
    eventually(lambda: wire.request(server, "GET", "/readyz").status == 503, 10, "not ready")
    assert wire.request(server, "PUT", "/x.bin", {}, b"x" * 100).status == 503
    failed = eventually(
        lambda: [entry for entry in server.log_entries() if entry.get("status") == "503" and entry["route"] != "/readyz"],
        5, "the log has the failure",
    )
    assert all(entry.get("cause") for entry in failed), failed
    (server.data / "u").unlink()
    (server.data / "away").rename(server.data / "u")
