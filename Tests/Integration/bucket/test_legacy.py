"""Objects that bashupload-r2 and bashupload-go have left in the bucket: served, counted, expired and cleaned like ours."""

import json
import time
from dataclasses import dataclass
from datetime import datetime, timezone

import wire
from racing import race
from uploads import assert_error, assert_file, get, get_when_free, sha256
from waiting import eventually, seeded

KIB, MIB = 1024, 1024 * 1024


def rfc3339(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def one_time(age=0) -> dict:
    return {"onetime": "true", "uploadtime": rfc3339(time.time() - age)}


def until(seconds) -> dict:
    return {"onetime": "false", "uploadtime": rfc3339(time.time()), "expirationtime": rfc3339(time.time() + seconds)}


@dataclass
class Path:
    """What `race` wants to know of an upload."""

    path: str


def cleanup(node, *options) -> dict:
    done = node.run("cleanup", "--json", *options)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return json.loads(done.stdout)


def is_over(node, path) -> bool:
    return get(node, path).status in (404, 410)


def test_one_time_object_is_delivered_once(nodes, bucket):
    """Looked at on both nodes, fetched on one, gone on both; the bytes leave the bucket after RESUME_SECONDS."""
    first, second = nodes(bucket, 2, RESUME_SECONDS=1, CLEANUP_INTERVAL=1)
    for key, size in (("abc123.jpg", KIB), ("Big-1_2.tar.gz", 20 * MIB), ("noextension", 100 * KIB)):
        body = seeded(key).randbytes(size)
        bucket.put(key, body, one_time(), "image/jpeg")
        for node in (first, second):
            head = wire.request(node, "HEAD", f"/{key}")
            assert (head.status, head.header("Content-Length"), head.header("Content-Type")) == (200, str(size), "image/jpeg")
        response = get_when_free(second, f"/{key}", 15)
        assert_file(response, body)
        assert response.header("X-One-Time-Download") == "true"
        for node in (first, second):
            assert_error(get(node, f"/{key}"), 410, 404)
        eventually(lambda: not bucket.has(key), 15, "the bytes leave the bucket")
        for node in (first, second):
            assert_error(get(node, f"/{key}"), 410, 404)


def test_race_for_a_one_time_object(nodes, bucket):
    """Thirty clients on two nodes: one delivery."""
    servers = nodes(bucket, 2, NO_CLEANUP=True)
    body = seeded("legacy race").randbytes(300 * KIB)
    for turn in range(3):
        bucket.put(f"race{turn}.bin", body, one_time())
        clients = [(server, ()) for server in servers * 15]
        race(clients, Path(f"/race{turn}.bin"), body, 1, 60, f"round {turn}", later=(423, 503))


def test_aborted_download_spends_nothing(nodes, bucket):
    """A client that leaves in the middle gives it back, to any node."""
    first, second = nodes(bucket, 2, NO_CLEANUP=True, LEASE_SECONDS=60)
    body = seeded("legacy abort").randbytes(20 * MIB)
    bucket.put("abort.bin", body, one_time())
    with wire.Connection(first, rcvbuf=16 * KIB) as connection:
        connection.send_head("GET", "/abort.bin")
        assert connection.head().status == 200
        assert connection.take(MIB) == body[:MIB]
        connection.reset()
    assert_file(get_when_free(second, "/abort.bin", 20, source="127.0.0.2"), body)
    assert is_over(first, "/abort.bin")


def test_expiring_object_until_its_time(nodes, bucket, shifted_clock):
    """As often as one likes on every node, until `expirationtime`; then nobody gets it and cleanup removes it."""
    first, second = nodes(bucket, 2, NO_CLEANUP=True)
    body = seeded("legacy expiry").randbytes(9 * MIB)
    bucket.put("brief.bin", body, until(6))
    bucket.put("lasting.bin", body[:KIB], until(3600))
    for node in (first, second, first, second):
        assert_file(get(node, "/brief.bin", timeout=30), body)
        assert_file(get(node, "/lasting.bin", {"Range": "bytes=10-19"}), body[10:20], 206)
    assert get(first, "/brief.bin").header("X-One-Time-Download") is None
    eventually(lambda: is_over(first, "/brief.bin"), 15, "its time is over")
    assert is_over(second, "/brief.bin")
    told = cleanup(first)
    assert told["deletedObjects"] == 1, told
    assert bucket.keys() == ["lasting.bin"]
    assert_file(get(second, "/lasting.bin"), body[:KIB])
    assert is_over(second, "/brief.bin")


def test_object_without_metadata(nodes, bucket):
    """One-time, and as old as its last change says: after MAX_AGE it is over and cleaned."""
    first, second = nodes(bucket, 2, NO_CLEANUP=True, MAX_AGE=8)
    bucket.put("taken.txt", b"taken")
    bucket.put("left.txt", b"left")
    assert_file(get(first, "/taken.txt"), b"taken")
    assert is_over(second, "/taken.txt")
    assert wire.request(second, "HEAD", "/left.txt").status == 200
    eventually(lambda: is_over(first, "/left.txt"), 20, "MAX_AGE is over", every=0.1)
    assert is_over(second, "/left.txt")
    eventually(lambda: cleanup(first) and not {"taken.txt", "left.txt"} & set(bucket.keys()), 10, "both leave the bucket")


def test_old_objects_expire_at_once(nodes, bucket):
    """What was over before we came: never served, cleaned in the first pass; what lives is not touched."""
    (node,) = nodes(bucket, 1, NO_CLEANUP=True, MAX_AGE=3600)
    bucket.put("over.bin", b"over", until(-60))
    bucket.put("aged.bin", b"aged", one_time(age=7200))
    bucket.put("fresh.bin", b"fresh", one_time(age=60))
    assert is_over(node, "/over.bin") and is_over(node, "/aged.bin")
    assert cleanup(node, "--dry-run")["deletedObjects"] == 2
    assert bucket.keys() == ["aged.bin", "fresh.bin", "over.bin"]
    assert cleanup(node)["deletedObjects"] == 2
    assert bucket.keys() == ["fresh.bin"]
    assert_file(get(node, "/fresh.bin"), b"fresh")


def test_each_object_is_asked_once(nodes, fake):
    """Thirty objects are thirty HeadObject calls in the first pass and none in the next ones; --rebuild-index asks again."""
    (node,) = nodes(fake, 1, NO_CLEANUP=True)
    fake.put_all((f"old{number}.bin", b"x") for number in range(30))
    fake.reset()
    assert cleanup(node)["deletedObjects"] == 0
    assert fake.calls().get("HeadObject") == 30, fake.calls()
    for _ in range(2):
        fake.reset()
        assert cleanup(node)["deletedObjects"] == 0
        assert "HeadObject" not in fake.calls() and sum(fake.calls().values()) <= 6, fake.calls()
    fake.put("another.bin")
    fake.reset()
    cleanup(node)
    assert fake.calls().get("HeadObject") == 1
    fake.reset()
    cleanup(node, "--rebuild-index")
    assert fake.calls().get("HeadObject") == 31
    assert len(fake.keys()) == 31


def test_unknown_flat_keys(nodes, bucket):
    """404 for what is not there; ours are not reached by another name."""
    (node,) = nodes(bucket, 1, NO_CLEANUP=True)
    bucket.put("u", b"x", until(600))
    for path in ("/nothing.txt", "/u/", "/c/", "/u%2Fsecret", "/..%2Fx"):
        assert_error(get(node, path), 404, 400)
    assert sha256(get(node, "/u").body) == sha256(b"x")
