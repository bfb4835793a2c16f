"""The words of the service: put a file, read the answer, get it back, ask for its state."""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from urllib.parse import unquote, urlsplit

import wire
from waiting import eventually

ID = re.compile(r"[0-9a-z]{16}")
URL = re.compile(r"https?://[^\s\"'<>]+")
RFC3339_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)")
CHINESE = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"[A-Za-z]{3,}.*[A-Za-z]{3,}")
# RFC 6266 and 8187: a quoted ASCII name first, then the name in UTF-8.
DISPOSITION = re.compile(
    r"(?P<kind>inline|attachment); *filename=\"(?P<plain>(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\[\x20-\x7e])*)\"; *"
    r"filename\*=UTF-8''(?P<full>(?:[A-Za-z0-9!#$&+.^_`|~-]|%[0-9A-Fa-f]{2})*)"
)
BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.5",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "none",
    "Upgrade-Insecure-Requests": "1",
}
# Browsers before Fetch Metadata, and all browsers on plain http that is not localhost.
OLD_BROWSER = {name: value for name, value in BROWSER.items() if not name.startswith("Sec-Fetch")}
# The first six characters of an id are base36 seconds since this moment.
EPOCH = datetime(2024, 1, 1, tzinfo=timezone.utc)


@dataclass
class Upload:
    id: str
    url: str
    path: str
    token: str
    response: wire.Response


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def repr_digest(data: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


def instant(text: str) -> float:
    assert RFC3339_UTC.fullmatch(text), f"not RFC 3339 in UTC: {text!r}"
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def urls(text: str) -> list:
    return URL.findall(text)


def id_of(url: str) -> str:
    id = urlsplit(url).path.split("/")[1].split(".")[0]
    assert ID.fullmatch(id), f"no 16 characters of base36 in {url}"
    return id


def id_at(seconds: int, random_part: str = "0123456789") -> str:
    """A well-formed id that expires at the given Unix time."""
    count, text = int(seconds - EPOCH.timestamp()), ""
    for _ in range(6):
        count, digit = divmod(count, 36)
        text = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + text
    return text + random_part


def upload_of(response: wire.Response) -> Upload:
    """The upload that a 200 in text form tells about."""
    assert response.status == 200, f"not stored: {response!r}"
    found = urls(response.text)
    assert found, f"no URL in {response.text!r}"
    url = found[0]
    return Upload(id_of(url), url, urlsplit(url).path, response.header("X-Delete-Token"), response)


def put(server, body: bytes, name: str = "file.bin", headers=None, *, chunked=False, source=None) -> Upload:
    """PUT with or without a length; the upload must be accepted."""
    pairs = wire.fields(headers)
    if chunked:
        pairs.append(("Transfer-Encoding", "chunked"))
        body = b"".join(wire.chunk(body[at : at + 65536]) for at in range(0, len(body), 65536)) + b"0\r\n\r\n"
    return upload_of(wire.request(server, "PUT", f"/{name}", pairs, body, source=source, timeout=60))


def get(server, target: str, headers=None, **options) -> wire.Response:
    return wire.request(server, "GET", target, headers, **options)


def disposition(response: wire.Response) -> tuple:
    """(inline or attachment, the name for old clients, the name in full) of Content-Disposition, strictly parsed."""
    values = response.all("Content-Disposition")
    assert len(values) == 1, f"one Content-Disposition expected: {values}"
    match = DISPOSITION.fullmatch(values[0])
    assert match, f"not both forms of the name: {values[0]!r}"
    return match["kind"], re.sub(r"\\(.)", r"\1", match["plain"]), unquote(match["full"], errors="strict")


def multipart(parts, boundary: str = "b0und4ry") -> tuple:
    """(headers, body) of a form; a part is (field, file name or None, content type or None, bytes)."""
    body = b""
    for field, name, kind, data in parts:
        disposition = f'form-data; name="{field}"' + (f'; filename="{name}"' if name is not None else "")
        body += f"--{boundary}\r\nContent-Disposition: {disposition}\r\n".encode()
        body += f"Content-Type: {kind}\r\n".encode() if kind else b""
        body += b"\r\n" + data + b"\r\n"
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, body + f"--{boundary}--\r\n".encode()


def state(server, id: str) -> dict:
    """The state of an upload by the API, which spends nothing."""
    response = get(server, f"/api/v1/uploads/{id}")
    assert response.status in (200, 410), f"no state of {id}: {response!r}"
    return response.json()


def get_when_free(server, target: str, seconds: float, headers=None, source=None) -> wire.Response:
    """A GET that takes 423 for "not yet" as long as it says when to come back, up to a deadline."""
    answer = []

    def try_once():
        response = get(server, target, headers, source=source, timeout=60)
        if response.status == 423:
            assert_locked(response)
            return None
        answer.append(response)
        return response

    return eventually(try_once, seconds, f"{target} is no longer locked", every=0.05)


def assert_locked(response: wire.Response):
    assert_error(response, 423)
    after = response.header("Retry-After")
    assert after is not None and after.isdigit(), f"423 without Retry-After in seconds: {response!r}"


def assert_error(response: wire.Response, *statuses: int):
    """A complete error: one of the statuses, one non-empty line of plain text."""
    assert response.status in statuses, f"expected {statuses}: {response!r}"
    assert response.complete, f"cut short: {response!r}"
    assert response.header("Content-Type", "").startswith("text/plain"), f"not plain text: {response!r}"
    assert len(response.text.strip().splitlines()) == 1, f"not one line: {response.text!r}"


def assert_file(response: wire.Response, body: bytes, status: int = 200):
    """A complete delivery of exactly these bytes."""
    assert response.status == status, f"expected {status}: {response!r}"
    assert response.complete, f"cut short at {len(response.body)} of {response.header('Content-Length')}"
    assert len(response.body) == len(body) and sha256(response.body) == sha256(body), "not the bytes that were stored"


def assert_gone(server, target: str):
    response = get(server, target)
    assert_error(response, 410)
    return response
