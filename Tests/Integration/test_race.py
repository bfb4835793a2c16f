"""P1, at most N deliveries: many clients ask for one upload in the same instant."""

import asyncio

import pytest

from uploads import assert_gone, get, put, sha256, state
from waiting import eventually, seeded

CLIENTS = 64
ROUNDS = 50
SIZES = (1024, 100 * 1024, 1024 * 1024)
PLAIN = ((),)
# Shapes of a whole delivery: without Range, and with ranges that cover every byte.
SHAPES = ((), ("Range: bytes=0-",), ("Range: bytes=0-99999999",))


async def client(server, target, extra, gate):
    """Connects, sends all of the request but its last byte, waits for the others, sends it, reads to the end."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        lines = [f"GET {target} HTTP/1.1", f"Host: {server.host}:{server.port}", "User-Agent: curl/8.5.0", "Accept: */*", *extra]
        data = ("\r\n".join(lines) + "\r\n\r\n").encode()
        writer.write(data[:-1])
        await writer.drain()
        gate["ready"] += 1
        if gate["ready"] == gate["clients"]:
            gate["open"].set()
        await gate["open"].wait()
        writer.write(data[-1:])
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split()[1])
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        length = int(headers["content-length"])
        try:
            body, complete = await reader.readexactly(length), True
        except asyncio.IncompleteReadError as short:
            body, complete = short.partial, False
        return status, headers, body, complete
    finally:
        writer.close()


async def wave(server, target, shapes):
    gate = {"ready": 0, "clients": len(shapes), "open": asyncio.Event()}
    answers = asyncio.gather(*(client(server, target, extra, gate) for extra in shapes))
    return await asyncio.wait_for(answers, 60)


def deliveries(answers, body) -> int:
    """Complete correct bodies among the answers; anything that is neither that, nor 423 nor 410, fails."""
    count = 0
    for status, headers, data, complete in answers:
        if status in (200, 206):
            assert complete, f"a delivery was cut short at {len(data)} of {headers['content-length']}"
            assert len(data) == len(body) and sha256(data) == sha256(body), "a delivery with wrong bytes"
            count += 1
        else:
            assert status in (423, 410), (status, headers, data[:200])
            assert complete and len(data.decode().strip().splitlines()) == 1, data
            if status == 423:
                assert headers.get("retry-after", "").isdigit(), f"423 without Retry-After: {headers}"
    return count


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
        delivered, waiting = 0, [shapes[at % len(shapes)] for at in range(CLIENTS)]

        def all_are_gone():
            nonlocal delivered, waiting
            answers = asyncio.run(wave(server, upload.path, waiting))
            delivered += deliveries(answers, body)
            assert delivered <= allowed, f"round {turn}: {delivered} deliveries of {allowed}"
            waiting = [extra for extra, answer in zip(waiting, answers) if answer[0] == 423]
            return not waiting

        eventually(all_are_gone, 20, f"round {turn}: nobody is told 423 any more")
        assert delivered == allowed, f"round {turn}: {delivered} deliveries of {allowed}"
        assert_gone(server, upload.path)
        assert state(server, upload.id)["remainingDownloads"] == 0


def test_uncounted_serves_everybody(serve):
    """The control: an upload that counts nothing gives all 64 the whole file, so the harness can see 64 bodies."""
    random = seeded("race control")
    server = serve()
    body = random.randbytes(100 * 1024)
    upload = put(server, body, headers={"X-Expiration-Seconds": "600"})
    answers = asyncio.run(wave(server, upload.path, [()] * CLIENTS))
    assert deliveries(answers, body) == CLIENTS
    assert get(server, upload.path).status == 200
