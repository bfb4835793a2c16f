"""Any node serves what any other has taken; nodes hold nothing that could be lost."""

import re
import shutil
import subprocess
from email.parser import BytesParser

import pytest

import wire
from uploads import (
    assert_error,
    assert_file,
    assert_gone,
    assert_locked,
    disposition,
    get,
    get_when_free,
    instant,
    multipart,
    put,
    repr_digest,
    sha256,
    state,
    upload_of,
)
from waiting import eventually, seeded

KIB, MIB = 1024, 1024 * 1024
PART = 8 * MIB
LASTING = {"X-Expiration-Seconds": "3600"}
LEASE = 60  # longer than any test waits: what is free again was given back, not left to run out
SOON = 20


@pytest.fixture(scope="module", params=["radosgw", "fake"])
def store(request):
    return request.getfixturevalue(f"{request.param}_server")


@pytest.fixture(scope="module")
def three(store, nodes_once):
    """Three nodes of one bucket, for all tests of this module that disturb nobody."""
    store.empty()
    return nodes_once(store, 3, NO_CLEANUP=True, LEASE_SECONDS=LEASE)


@pytest.fixture(scope="module")
def big():
    return seeded("nodes").randbytes(20 * MIB)


def put_form(server, body, name, headers=None):
    fields, form = multipart([("file", name, "image/jpeg", body)])
    return upload_of(wire.request(server, "POST", "/", {**fields, **(headers or {})}, form, timeout=60))


WAYS = {
    "known length": lambda server, body, name: put(server, body, name, {"Content-Type": "image/jpeg"}),
    "chunked": lambda server, body, name: put(server, body, name, {"Content-Type": "image/jpeg"}, chunked=True),
    "form": put_form,
}


@pytest.mark.parametrize("size", [0, KIB, PART, 20 * MIB], ids=["0 B", "1 KiB", "8 MiB", "20 MiB"])
@pytest.mark.parametrize("way", WAYS)
def test_taken_by_one_served_by_another_gone_for_all(three, big, way, size):
    """Name, type, length, digest and bytes are those of the upload, on a node that has never seen it."""
    first, second, third = three
    body = big[:size]
    upload = WAYS[way](first, body, "holiday.jpg")
    assert upload.response.header("Repr-Digest") == repr_digest(body)
    head = wire.request(third, "HEAD", upload.path)
    response = get(second, upload.path, timeout=60)
    assert_file(response, body)
    for answer in (head, response):
        assert answer.status == 200
        assert answer.header("Content-Length") == str(size)
        assert answer.header("Content-Type") == "image/jpeg"
        assert answer.header("Repr-Digest") == repr_digest(body)
        assert answer.header("X-One-Time-Download") == "true"
        assert answer.header("Accept-Ranges") == "bytes"
        assert disposition(answer)[2] == "holiday.jpg"
        assert re.fullmatch(r'"[!#-~]+"', answer.header("ETag", "")), "a strong entity tag"
    assert head.header("ETag") == response.header("ETag")
    assert response.header("X-Remaining-Downloads") == "0"
    for node in (third, first, second):
        assert_gone(node, upload.path)


def test_three_downloads_on_three_nodes(three, big):
    """N=3 is counted over all nodes, and each answer tells what is left after it."""
    body = big[:MIB]
    upload = put(three[0], body, "three.bin", {"X-Max-Downloads": "3"})
    for node, left in zip(three, (2, 1, 0)):
        assert all(state(other, upload.id)["remainingDownloads"] == left + 1 for other in three)
        response = get(node, upload.path)
        assert_file(response, body)
        assert response.header("X-Remaining-Downloads") == str(left)
        assert response.header("X-Expiration-Download") == "true" and response.header("X-One-Time-Download") is None
    for node in three:
        assert_gone(node, upload.path)
        assert state(node, upload.id)["state"] == "consumed"


def test_uncounted_until_its_time(three, big):
    """Everybody gets it everywhere, also at once and again; when its time is over nobody does."""
    upload = put(three[0], big, "lasting.bin", {"X-Expiration-Seconds": "3"})
    ends = instant(upload.response.header("X-Expires"))
    for node in three + three[::-1]:
        response = get(node, upload.path, timeout=60)
        assert_file(response, big)
        assert instant(response.header("X-Expiration-Time")) == ends
    brief = put(three[1], b"brief", "brief.txt", {"X-Expiration-Seconds": "2"})
    assert_file(get(three[2], brief.path), b"brief")
    eventually(lambda: get(three[2], brief.path).status == 410, 10, "the upload expires")
    for node in three:
        assert_gone(node, brief.path)
        assert state(node, brief.id)["state"] == "expired"


RANGES = [(0, 0), (0, PART - 1), (PART - 1, PART), (PART, PART), (5 * MIB + 3, 17 * MIB + 5), (20 * MIB - 1, None), (1, None)]


def test_ranges(three, big):
    """Any range, also over the borders of parts, on any node."""
    upload = put(three[0], big, "ranges.bin", LASTING)
    for first, last in RANGES:
        end = len(big) - 1 if last is None else last
        for node in three:
            response = get(node, upload.path, {"Range": f"bytes={first}-{'' if last is None else last}"}, timeout=60)
            assert_file(response, big[first : end + 1], 206)
            assert response.header("Content-Range") == f"bytes {first}-{end}/{len(big)}"


def test_several_ranges_and_conditions(three, big):
    """multipart/byteranges out of a bucket; 304, 412 and 416 without a byte of the file."""
    upload = put(three[0], big, "ranges.bin", LASTING)
    wanted = [(0, 99), (PART - 50, PART + 49), (len(big) - 10, len(big) - 1)]
    for node in three:
        response = get(node, upload.path, {"Range": "bytes=" + ",".join(f"{first}-{last}" for first, last in wanted)})
        assert response.status == 206 and response.complete, response
        kind = response.header("Content-Type")
        assert kind.startswith("multipart/byteranges; boundary="), kind
        message = BytesParser().parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + response.body)
        parts = message.get_payload()
        assert [part["Content-Range"] for part in parts] == [f"bytes {first}-{last}/{len(big)}" for first, last in wanted]
        # (The parser of mails takes bytes for lines; so the bytes are looked for in what came.)
        for first, last in wanted:
            assert big[first : last + 1] in response.body
        tag = wire.request(node, "HEAD", upload.path).header("ETag")
        assert get(node, upload.path, {"If-None-Match": tag}).status == 304
        assert get(node, upload.path, {"If-Match": '"another"'}).status == 412
        assert get(node, upload.path, {"Range": f"bytes={len(big)}-"}).status == 416
        assert get(node, upload.path, {"Range": "bytes=5-9", "If-Range": tag}).body == big[5:10]


def test_looking_spends_nothing(three, big):
    """HEAD, the first byte, the state: asked on every node, and the file is still there for one."""
    body = big[:300000]
    upload = put(three[0], body, "looked-at.bin")
    for node in three:
        assert wire.request(node, "HEAD", upload.path).status == 200
        probe = get_when_free(node, upload.path, SOON, {"Range": "bytes=0-0"})
        assert (probe.status, probe.body) == (206, body[:1])
        seen = state(node, upload.id)
        assert (seen["state"], seen["remainingDownloads"]) == ("available", 1)
    assert_file(get_when_free(three[1], upload.path, SOON), body)
    for node in three:
        assert_gone(node, upload.path)


def begin(server, path, size, headers=None, source=None):
    """A download whose first bytes have come and whose others wait for the client."""
    connection = wire.Connection(server, rcvbuf=16 * KIB, timeout=30, source=source)
    connection.send_head("GET", path, headers)
    response = connection.head()
    assert response.status == 200, response
    return connection, connection.take(size)


@pytest.mark.parametrize("other", [0, 1], ids=["same node", "another node"])
def test_aborted_download_is_free_at_once(three, big, other):
    """Who leaves gives the file back, long before the lease would have ended, to any client on any node."""
    upload = put(three[2], big, "aborted.bin")
    connection, first = begin(three[0], upload.path, MIB)
    assert first == big[:MIB]
    assert_locked(get(three[1], upload.path, source="127.0.0.2"))
    assert state(three[1], upload.id)["state"] == "leased"
    connection.reset()
    assert_file(get_when_free(three[other], upload.path, SOON, source="127.0.0.2"), big)
    for node in three:
        assert_gone(node, upload.path)


@pytest.mark.parametrize("other", [0, 1], ids=["same node", "another node"])
def test_curl_finishes_an_aborted_download(three, big, tmp_path, other):
    """`curl -C -` after a killed curl, as a client does whose name leads to another node the second time."""
    upload = put(three[2], big, "big.bin")
    part = tmp_path / "part.bin"
    first = subprocess.Popen(["curl", "-sS", "--fail", "--limit-rate", "8M", "-o", str(part), three[0].url + upload.path])
    try:
        eventually(lambda: part.exists() and part.stat().st_size >= 2 * MIB, 15, "curl has two megabytes", every=0.01)
    finally:
        first.kill()
        first.wait()
    had = part.stat().st_size
    assert 2 * MIB <= had < len(big)
    command = ["curl", "-sS", "--fail", "-C", "-", "-w", "%{http_code} %{size_download}", "-o", str(part)]

    def resumed():
        done = subprocess.run([*command, three[other].url + upload.path], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 or done.stdout[:3] in ("423", "503"), f"{done.returncode} {done.stdout} {done.stderr}"
        return done.returncode == 0 and done.stdout

    told = eventually(resumed, SOON, "curl -C - is served", every=0.1)
    assert told == f"206 {len(big) - had}"
    assert sha256(part.read_bytes()) == sha256(big)
    for node in three:
        assert_gone(node, upload.path)


def test_download_goes_on_at_once_when_its_node_has_died(nodes, bucket, big):
    """The lease of the dead node still runs for others; the client that held it continues elsewhere without waiting."""
    dying, alive = nodes(bucket, 2, NO_CLEANUP=True, LEASE_SECONDS=LEASE)
    upload = put(alive, big, "big.bin")
    connection, first = begin(dying, upload.path, 3 * MIB)
    dying.kill9()
    first += connection.take(len(big))
    connection.close()
    assert 3 * MIB <= len(first) < len(big)
    assert_locked(get(alive, upload.path, source="127.0.0.2"))
    rest = get_when_free(alive, upload.path, SOON, {"Range": f"bytes={len(first)}-"})
    assert_file(rest, big[len(first) :], 206)
    assert_gone(alive, upload.path)


def test_lost_last_packet_on_another_node(three, big):
    """For RESUME_SECONDS the same address may fetch the tail again, on any node; another address may not."""
    body = big[:200000]
    upload = put(three[0], body, "tail.bin")
    assert_file(get(three[0], upload.path), body)
    tail = {"Range": f"bytes={len(body) - 100}-"}
    assert_file(get_when_free(three[1], upload.path, SOON, tail), body[-100:], 206)
    assert_error(get(three[2], upload.path, tail, source="127.0.0.2"), 410)
    assert_gone(three[2], upload.path)


@pytest.mark.parametrize("size", [0, KIB, 20 * MIB], ids=["0 B", "1 KiB", "20 MiB"])
@pytest.mark.parametrize("headers", [{}, {"X-Max-Downloads": "2"}, LASTING], ids=["once", "twice", "uncounted"])
def test_deleted_by_one_gone_for_all(store, three, big, headers, size):
    """The token works on any node; the bytes have left the bucket, and every node says 410, those too that knew the file."""
    body = big[:size]
    upload = put(three[0], body, "deleted.bin", headers)
    for node in three:
        assert wire.request(node, "HEAD", upload.path).status == 200
    assert_error(wire.request(three[1], "DELETE", f"/{upload.id}", {"X-Delete-Token": "wrong"}), 403)
    assert store.has(f"u/{upload.id}")
    answer = wire.request(three[1], "DELETE", f"/{upload.id}", {"X-Delete-Token": upload.token})
    assert answer.status == 204, answer
    eventually(lambda: not store.has(f"u/{upload.id}"), 10, "the object has left the bucket")
    for node in three:
        assert_gone(node, upload.path)
        assert state(node, upload.id)["state"] == "deleted"
    assert store.has(f"c/{upload.id}/0"), "no tombstone: a node that comes back would not know"


@pytest.mark.parametrize("headers", [{}, LASTING], ids=["once", "uncounted"])
def test_deletion_that_the_store_does_not_carry_out(nodes, own_fake, headers):
    """204 means gone everywhere; while other nodes could still serve the file the client is told 503, and when to ask again."""
    store = own_fake().bucket
    first, second = nodes(store, 2, NO_CLEANUP=True)
    upload = put(first, b"still there", "deleted.bin", headers)
    assert wire.request(second, "HEAD", upload.path).status == 200
    for number in range(1, 20):
        store.fail("internalError", "DeleteObject", number)

    def delete():
        return wire.request(first, "DELETE", f"/{upload.id}", {"X-Delete-Token": upload.token}, timeout=60)

    answer = delete()
    assert_error(answer, 503)
    assert answer.header("Retry-After", "").isdigit()
    assert store.has(f"u/{upload.id}")
    assert wire.request(first, "DELETE", f"/{upload.id}", {"X-Delete-Token": "wrong"}).status == 403
    store.reset()
    assert delete().status == 204
    assert not store.has(f"u/{upload.id}")
    for node in (first, second):
        assert_gone(node, upload.path)
        assert wire.request(node, "HEAD", upload.path).status == 410
        assert state(node, upload.id)["state"] == "deleted"
    assert_error(delete(), 410)


def test_deletion_that_nobody_asks_for_again(nodes, own_fake):
    """Its node pays with the next cleanup."""
    store = own_fake().bucket
    (node,) = nodes(store, 1, CLEANUP_INTERVAL=1)
    upload = put(node, b"still there", "deleted.bin", LASTING)
    for number in range(1, 4):
        store.fail("internalError", "DeleteObject", number)
    assert_error(wire.request(node, "DELETE", f"/{upload.id}", {"X-Delete-Token": upload.token}, timeout=60), 503)
    eventually(lambda: not store.has(f"u/{upload.id}"), 10, "the debt is paid", every=0.1)
    assert_gone(node, upload.path)


def test_unknown_and_expired_ids(three):
    """404 for what never was, on every node."""
    ghost = put(three[0], b"x").id[:6] + "zzzzzzzzzz"
    for node in three:
        assert_error(get(node, f"/{ghost}"), 404)
        assert get(node, f"/api/v1/uploads/{ghost}").status == 404


def test_state_is_the_same_everywhere(three, big):
    """Available, leased, consumed: the API of each node tells what the others did."""
    body = big[:MIB]
    upload = put(three[0], big, "told.bin")
    told = [state(node, upload.id) for node in three]
    assert told[0] == told[1] == told[2]
    assert (told[0]["name"], told[0]["size"], told[0]["sha256"]) == ("told.bin", len(big), sha256(big))
    assert (told[0]["state"], told[0]["remainingDownloads"], told[0]["oneTime"]) == ("available", 1, True)
    connection, first = begin(three[1], upload.path, MIB)
    assert first == body
    assert {state(node, upload.id)["state"] for node in three} == {"leased"}
    assert sha256(first + connection.take(len(big) - MIB, 60)) == sha256(big)
    connection.close()
    assert {state(node, upload.id)["state"] for node in three} == {"consumed"}


def test_empty_disk_serves_everything(nodes, bucket, big):
    """A node that was started a moment ago, and one whose disk was lost, know all that any node has said."""
    first, second = nodes(bucket, 2, NO_CLEANUP=True)
    once, lasting, three_times = (
        put(first, big[: 2 * MIB], "once.bin"),
        put(first, big, "lasting.bin", LASTING),
        put(second, big[:KIB], "three.bin", {"X-Max-Downloads": "3"}),
    )
    consumed, deleted = put(second, big[:KIB], "consumed.bin"), put(first, big[:KIB], "deleted.bin")
    assert_file(get(second, three_times.path), big[:KIB])
    assert_file(get(first, consumed.path), big[:KIB])
    assert wire.request(second, "DELETE", f"/{deleted.id}", {"X-Delete-Token": deleted.token}).status == 204
    second.kill9()
    shutil.rmtree(second.data)
    second.start()
    (third,) = nodes(bucket, 1, NO_CLEANUP=True)
    for node in (second, third):
        assert_file(get(node, lasting.path, timeout=60), big)
        assert disposition(wire.request(node, "HEAD", once.path))[2] == "once.bin"
        assert state(node, three_times.id)["remainingDownloads"] == 2
        assert_gone(node, consumed.path)
        assert_gone(node, deleted.path)
    assert_file(get(third, once.path), big[: 2 * MIB])
    for left in (1, 0):
        response = get(second, three_times.path)
        assert_file(response, big[:KIB])
        assert response.header("X-Remaining-Downloads") == str(left)
    for node in (first, second, third):
        assert_gone(node, once.path)
        assert_gone(node, three_times.path)


def broken_uploads(big):
    """Name → (method, header fields, what is sent of the body, whether the client then leaves)."""
    fields, form = multipart([("a", "a.bin", None, big[:KIB]), ("b", "b.bin", None, big)])
    wrong = repr_digest(b"something else")
    return {
        "small, cut": ("PUT", {"Content-Length": str(MIB)}, big[: MIB // 2], True),
        "in parts, cut in the first": ("PUT", {"Content-Length": str(len(big))}, big[: 5 * MIB], True),
        "in parts, cut in the last": ("PUT", {"Content-Length": str(len(big))}, big[:-1], True),
        "without a length, cut": ("PUT", {"Transfer-Encoding": "chunked"}, wire.chunk(big[: 9 * MIB]), True),
        "form, cut in its second file": ("POST", {**fields, "Content-Length": str(len(form))}, form[:-1000], True),
        "small, wrong digest": ("PUT", {"Content-Length": str(KIB), "Repr-Digest": wrong}, big[:KIB], False),
        "in parts, wrong digest": ("PUT", {"Content-Length": str(len(big)), "Repr-Digest": wrong}, big, False),
    }


@pytest.mark.parametrize("kind", broken_uploads(b""))
def test_failed_upload_leaves_nothing(store, three, big, kind):
    """No object, no claim, no multipart upload that stays open and costs money."""
    store.empty()
    method, fields, sent, leaves = broken_uploads(big)[kind]
    with wire.Connection(three[0], timeout=30) as connection:
        connection.send_head(method, "/broken.bin" if method == "PUT" else "/", fields)
        assert connection.send(sent)
        if leaves:
            eventually(lambda: wire.queues(three[0].port).get(connection.local_port) == (0, 0), 20, "the server has read it")
            connection.reset()
        else:
            assert_error(connection.read(method), 400)
    eventually(lambda: not store.open_uploads() and not store.keys(), 15, "nothing is left in the bucket", every=0.1)


def test_upload_in_parts_is_seen_only_when_it_is_whole(store, three, big):
    """While parts arrive there is no object; then there is one, of the right size."""
    store.empty()
    with wire.Connection(three[0], timeout=60) as connection:
        connection.send_head("PUT", "/parts.bin", {"Content-Length": str(len(big))})
        connection.send(big[: 17 * MIB])
        eventually(store.open_uploads, 15, "parts are on their way", every=0.05)
        assert not store.keys("u/")
        connection.send(big[17 * MIB :])
        upload = upload_of(connection.read("PUT"))
    assert store.sizes("u/") == {f"u/{upload.id}": len(big)} and not store.open_uploads()
    assert_file(get(three[1], upload.path, timeout=60), big)
