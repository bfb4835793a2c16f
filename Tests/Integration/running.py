"""The program under test as a process: start, readiness, signals, memory, log; and its other commands."""

import json
import os
import random
import signal
import socket
import subprocess
from pathlib import Path

import wire
from waiting import eventually

HERE = Path(__file__).resolve().parent
BINARY = Path(os.environ.get("BASHUPLOAD") or HERE / "../../.build/release/bashupload").resolve()

# What the Swift runtime or the allocator prints when a process ends by its own fault.
CRASH_MARKS = (
    "Fatal error",
    "fatal error",
    "*** Signal",
    "*** Program crashed",
    "Swift runtime failure",
    "Precondition failed",
    "Assertion failed",
    "Segmentation fault",
    "double free",
    "malloc():",
    "stack smashing",
)
DEFAULTS = {"HOST": "127.0.0.1", "METRICS_PORT": "0", "LOG_FORMAT": "json", "MIN_FREE_SPACE": "1MiB"}


PORTS = set(range(20000, 32000))


def free_port() -> int:
    """A port below the ephemeral range, so that no outgoing connection of the tests can sit on it between restarts. Given
    away once: of two servers that start at the same time both would find it free."""
    while True:
        port = random.SystemRandom().choice(sorted(PORTS))
        PORTS.remove(port)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def environment(folder: Path, settings: dict) -> dict:
    """Only what the test set: nothing of the caller's environment may configure the server."""
    base = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "HOME": str(folder), "LANG": "C.UTF-8", "TZ": "UTC"}
    for name, value in settings.items():
        if value is not None:
            base[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return base


def run(arguments, folder: Path, settings: dict, seconds: float = 60.0, wrapper=()) -> subprocess.CompletedProcess:
    """A command of the program that ends by itself (cleanup, --print-config, a start that must fail)."""
    assert BINARY.exists(), f"no program at {BINARY}: build it or set BASHUPLOAD"
    return subprocess.run(
        [*wrapper, str(BINARY), *map(str, arguments)],
        cwd=folder,
        env=environment(folder, settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        timeout=seconds,
        text=True,
    )


def alarm_lines(output: str) -> list:
    """Every line of an output as plain text; a JSON log line counts as its values."""
    lines = []
    for line in output.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        lines.append(" ".join(str(value) for value in entry.values()) if isinstance(entry, dict) else line)
    return [line for line in lines if line.strip()]


class Server:
    """One `bashupload serve` with a data directory and a log of its own."""

    def __init__(self, folder: Path, settings: dict, wrapper=(), arguments=()):
        self.folder = folder
        self.settings = {**DEFAULTS, "DATA_DIR": folder / "data", **settings}
        self.settings.setdefault("PORT", free_port())
        self.host = str(self.settings["HOST"])
        self.port = int(self.settings["PORT"])
        self.data = Path(self.settings["DATA_DIR"])
        self.wrapper = list(wrapper)
        self.arguments = list(arguments)
        self.log_path = folder / "serve.log"
        self.tls = None
        self.process = None
        self.may_be_gone = False

    # -- life

    def spawn(self):
        """Starts the process and does not wait for it."""
        assert BINARY.exists(), f"no program at {BINARY}: build it or set BASHUPLOAD"
        assert self.process is None or self.process.poll() is not None, "still running"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.may_be_gone = False
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, str(BINARY), "serve", *self.arguments],
                cwd=self.folder,
                env=environment(self.folder, self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self

    def start(self, seconds: float = 20.0):
        self.spawn()
        return self.wait_ready(seconds)

    def wait_ready(self, seconds: float = 20.0):
        eventually(self._is_ready, seconds, f"/readyz answers 200; the log:\n{self.log()[-3000:]}")
        return self

    def _is_ready(self) -> bool:
        code = self.process.poll()
        assert code is None, f"serve ended with {code} before it was ready:\n{self.log()[-3000:]}"
        try:
            return wire.request(self, "GET", "/readyz", timeout=3).status == 200
        except (OSError, wire.Closed, wire.NoAnswer):
            return False

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill9(self):
        self.may_be_gone = True
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def term(self):
        """Sends SIGTERM only; `wait` tells how it ended."""
        self.may_be_gone = True
        self.process.send_signal(signal.SIGTERM)

    def wait(self, seconds: float) -> int:
        return self.process.wait(seconds)

    def stop(self, seconds: float = 15.0):
        """An orderly end; anything but exit code 0 is a failure."""
        self.term()
        code = self.wait(seconds)
        assert code == 0, f"SIGTERM ended with {code}:\n{self.log()[-3000:]}"

    def restart(self):
        if self.running:
            self.stop()
        return self.start()

    def finish(self):
        """The end of the fixture: only our own process is ended, and it must have lived until now."""
        if self.process is None:
            return
        code = self.process.poll()
        if code is None:
            self.process.kill()
            self.process.wait(10)
        log = self.log()
        print(f"--- last lines of {self.log_path.name}\n" + "\n".join(log.splitlines()[-15:]))
        assert code is None or self.may_be_gone, f"serve ended by itself with {code}:\n{log[-3000:]}"
        seen = [mark for mark in CRASH_MARKS if mark in log]
        assert not seen, f"the log has {seen}:\n{log[-5000:]}"

    # -- what one can see from outside

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.port}"

    def _status(self, key: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"no {key} for the process")

    def rss(self) -> int:
        return self._status("VmRSS")

    def rss_peak(self) -> int:
        return self._status("VmHWM")

    def log(self) -> str:
        return self.log_path.read_text("utf-8", "replace") if self.log_path.exists() else ""

    def log_entries(self) -> list:
        return [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]

    @property
    def on_disk(self) -> Path:
        """The data directory as the process sees it (it may live in a mount namespace of its own)."""
        return Path(f"/proc/{self.pid}/root{self.data}") if self.wrapper else self.data

    def run(self, *arguments, seconds: float = 60.0) -> subprocess.CompletedProcess:
        """Another command with the same settings, as an operator on the machine would run it."""
        return run(arguments, self.folder, self.settings, seconds)


def mounted(script: str) -> list:
    """A wrapper that runs the program in a mount namespace of its own after `script`; it needs no root and
    leaves no mount behind. The process id stays that of the program."""
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    return [*unshare, "sh", "-euc", script + '\nexec "$0" "$@"']
