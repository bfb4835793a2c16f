"""Fixtures: the two stores, started once, and nodes that share one.

Every test finds an empty bucket. `shifted_clock` gives settings with which a process lives some seconds ahead or behind.
"""

import subprocess
from pathlib import Path

import pytest

from bucket.stores import FakeStore, Radosgw

CLOCK = Path(__file__).with_name("clock.c")


@pytest.fixture(scope="session")
def radosgw_server():
    server = Radosgw()
    yield server.bucket
    server.stop()


@pytest.fixture(scope="session")
def fake_server(tmp_path_factory):
    server = FakeStore(tmp_path_factory.mktemp("fake") / "fake.log")
    yield server.bucket
    server.stop()


@pytest.fixture(scope="session")
def unhurried_server(tmp_path_factory):
    """A fake without R2's limit of one write per second and key: for what a limit would only make slower to see."""
    server = FakeStore(tmp_path_factory.mktemp("unhurried") / "fake.log", "--write-interval", 0)
    yield server.bucket
    server.stop()


@pytest.fixture
def radosgw(radosgw_server):
    radosgw_server.empty()
    return radosgw_server


@pytest.fixture
def fake(fake_server):
    fake_server.reset()
    fake_server.empty()
    fake_server.reset()
    return fake_server


@pytest.fixture
def unhurried(unhurried_server):
    unhurried_server.reset()
    unhurried_server.empty()
    unhurried_server.reset()
    return unhurried_server


@pytest.fixture(params=["radosgw", "fake"])
def bucket(request):
    """Both stores, one after the other."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def own_fake(tmp_path):
    """A fake store that the test may stop, pause and start again."""
    stores = []

    def start(*arguments):
        stores.append(FakeStore(tmp_path / f"fake{len(stores)}.log", *arguments))
        return stores[-1]

    yield start
    for store in stores:
        store.stop()


def start_nodes(serve, bucket, count=1, **settings):
    servers = [serve(start=False, **{**bucket.settings, **settings}) for _ in range(count)]
    for server in servers:
        server.spawn()
    return [server.wait_ready() for server in servers]


@pytest.fixture
def nodes(serve):
    """`nodes(bucket, 3, LEASE_SECONDS=5)` → ready nodes, each with a DATA_DIR of its own."""
    return lambda bucket, count=1, **settings: start_nodes(serve, bucket, count, **settings)


@pytest.fixture(scope="module")
def nodes_once(serve_once):
    """The same for a whole module."""
    return lambda bucket, count=1, **settings: start_nodes(serve_once, bucket, count, **settings)


@pytest.fixture(scope="session")
def shifted_clock(tmp_path_factory):
    """`shifted_clock(800)` → settings for a process that thinks it is 800 seconds later."""
    library = tmp_path_factory.mktemp("clock") / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", str(library), str(CLOCK)], check=True, timeout=60)
    return lambda seconds: {"LD_PRELOAD": str(library), "CLOCK_SHIFT": str(seconds)}
