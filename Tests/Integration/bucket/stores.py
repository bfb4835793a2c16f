"""The S3 servers of these tests as processes: radosgw by its script, and the fake."""

import os
import subprocess
import tempfile
from pathlib import Path

import running
from bucket.s3 import Bucket, FakeBucket
from waiting import eventually

RADOSGW = Path(__file__).resolve().parents[2] / "s3-server-rgw"
FAKE = Path(os.environ.get("FAKE_S3") or running.BINARY.with_name("fake-s3")).resolve()


def settings_of(text: str) -> dict:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


class Radosgw:
    """Ceph's S3 server in a folder of its own. Its socket names have to be short, so the folder is not pytest's."""

    def __init__(self):
        self.folder = tempfile.mkdtemp(prefix="rgw-")
        os.rmdir(self.folder)
        done = self._run("start")
        assert done.returncode == 0, f"radosgw does not start:\n{done.stderr[-3000:]}"
        found = settings_of(done.stdout)
        self.bucket = Bucket(
            found["S3_ENDPOINT"],
            found["S3_REGION"],
            found["S3_ACCESS_KEY_ID"],
            found["S3_SECRET_ACCESS_KEY"],
            found["S3_BUCKET"],
            "unquoted",
        )

    def _run(self, verb):
        return subprocess.run([str(RADOSGW), verb, "--data", self.folder], capture_output=True, text=True, timeout=120)

    def stop(self):
        self._run("stop")


class FakeStore:
    """`fake-s3` as a process that ends with the test, also in the middle of it."""

    def __init__(self, log: Path, *arguments):
        assert FAKE.exists(), f"no fake store at {FAKE}: build it or set FAKE_S3"
        self.log, self.arguments = log, list(map(str, arguments))
        self.port, self.admin_port = running.free_port(), running.free_port()
        self.process = self.bucket = None
        self.start()

    def start(self):
        """On the same ports as before, with nothing in it."""
        command = [str(FAKE), "--port", str(self.port), "--admin-port", str(self.admin_port), *self.arguments]
        with open(self.log, "wb") as output:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
        text = eventually(self._settings, 10, f"the fake store listens: {self.log}")
        self.bucket = FakeBucket(settings_of(text))
        return self

    def _settings(self):
        text = self.log.read_text()
        assert self.process.poll() is None, f"fake-s3 ended:\n{text[-2000:]}"
        return "S3_ADMIN=" in text and text.endswith("\n") and text

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
