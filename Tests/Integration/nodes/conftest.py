import pytest

from namespaces import World


@pytest.fixture
def world():
    world = World()
    yield world
    world.finish()


@pytest.fixture(scope="module")
def shared_world():
    """For modules whose tests only look."""
    world = World()
    yield world
    world.finish()
