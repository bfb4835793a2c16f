"""The bucket as a stranger sees it: requests signed here (SigV4), with nothing of the program under test."""

import base64
import functools
import hashlib
import hmac
import http.client
import json
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from urllib.parse import quote, unquote, urlencode, urlsplit

PARALLEL = 3


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode(), "sha256")


@functools.cache
def _signing_key(secret_key: str, scope: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for step in scope.split("/"):
        key = _hmac(key, step)
    return key


class Refused(Exception):
    """The store did not do what the test asked of it."""


class Bucket:
    """One bucket of an S3 server, and the settings with which a node uses it."""

    def __init__(self, endpoint, region, access_key, secret_key, name, etags):
        self.endpoint, self.region, self.access_key, self.secret_key = endpoint, region, access_key, secret_key
        self.name, self.etags = name, etags
        self._local = threading.local()

    @property
    def settings(self) -> dict:
        return {
            "R2_ENDPOINT": self.endpoint,
            "R2_REGION": self.region,
            "R2_ACCESS_KEY_ID": self.access_key,
            "R2_SECRET_ACCESS_KEY": self.secret_key,
            "R2_BUCKET_NAME": self.name,
            "R2_WRITE_ETAGS": self.etags,
        }

    # -- requests

    def _signed(self, method, path, query, headers, body) -> dict:
        now = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        digest = hashlib.sha256(body).hexdigest()
        signed = {
            **{name.lower(): value for name, value in headers.items()},
            "host": urlsplit(self.endpoint).netloc,
            "x-amz-date": now,
            "x-amz-content-sha256": digest,
        }
        names = sorted(signed)
        canonical = "\n".join(
            [method, path, query, *(f"{name}:{str(signed[name]).strip()}" for name in names), "", ";".join(names), digest]
        )
        scope = f"{now[:8]}/{self.region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = _signing_key(self.secret_key, scope)
        signed["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={self.access_key}/{scope}, SignedHeaders={';'.join(names)}, "
            f"Signature={_hmac(key, text).hex()}"
        )
        return signed

    def call(self, method, key="", query=(), headers=None, body=b"") -> tuple:
        """(status, header fields in lower case, body). A connection per thread, opened again when the store closed it."""
        path = f"/{self.name}" + (f"/{quote(key, safe='/-_.~')}" if key else "")
        text = urlencode(sorted(dict(query).items()), quote_via=quote, safe="-_.~")
        signed = self._signed(method, path, text, headers or {}, body)
        for attempt in (1, 2):
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = http.client.HTTPConnection(urlsplit(self.endpoint).netloc, timeout=30)
            try:
                connection.request(method, path + (f"?{text}" if text else ""), body or None, signed)
                answer = connection.getresponse()
                return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
            except (http.client.HTTPException, OSError):
                connection.close()
                self._local.connection = None
                if attempt == 2:
                    raise

    def ask(self, method, key="", query=(), headers=None, body=b"") -> tuple:
        """The same; anything but success is a failure."""
        status, fields, data = self.call(method, key, query, headers, body)
        if status >= 300:
            raise Refused(f"{method} {key} {dict(query)}: {status} {data[:300]!r}")
        return fields, data

    # -- objects

    def put(self, key, body=b"x", metadata=None, kind="application/octet-stream"):
        """Stores an object; a key that was just written is tried again (R2: one write a second)."""
        headers = {"content-type": kind, **{f"x-amz-meta-{name}": value for name, value in (metadata or {}).items()}}
        for _ in range(20):
            status, _, data = self.call("PUT", key, headers=headers, body=body)
            if status not in (429, 503):
                break
            time.sleep(0.1)
        if status != 200:
            raise Refused(f"PUT {key}: {status} {data[:300]!r}")

    def put_all(self, objects):
        """Many small objects, in parallel; an object is (key, body)."""
        with ThreadPoolExecutor(PARALLEL) as pool:
            list(pool.map(lambda item: self.put(*item), objects))

    def has(self, key) -> bool:
        return self.call("HEAD", key)[0] == 200

    def keys(self, prefix="") -> list:
        return sorted(self.sizes(prefix))

    def sizes(self, prefix="") -> dict:
        """Key → size of every object."""
        found, token = {}, None
        while True:
            query = {"list-type": "2", "encoding-type": "url", "prefix": prefix, **({"continuation-token": token} if token else {})}
            text = self.ask("GET", query=query)[1].decode()
            for entry in re.findall(r"<Contents>(.*?)</Contents>", text, re.S):
                key = unquote(unescape(re.search(r"<Key>(.*?)</Key>", entry)[1]))
                found[key] = int(re.search(r"<Size>(\d+)</Size>", entry)[1])
            if "<IsTruncated>true</IsTruncated>" not in text:
                return found
            token = unescape(re.search(r"<NextContinuationToken>(.*?)</NextContinuationToken>", text)[1])

    def delete(self, keys):
        keys = list(keys)
        for start in range(0, len(keys), 1000):
            body = "".join(f"<Object><Key>{key}</Key></Object>" for key in keys[start : start + 1000])
            body = f"<Delete><Quiet>true</Quiet>{body}</Delete>".encode()
            md5 = base64.b64encode(hashlib.md5(body).digest()).decode()
            self.ask("POST", query={"delete": ""}, headers={"content-md5": md5}, body=body)

    # -- multipart uploads

    def open_uploads(self) -> list:
        """(key, upload id) of every multipart upload that was begun and not ended."""
        text = self.ask("GET", query={"uploads": ""})[1].decode()
        assert "<IsTruncated>true</IsTruncated>" not in text, "more than a page of open multipart uploads"
        entries = re.findall(r"<Upload>(.*?)</Upload>", text, re.S)
        return [
            (unescape(re.search(r"<Key>(.*?)</Key>", entry)[1]), unescape(re.search(r"<UploadId>(.*?)</UploadId>", entry)[1]))
            for entry in entries
        ]

    def begin_upload(self, key) -> str:
        return re.search(rb"<UploadId>(.*?)</UploadId>", self.ask("POST", key, query={"uploads": ""})[1])[1].decode()

    def empty(self):
        """Everything goes: what the tests before have left."""
        self.delete(self.sizes())
        for key, upload in self.open_uploads():
            self.ask("DELETE", key, query={"uploadId": upload})


class FakeBucket(Bucket):
    """The fake store, which also counts its calls and fails on demand."""

    def __init__(self, settings: dict):
        super().__init__(
            settings["S3_ENDPOINT"],
            settings["S3_REGION"],
            settings["S3_ACCESS_KEY_ID"],
            settings["S3_SECRET_ACCESS_KEY"],
            settings["S3_BUCKET"],
            "quoted",
        )
        self.admin = urlsplit(settings["S3_ADMIN"]).netloc

    def _administer(self, method, path):
        connection = http.client.HTTPConnection(self.admin, timeout=30)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            data = answer.read()
            assert answer.status in (200, 204), f"{method} {path}: {answer.status} {data[:300]!r}"
            return json.loads(data) if data else None
        finally:
            connection.close()

    def calls(self) -> dict:
        """Calls by operation since the last `reset`."""
        return self._administer("GET", "/-/calls")

    def reset(self):
        """No more faults, and the counts begin again."""
        self._administer("POST", "/-/reset")

    def fail_at_random(self, seed: int, rate: float):
        self._administer("POST", f"/-/faults?seed={seed}&rate={rate}")

    def fail(self, fault: str, operation=None, nth: int = 1):
        """One call goes wrong: the nth from now, of one operation or of all."""
        self._administer("POST", f"/-/faults?fault={fault}&nth={nth}" + (f"&operation={operation}" if operation else ""))
