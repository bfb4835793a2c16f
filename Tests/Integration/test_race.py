"""P1, at most N deliveries: many clients ask for one upload in the same instant."""

import asyncio

import pytest

from racing import deliveries, race, wave
from uploads import assert_gone, get, put, state
from waiting import seeded

CLIENTS = 64
ROUNDS = 50
SIZES = (1024, 100 * 1024, 1024 * 1024)
PLAIN = ((),)
# Shapes of a whole delivery: without Range, and with ranges that cover every byte.
SHAPES = ((), ("Range: bytes=0-",), ("Range: bytes=0-99999999",))


@pytest.mark.parametrize(
    "allowed, shapes",
    [(1, PLAIN), (3, PLAIN), (1, SHAPES), (3, SHAPES)],
    ids=["once", "three times", "once, with ranges", "three times, with ranges"],
)
def test_exactly_as_many_bodies_as_allowed(serve, allowed, shapes):
    """64 at once, 50 rounds: exactly N complete correct bodies a round, however often the others try again."""
    random = seeded(f"race {allowed} {len(shapes)}")
    server = serve()
    for turn in range(ROUNDS if shapes is PLAIN else ROUNDS // 5):
        body = random.randbytes(random.choice(SIZES))
        upload = put(server, body, "race.bin", {"X-Max-Downloads": str(allowed)} if allowed > 1 else {})
        assert upload.response.header("X-One-Time-Upload") == ("true" if allowed == 1 else "false")
        clients = [(server, shapes[at % len(shapes)]) for at in range(CLIENTS)]
        race(clients, upload, body, allowed, 20, f"round {turn}")
        assert_gone(server, upload.path)
        assert state(server, upload.id)["remainingDownloads"] == 0


def test_uncounted_serves_everybody(serve):
    """The control: an upload that counts nothing gives all 64 the whole file, so the harness can see 64 bodies."""
    random = seeded("race control")
    server = serve()
    body = random.randbytes(100 * 1024)
    upload = put(server, body, headers={"X-Expiration-Seconds": "600"})
    answers = asyncio.run(wave([(server, ())] * CLIENTS, upload.path))
    assert deliveries(answers, body) == CLIENTS
    assert get(server, upload.path).status == 200
