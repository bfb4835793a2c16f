"""Clients that are slow to read hold no connection to the store that others need."""

import threading

import wire
from attacks import MIB, Clock, many, told
from uploads import assert_file, get, put, sha256
from waiting import eventually, seeded

SLOW = 300


def test_slow_downloads_leave_the_store_to_others(unhurried, nodes):
    """300 clients stop reading in the middle of a file: uploads, counted downloads and /readyz go on, and so do the 300."""
    (node,) = nodes(unhurried)
    body = seeded("slow downloads").randbytes(24 * MIB)
    upload = put(node, body, headers={"X-Expiration-Seconds": "3600"})
    with many(node, SLOW, rcvbuf=64 * 1024, timeout=60) as connections:
        answers = []
        for connection in connections:
            connection.send_head("GET", upload.path)
            answers.append(connection.head())
        assert {answer.status for answer in answers} == {200}
        # All of them wait for their clients: nothing moves any more.
        last = []

        def still():
            now = sum(unsent for unsent, _ in wire.queues(node.port).values())
            last.append(now)
            return len(last) > 10 and len(set(last[-10:])) == 1

        eventually(still, 60, "every buffer is full", every=0.1)
        for number in range(5):
            clock = Clock()
            small = put(node, b"hello", f"small{number}.txt")
            large = put(node, body[: 9 * MIB], f"large{number}.bin")
            assert_file(get(node, small.path), b"hello")
            assert_file(get(node, large.path), body[: 9 * MIB])
            assert wire.request(node, "GET", "/readyz").status == 200
            assert clock.seconds < 15
        told("beside 300 slow downloads", seconds_per_round=clock.seconds, peak_MiB=node.rss_peak() / MIB)
        # Whose answer was ended in between goes on where it stood.
        outcomes = []

        def finish(connection, answer):
            outcomes.append(sha256(connection.body(answer, within=120).body) == sha256(body))

        threads = [threading.Thread(target=finish, args=pair) for pair in list(zip(connections, answers))[::10]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert outcomes == [True] * len(threads)
