"""Clients that make nginx hold memory: each opens one connection, sends what costs most, and then keeps still.

All of them are bounded by the caller, who says how many; `source` is the address that the connection comes from.
"""

import contextlib
import socket
import ssl
import struct
import threading

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, SETTINGS, PING, CONTINUATION = 0, 1, 4, 6, 9
END_STREAM, END_HEADERS = 1, 4


def connect(port, source=None) -> socket.socket:
    return socket.create_connection((port.host, port.port), timeout=5, source_address=(source, 0) if source else None)


def secure(port, source=None, protocols=()) -> ssl.SSLSocket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if protocols:
        context.set_alpn_protocols(list(protocols))
    return context.wrap_socket(connect(port, source), server_hostname="localhost")


def send(connection: socket.socket, data: bytes):
    """As much as the server takes: it may have closed already, or stopped reading."""
    with contextlib.suppress(OSError):
        connection.sendall(data)


# -- HTTP/1.1


def fields(size: int) -> bytes:
    """Header fields of so many bytes in all, each as long as nginx may take; the last one is not finished."""
    text = b""
    while len(text) < size:
        text += b"X-A: " + b"a" * min(30000, size - len(text)) + b"\r\n"
    return text[:size]


def unfinished_head(nginx, size=34000, source=None):
    connection = connect(nginx.plain, source)
    send(connection, b"GET / HTTP/1.1\r\nHost: x\r\n" + fields(size))
    return connection


def unfinished_head_over_tls(nginx, size=34000, source=None):
    connection = secure(nginx.secure, source)
    send(connection, b"GET / HTTP/1.1\r\nHost: x\r\n" + fields(size))
    return connection


def large_hello(nginx, source=None):
    """The first nine bytes of a ClientHello of 128 KiB: OpenSSL makes room for all of it."""
    message = b"\x01" + struct.pack(">I", 131000)[1:]
    connection = connect(nginx.secure, source)
    send(connection, b"\x16\x03\x01" + struct.pack(">H", len(message)) + message)
    return connection


def idle(nginx, source=None):
    """A connection that is kept after a request."""
    connection = connect(nginx.plain, source)
    send(connection, b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
    connection.recv(1000)
    return connection


def stalled_upload(nginx, source=None, piece=65536):
    """A request whose body does not end."""
    connection = connect(nginx.plain, source)
    send(connection, b"PUT /x HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + b"x" * piece)
    return connection


# -- HTTP/2, by hand: no library sends what a peer should not


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def string(text: bytes) -> bytes:
    """A string of HPACK: its length in seven bits and what does not fit, then the text."""
    length, head = len(text), bytes([min(len(text), 127)])
    if length >= 127:
        length -= 127
        while length >= 128:
            head += bytes([length % 128 + 128])
            length //= 128
        head += bytes([length])
    return head + text


def request(stream: int, head: int, body=None) -> bytes:
    """GET or, with a body, POST of / with a head of so many bytes, in frames."""
    block = (b"\x82" if body is None else b"\x83") + b"\x84\x87\x00" + string(b":authority") + string(b"x")
    left = head
    while left > 0:
        block += b"\x00" + string(b"x-a") + string(b"a" * min(left, 8000))
        left -= 8000
    pieces = [block[start : start + 16000] for start in range(0, len(block), 16000)]
    frames = b""
    for number, piece in enumerate(pieces):
        flags = (END_HEADERS if piece is pieces[-1] else 0) | (END_STREAM if body is None and number == 0 else 0)
        frames += frame(CONTINUATION if number else HEADERS, flags, stream, piece)
    for start in range(0, len(body or b""), 16000):
        frames += frame(DATA, 0, stream, body[start : start + 16000])
    return frames


def http2(nginx, source=None, streams=4, head=33000, body=None):
    """So many requests on one connection, whose answers the client does not let come (its window is 0)."""
    connection = secure(nginx.secure, source, ["h2"])
    send(connection, PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 0)))
    for number in range(streams):
        send(connection, request(2 * number + 1, head, body))
    return connection


def http2_upload(nginx, source=None, size=640 * 1024, head=30000):
    return http2(nginx, source, streams=1, head=head, body=b"x" * size)


def control_frames(nginx, count: int, connections: int, sources=(None,)) -> list:
    """PING without an end on many connections, whose answers are not read; a little on each in turn."""
    held = []
    for number in range(connections):
        with contextlib.suppress(OSError):
            connection = secure(nginx.secure, sources[number % len(sources)], ["h2"])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            send(connection, PREFACE + frame(SETTINGS, 0, 0))
            connection.settimeout(0.2)
            held.append(connection)
    burst = frame(PING, 0, 0, b"12345678") * 100
    for _ in range(count // 100):
        for connection in held:
            send(connection, burst)
    return held


class Stalled:
    """In the place of bashupload: takes connections and reads nothing. With `answers` it sends a body without an end."""

    def __init__(self, answers=False):
        self.answers, self.connections = answers, []
        self.listener = socket.socket()
        # Small: what the kernel takes nginx does not have to hold.
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(1024)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.setblocking(False)
            self.connections.append(connection)
            if self.answers:
                with contextlib.suppress(OSError):
                    connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n" + b"x" * 400000)

    def stop(self):
        # An accept that waits in another thread is woken by this, not by close.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)
        for connection in self.connections:
            connection.close()
