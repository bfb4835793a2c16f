"""What the attacks of test_attacks.py have in common: figures that they print, and many connections at once."""

import contextlib
import time
from pathlib import Path

import wire

MIB = 1 << 20


@contextlib.contextmanager
def many(server, count: int, **options):
    """Connections that are all closed in the end."""
    connections = []
    try:
        for _ in range(count):
            connections.append(wire.Connection(server, **options))
        yield connections
    finally:
        for connection in connections:
            connection.close()


def descriptors(server) -> int:
    return len(list(Path(f"/proc/{server.pid}/fd").iterdir()))


def processor_seconds(server) -> float:
    """Of all threads of the process so far."""
    fields = Path(f"/proc/{server.pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def told(name: str, **figures):
    print(f"{name}: " + ", ".join(f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in figures.items()))


class Clock:
    """Seconds since it was made."""

    def __init__(self):
        self.start = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.start
