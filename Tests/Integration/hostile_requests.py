"""The table of hostile requests: what is sent, byte for byte, and what may come back.

A row is refused with one of its statuses, or, where HTTP lets a server simply hang up, by the end of the connection.
Nothing of it may be stored. `{host}` in the bytes becomes the server's address, `{shared}` the path of a stored
uncounted file of 1,000 bytes.
"""

from dataclasses import dataclass

CRLF = b"\r\n"


@dataclass(frozen=True)
class Row:
    name: str
    data: bytes
    accept: frozenset
    closed: bool = False  # hanging up without an answer is fine, too
    ends: bool = False  # the connection must be closed after the answer
    half_close: bool = False  # the client ends its side after sending
    drip: bytes = b""  # sent byte by byte afterwards, one each `every` seconds, until the server has enough
    every: float = 0.2
    safe_name: bool = False  # may be stored, if the name that comes back is harmless


def row(name, data, *accept, **options):
    return Row(name, data, frozenset(accept), **options)


def message(line: bytes, *headers: bytes, body: bytes = b"", host: bytes = b"Host: {host}") -> bytes:
    lines = [line] + ([host] if host else []) + list(headers)
    return CRLF.join(lines) + CRLF + CRLF + body


def put(*headers: bytes, body: bytes = b"", name: bytes = b"/hostile.bin", **options) -> bytes:
    return message(b"PUT " + name + b" HTTP/1.1", *headers, body=body, **options)


def put5(*headers: bytes, name: bytes = b"/hostile.bin", **options) -> bytes:
    """A PUT that would be good but for the given header or name."""
    return put(b"Content-Length: 5", *headers, body=b"hello", name=name, **options)


def get(target: bytes, *headers: bytes, **options) -> bytes:
    return message(b"GET " + target + b" HTTP/1.1", *headers, **options)


def chunked(body: bytes, *headers: bytes) -> bytes:
    return put(b"Transfer-Encoding: chunked", *headers, body=body)


def form(body: bytes, kind: bytes = b"multipart/form-data; boundary=XX") -> bytes:
    return message(b"POST / HTTP/1.1", b"Content-Type: " + kind, b"Content-Length: %d" % len(body), body=body)


def part(headers: bytes, body: bytes = b"hello") -> bytes:
    return b"--XX\r\n" + headers + b"\r\n\r\n" + body + b"\r\n"


FILE = b'Content-Disposition: form-data; name="file"; filename="a.txt"'
END = b"--XX--\r\n"
SMUGGLED = b"PUT /smuggled.bin HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"


def framing():
    """Request smuggling: two readings of where a message ends."""
    good = b"5\r\nhello\r\n0\r\n\r\n"
    te = b"Transfer-Encoding: chunked"
    yield row("CL and TE", put(b"Content-Length: 5", te, body=good), 400, ends=True)
    yield row("TE and CL", put(te, b"Content-Length: 5", body=good), 400, ends=True)
    yield row(
        "CL.TE with a second request",
        put(b"Content-Length: %d" % (5 + len(SMUGGLED)), te, body=b"0\r\n\r\n" + SMUGGLED),
        400,
        ends=True,
    )
    yield row(
        "TE.CL with a second request",
        put(b"Content-Length: 4", te, body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)),
        400,
        ends=True,
    )
    yield row("CL and TE on GET", get(b"/healthz", b"Content-Length: 5", te, body=good), 400, ends=True)
    yield row("two CL that differ", put(b"Content-Length: 5", b"Content-Length: 6", body=b"hello!"), 400, ends=True)
    yield row("two CL, the second shorter", put(b"Content-Length: 50", b"Content-Length: 0", body=SMUGGLED[:50]), 400, ends=True)
    yield row("two CL that agree", put(b"Content-Length: 5", b"Content-Length: 5", body=b"hello"), 400, ends=True)
    yield row("CL list that agrees", put(b"Content-Length: 5, 5", body=b"hello"), 400, ends=True)
    yield row("CL list that differs", put(b"Content-Length: 5, 6", body=b"hello!"), 400, ends=True)
    for name, value in {
        "plus": b"+5",
        "minus": b"-5",
        "minus zero": b"-0",
        "hexadecimal": b"0x5",
        "float": b"5.0",
        "exponent": b"5e0",
        "empty": b"",
        "blank": b"   ",
        "word": b"five",
        "fullwidth digit": "５".encode(),
        "arabic digit": "٥".encode(),
        "semicolon": b"5;5",
        "two numbers": b"5 5",
        "NUL": b"5\x00",
        "underscore": b"5_0",
        "20 digits": b"99999999999999999999",
        "2^63": b"9223372036854775808",
        "2^64+5": b"18446744073709551621",
        "2^64": b"18446744073709551616",
        "2^128+5": b"340282366920938463463374607431768211461",
        "thousand digits": b"9" * 1000,
    }.items():
        # A number that is only too big may be called too large; everything else is no length at all.
        too_large = (413,) if value.isdigit() and value.isascii() else ()
        yield row(f"CL {name}", put(b"Content-Length: " + value, body=b"hello"), 400, *too_large, ends=True)
    for name, value in {
        "xchunked": b"xchunked",
        "identity": b"identity",
        "chunked, identity": b"chunked, identity",
        "gzip": b"gzip",
        "gzip, chunked": b"gzip, chunked",
        "chunked twice": b"chunked, chunked",
        "quoted": b'"chunked"',
        "parameter": b"chunked;q=1",
        "vertical tab": b"\x0bchunked",
        "empty": b"",
        "NUL": b"chunked\x00",
        "bare CR": b"chunked\r",
        "trailing comma and CL word": b"chunked, 5",
    }.items():
        yield row(f"TE {name}", put(b"Transfer-Encoding: " + value, body=good), 400, 501, ends=True)
    yield row("two TE fields", put(te, b"Transfer-Encoding: identity", body=good), 400, 501, ends=True)
    yield row("two TE fields that agree", put(te, te, body=good), 400, 501, ends=True)
    yield row("TE with a space before the colon", put(b"Transfer-Encoding : chunked", body=good), 400, ends=True)
    yield row("CL with a space before the colon", put(b"Content-Length : 5", body=b"hello"), 400, ends=True)
    yield row("TE with a tab before the colon", put(b"Transfer-Encoding\t: chunked", body=good), 400, ends=True)
    yield row("TE with a NUL in its name", put(b"Transfer-Encoding\x00: chunked", body=good), 400, ends=True)
    yield row("obs-fold in TE", put(b"Transfer-Encoding:\r\n chunked", body=good), 400, ends=True)
    yield row("obs-fold in CL", put(b"Content-Length:\r\n 5", body=b"hello"), 400, ends=True)
    yield row("obs-fold in another field", put5(b"X-Note: one\r\n two"), 400, ends=True)
    yield row("obs-fold in the first field", b"PUT /x HTTP/1.1\r\n Host: {host}\r\nContent-Length: 5\r\n\r\nhello", 400, ends=True)
    yield row("TE in HTTP/1.0", message(b"PUT /x HTTP/1.0", te, body=good), 400, ends=True)
    yield row("bare LF lines", put5().replace(CRLF, b"\n"), 400, 408, ends=True)
    yield row("bare LF after one field", put5(b"X-A: b\nX-C: d"), 400, ends=True)
    yield row("bare LF before TE", put5(b"X-A: b\nTransfer-Encoding: chunked"), 400, ends=True)
    yield row("bare CR lines", put5().replace(CRLF, b"\r"), 400, 408, closed=True, ends=True)
    yield row("bare CR in a value", put5(b"X-A: b\rX-C: d"), 400, ends=True)
    yield row("CR CR LF", put5(b"X-A: b\r"), 400, ends=True)
    yield row(
        "GET with a body that is a request",
        get(b"/healthz", b"Content-Length: %d" % len(SMUGGLED), body=SMUGGLED),
        200,
        400,
        ends=True,
    )
    yield row(
        "DELETE with a body that is a request",
        message(b"DELETE /0123456789abcdef HTTP/1.1", b"Content-Length: %d" % len(SMUGGLED), body=SMUGGLED),
        400,
        401,
        403,
        404,
        410,
        ends=True,
    )


def chunks():
    """A chunked body that breaks its own rules."""
    for name, body in {
        "size negative": b"-5\r\nhello\r\n0\r\n\r\n",
        "size with a plus": b"+5\r\nhello\r\n0\r\n\r\n",
        "size with 0x": b"0x5\r\nhello\r\n0\r\n\r\n",
        "size empty": b"\r\nhello\r\n0\r\n\r\n",
        "size no hex": b"G\r\nhello\r\n0\r\n\r\n",
        "size blank": b" \r\nhello\r\n0\r\n\r\n",
        "size with a leading space": b" 5\r\nhello\r\n0\r\n\r\n",
        "size with an underscore": b"0_5\r\nhello\r\n0\r\n\r\n",
        "size fullwidth": "５\r\nhello\r\n0\r\n\r\n".encode(),
        "size with a NUL": b"5\x00\r\nhello\r\n0\r\n\r\n",
        "no CRLF after the data": b"5\r\nhello0\r\n\r\n",
        "more data than the size": b"5\r\nhello, world\r\n0\r\n\r\n",
        "less data than the size": b"7\r\nhello\r\n0\r\n\r\n" + SMUGGLED,
        "bare LF after the size": b"5\nhello\r\n0\r\n\r\n",
        "bare LF after the data": b"5\r\nhello\n0\r\n\r\n",
        "bare CR after the size": b"5\rhello\r\n0\r\n\r\n",
        "trailer without a colon": b"5\r\nhello\r\n0\r\nnonsense\r\n\r\n",
        "trailer with a space in its name": b"5\r\nhello\r\n0\r\nX A: b\r\n\r\n",
        "trailer with a NUL": b"5\r\nhello\r\n0\r\nX-A: \x00\r\n\r\n",
        "trailer folded": b"5\r\nhello\r\n0\r\nX-A: b\r\n c\r\n\r\n",
    }.items():
        yield row(f"chunk {name}", chunked(body), 400, ends=True)
    for name, size in {
        "overflows 2^64 to 5": b"10000000000000005",
        "is 17 F": b"F" * 17,
        "is 2^63": b"8000000000000000",
        "is 2^63-1": b"7FFFFFFFFFFFFFFF",
        "is 2^64-1": b"FFFFFFFFFFFFFFFF",
        "has 1,000 digits": b"1" + b"0" * 999,
    }.items():
        # A size that fits into 64 bits is waited for; the body never comes (408).
        yield row(f"chunk size {name}", chunked(size + b"\r\nhello\r\n0\r\n\r\n"), 400, 408, 413, ends=True)
    yield row(
        "chunk size with endless zeros",
        chunked(b"0" * (1 << 20) + b"5\r\nhello\r\n0\r\n\r\n"),
        400,
        413,
        431,
        closed=True,
        ends=True,
    )
    yield row(
        "chunk extension of 1 MiB",
        chunked(b"5;x=" + b"y" * (1 << 20) + b"\r\nhello\r\n0\r\n\r\n"),
        400,
        413,
        431,
        closed=True,
        ends=True,
    )
    # The extension means nothing: five bytes of body, and nothing behind them is a request.
    yield row("chunk extension with a bare CR", chunked(b"5;x=\ry\r\nhello\r\n0\r\n\r\n"), 400, safe_name=True)
    yield row("chunk extension with a bare LF", chunked(b"5;x=\ny\r\nhello\r\n0\r\n\r\n"), 400, safe_name=True)
    trailers = b"".join(b"X-T%d: y\r\n" % number for number in range(5000))
    yield row("5,000 trailers", chunked(b"5\r\nhello\r\n0\r\n" + trailers + CRLF), 400, 431, closed=True, ends=True)
    yield row(
        "one trailer of 1 MiB",
        chunked(b"5\r\nhello\r\n0\r\nX-T: " + b"y" * (1 << 20) + b"\r\n\r\n"),
        400,
        431,
        closed=True,
        ends=True,
    )
    yield row("chunked without an end", chunked(b"5\r\nhello\r\n"), 400, 408, closed=True, half_close=True)
    yield row("chunked that ends in a size", chunked(b"5\r\nhello\r\n0"), 400, 408, closed=True, half_close=True)
    yield row("chunked that ends in the data", chunked(b"500\r\nhello"), 400, 408, closed=True, half_close=True)


def request_lines():
    """Methods, versions, targets."""
    for method in (b"get", b"Get", b"put", b"post"):
        yield row(
            f"method {method.decode()}", message(method + b" /healthz HTTP/1.1", b"Content-Length: 5", body=b"hello"), 400, 405, 501
        )
    for method in (b"FOO", b"PATCH", b"PROPFIND", b"TRACE", b"LINK", b"SEARCH", b"M-SEARCH", b"X" * 100):
        yield row(f"method {method[:20].decode()}", message(method + b" /0123456789abcdef HTTP/1.1"), 400, 404, 405, 501)
    yield row("method MKCOL with a body", message(b"MKCOL /x HTTP/1.1", b"Content-Length: 5", body=b"hello"), 400, 404, 405, 501)
    yield row("CONNECT", message(b"CONNECT example.org:443 HTTP/1.1"), 400, 404, 405, 501)
    yield row("CONNECT to a path", message(b"CONNECT /x HTTP/1.1"), 400, 404, 405, 501)
    yield row("asterisk as a file", message(b"PUT * HTTP/1.1", b"Content-Length: 5", body=b"hello"), 400, 404, 405)
    for name, line in {
        "method with a NUL": b"P\x00T /x HTTP/1.1",
        "method with a slash": b"P/T /x HTTP/1.1",
        "method with a bracket": b"PUT( /x HTTP/1.1",
        "empty method": b" /x HTTP/1.1",
        "no target": b"GET HTTP/1.1",
        "no slash": b"GET healthz HTTP/1.1",
        "only a method": b"GET",
        "space in the target": b"PUT /a b HTTP/1.1",
        "tab": b"GET\t/healthz\tHTTP/1.1",
        "word after the version": b"GET /healthz HTTP/1.1 x",
        "version lower case": b"GET /healthz http/1.1",
        "version without a minor": b"GET /healthz HTTP/1",
        "version with a comma": b"GET /healthz HTTP/1,1",
        "version of three parts": b"GET /healthz HTTP/1.1.1",
        "version 11": b"GET /healthz HTTP/11",
        "version with a long minor": b"GET /healthz HTTP/1.11",
        "another protocol": b"GET /healthz ICY/1.1",
        "NUL in the target": b"GET /heal\x00thz HTTP/1.1",
        "CR in the target": b"GET /heal\rthz HTTP/1.1",
        "control character in the target": b"GET /heal\x01thz HTTP/1.1",
        "DEL in the target": b"GET /heal\x7fthz HTTP/1.1",
    }.items():
        yield row(name, message(line), 400, 505, closed=line == b"GET", ends=True)
    for version in (b"HTTP/3.0", b"HTTP/2.0", b"HTTP/0.9", b"HTTP/9.9", b"HTTP/0.0"):
        yield row(
            f"version {version.decode()}", message(b"PUT /x " + version, b"Content-Length: 5", body=b"hello"), 400, 505, ends=True
        )
    yield row("HTTP/0.9", b"GET /healthz\r\n\r\n", 400, 505, closed=True, ends=True)
    yield row("HTTP/0.9 with a field", b"GET /healthz\r\nHost: {host}\r\n\r\n", 400, 505, closed=True, ends=True)
    yield row(
        "HTTP/2 preface",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
        400,
        405,
        505,
        closed=True,
        ends=True,
    )
    yield row("TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500) + b"\r\n\r\n", 400, closed=True, ends=True)
    yield row("SSH hello", b"SSH-2.0-OpenSSH_9.2\r\n\r\n", 400, 505, closed=True, ends=True)
    yield row("10,000 empty lines", CRLF * 10000, 400, 408, 431, closed=True, ends=True)
    yield row("request line over 8 KiB", get(b"/" + b"a" * 8300), 414, ends=True)
    yield row("PUT name over 8 KiB", put5(name=b"/" + b"a" * 9000), 414, ends=True)
    yield row("query over 8 KiB", get(b"/?" + b"a" * 9000), 414, ends=True)
    yield row("request line of 1 MiB", get(b"/" + b"a" * (1 << 20)), 414, 431, closed=True, ends=True)
    yield row("request line of 1 MiB without an end", b"GET /" + b"a" * (1 << 20), 400, 414, 431, closed=True, ends=True)
    yield row(
        "method of 64 KiB", b"A" * 65536 + b" / HTTP/1.1\r\nHost: {host}\r\n\r\n", 400, 405, 414, 431, 501, closed=True, ends=True
    )

    for name, target in {
        "dots": b"/../../../../etc/passwd",
        "dots in the middle": b"/u/../index.sqlite",
        "the index": b"/index.sqlite",
        "the lock": b"/serve.lock",
        "u": b"/u/",
        "dots as %2e": b"/%2e%2e/%2e%2e/etc/passwd",
        "slashes as %2f": b"/..%2f..%2f..%2fetc%2fpasswd",
        "all as %": b"/%2e%2e%2f%2e%2e%2fetc%2fpasswd",
        "encoded twice": b"/%252e%252e%252f%252e%252e%252fetc%252fpasswd",
        "backslashes": b"/..\\..\\..\\etc\\passwd",
        "backslashes as %5c": b"/..%5c..%5cetc%5cpasswd",
        "two slashes": b"//etc/passwd",
        "four dots": b"/....//....//etc/passwd",
        "semicolons": b"/..;/..;/etc/passwd",
        "overlong dots": b"/%c0%ae%c0%ae/%c0%ae%c0%ae/etc/passwd",
        "overlong slash": b"/..%c0%af..%c0%afetc%c0%afpasswd",
        "overlong NUL": b"/0123456789abcdef%c0%80",
        "NUL": b"/0123456789abcdef%00",
        "NUL and an extension": b"/index.sqlite%00.txt",
        "CR LF": b"/0123456789abcdef%0d%0aSet-Cookie:%20a=b",
        "escape cut off": b"/0123456789abcdef%",
        "escape cut in half": b"/0123456789abcdef%2",
        "no escape": b"/%zz",
        "lone byte FF": b"/%ff%fe",
        "surrogate": b"/%ed%a0%80",
        "raw byte FF": b"/\xff\xfe",
        "fragment": b"/#/../x",
        "absolute with dots": b"http://{host}/../../etc/passwd",
        "absolute to another host": b"http://evil.example/0123456789abcdef",
        "file URL": b"file:///etc/passwd",
        "empty authority": b"http:///healthz",
        "ftp": b"ftp://{host}/x",
        "user in the authority": b"http://user:secret@{host}/0123456789abcdef",
        "javascript": b"javascript:alert(1)",
        "id with dots": b"/../0123456789abcdef/../../x",
        "id in upper case": b"/0123456789ABCDEF",
        "id of 15": b"/0123456789abcde",
        "id of 17": b"/0123456789abcdef0",
        "api id with dots": b"/api/v1/uploads/../../../index.sqlite",
        "api id with %2f": b"/api/v1/uploads/..%2f..%2findex.sqlite",
        "api id with NUL": b"/api/v1/uploads/0123456789abcdef%00",
        "SQL": b"/api/v1/uploads/'%20OR%201=1--",
    }.items():
        yield row(f"GET {name}", get(target), 400, 404, 410)


def names():
    """File names nobody may get into a header, a path or a log."""
    for name, target in {
        "NUL": b"/a%00b.txt",
        "NUL at the end": b"/a.txt%00",
        "CR LF": b"/a%0d%0aSet-Cookie:%20evil=1.txt",
        "CR": b"/a%0db.txt",
        "LF": b"/a%0ab.txt",
        "overlong slash": b"/..%c0%af..%c0%afx",
        "overlong letter": b"/%c1%81.txt",
        "overlong of three": b"/%e0%80%af.txt",
        "surrogate": b"/%ed%a0%80.txt",
        "above U+10FFFF": b"/%f4%90%80%80.txt",
        "lone byte FF": b"/%ff.txt",
        "sequence cut off": b"/%e2%82.txt",
        "raw byte FF": b"/\xff.txt",
        "escape cut off": b"/a%.txt",
        "escape cut at the end": b"/a%2",
        "no escape": b"/a%zz.txt",
        "256 bytes": b"/" + b"n" * 252 + b".txt",
        "256 bytes of UTF-8": b"/" + b"%c3%bc" * 126 + b".txt",
        "4,000 bytes": b"/" + b"n" * 4000,
    }.items():
        yield row(f"PUT name with {name}", put5(name=target), 400, 414)
    for name, target in {
        "dots": b"/../../etc/cron.d/x",
        "%2e%2e%2f": b"/%2e%2e%2f%2e%2e%2fetc%2fx",
        "only dots": b"/..",
        "only %2e%2e": b"/%2e%2e",
        "one dot": b"/.",
        "backslashes": b"/..%5c..%5cx.exe",
        "absolute": b"//etc/cron.d/x",
        "absolute %2f": b"/%2fetc%2fx",
        "drive": b"/C:%5cwindows%5cx.exe",
        "reserved word": b"/api/v1/uploads/x",
        "DEL": b"/a%7fb.txt",
        "escape character": b"/a%1b[2Jb.txt",
        "tab": b"/a%09b.txt",
    }.items():
        yield row(f"PUT path {name}", put5(name=target), 400, 404, 405, safe_name=True)
    for name, filename in {
        "NUL": b"a\x00b.txt",
        "bare CR": b"a\rb.txt",
        "bare LF": b"a\nb.txt",
        "CR LF and a field": b"a\r\nX-Evil: 1\r\n.txt",
        "byte FF": b"\xff.txt",
        "overlong slash": b"..\xc0\xaf..\xc0\xafx",
        "256 bytes": b"n" * 252 + b".txt",
        "100,000 bytes": b"n" * 100000,
    }.items():
        yield row(
            f"form file name with {name}",
            form(part(b'Content-Disposition: form-data; name="file"; filename="' + filename + b'"') + END),
            400,
            431,
        )
    for name, filename in {
        "dots": b"../../etc/cron.d/x",
        "backslashes": b"..\\\\..\\\\x.exe",
        "only dots": b"..",
        "%00": b"a%00b.txt",
        "%0d%0a": b"a%0d%0aX-Evil: 1.txt",
        "drive": b"C:\\\\x.exe",
    }.items():
        yield row(
            f"form file name path {name}",
            form(part(b'Content-Disposition: form-data; name="file"; filename="' + filename + b'"') + END),
            400,
            safe_name=True,
        )
    for name, value in {
        "overlong": b"UTF-8''%c0%ae%c0%ae%c0%afx",
        "CR LF": b"UTF-8''a%0d%0ab",
        "NUL": b"UTF-8''a%00b",
        "no escape": b"UTF-8''%zz",
        "unknown charset": b"klingon''x",
    }.items():
        yield row(
            f"form filename* with {name}",
            form(part(b'Content-Disposition: form-data; name="file"; filename="a.txt"; filename*=' + value) + END),
            400,
            safe_name=True,
        )


def header_fields():
    """Too many, too long, not fields at all; Host, Expect."""
    yield row("101 fields", put5(*(b"X-%d: y" % number for number in range(100))), 431, ends=True)
    yield row("100,000 fields", put5(*(b"X-%d: y" % number for number in range(100000))), 431, closed=True, ends=True)
    yield row("fields of 33 KiB together", put5(*(b"X-%d: " % number + b"y" * 1024 for number in range(33))), 431, ends=True)
    yield row("one field of 33 KiB", put5(b"X-A: " + b"y" * 33 * 1024), 431, ends=True)
    yield row("one field of 1 MiB", put5(b"X-A: " + b"y" * (1 << 20)), 431, closed=True, ends=True)
    yield row("a field name of 33 KiB", put5(b"X" * 33 * 1024 + b": y"), 400, 431, ends=True)
    yield row(
        "a field of 1 MiB without an end",
        b"PUT /x HTTP/1.1\r\nHost: {host}\r\nX-A: " + b"y" * (1 << 20),
        431,
        closed=True,
        ends=True,
    )
    for name, line in {
        "brackets in the name": b"X(A): b",
        "no name": b": b",
        "no colon": b"nonsense",
        "space in the name": b"X A: b",
        "letter of Latin-1 in the name": b"X-\xe4: b",
        "NUL in the value": b"X-A: \x00",
        "control character in the value": b"X-A: \x01",
        "DEL in the value": b"X-A: \x7f",
        "vertical tab in the value": b"X-A: \x0b",
        "only a space": b" ",
        "comma in the name": b"X,A: b",
    }.items():
        yield row(name, put5(line), 400, ends=True)
    yield row("no Host", put5(host=b""), 400, ends=True)
    yield row("two Hosts", put5(b"Host: evil.example"), 400, ends=True)
    yield row("two Hosts that agree", put5(b"Host: {host}"), 400, ends=True)
    for name, value in {
        "empty": b"",
        "slash": b"evil.example/x",
        "backslash": b"evil.example\\x",
        "space": b"evil example",
        "user": b"user@evil.example",
        "angle brackets": b"<script>",
        "quote": b'a"b',
        "query": b"a?b",
        "fragment": b"a#b",
        "percent": b"a%0d%0ab",
        "open bracket": b"[::1",
        "empty port word": b"a:b",
        "port too big": b"a:99999999",
        "port negative": b"a:-1",
        "list": b"a, b",
        "byte FF": b"\xff",
        "CR": b"a\rb",
        "obs-fold": b"a\r\n b",
        "URL": b"http://evil.example",
    }.items():
        yield row(f"Host with {name}", put5(host=b"Host: " + value), 400)
    for value in (b"200-ok", b"100-continue, x", b"100", b"x" * 1000):
        yield row(f"Expect: {value[:20].decode()}", put5(b"Expect: " + value), 400, 417)


NUMBERS = {
    "zero": b"0",
    "zeros": b"000",
    "minus one": b"-1",
    "minus zero": b"-0",
    "empty": b"",
    "blank": b"  ",
    "float": b"1.5",
    "float that is whole": b"1.0",
    "exponent": b"1e1",
    "hexadecimal": b"0x10",
    "word": b"many",
    "true": b"true",
    "nan": b"nan",
    "infinity": b"inf",
    "fullwidth": "５".encode(),
    "arabic": "٥".encode(),
    "superscript": "²".encode(),
    "comma": b"1,2",
    "space": b"1 2",
    "unit": b"5s",
    "underscore": b"1_0",
    "2^63": b"9223372036854775808",
    "2^64+1": b"18446744073709551617",
    "40 digits": b"1" * 40,
    "8,000 digits": b"1" * 8000,
    "2^63-1": b"9223372036854775807",
    "quotes": b'"5"',
    "minus huge": b"-99999999999999999999",
}


def numbers():
    """A number that is no positive integer, or above the limit, is refused."""
    for header in (b"X-Expiration-Seconds", b"X-Max-Downloads", b"Max-Downloads", b"Max-Days"):
        for name, value in NUMBERS.items():
            yield row(f"{header.decode()} {name}", put5(header + b": " + value), 400)
        yield row(f"{header.decode()} twice", put5(header + b": 1", header + b": 2"), 400)
    yield row("X-Expiration-Seconds one above the limit", put5(b"X-Expiration-Seconds: 86401"), 400)
    yield row("Max-Days one above the limit", put5(b"Max-Days: 2"), 400)
    yield row("Max-Days times 86,400 overflows", put5(b"Max-Days: 213503982334602"), 400)
    yield row("Max-Days times 86,400 overflows to a day", put5(b"Max-Days: 288230376151711745"), 400)
    yield row("X-Max-Downloads one above the limit", put5(b"X-Max-Downloads: 1001"), 400)
    yield row("Content-Length one above the limit", put(b"Content-Length: 5368709121", body=b"hello"), 413, ends=True)
    yield row("Content-Length 2^63-1", put(b"Content-Length: 9223372036854775807", body=b"hello"), 413, ends=True)

    # An invalid Range may be ignored (then the whole file comes), refused, or called unsatisfiable.
    for name, value in {
        "no number": b"bytes=abc",
        "backwards": b"bytes=5-2",
        "only a dash": b"bytes=-",
        "two dashes": b"bytes=--5",
        "three": b"bytes=1-2-3",
        "float": b"bytes=1.5-2",
        "hexadecimal": b"bytes=0x0-1",
        "suffix of nothing": b"bytes=-0",
        "minus": b"bytes=-5-10",
        "other unit": b"items=0-5",
        "no unit": b"0-5",
        "no ranges": b"bytes=",
        "blank": b"bytes= ",
        "commas": b"bytes=,,,",
        "fullwidth": "bytes=０-５".encode(),
        "semicolon": b"bytes=0-1;2-3",
        "start 2^64": b"bytes=18446744073709551616-",
        "start 2^63": b"bytes=9223372036854775808-",
        "8,000 digits": b"bytes=" + b"9" * 8000 + b"-",
        "second one broken": b"bytes=0-1,x",
        "plus": b"bytes=+0-5",
        "NUL-like": b"bytes=0-%00",
    }.items():
        yield row(f"Range {name}", get(b"{shared}", b"Range: " + value), 200, 400, 416)
    yield row("Range after the end", get(b"{shared}", b"Range: bytes=1000-"), 416)
    yield row("Range end overflows", get(b"{shared}", b"Range: bytes=0-18446744073709551616"), 200, 206, 400, 416)
    yield row("Range suffix overflows", get(b"{shared}", b"Range: bytes=-18446744073709551616"), 200, 206, 400, 416)
    yield row("Range bomb of the same bytes", get(b"{shared}", b"Range: bytes=" + b",".join([b"0-"] * 1000)), 200, 206, 400, 416)
    yield row(
        "Range bomb of single bytes",
        get(b"{shared}", b"Range: bytes=" + b",".join(b"%d-%d" % (at, at) for at in range(0, 1000, 2))),
        200,
        206,
        400,
        416,
    )


def forms():
    """multipart/form-data that is not."""
    good = part(FILE) + END
    kinds = {
        "no boundary": b"multipart/form-data",
        "empty boundary": b"multipart/form-data; boundary=",
        "empty quoted boundary": b'multipart/form-data; boundary=""',
        "boundary of 71": b"multipart/form-data; boundary=" + b"X" * 71,
        "boundary of 20,000": b"multipart/form-data; boundary=" + b"X" * 20000,
        "another boundary": b"multipart/form-data; boundary=YY",
        "two boundaries": b"multipart/form-data; boundary=XX; boundary=YY",
        "illegal boundary": b"multipart/form-data; boundary=X\x01X",
        "unclosed quote": b'multipart/form-data; boundary="XX',
        "boundary with a trailing space": b'multipart/form-data; boundary="XX "',
    }
    for name, kind in kinds.items():
        yield row(f"form with {name}", form(good, kind), 400)
    for name, body in {
        "no final boundary": part(FILE),
        "half a final boundary": part(FILE) + b"--XX",
        "final boundary of one dash": part(FILE) + b"--XX-\r\n",
        "no parts": END,
        "empty body": b"",
        "only the first boundary": b"--XX\r\n",
        "no boundary in the body": b"hello",
        "end in the part header": b"--XX\r\n" + FILE,
        "end after the part header": b"--XX\r\n" + FILE + b"\r\n\r\n",
        "part without name": part(b'Content-Disposition: form-data; filename="a.txt"') + END,
        "part without disposition": part(b"Content-Type: text/plain") + END,
        "part with another disposition": part(b'Content-Disposition: attachment; filename="a.txt"') + END,
        "part without headers": b"--XX\r\n\r\nhello\r\n" + END,
        "part without a blank line": b"--XX\r\n" + FILE + b"\r\n" + END,
        "only fields": part(b'Content-Disposition: form-data; name="note"') + END,
        "header without a colon": part(b"nonsense\r\n" + FILE) + END,
        "bare LF in the part header": b"--XX\n" + FILE + b"\n\nhello\n" + b"--XX--\n",
        "folded part header": part(b'Content-Disposition: form-data;\r\n name="file"; filename="a.txt"\r\n x') + END,
        "two dispositions": part(FILE + CRLF + FILE.replace(b"a.txt", b"b.txt")) + END,
        "unclosed file name": part(b'Content-Disposition: form-data; name="file"; filename="a.txt') + END,
        "first part good, second cut off": part(FILE) + b"--XX\r\n" + FILE + b"\r\n\r\nhel",
        "first part good, second broken": part(FILE) + part(b"nonsense") + END,
        "nested": part(
            b'Content-Disposition: form-data; name="file"\r\nContent-Type: multipart/mixed; boundary=YY',
            b'--YY\r\nContent-Disposition: file; filename="a.txt"\r\n\r\nhello\r\n--YY--',
        )
        + END,
    }.items():
        yield row(f"form with {name}", form(body), 400)
    yield row(
        "form with 2,000 part headers",
        form(part(FILE + b"".join(b"\r\nX-%d: y" % number for number in range(2000))) + END),
        400,
        431,
    )
    yield row("form with a part header of 1 MiB", form(part(FILE + b"\r\nX-A: " + b"y" * (1 << 20)) + END), 400, 431, closed=True)
    yield row("form with an endless part header", form(b"--XX\r\nX-A: " + b"y" * (1 << 20)), 400, 431, closed=True)
    yield row(
        "form shorter than its length",
        message(b"POST / HTTP/1.1", b"Content-Type: multipart/form-data; boundary=XX", b"Content-Length: 5000", body=good),
        400,
        408,
        closed=True,
        half_close=True,
    )
    yield row(
        "chunked form without an end",
        message(
            b"POST / HTTP/1.1",
            b"Content-Type: multipart/form-data; boundary=XX",
            b"Transfer-Encoding: chunked",
            body=b"%x\r\n%s\r\n" % (len(good), good),
        ),
        400,
        408,
        closed=True,
        half_close=True,
    )


def digests():
    """Repr-Digest that is wrong, or is none."""
    right = b"sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:"  # of "hello"
    for name, value in {
        "another body": right.replace(b"LPJ", b"MPJ"),
        "no colons": b"sha-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        "no base64": b"sha-256=:!!!!:",
        "hexadecimal": b"sha-256=:2cf24dba5fb0a30e26e83b2ac5b9e29e:",
        "empty bytes": b"sha-256=::",
        "short": b"sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmA==:",
        "unclosed": b"sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=",
        "two values": right + b", " + right.replace(b"LPJ", b"MPJ"),
        "number": b"sha-256=5",
        "16 KiB": b"sha-256=:" + b"A" * 16384 + b":",
    }.items():
        yield row(f"Repr-Digest with {name}", put5(b"Repr-Digest: " + value), 400)
    for name, value in {"empty": b"", "word": b"nonsense", "unknown algorithm": b"crc=:AAAA:"}.items():  # may be ignored
        yield row(f"Repr-Digest with {name}", put5(b"Repr-Digest: " + value), 400, safe_name=True)
    yield row("Repr-Digest of another chunked body", chunked(b"5\r\nhellO\r\n0\r\n\r\n", b"Repr-Digest: " + right), 400)


def bodies():
    """Bodies that are not what was announced, or nothing at all."""
    yield row("short body, then half closed", put(b"Content-Length: 100", body=b"x" * 50), 400, 408, closed=True, half_close=True)
    yield row("no byte of the body, then half closed", put(b"Content-Length: 100"), 400, 408, closed=True, half_close=True)
    yield row(
        "POST shorter than its length",
        message(b"POST / HTTP/1.1", b"Content-Length: 100", body=b"x" * 50),
        400,
        408,
        closed=True,
        half_close=True,
    )
    yield row("PUT without any body", put(), 200, 400, 411, safe_name=True)
    yield row("POST without any body", message(b"POST / HTTP/1.1"), 200, 400, 411, safe_name=True)
    yield row("half a request line, then half closed", b"PUT /x", 400, 408, closed=True, half_close=True)
    yield row(
        "half the header, then half closed",
        b"PUT /x HTTP/1.1\r\nHost: {host}\r\nContent-Le",
        400,
        408,
        closed=True,
        half_close=True,
    )
    yield row("PUT with Content-Range", put5(b"Content-Range: bytes 5-9/10"), 400, 501)


def slow():
    """Clients that take their time: HEADER_TIMEOUT=1 and IDLE_TIMEOUT=1 with 64 B/s as the slowest rate."""
    head = put(b"Content-Length: 1000")
    yield row("slow: nothing is sent", b"", 408, closed=True, ends=True)
    yield row("slow: empty lines", b"", 400, 408, closed=True, ends=True, drip=CRLF * 500)
    yield row("slow: request line", b"", 408, closed=True, ends=True, drip=head * 2)
    yield row("slow: header", head[:-4], 408, closed=True, ends=True, drip=b"\r\nX-A: b" * 100)
    yield row("slow: header stands still", head[:-4], 408, closed=True, ends=True)
    yield row("slow: body stands still", head + b"x" * 500, 408, closed=True, ends=True)
    yield row("slow: body never begins", head, 408, closed=True, ends=True)
    yield row("slow: body drips", head, 408, closed=True, ends=True, drip=b"x" * 999)
    yield row("slow: chunk size drips", chunked(b""), 400, 408, 413, closed=True, ends=True, drip=b"0" * 500)
    yield row("slow: chunks drip", chunked(b""), 408, closed=True, ends=True, drip=b"1\r\nx\r\n" * 200)
    yield row("slow: chunked body never ends", chunked(b"5\r\nhello\r\n"), 408, closed=True, ends=True)
    yield row(
        "slow: part header drips",
        message(b"POST / HTTP/1.1", b"Content-Type: multipart/form-data; boundary=XX", b"Content-Length: 100000", body=b"--XX\r\n"),
        408,
        closed=True,
        ends=True,
        drip=FILE * 10,
    )


GROUPS = (framing, chunks, request_lines, names, header_fields, numbers, forms, digests, bodies, slow)
ROWS = [entry for group in GROUPS for entry in group()]
GOOD = put5(name=b"/good.txt")
