"""What the operations of the service cost, in calls of S3: a bill that grows with use must not grow faster."""

import re
import time
import urllib.request

import pytest

import running
import wire
from uploads import assert_file, assert_gone, get, id_at, put, state
from waiting import seeded

KIB, MIB = 1024, 1024 * 1024
LASTING = {"X-Expiration-Seconds": "3600"}
CLASS_A = {"PutObject", "CopyObject", "ListObjectsV2", "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload"}
CLASS_A |= {"ListMultipartUploads", "ListParts"}
CLASS_B = {"GetObject", "HeadObject", "HeadBucket"}


@pytest.fixture(params=["fake", "unhurried"])
def store(request):
    """With R2's limit of one write a second to a key, and without it."""
    return request.getfixturevalue(request.param)


def bill(store) -> tuple:
    """(Class A, Class B) since the last reset; prints all calls."""
    calls = store.calls()
    print(calls)
    return (
        sum(count for name, count in calls.items() if name in CLASS_A),
        sum(count for name, count in calls.items() if name in CLASS_B),
    )


def learn(node):
    """A node knows how often R2 takes a write of a key; of this store it finds out by its first fast download."""
    body = b"x" * 100 * KIB
    assert_file(get(node, put(node, body).path), body)


@pytest.mark.parametrize("size", [0, 8 * MIB], ids=["0 B", "8 MiB"])
@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
def test_upload_of_one_part_is_one_call(nodes, store, size, chunked):
    (node,) = nodes(store, 1, NO_CLEANUP=True)
    store.reset()
    put(node, seeded("costs").randbytes(size), chunked=chunked)
    assert store.calls() == {"PutObject": 1}


def test_upload_in_parts(nodes, store):
    """20 MiB: begin, three parts, the digest beside it, end. Nothing else."""
    (node,) = nodes(store, 1, NO_CLEANUP=True)
    store.reset()
    put(node, seeded("costs").randbytes(20 * MIB))
    assert store.calls() == {
        "CreateMultipartUpload": 1,
        "UploadPart": 3,
        "PutObject": 1,
        "CompleteMultipartUpload": 1,
    }


@pytest.mark.parametrize("size", [KIB, 64 * KIB, 300 * KIB, 8 * MIB], ids=["1 KiB", "64 KiB", "300 KiB", "8 MiB"])
def test_one_time_download_on_a_cold_node(nodes, store, size):
    """At most 2 Class A and 2 Class B calls; one of each kind less for a file that fits into the last chunk."""
    first, second = nodes(store, 2, NO_CLEANUP=True)
    learn(second)
    body = seeded("costs").randbytes(size)
    upload = put(first, body)
    store.reset()
    assert_file(get(second, upload.path), body)
    writes, reads = bill(store)
    assert writes <= (1 if size <= 64 * KIB else 2), store.calls()
    assert reads <= 2, store.calls()
    store.reset()
    assert_gone(second, upload.path)
    assert bill(store) == (0, 0), "a node asks again for what it has consumed itself"


def test_warm_download_without_a_counter(nodes, store):
    """Once the metadata is known, a download is one GetObject, and a condition that sends no bytes is nothing.

    HEAD is no download: it costs one Class B call, because it must not promise what another node has deleted.
    """
    first, second = nodes(store, 2, NO_CLEANUP=True)
    body = seeded("costs").randbytes(MIB)
    upload = put(first, body, headers=LASTING)
    assert_file(get(second, upload.path), body)
    for node in (first, second):
        store.reset()
        assert_file(get(node, upload.path), body)
        assert store.calls() == {"GetObject": 1}
        store.reset()
        tag = wire.request(node, "HEAD", upload.path).header("ETag")
        assert store.calls() == {"GetObject": 1}
        store.reset()
        assert get(node, upload.path, {"If-None-Match": tag}).status == 304
        assert store.calls() == {}
        assert state(node, upload.id)["state"] == "available"
        writes, reads = bill(store)
        assert writes == 0 and reads <= 2, "to be exact, the state may ask the claims"
        store.reset()
        assert_file(get(node, upload.path, {"Range": "bytes=100-199"}), body[100:200], 206)
        assert store.calls() == {"GetObject": 1}


def test_expired_and_malformed_ids_cost_nothing(nodes, store):
    """The id tells when it ends; who guesses ids that might live costs one HEAD each time, and no more."""
    (node,) = nodes(store, 1, NO_CLEANUP=True)
    store.reset()
    for _ in range(5):
        assert_gone(node, f"/{id_at(1_735_000_000)}")
        assert get(node, "/no/such/thing").status == 404
    assert store.calls() == {}
    ghost = id_at(time.time() + 600, "zzzzzzzzzz")
    for _ in range(10):
        assert get(node, f"/{ghost}").status == 404
    writes, reads = bill(store)
    assert writes == 0 and reads <= 15


def test_idle_node_costs_nothing_to_speak_of(nodes, store):
    """Health checks every few seconds must not be the largest bill: 50 of them are at most two calls of Class A."""
    (node,) = nodes(store, 1, NO_CLEANUP=True)
    store.reset()
    for _ in range(50):
        assert wire.request(node, "GET", "/readyz").status == 200
        assert wire.request(node, "GET", "/healthz").status == 200
    writes, reads = bill(store)
    assert writes <= 2 and reads <= 50


def told_calls(port) -> dict:
    """(operation, class, status) → count, from /metrics."""
    text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10).read().decode()
    pattern = r'bashupload_s3_requests_total\{operation="(\w+)",class="(\w+)",status="(\w+)"\} (\d+)'
    return {(operation, kind, status): int(count) for operation, kind, status, count in re.findall(pattern, text)}


def test_metrics_tell_what_is_billed(nodes, fake):
    """Every call that the store has seen is counted under its class, and what it refused under its status."""
    port = running.free_port()
    (node,) = nodes(fake, 1, NO_CLEANUP=True, METRICS_PORT=port)
    upload, lost = put(node, b"x" * 100 * KIB), put(node, b"y" * 9 * MIB)
    assert_file(get(node, upload.path), b"x" * 100 * KIB)
    told = told_calls(port)
    sums = {}
    for (operation, kind, _), count in told.items():
        sums[operation] = sums.get(operation, 0) + count
        assert kind == ("A" if operation in CLASS_A else "B" if operation in CLASS_B else "free")
    assert sums == fake.calls()
    assert told[("PutObject", "A", "429")] >= 1, "the first fast download learns how often a key may be written"
    (other,) = nodes(fake, 1, NO_CLEANUP=True)
    assert_file(get(other, lost.path), b"y" * 9 * MIB)
    assert_gone(node, lost.path)
    refused = {status: count for (_, kind, status), count in told_calls(port).items() if kind == "A" and status in ("412", "429")}
    assert sum(refused.values()) > told[("PutObject", "A", "429")], "a claim that another node was faster with"
