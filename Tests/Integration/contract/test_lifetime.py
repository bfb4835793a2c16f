"""Limits an uploader sets, expiry, deletion, and what the service tells about an upload."""

import time

import pytest

import wire
from store import Store
from uploads import assert_error, assert_file, assert_gone, get, instant, put, sha256, state
from waiting import eventually, seeded

STATE_FIELDS = {
    "id",
    "name",
    "size",
    "contentType",
    "sha256",
    "createdAt",
    "expiresAt",
    "maxDownloads",
    "oneTime",
    "remainingDownloads",
    "state",
}
HOUR, DAY = 3600, 86400


@pytest.fixture(scope="module")
def server(serve_once):
    return serve_once()


# headers, lifetime in seconds, downloads (None: uncounted), X-One-Time-Upload
LIMITS = [
    ({}, HOUR, 1, "true"),
    ({"X-Max-Downloads": "1"}, HOUR, 1, "true"),
    ({"X-Max-Downloads": "2"}, HOUR, 2, "false"),
    ({"Max-Downloads": "2"}, HOUR, 2, "false"),
    ({"x-max-downloads": "3"}, HOUR, 3, "false"),
    ({"X-Expiration-Seconds": "60"}, 60, None, "false"),
    ({"X-Expiration-Seconds": "86400"}, DAY, None, "false"),
    ({"Max-Days": "1"}, DAY, None, "false"),
    ({"X-Expiration-Seconds": "120", "X-Max-Downloads": "2"}, 120, 2, "false"),
    ({"Max-Days": "1", "Max-Downloads": "2"}, DAY, 2, "false"),
    ({"X-Expiration-Seconds": "120", "X-Max-Downloads": "1"}, 120, 1, "true"),
]


@pytest.mark.parametrize("headers, lifetime, downloads, once", LIMITS, ids=str)
@pytest.mark.parametrize("chunked", [False, True], ids=["with length", "chunked"])
def test_limits(server, headers, lifetime, downloads, once, chunked):
    """The expiry is told exactly; counted uploads end after their downloads, uncounted ones do not."""
    before = time.time()
    upload = put(server, b"limited", "limited.txt", headers, chunked=chunked)
    assert upload.response.header("X-One-Time-Upload") == once
    expires = instant(upload.response.header("X-Expires"))
    assert -1.5 <= expires - before - lifetime - (600 if chunked else 0) <= 3, "not now + lifetime + allowance for the transfer"
    told = state(server, upload.id)
    assert (told.get("maxDownloads"), told.get("remainingDownloads"), told["oneTime"]) == (downloads, downloads, once == "true")
    assert instant(told["expiresAt"]) == expires
    for _ in range(downloads or 4):
        assert_file(get(server, upload.path), b"limited")
    if downloads:
        assert_gone(server, upload.path)
    else:
        assert get(server, upload.path).status == 200


def test_limit_errors_name_the_limit(server):
    """One above is refused with the limit in numbers; the limit itself is taken."""
    for name, limit in (("X-Expiration-Seconds", DAY), ("X-Max-Downloads", 1000), ("Max-Downloads", 1000)):
        put(server, b"x", headers={name: str(limit)})
        response = wire.request(server, "PUT", "/x", {name: str(limit + 1)}, b"x")
        assert_error(response, 400)
        assert str(limit) in response.text.replace(",", ""), f"the limit is not named: {response.text!r}"
        assert name.lower() in response.text.lower(), f"the header is not named: {response.text!r}"
    response = wire.request(server, "PUT", "/x", {"Max-Days": "2"}, b"x")
    assert_error(response, 400)
    assert "86400" in response.text.replace(",", "")


def test_configured_limits(serve):
    """MAX_AGE, MAX_AGE_FOR_MULTIDOWNLOAD, MAX_DOWNLOADS and ALLOW_LIFETIME_OVER_MAX_AGE."""
    server = serve(MAX_AGE=100, MAX_AGE_FOR_MULTIDOWNLOAD=200, MAX_DOWNLOADS=5)
    before = time.time()
    assert -1.5 <= instant(put(server, b"x").response.header("X-Expires")) - before - 100 <= 3
    put(server, b"x", headers={"X-Expiration-Seconds": "200", "X-Max-Downloads": "5"})
    for name, value, limit in (("X-Expiration-Seconds", "201", "200"), ("X-Max-Downloads", "6", "5")):
        response = wire.request(server, "PUT", "/x", {name: value}, b"x")
        assert_error(response, 400)
        assert limit in response.text
    server.stop()
    server.settings["ALLOW_LIFETIME_OVER_MAX_AGE"] = True
    server.start()
    before = time.time()
    upload = put(server, b"x", headers={"X-Expiration-Seconds": "100000"})
    assert -1.5 <= instant(upload.response.header("X-Expires")) - before - 100000 <= 3


@pytest.mark.parametrize(
    "headers", [{"X-Expiration-Seconds": "1"}, {"X-Expiration-Seconds": "1", "X-Max-Downloads": "5"}], ids=["uncounted", "counted"]
)
def test_expiry_for_real(serve, headers):
    """P4: from the told second on it is 410, for every kind of question; before it is served."""
    server = serve()
    upload = put(server, b"short-lived", "short.txt", headers)
    expires = instant(upload.response.header("X-Expires"))
    last_served = 0.0

    def over():
        nonlocal last_served
        asked = time.time()
        response = wire.request(server, "HEAD", upload.path)
        if response.status == 200:
            last_served = asked
            return False
        assert response.status == 410
        return time.time()

    first_refused = eventually(over, 8, "the upload expires")
    assert first_refused >= expires - 0.05, "refused before the told second"
    assert last_served <= expires + 1.05, "served after the told second"
    assert_error(get(server, upload.path), 410)
    assert_error(get(server, upload.path, {"Range": "bytes=0-3"}), 410)
    assert_error(get(server, upload.path, {"If-None-Match": "*"}), 410)
    assert state(server, upload.id)["state"] == "expired"


def test_upload_that_outlives_its_expiry(serve):
    """A body that is not finished when the upload would expire ends with one line and leaves nothing."""
    server = serve()
    store = Store(server.data)
    before = store.snapshot()
    with wire.Connection(server) as connection:
        connection.send_head("PUT", "/late.bin", {"X-Expiration-Seconds": "1", "Content-Length": "20"})
        connection.send(b"ten bytes ")
        limit = time.monotonic() + 4  # the second that was asked for, a second for 20 bytes, and some more
        while time.monotonic() < limit and not connection.readable(0.1):
            pass
        connection.send(b"and ten ..")
        assert_error(connection.read("PUT"), 400, 408, 410)
    eventually(lambda: store.snapshot()[1:] == before[1:], 5, "nothing is left")


# -- DELETE


@pytest.mark.parametrize(
    "headers", [{}, {"X-Max-Downloads": "3"}, {"X-Expiration-Seconds": "600"}], ids=["once", "three times", "uncounted"]
)
def test_delete(server, headers):
    """The token of the answer deletes: 204, then 410; a wrong one or none is 403 and changes nothing."""
    upload, other = put(server, b"to be deleted", "d.txt", headers), put(server, b"other", "o.txt", headers)
    wrong = [
        "x",
        "",
        upload.token + "x",
        upload.token[:-1],
        ("a" if upload.token[0] != "a" else "b") + upload.token[1:],
        other.token,
        "x" * 8000,
    ]
    for token in wrong:
        assert_error(wire.request(server, "DELETE", f"/{upload.id}", {"X-Delete-Token": token}), 403)
    assert_error(wire.request(server, "DELETE", f"/{upload.id}"), 403)
    assert wire.request(server, "HEAD", upload.path).status == 200
    response = wire.request(server, "DELETE", f"/{upload.id}", {"X-Delete-Token": upload.token})
    assert (response.status, response.body) == (204, b"") and response.complete
    assert_gone(server, upload.path)
    assert state(server, upload.id)["state"] == "deleted"
    assert_error(wire.request(server, "DELETE", f"/{upload.id}", {"X-Delete-Token": upload.token}), 404, 410)
    assert_file(get(server, other.path), b"other")
    store = Store(server.data)
    eventually(lambda: not store.path(upload.id).exists(), 5, "the bytes are gone")


def test_delete_by_the_whole_url(server):
    """The URL of the answer can be deleted as it is."""
    upload = put(server, b"x", "with%20a%20name.txt")
    assert wire.request(server, "DELETE", upload.path, {"X-Delete-Token": upload.token}).status == 204
    assert_gone(server, upload.path)


def test_delete_of_what_never_was(server):
    assert_error(wire.request(server, "DELETE", "/zzzzzz0123456789", {"X-Delete-Token": "x"}), 404)


def test_delete_token_is_not_stored_in_clear(server):
    """Only a hash of the token is on disk."""
    upload = put(server, b"x")
    files = [path for path in server.data.rglob("*") if path.is_file()]
    assert any(upload.id.encode() in path.read_bytes() for path in files), "the harness does not see the index"
    assert not any(upload.token.encode() in path.read_bytes() for path in files)


# -- state


def test_state_of_an_upload(server):
    """available → leased → available, then consumed; asking spends nothing, and nothing secret is told."""
    body = seeded("state").randbytes(8 * 1024 * 1024)
    upload = put(server, body, "state.bin")
    told = state(server, upload.id)
    assert set(told) == STATE_FIELDS
    assert (told["id"], told["name"], told["size"], told["sha256"]) == (upload.id, "state.bin", len(body), sha256(body))
    assert (told["state"], told["remainingDownloads"], told["maxDownloads"], told["oneTime"]) == ("available", 1, 1, True)
    assert abs(instant(told["createdAt"]) - time.time()) < 10
    assert upload.token not in get(server, f"/api/v1/uploads/{upload.id}").text
    connection = wire.Connection(server, rcvbuf=16 * 1024)
    connection.send_head("GET", upload.path)
    assert connection.head().status == 200
    assert state(server, upload.id)["state"] == "leased"
    connection.reset()
    eventually(lambda: state(server, upload.id)["state"] == "available", 10, "the lease is given back")
    assert_file(get(server, upload.path), body)
    told = state(server, upload.id)
    assert (told["state"], told["remainingDownloads"]) == ("consumed", 0)
    assert_gone(server, upload.path)


def test_state_counts_down(server):
    upload = put(server, b"x", headers={"X-Max-Downloads": "2"})
    for left, name in ((2, "available"), (1, "available"), (0, "consumed")):
        told = state(server, upload.id)
        assert (told["remainingDownloads"], told["state"]) == (left, name)
        if left:
            assert get(server, upload.path).status == 200


def test_state_of_what_never_was(server):
    assert_error(get(server, "/api/v1/uploads/zzzzzz0123456789"), 404)
    assert_error(get(server, "/api/v1/uploads/short"), 404)


def test_everything_survives_a_restart(serve):
    """An orderly stop and a start change nothing: files, counters, tokens, deletions."""
    server = serve()
    two, kept, spent, deleted = (
        put(server, b"1", headers={"X-Max-Downloads": "2"}),
        put(server, b"2", headers={"X-Expiration-Seconds": "600"}),
        put(server, b"4"),
        put(server, b"3"),
    )
    assert get(server, two.path).status == 200 and get(server, spent.path).status == 200
    assert wire.request(server, "DELETE", f"/{deleted.id}", {"X-Delete-Token": deleted.token}).status == 204
    server.restart()
    assert state(server, two.id)["remainingDownloads"] == 1
    assert_file(get(server, two.path), b"1")
    assert_gone(server, two.path)
    assert_file(get(server, kept.path), b"2")
    assert_gone(server, deleted.path)
    assert_gone(server, spent.path)
    assert wire.request(server, "DELETE", f"/{kept.id}", {"X-Delete-Token": kept.token}).status == 204
    assert_gone(server, kept.path)
