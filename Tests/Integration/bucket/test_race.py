"""P1 over nodes: three processes, one bucket, sixty clients that ask in the same instant."""

import os
import time

import pytest

from racing import race
from uploads import assert_gone, put, state
from waiting import seeded

KIB, MIB = 1024, 1024 * 1024
CLIENTS = 60
LATER = (423, 503)
ROUNDS = int(os.environ.get("RACE_ROUNDS", "100"))


def spread(random, nodes) -> list:
    """The node of each client: as many for each, in random order."""
    servers = [nodes[number % len(nodes)] for number in range(CLIENTS)]
    random.shuffle(servers)
    return [(server, ()) for server in servers]


def play(nodes, random, sizes, rounds, allowed=1, may_be_overtaken=False):
    seen, began = {}, time.monotonic()
    for turn in range(rounds):
        size = sizes[turn % len(sizes)]
        body = random.randbytes(min(size, MIB)) * max(1, size // MIB)
        upload = put(random.choice(nodes), body, "race.bin", {"X-Max-Downloads": str(allowed)} if allowed > 1 else {})
        what = f"round {turn}, {size} bytes, {upload.id}"
        told = race(spread(random, nodes), upload, body, allowed, 60, what, LATER, may_be_overtaken)
        for status, count in told.items():
            seen[status] = seen.get(status, 0) + count
        for node in nodes:
            assert_gone(node, upload.path)
            assert state(node, upload.id)["remainingDownloads"] == 0
    print(f"{rounds} rounds in {time.monotonic() - began:.1f} s, answers: {seen}")
    assert sum(seen.values()) >= CLIENTS * rounds and seen[410] >= (CLIENTS - allowed) * rounds


def test_one_of_sixty_on_a_real_store(nodes, radosgw):
    """1 KiB and 8 MiB in turn: exactly one complete delivery in every round."""
    servers = nodes(radosgw, 3, NO_CLEANUP=True)
    play(servers, seeded("race over nodes"), (KIB, 8 * MIB), ROUNDS)


def test_one_of_sixty_where_a_key_takes_one_write_a_second(nodes, fake):
    """The same with R2's limit of writes: losers and winners meet 429 at the store, and still one gets the file."""
    servers = nodes(fake, 3, NO_CLEANUP=True)
    play(servers, seeded("race over nodes, slow keys"), (KIB, 8 * MIB), max(2, ROUNDS // 12))


@pytest.mark.parametrize("size", [KIB, MIB], ids=["1 KiB", "1 MiB"])
def test_three_of_sixty(nodes, bucket, size):
    """An upload that allows three downloads is delivered three times, whoever asks where."""
    servers = nodes(bucket, 3, NO_CLEANUP=True)
    play(servers, seeded(f"race of three {size}"), (size,), max(2, ROUNDS // 30), allowed=3)


def test_clocks_decide_nothing(nodes, bucket, shifted_clock):
    """Nodes whose clocks differ by more than a lease take downloads from each other, and still one client gets the file."""
    servers = []
    for shift in (0, 40, -40):
        servers += nodes(bucket, 1, NO_CLEANUP=True, LEASE_SECONDS=5, **shifted_clock(shift))
    play(servers, seeded("race of clocks"), (KIB, MIB), max(2, ROUNDS // 25), may_be_overtaken=True)
