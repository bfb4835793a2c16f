"""Both ends of a connection, run inside of a namespace: `listen tcp:80 udp:51820`, `ask TIMES SOURCE SECONDS tcp:203.0.113.11:80 …`."""

import asyncio
import json
import socket
import sys


def plain(address: str) -> str:
    return address.removeprefix("::ffff:")


class Echo(asyncio.DatagramProtocol):
    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, address):
        self.transport.sendto(plain(address[0]).encode(), address)


async def listen(ports):
    async def answer(_, writer):
        writer.write(plain(writer.get_extra_info("peername")[0]).encode())
        writer.close()

    loop = asyncio.get_running_loop()
    for text in ports:
        kind, port = text.split(":")
        stream = socket.socket(socket.AF_INET6, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        stream.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stream.bind(("::", int(port)))
        if kind == "tcp":
            await asyncio.start_server(answer, sock=stream)
        else:
            stream.setblocking(False)
            await loop.create_datagram_endpoint(Echo, sock=stream)
    print("ready", flush=True)
    await asyncio.Event().wait()


async def ask_one(target: str, source: str):
    kind, rest = target.split(":", 1)
    host, port = rest.rsplit(":", 1)
    local = (source, 0) if source else None
    loop = asyncio.get_running_loop()
    if kind == "tcp":
        reader, writer = await asyncio.open_connection(host, int(port), local_addr=local)
        try:
            return (await reader.read()).decode() or None
        finally:
            writer.close()
    answer = loop.create_future()

    class Question(asyncio.DatagramProtocol):
        def connection_made(self, transport):
            transport.sendto(b"?")

        def datagram_received(self, data, _):
            if not answer.done():
                answer.set_result(data.decode())

    transport, _ = await loop.create_datagram_endpoint(Question, remote_addr=(host, int(port)), local_addr=local)
    try:
        return await answer
    finally:
        transport.close()


async def ask(times: int, source: str, seconds: float, targets):
    async def patient(target):
        try:
            return await asyncio.wait_for(ask_one(target, source), seconds)
        except (OSError, asyncio.TimeoutError):
            return None

    print(json.dumps(await asyncio.gather(*(patient(target) for target in targets for _ in range(times)))))


if sys.argv[1] == "listen":
    asyncio.run(listen(sys.argv[2:]))
else:
    asyncio.run(ask(int(sys.argv[2]), sys.argv[3], float(sys.argv[4]), sys.argv[5:]))
