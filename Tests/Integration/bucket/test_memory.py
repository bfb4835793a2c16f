"""P5 over a bucket: peak resident memory of a node is that of a pod, whatever clients and sizes there are."""

import asyncio

import wire
from uploads import assert_file, get, put, repr_digest, sha256, upload_of
from waiting import eventually, seeded

KIB, MIB = 1024, 1024 * 1024
LIMIT = 128 * MIB
LASTING = {"X-Expiration-Seconds": "3600"}
WITH_LENGTH, CHUNKED = 200, 50
SIZES = (9 * MIB, 3 * MIB)  # in parts, and in one
STEP = 64 * KIB


async def slow_upload(server, number, body, chunked, begun, everybody):
    """Half of the body, then a wait until all the others have come so far, then the rest in small steps."""
    reader, writer = await asyncio.open_connection(server.host, server.port)
    try:
        length = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body)))
        writer.write(wire.head_bytes("PUT", f"/slow{number}.bin", [length], f"{server.host}:{server.port}"))
        half = len(body) // 2 // STEP * STEP
        for start in range(0, len(body), STEP):
            if start == half:
                begun.append(number)
                await everybody.wait()
            piece = body[start : start + STEP]
            writer.write(wire.chunk(piece) if chunked else piece)
            await writer.drain()
            await asyncio.sleep(0.01)
        if chunked:
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        text = (await reader.readexactly(int(head.lower().split("content-length: ")[1].split("\r\n")[0]))).decode()
        return head, text
    finally:
        writer.close()


async def crowd(server, bodies):
    begun, everybody = [], asyncio.Event()
    count = WITH_LENGTH + CHUNKED
    tasks = [
        asyncio.create_task(slow_upload(server, number, bodies[number % 2], number >= WITH_LENGTH, begun, everybody))
        for number in range(count)
    ]
    try:
        async with asyncio.timeout(180):
            # Who finds no buffer gets slower: then the others have to go on before it has sent its half.
            while len(begun) < count and not any(task.done() for task in tasks):
                before = len(begun)
                await asyncio.sleep(5)
                if len(begun) == before:
                    break
            refused = [task.result() for task in tasks if task.done()]
            assert not refused, f"refused before the body was sent: {refused[:3]}"
            half_way = len(begun), server.rss_peak()
            everybody.set()
            return half_way, await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def test_many_slow_uploads(nodes, fake):
    """200 with a length and 50 without, of 9 and 3 MiB, all at the same time: at most 128 MiB, and all of them are stored."""
    (node,) = nodes(fake, 1, NO_CLEANUP=True)
    random = seeded("slow uploads")
    bodies = [random.randbytes(size) for size in SIZES]
    (reached, peak), answers = asyncio.run(crowd(node, bodies))
    print(f"half way: {reached} clients, peak {peak / MIB:.1f} MiB; at the end {node.rss_peak() / MIB:.1f} MiB")
    for number, (head, text) in enumerate(answers):
        assert head.startswith("HTTP/1.1 200"), (number, head, text)
        assert repr_digest(bodies[number % 2]) in head
    assert len(fake.keys("u/")) == WITH_LENGTH + CHUNKED and not fake.open_uploads()
    assert node.rss_peak() <= LIMIT, f"peak {node.rss_peak() / MIB:.1f} MiB"


def test_many_slow_downloads(nodes, fake):
    """60 clients that read a little of 24 MiB and then nothing: what is read ahead for them has a bound."""
    (node,) = nodes(fake, 1, NO_CLEANUP=True)
    body = seeded("slow downloads").randbytes(24 * MIB)
    upload = put(node, body, "slow.bin", LASTING)
    connections = []
    try:
        for _ in range(60):
            connection = wire.Connection(node, rcvbuf=16 * KIB, timeout=60)
            connections.append(connection)
            connection.send_head("GET", upload.path)
        for connection in connections:
            assert connection.head().status == 200
            assert connection.take(256 * KIB) == body[: 256 * KIB]
        # Nothing moves any more: the node has read ahead what it may.
        last = [0]

        def still():
            before, last[0] = last[0], node.rss()
            return abs(before - last[0]) < 256 * KIB

        eventually(still, 20, "resident memory stands still", every=0.5)
        print(f"60 waiting downloads: {node.rss() / MIB:.1f} MiB, peak {node.rss_peak() / MIB:.1f} MiB")
        assert node.rss_peak() <= LIMIT, f"peak {node.rss_peak() / MIB:.1f} MiB"
        assert_file(get(node, upload.path, timeout=60), body)
        for connection in connections[::15]:
            assert sha256(body[: 256 * KIB] + connection.take(len(body) - 256 * KIB, 60)) == sha256(body)
    finally:
        for connection in connections:
            connection.close()
    assert node.rss_peak() <= LIMIT, f"peak {node.rss_peak() / MIB:.1f} MiB"


def test_large_file_there_and_back(nodes, fake):
    """256 MiB with and without a length, up and down: memory does not grow with the file."""
    (node,) = nodes(fake, 1, NO_CLEANUP=True)
    block = seeded("large").randbytes(8 * MIB)
    count = 32
    for chunked in (False, True):
        with wire.Connection(node, timeout=120) as connection:
            length = ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(block) * count))
            connection.send_head("PUT", "/large.bin", [length])
            for _ in range(count):
                assert connection.send(wire.chunk(block) if chunked else block)
            connection.send(b"0\r\n\r\n" if chunked else b"")
            upload = upload_of(connection.read("PUT"))
        with wire.Connection(node, timeout=120) as connection:
            connection.send_head("GET", upload.path)
            assert connection.head().header("Content-Length") == str(len(block) * count)
            for _ in range(count):
                assert connection.take(len(block), 60) == block
        fake.empty()
    print(f"peak {node.rss_peak() / MIB:.1f} MiB")
    assert node.rss_peak() <= LIMIT, f"peak {node.rss_peak() / MIB:.1f} MiB"
