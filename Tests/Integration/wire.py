"""HTTP/1.1 by hand: what is sent is exactly what the test wrote, what is read says whether it was complete.

`http.client` would repair, hide or refuse half of what these tests must send and see.
"""

import json
import re
import select
import socket
import ssl
import struct
import time
from dataclasses import dataclass, field

STATUS_LINE = re.compile(rb"^HTTP/1\.[01] ([1-5][0-9][0-9])(?: ([^\r\n]*))?$")


class Closed(Exception):
    """The peer ended the connection where an answer was due."""


class NoAnswer(Exception):
    """The deadline passed: neither an answer nor an end of the connection."""


class BadAnswer(Exception):
    """Something came that is not HTTP/1.1."""


@dataclass
class Response:
    status: int
    reason: str
    headers: list
    interim: list = field(default_factory=list)
    body: bytes = b""
    complete: bool = False

    def header(self, name: str, default=None):
        values = self.all(name)
        return values[0] if values else default

    def all(self, name: str) -> list:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    @property
    def text(self) -> str:
        return self.body.decode("utf-8")

    @property
    def lines(self) -> list:
        return [line for line in self.text.splitlines() if line.strip()]

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.reason} {self.headers} {self.body[:300]!r} complete={self.complete}>"


def fields(headers) -> list:
    """Header fields as a list of pairs, from a mapping, a list or nothing."""
    if headers is None:
        return []
    return list(headers.items()) if hasattr(headers, "items") else list(headers)


def head_bytes(method: str, target: str, headers, host: str) -> bytes:
    pairs = fields(headers)
    names = {name.lower() for name, _ in pairs}
    if "host" not in names:
        pairs.insert(0, ("Host", host))
    if "user-agent" not in names:
        pairs.append(("User-Agent", "integration-test/1"))
    lines = [f"{method} {target} HTTP/1.1"] + [f"{name}: {value}" for name, value in pairs]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8")


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


class Connection:
    """One connection to a server (anything with .host, .port and .tls)."""

    def __init__(self, server, *, source=None, rcvbuf=None, timeout=15.0):
        self.host = f"{server.host}:{server.port}"
        self.timeout = timeout
        self.buffer = b""
        self.ended = False
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            sock.settimeout(timeout)
            if rcvbuf is not None:  # before connect: the window is announced in the handshake
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if source is not None:
                sock.bind((source, 0))
            sock.connect((server.host, server.port))
            if server.tls is not None:
                sock = server.tls.wrap_socket(sock, server_hostname="localhost")
        except BaseException:
            sock.close()
            raise
        self.sock = sock
        self.local_port = sock.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()

    def reset(self):
        """Leaves with RST, as a killed client does."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def half_close(self):
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    # -- sending

    def send(self, data: bytes) -> bool:
        """Sends everything; False when the peer would not take it (its answer may still be readable)."""
        self.sock.settimeout(self.timeout)
        try:
            self.sock.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            return False

    def send_head(self, method: str, target: str, headers=None) -> bool:
        return self.send(head_bytes(method, target, headers, self.host))

    # -- receiving

    def readable(self, within: float) -> bool:
        if self.buffer or self.ended:
            return True
        if isinstance(self.sock, ssl.SSLSocket) and self.sock.pending():
            return True
        return bool(select.select([self.sock], [], [], within)[0])

    def _fill(self, deadline: float) -> bool:
        """One more read into the buffer; False at the end of the connection."""
        if self.ended:
            return False
        left = deadline - time.monotonic()
        if left <= 0:
            raise NoAnswer("the deadline passed while reading")
        self.sock.settimeout(left)
        try:
            data = self.sock.recv(256 * 1024)
        except (TimeoutError, socket.timeout) as error:
            raise NoAnswer("the deadline passed while reading") from error
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
            data = b""
        if not data:
            self.ended = True
            return False
        self.buffer += data
        return True

    def _until(self, mark: bytes, deadline: float) -> bytes:
        while mark not in self.buffer:
            if len(self.buffer) > 1 << 20:
                raise BadAnswer(f"no {mark!r} in a megabyte: {self.buffer[:200]!r}")
            if not self._fill(deadline):
                raise Closed(f"closed after {self.buffer[:200]!r}")
        data, self.buffer = self.buffer.split(mark, 1)
        return data

    def head(self, within=None) -> Response:
        """Status line and header fields of the next final answer; informational answers are collected."""
        deadline = time.monotonic() + (within or self.timeout)
        interim = []
        while True:
            lines = self._until(b"\r\n\r\n", deadline).split(b"\r\n")
            match = STATUS_LINE.match(lines[0])
            if not match:
                raise BadAnswer(f"no status line: {lines[0][:200]!r}")
            headers = []
            for line in lines[1:]:
                name, colon, value = line.decode("latin-1").partition(":")
                if not colon or not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or "\n" in value or "\r" in value:
                    raise BadAnswer(f"no header field: {line[:200]!r}")
                headers.append((name, value.strip()))
            status = int(match[1])
            if status < 200:
                interim.append(status)
                continue
            return Response(status, (match[2] or b"").decode("latin-1"), headers, interim)

    def continue_(self, within=None) -> int:
        """The status of the next informational answer alone (100 after `Expect: 100-continue`)."""
        line = self._until(b"\r\n\r\n", time.monotonic() + (within or self.timeout)).split(b"\r\n")[0]
        return int(STATUS_LINE.match(line)[1])

    def take(self, count: int, within=None) -> bytes:
        """At most `count` bytes of what comes next; fewer only when the peer ended the connection."""
        deadline = time.monotonic() + (within or self.timeout)
        parts, got = [], 0
        while got < count:
            if not self.buffer and not self._fill(deadline):
                break
            piece, self.buffer = self.buffer[: count - got], self.buffer[count - got :]
            parts.append(piece)
            got += len(piece)
        return b"".join(parts)

    def body(self, response: Response, method: str = "GET", within=None) -> Response:
        """Reads the body that belongs to `response`; `complete` says whether its framing was satisfied."""
        deadline = time.monotonic() + (within or self.timeout)
        length, coding = response.header("Content-Length"), response.header("Transfer-Encoding")
        if method == "HEAD" or response.status in (204, 304):
            response.complete = True
        elif coding is not None:
            if coding.lower() != "chunked" or length is not None:
                raise BadAnswer(f"unclear framing: {response!r}")
            self._chunks(response, deadline)
        elif length is not None:
            if len(response.all("Content-Length")) != 1 or not length.isdigit():
                raise BadAnswer(f"unclear length: {response!r}")
            response.body = self.take(int(length), deadline - time.monotonic())
            response.complete = len(response.body) == int(length)
        else:
            while self._fill(deadline):
                pass
            response.body, self.buffer = self.buffer, b""
        return response

    def _chunks(self, response: Response, deadline: float):
        parts = []
        try:
            while True:
                size = int(self._until(b"\r\n", deadline).split(b";")[0], 16)
                if size == 0:
                    while self._until(b"\r\n", deadline):
                        pass
                    response.complete = True
                    break
                data = self.take(size, deadline - time.monotonic())
                parts.append(data)
                if len(data) < size or self.take(2, deadline - time.monotonic()) != b"\r\n":
                    break
        except Closed:
            pass
        response.body = b"".join(parts)

    def read(self, method: str = "GET", within=None) -> Response:
        return self.body(self.head(within), method, within)

    def exchange(self, method: str, target: str, headers=None, body: bytes = b"", within=None) -> Response:
        """One request and its answer on this connection, which stays open."""
        pairs = fields(headers)
        names = {name.lower() for name, _ in pairs}
        if (body or method in ("PUT", "POST")) and not names & {"content-length", "transfer-encoding"}:
            pairs.append(("Content-Length", str(len(body))))
        self.send(head_bytes(method, target, pairs, self.host) + body)
        return self.read(method, within)

    def ends(self, within: float = 5.0) -> bool:
        """True when the peer closes the connection in time and sends nothing more before."""
        deadline = time.monotonic() + within
        try:
            while self._fill(deadline):
                pass
        except NoAnswer:
            return False
        return not self.buffer


def request(server, method, target, headers=None, body=b"", *, source=None, timeout=15.0) -> Response:
    """One request on a connection of its own; a body that was cut short is a failure of the caller's assertion."""
    with Connection(server, source=source, timeout=timeout) as connection:
        return connection.exchange(method, target, headers, body)


def refused(server) -> bool:
    """True when nobody accepts connections at the server's address."""
    try:
        socket.create_connection((server.host, server.port), timeout=2).close()
        return False
    except ConnectionRefusedError:
        return True
    except OSError:
        return False


def queues(port: int) -> dict:
    """Per client port: (unsent, unread) bytes of the established sockets whose *local* port is `port`."""
    found = {}
    with open("/proc/net/tcp") as table:
        next(table)
        for line in table:
            columns = line.split()
            local, remote, state = int(columns[1].split(":")[1], 16), int(columns[2].split(":")[1], 16), columns[3]
            if local == port and state == "01":
                unsent, unread = columns[4].split(":")
                found[remote] = (int(unsent, 16), int(unread, 16))
    return found
