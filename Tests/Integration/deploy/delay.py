"""A TCP relay that holds every byte for a while, in both directions: a long way without a long cable."""

import asyncio
import threading
from contextlib import contextmanager

WINDOW = 16 * 1024 * 1024  # on its way at a time: more than 10 MB/s need at 50 ms


async def carry(reader, writer, seconds):
    loop, pieces, room = asyncio.get_running_loop(), asyncio.Queue(), asyncio.Semaphore(WINDOW // 65536)

    async def deliver():
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(max(0, due - loop.time()))
            if not piece:
                return writer.close()
            writer.write(piece)
            await writer.drain()
            room.release()

    delivery = asyncio.create_task(deliver())
    try:
        while piece := await reader.read(65536):
            await room.acquire()
            pieces.put_nowait((loop.time() + seconds, piece))
    except ConnectionError:
        pass
    pieces.put_nowait((loop.time() + seconds, b""))
    try:
        await delivery
    except ConnectionError:
        writer.close()


@contextmanager
def delayed(port: int, round_trip: float):
    """Yields a local port that leads to `port`, half of the round trip away."""
    loop, started, ports = asyncio.new_event_loop(), threading.Event(), []

    async def accept(reader, writer):
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(
            carry(reader, far_writer, round_trip / 2), carry(far_reader, writer, round_trip / 2), return_exceptions=True
        )

    async def serve():
        server = await asyncio.start_server(accept, "127.0.0.1", 0)
        ports.append(server.sockets[0].getsockname()[1])
        started.set()

    async def end():
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def run():
        asyncio.set_event_loop(loop)
        loop.run_until_complete(serve())
        loop.run_forever()
        loop.run_until_complete(end())
        loop.close()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert started.wait(5), "the relay did not start"
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
