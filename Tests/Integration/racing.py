"""Many clients at once, of one server or of several: who gets the whole file, and whether everybody else was told why not.

A client is (server, further header lines).
"""

import asyncio

from uploads import sha256
from waiting import eventually

LOCKED = (423,)  # "not now", with Retry-After; over a bucket 503 as well, when a claim is written by too many
NEVER = 410


async def client(server, target, gate, extra=()):
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


async def wave(clients, target):
    """One request of each client, all at the same moment."""
    gate = {"ready": 0, "clients": len(clients), "open": asyncio.Event()}
    answers = asyncio.gather(*(client(server, target, gate, extra) for server, extra in clients))
    return await asyncio.wait_for(answers, 90)


def deliveries(answers, body, later=LOCKED, may_be_overtaken=False) -> int:
    """Complete correct bodies; whatever is neither that nor a clear refusal fails."""
    count = 0
    for status, headers, data, complete in answers:
        if status in (200, 206):
            if may_be_overtaken and not complete:
                assert data == body[: len(data)]
                continue
            assert complete, f"a delivery was cut short at {len(data)} of {headers['content-length']}"
            assert len(data) == len(body) and sha256(data) == sha256(body), "a delivery with wrong bytes"
            count += 1
        else:
            assert status == NEVER or status in later, (status, headers, data[:200])
            assert complete and len(data.decode().strip().splitlines()) == 1, data
            if status in later:
                assert headers.get("retry-after", "").isdigit(), f"{status} without Retry-After: {headers}"
    return count


def race(clients, upload, body, allowed: int, seconds: float, what: str, later=LOCKED, may_be_overtaken=False) -> dict:
    """Everybody asks again as long as they are told to: exactly `allowed` complete deliveries, then 410 for the rest.

    With `may_be_overtaken` a client may be cut short, and asks again too. Returns how often each status was answered.
    """
    delivered, waiting, statuses = 0, list(clients), {}

    def all_know():
        nonlocal delivered, waiting
        answers = asyncio.run(wave(waiting, upload.path))
        for answer in answers:
            statuses[answer[0]] = statuses.get(answer[0], 0) + 1
        delivered += deliveries(answers, body, later, may_be_overtaken)
        assert delivered <= allowed, f"{what}: {delivered} deliveries of {allowed}"
        waiting = [one for one, answer in zip(waiting, answers) if answer[0] in later or not answer[3]]
        return not waiting

    eventually(all_know, seconds, f"{what}: nobody is told to come back any more", every=0.05)
    assert delivered == allowed, f"{what}: {delivered} deliveries of {allowed}; {statuses}"
    return statuses
