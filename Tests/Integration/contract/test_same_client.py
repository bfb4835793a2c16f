"""Who is the same client: addresses as proxies write them, proxies that nobody has named, and what follows for one-time files."""

import json

import pytest

import wire
from uploads import assert_error, assert_file, get, put, upload_of
from waiting import eventually, seeded

BODY = seeded("same client").randbytes(400_000)
TAIL = {"Range": "bytes=1-"}


def forwarded(value):
    return {"X-Forwarded-For": value}


def clients_in(server) -> set:
    return {entry["client"] for entry in server.log_entries() if entry["message"] == "request" and entry["route"] == "/<name>"}


def warnings(server) -> list:
    return [entry for entry in server.log_entries() if "TRUSTED_PROXIES" in entry["message"]]


FORMS = {
    "203.0.113.5:51008": "203.0.113.5",
    "203.0.113.6:4711": "203.0.113.6",
    "203.0.113.7": "203.0.113.7",
    "[2001:db8::1]:443": "2001:db8::1",
    "[2001:db8:1::2]": "2001:db8:1::2",
    "2001:DB8:2::0:3": "2001:db8:2::3",
    '"[2001:db8:3::4]:1024"': "2001:db8:3::4",
    "::ffff:203.0.113.8": "203.0.113.8",
}


def test_every_form_of_an_address_is_a_client_of_its_own(serve):
    server = serve(TRUSTED_PROXIES="127.0.0.1", UPLOADS_PER_MINUTE=1)
    for form in FORMS:
        put(server, b"x", headers=forwarded(form))
        assert_error(wire.request(server, "PUT", "/x", forwarded(form), b"x"), 429)
    eventually(lambda: clients_in(server) == set(FORMS.values()), 5, "the log names each of them")
    assert not warnings(server)


@pytest.mark.parametrize("form", ["203.0.113.5:51008", "[2001:db8::1]:443"])
def test_another_port_is_the_same_client_and_another_address_is_not(serve, form):
    server = serve(TRUSTED_PROXIES="127.0.0.1")
    upload = put(server, BODY)
    assert_file(get(server, upload.path, forwarded(form)), BODY)
    assert_error(get(server, upload.path, {**TAIL, **forwarded("203.0.113.6:51008")}), 410)
    assert_error(get(server, upload.path, {**TAIL, **forwarded("[2001:db8::2]:443")}), 410)
    port = form.rpartition(":")[0] + ":9"
    assert_file(get(server, upload.path, {**TAIL, **forwarded(port)}), BODY[1:], 206)


# Settings, and what A and B send through the same proxy: nobody can tell them apart.
UNKNOWN = {
    "no address": ({"TRUSTED_PROXIES": "127.0.0.1"}, forwarded("unknown"), forwarded("unknown")),
    "obfuscated": ({"TRUSTED_PROXIES": "127.0.0.1"}, forwarded("_hidden"), forwarded("_hidden")),
    "nothing from a trusted proxy": ({"TRUSTED_PROXIES": "127.0.0.1"}, {}, {}),
    "only proxies": ({"TRUSTED_PROXIES": "127.0.0.1,10.0.0.0/8"}, forwarded("10.1.1.1"), forwarded("10.1.1.1")),
    "empty": ({"TRUSTED_PROXIES": "127.0.0.1"}, forwarded(""), forwarded("")),
    "a proxy that is not trusted": ({"TRUSTED_PROXIES": "10.0.0.0/8"}, forwarded("203.0.113.5"), forwarded("203.0.113.6")),
    "no proxy is trusted": ({}, forwarded("203.0.113.5"), forwarded("203.0.113.6")),
    "PUBLIC_URL alone": ({"PUBLIC_URL": "https://files.example"}, {}, {}),
    "PUBLIC_URL and Via": ({"PUBLIC_URL": "https://files.example"}, {"Via": "1.1 edge"}, {"Via": "1.1 edge"}),
    "another host": ({}, {"Host": "files.example"}, {"Host": "files.example"}),
    "Forwarded": ({}, {"Forwarded": "for=203.0.113.5"}, {"Forwarded": "for=203.0.113.6"}),
    "CF-Connecting-IP": ({}, {"CF-Connecting-IP": "203.0.113.5"}, {"CF-Connecting-IP": "203.0.113.6"}),
}


@pytest.mark.parametrize("case", UNKNOWN)
def test_a_client_that_is_not_known_is_never_the_same(serve, case):
    """B gets no byte of A's finished download, takes no lease of A's, and shares no limit; one warning tells the operator."""
    settings, first, second = UNKNOWN[case]
    server = serve(**settings, UPLOADS_PER_MINUTE=2)
    uploads = [upload_of(wire.request(server, "PUT", "/a.bin", wire.fields(first), BODY)) for _ in range(4)]
    assert_file(get(server, uploads[0].path, first), BODY)
    for piece in (TAIL, {"Range": "bytes=0-99"}, {"Range": "bytes=100-200"}):
        assert_error(get(server, uploads[0].path, {**piece, **second}), 410)
    large = upload_of(wire.request(server, "PUT", "/b.bin", wire.fields(first), BODY * 20))
    with wire.Connection(server, rcvbuf=16384) as connection:
        connection.send_head("GET", large.path, first)
        connection.head()
        assert get(server, large.path, {**TAIL, **second}).status == 423
    assert len(warnings(server)) == 1, warnings(server)


def test_without_a_proxy_the_other_end_is_the_client(serve):
    """`TRUSTED_PROXIES=none` says that there is no proxy: what clients write is ignored, also with PUBLIC_URL."""
    server = serve(TRUSTED_PROXIES="none", PUBLIC_URL="https://files.example")
    upload = put(server, BODY)
    assert_file(get(server, upload.path, forwarded("203.0.113.5")), BODY)
    assert_file(get(server, upload.path, {**TAIL, **forwarded("203.0.113.6")}), BODY[1:], 206)
    assert_error(get(server, upload.path, TAIL, source="127.0.0.2"), 410)
    assert not warnings(server)
    assert {json.dumps(client) for client in clients_in(server)} == {'"127.0.0.1"'}
