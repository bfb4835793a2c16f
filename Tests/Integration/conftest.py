"""Fixtures: servers under test. A factory per test and one per module, both with a folder of their own.

    python3 -m pytest Tests/Integration                     everything, one process
    BASHUPLOAD=/path/to/bashupload SEED=42 python3 -m pytest Tests/Integration/test_race.py -s

Needed: curl, wget, openssl, and the right to make a mount namespace (root, or user namespaces). A story's random numbers
come from SEED, which the first lines of the output and every failure show.
"""

import pytest

import running
from waiting import SEED


def pytest_report_header():
    return [f"program: {running.BINARY.name} (env BASHUPLOAD)", f"SEED={SEED}"]


class Servers:
    """Starts servers and accounts for each of them at the end."""

    def __init__(self, folder):
        self.folder = folder
        self.servers = []

    def __call__(self, *, start=True, wrapper=(), arguments=(), **settings) -> running.Server:
        folder = self.folder / f"serve{len(self.servers)}"
        folder.mkdir()
        server = running.Server(folder, settings, wrapper, arguments)
        self.servers.append(server)
        return server.start() if start else server

    def finish(self):
        problems = []
        for server in reversed(self.servers):
            try:
                server.finish()
            except AssertionError as problem:
                problems.append(str(problem))
        assert not problems, "\n\n".join(problems)


@pytest.fixture
def serve(tmp_path):
    """`serve(LEASE_SECONDS=5)` → a ready server on a free port with its own DATA_DIR."""
    servers = Servers(tmp_path)
    yield servers
    servers.finish()


@pytest.fixture(scope="module")
def serve_once(tmp_path_factory):
    """The same for a whole module: for tables of requests that must not disturb one another."""
    servers = Servers(tmp_path_factory.mktemp("module"))
    yield servers
    servers.finish()
