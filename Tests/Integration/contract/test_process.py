"""The process: signals, log, TLS, metrics, configuration."""

import base64
import hashlib
import json
import os
import re
import signal
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import pytest

import running
import wire
from uploads import assert_error, assert_file, get, id_of, multipart, put, upload_of, urls
from waiting import eventually, seeded

KIB, MIB = 1024, 1024 * 1024


# -- signals


def test_sigterm_drains(serve):
    """A running download and a running upload finish, nobody new is let in, and the exit code is 0."""
    server = serve()
    body = seeded("drain").randbytes(16 * MIB)
    stored = put(server, body, headers={"X-Expiration-Seconds": "600"})
    down, up, idle = (
        wire.Connection(server, rcvbuf=16 * KIB, timeout=30),
        wire.Connection(server, timeout=30),
        wire.Connection(server),
    )
    assert idle.exchange("GET", "/healthz").status == 200
    down.send_head("GET", stored.path)
    head = down.head()
    first = down.take(MIB)
    up.send_head("PUT", "/draining.bin", {"Content-Length": str(MIB)})
    up.send(body[: MIB // 2])
    eventually(lambda: wire.queues(server.port).get(up.local_port) == (0, 0), 5, "the upload runs")
    server.term()
    eventually(lambda: wire.refused(server), 5, "new connections are refused")
    assert server.running, "ended while transfers were running"
    assert first + down.take(16 * MIB - MIB, 30) == body and head.status == 200
    up.send(body[MIB // 2 : MIB])
    upload = upload_of(up.read("PUT"))
    for connection in (down, up):
        connection.close()
    assert server.wait(10) == 0
    idle.close()
    server.start()
    assert_file(get(server, upload.path), body[:MIB])


def stalled_download(server):
    body = bytes(16 * MIB)
    upload = put(server, body, headers={"X-Expiration-Seconds": "600"})
    connection = wire.Connection(server, rcvbuf=16 * KIB)
    connection.send_head("GET", upload.path)
    assert connection.head().status == 200
    return connection


def test_second_signal_ends_at_once(serve):
    """Who signals twice does not want to wait for a client that reads nothing."""
    server = serve(SHUTDOWN_GRACE=30)
    connection = stalled_download(server)
    server.term()
    eventually(lambda: wire.refused(server), 5, "new connections are refused")
    assert server.running
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    server.wait(5)
    assert time.monotonic() - began < 2
    connection.close()


def test_connecting_while_it_stops_harms_nobody(serve):
    """Clients that connect in the instant of a stop get no answer; the transfers in progress end well all the same."""
    for _ in range(8):
        server = serve(SHUTDOWN_GRACE=30)
        body = b"s" * (8 << 20)
        upload = put(server, body)
        reader = wire.Connection(server, rcvbuf=16 * 1024)
        reader.send_head("GET", upload.path)
        head = reader.head()
        stop = threading.Event()

        def knock():
            while not stop.is_set():
                try:
                    socket.create_connection((server.host, server.port), timeout=1).close()
                except OSError:
                    pass

        knockers = [threading.Thread(target=knock) for _ in range(4)]
        for knocker in knockers:
            knocker.start()
        server.term()
        eventually(lambda: wire.refused(server), 10, "new connections are refused")
        stop.set()
        for knocker in knockers:
            knocker.join()
        assert reader.body(head).body == body
        assert server.wait(15) == 0


def test_grace_is_limited(serve):
    """After SHUTDOWN_GRACE seconds a client that stands still is left behind."""
    server = serve(SHUTDOWN_GRACE=1)
    connection = stalled_download(server)
    began = time.monotonic()
    server.term()
    assert server.wait(10) == 0
    assert 0.8 <= time.monotonic() - began <= 5
    connection.close()


def test_idle_server_ends_quickly(serve):
    """No transfer, no waiting: an idle keep-alive connection does not count as one."""
    server = serve(SHUTDOWN_GRACE=30)
    with wire.Connection(server) as connection:
        assert connection.exchange("GET", "/healthz").status == 200
        began = time.monotonic()
        server.stop()
        assert time.monotonic() - began < 5


def test_sigint_is_the_same(serve):
    server = serve()
    server.may_be_gone = True
    server.process.send_signal(signal.SIGINT)
    assert server.wait(10) == 0


def test_port_in_use(serve):
    """The address is taken: one line that names it, exit code not 0."""
    server = serve()
    done = running.run(["serve"], server.folder, {**server.settings, "DATA_DIR": server.folder / "other"}, 30)
    assert done.returncode > 0
    assert [
        line
        for line in running.alarm_lines(done.stdout + done.stderr)
        if str(server.port) in line and re.search("in use|already|bind", line)
    ], done


def test_any_port_is_printed(serve):
    """PORT=0 takes a free port and the log tells which."""
    server = serve(start=False, PORT=0)
    server.spawn()
    line = eventually(
        lambda: next((entry for entry in server.log_entries() if entry["message"] == "listening"), None), 20, "it listens"
    )
    host, _, port = line["address"].rpartition(":")
    assert host == "127.0.0.1" and int(port) > 0
    server.port = int(port)
    server.wait_ready()


# -- log

SECRET = "open-sesame-4711"


def logged(server):
    """(method, status) of every line about a request, without those of the harness waiting for the start."""
    lines = [entry for entry in server.log_entries() if "method" in entry and "status" in entry]
    return [
        (entry["method"], int(entry["status"])) for entry in lines if not any("readyz" in str(value) for value in entry.values())
    ]


def test_log(serve):
    """One JSON line per request, with method and status; no whole id, no token, no password, no name of a file."""
    server = serve(PASSWORD=SECRET)
    credentials = {"Authorization": SECRET}
    encoded = base64.b64encode(f"user:{SECRET}".encode()).decode()
    secrets = {SECRET, encoded}
    requests = []

    def send(method, target, headers, body=b""):
        response = wire.request(server, method, target, headers, body)
        requests.append((method, response.status))
        return response

    for headers in (credentials, {"Authorization": f"Basic {encoded}"}, {**credentials, "Accept": "application/json"}):
        response = send("PUT", "/name.txt", headers, b"private content")
        url = response.header("Location")
        id, token = id_of(url), response.header("X-Delete-Token")
        secrets |= {id, token, "private content"}
        path = "/" + url.split("/", 3)[3]
        for method, target, fields in (
            ("HEAD", path, headers),
            ("GET", f"/api/v1/uploads/{id}", headers),
            ("GET", path, {}),
            ("GET", path, {"Authorization": "wrong-guess-0815"}),
            ("GET", f"{path}?token={SECRET}", headers),
            ("GET", path, headers),
            ("DELETE", f"/{id}", {**headers, "X-Delete-Token": token}),
        ):
            send(method, target, fields)
    form, data = multipart([("f", "name.txt", None, b"private content")])
    response = send("POST", "/", {**credentials, **form}, data)
    secrets |= {id_of(urls(response.text)[0]), "wrong-guess-0815"} | set(response.all("X-Delete-Token"))
    send("PUT", "/refused.txt", {**credentials, "X-Max-Downloads": "0"}, b"x")

    eventually(lambda: sorted(logged(server)) == sorted(requests), 5, "exactly one line per request")
    log = server.log()
    for line in log.splitlines():
        entry = json.loads(line)
        assert {"time", "level", "message"} <= set(entry) and not any(
            isinstance(value, (dict, list)) for value in entry.values()
        ), line
    for secret in secrets:
        assert secret not in log, f"the log has {secret!r}:\n" + "\n".join(line for line in log.splitlines() if secret in line)


def test_log_of_a_cut_off_request(serve):
    """A client that leaves is logged, too, and without its id."""
    server = serve()
    upload = put(server, bytes(16 * MIB))
    connection = wire.Connection(server, rcvbuf=16 * KIB)
    connection.send_head("GET", upload.path)
    connection.head()
    connection.reset()
    eventually(lambda: [method for method, _ in logged(server)] == ["PUT", "GET"], 10, "the download is in the log")
    assert upload.id not in server.log()


def test_log_as_text(serve):
    """LOG_FORMAT=text: lines for people, no JSON."""
    server = serve(LOG_FORMAT="text")
    put(server, b"x")
    lines = eventually(lambda: [line for line in server.log().splitlines() if "PUT" in line], 5, "the request is in the log")
    assert len(lines) == 1 and not lines[0].startswith("{")


# -- TLS


def certificate(folder, name):
    """A self-signed certificate and its key; returns the certificate's fingerprint."""
    subprocess.run(
        [
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            f"/CN={name}",
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout",
            folder / f"{name}.key",
            "-out",
            folder / f"{name}.pem",
        ],
        check=True,
        capture_output=True,
    )
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert((folder / f"{name}.pem").read_text())).hexdigest()


def install(folder, name):
    """Puts a pair in place, each file by renaming, as certificate managers do."""
    for suffix, target in ((".key", "tls.key"), (".pem", "tls.pem")):
        (folder / "new").write_bytes((folder / (name + suffix)).read_bytes())
        (folder / "new").rename(folder / target)


def tls_client():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def served(server):
    with (
        socket.create_connection((server.host, server.port), timeout=5) as plain,
        server.tls.wrap_socket(plain, server_hostname="localhost") as secure,
    ):
        return hashlib.sha256(secure.getpeercert(binary_form=True)).hexdigest()


@pytest.fixture
def tls_server(serve, tmp_path):
    fingerprint = certificate(tmp_path, "first")
    install(tmp_path, "first")
    server = serve(start=False, TLS_CERT_FILE=tmp_path / "tls.pem", TLS_KEY_FILE=tmp_path / "tls.key")
    server.tls = tls_client()
    return server.start(), tmp_path, fingerprint


def test_tls(tls_server):
    """Uploads and downloads over TLS, raw and with curl; the URL says https; plain HTTP is not answered with a file."""
    server, folder, fingerprint = tls_server
    assert served(server) == fingerprint
    body = seeded("tls").randbytes(3 * MIB)
    upload = put(server, body)
    assert upload.url.startswith(f"https://127.0.0.1:{server.port}/")
    assert_file(get(server, upload.path), body)
    (folder / "f.bin").write_bytes(body)
    sent = subprocess.run(
        [
            "curl",
            "-sS",
            "--fail",
            "--cacert",
            str(folder / "tls.pem"),
            "-H",
            "Accept: text/uri-list",
            "-T",
            str(folder / "f.bin"),
            server.url,
        ],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert sent.returncode == 0, sent
    got = subprocess.run(
        ["curl", "-sS", "--fail", "--cacert", str(folder / "tls.pem"), sent.stdout.strip()], capture_output=True, timeout=60
    )
    assert got.stdout == body
    server.tls, context = None, server.tls
    with wire.Connection(server) as connection:
        connection.send_head("GET", "/healthz")
        try:
            assert connection.read().status == 400
        except (wire.Closed, wire.BadAnswer):
            pass
    server.tls = context


def test_tls_aborted_download_is_not_spent(tls_server):
    """P2 holds over TLS, too."""
    server, _, _ = tls_server
    body = seeded("tls abort").randbytes(16 * MIB)
    upload = put(server, body)
    connection = wire.Connection(server, rcvbuf=16 * KIB)
    connection.send_head("GET", upload.path)
    assert connection.head().status == 200
    connection.take(MIB)
    connection.close()

    def whole():
        response = get(server, upload.path, timeout=60)
        return response.status != 423 and response

    assert_file(eventually(whole, 70, "the lease is given back", every=0.1), body)
    assert_error(get(server, upload.path), 410)


def test_renewed_certificate_is_served(tls_server):
    """Files that are replaced under a running server are served within ten seconds; connections live through it."""
    server, folder, first = tls_server
    with wire.Connection(server) as connection:
        assert connection.exchange("GET", "/healthz").status == 200
        second = certificate(folder, "second")
        install(folder, "second")
        assert first != second
        eventually(lambda: served(server) == second, 10, "the new certificate is served", every=0.1)
        assert connection.exchange("GET", "/healthz").status == 200
    upload = put(server, b"x")
    assert_file(get(server, upload.path), b"x")


def test_broken_renewal_keeps_the_old_certificate(tls_server):
    """A half-written or foreign pair is not served, is said in the log, and the next good one is taken."""
    server, folder, first = tls_server
    lines = len(server.log_entries())
    (folder / "tls.pem").write_text("not a certificate")

    def complains():
        assert served(server) == first
        return [entry for entry in server.log_entries()[lines:] if entry["level"].lower() in ("warning", "error", "critical")]

    eventually(complains, 15, "the log tells of the broken file", every=0.1)
    second = certificate(folder, "second")
    install(folder, "second")
    eventually(lambda: served(server) == second, 10, "the next good pair is served", every=0.1)


# -- metrics


def test_metrics_are_on_their_own_port_only(serve):
    """Text format for Prometheus on METRICS_PORT, no trace of it on the public port, and nothing secret in it."""
    port = running.free_port()
    server = serve(METRICS_PORT=port)
    upload = put(server, b"x" * 1000)
    assert get(server, upload.path).status == 200
    assert_error(get(server, "/metrics"), 404)

    class Metrics:
        host, tls = "127.0.0.1", None

    Metrics.port = port
    response = get(Metrics, "/metrics")
    assert response.status == 200 and response.header("Content-Type").startswith("text/plain")
    samples = [line for line in response.text.splitlines() if line and not line.startswith("#")]
    assert len(samples) >= 5 and response.text.endswith("\n")
    for line in samples:
        assert re.fullmatch(
            r'[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-zA-Z_][a-zA-Z0-9_]*="([^"\\]|\\.)*",?)*\})? [-+]?([0-9.]+([eE][-+]?[0-9]+)?|Inf|NaN)( [0-9]+)?',
            line,
        ), line
    assert re.search(r"^# TYPE \S+ (counter|gauge|histogram|summary|untyped)$", response.text, re.M)
    assert upload.id not in response.text
    assert get(Metrics, f"/{upload.id}").status == 404


def test_metrics_off(serve):
    """METRICS_PORT=0: no second port."""
    server = serve(METRICS_PORT=0)
    links = [os.readlink(link) for link in Path(f"/proc/{server.pid}/fd").iterdir()]
    inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
    with open("/proc/net/tcp") as table:
        ports = {
            int(row.split()[1].split(":")[1], 16) for row in list(table)[1:] if row.split()[3] == "0A" and row.split()[9] in inodes
        }
    assert ports == {server.port}


# -- configuration

WRONG = {
    "PORT": "70000",
    "MAX_AGE": "-5",
    "MAX_AGE_FOR_MULTIDOWNLOAD": "soon",
    "MAX_UPLOAD_SIZE": "many",
    "TRUSTED_PROXIES": "10.0.0.0/33",
    "LEASE_SECONDS": "0",
    "LOG_FORMAT": "xml",
    "PUBLIC_URL": "files.example",
    "ENABLE_SHORT_URL": "perhaps",
    "MIN_FREE_SPACE": "-1",
    "METRICS_PORT": "x",
    "CLEANUP_INTERVAL": "1.5h30",
}


def test_all_problems_are_reported_at_once(tmp_path):
    """Every wrong setting by its name in one go; no secret is printed; nothing is created."""
    data = tmp_path / "data"
    done = running.run(["serve"], tmp_path, {**WRONG, "HOST": "127.0.0.1", "DATA_DIR": data, "PASSWORD": SECRET}, 30)
    output = done.stdout + done.stderr
    assert done.returncode > 0
    missing = [name for name in WRONG if not re.search(rf"(?<![A-Z_]){name}(?![A-Z_])", output)]
    assert not missing, f"not reported: {missing}\n{output}"
    for name in ("HOST", "DATA_DIR", "PASSWORD"):
        assert not re.search(rf"(?<![A-Z_]){name}(?![A-Z_])", output), f"{name} is right and was reported:\n{output}"
    assert SECRET not in output and not data.exists()
    assert not any(mark in output for mark in running.CRASH_MARKS), output


@pytest.mark.parametrize(
    "settings, names",
    [
        ({"TLS_CERT_FILE": "missing.pem"}, ["TLS_KEY_FILE"]),
        ({"TLS_CERT_FILE": "missing.pem", "TLS_KEY_FILE": "missing.key"}, ["TLS_CERT_FILE"]),
        ({"ENABLE_SHORT_URL": "true"}, ["SHORT_URL_SERVICE"]),
        ({"HOST": "not an address"}, ["HOST"]),
    ],
    ids=str,
)
def test_settings_that_do_not_go_together(tmp_path, settings, names):
    done = running.run(
        ["serve"], tmp_path, {"HOST": "127.0.0.1", "PORT": 0, "METRICS_PORT": 0, "DATA_DIR": tmp_path / "data", **settings}, 30
    )
    assert done.returncode > 0
    for name in names:
        assert name in done.stdout + done.stderr, done


SIZES = {"1000": 1000, "64KiB": 65536, "3MiB": 3 << 20, "2GiB": 2 << 30}


@pytest.mark.parametrize("text, size", SIZES.items())
def test_sizes(serve, text, size):
    """Sizes are written with their unit or in bytes."""
    assert get(serve(MAX_UPLOAD_SIZE=text), "/api/config").json()["maxUploadSize"] == size


def test_print_config(tmp_path):
    """`serve --print-config`: every setting with its value, secrets redacted, exit 0, nothing started."""
    settings = {
        "MAX_AGE": "1234",
        "PASSWORD": SECRET,
        "DATA_DIR": tmp_path / "data",
        "TRUSTED_PROXIES": "10.1.2.0/24",
        "MAX_UPLOAD_SIZE": "7MiB",
    }
    done = running.run(["serve", "--print-config", "--max-downloads", "77"], tmp_path, settings, 30)
    assert done.returncode == 0, done
    names = """HOST PORT DATA_DIR PUBLIC_URL TRUSTED_PROXIES METRICS_HOST METRICS_PORT PASSWORD MAX_UPLOAD_SIZE MAX_AGE MAX_AGE_FOR_MULTIDOWNLOAD
        ALLOW_LIFETIME_OVER_MAX_AGE MAX_DOWNLOADS ENABLE_SHORT_URL SHORT_URL_SERVICE NO_CLEANUP CLEANUP_INTERVAL LEASE_SECONDS RESUME_SECONDS MIN_FREE_SPACE
        STORAGE_QUOTA SHUTDOWN_GRACE HEADER_TIMEOUT IDLE_TIMEOUT MIN_RATE MAX_CONNECTIONS MAX_CONNECTIONS_PER_CLIENT UPLOADS_PER_MINUTE MAX_REQUEST_LINE
        MAX_HEADER_SIZE TLS_CERT_FILE TLS_KEY_FILE LOG_LEVEL LOG_FORMAT""".split()
    lines = {
        name: [line for line in done.stdout.splitlines() if re.search(rf"(?<![A-Z_]){name}(?![A-Z_])", line)] for name in names
    }
    assert not [name for name, found in lines.items() if len(found) != 1], done.stdout
    for name, value in (
        ("MAX_AGE", "1234"),
        ("MAX_DOWNLOADS", "77"),
        ("TRUSTED_PROXIES", "10.1.2.0/24"),
        ("PORT", "3000"),
        ("DATA_DIR", str(tmp_path / "data")),
    ):
        assert value in lines[name][0], lines[name]
    assert SECRET not in done.stdout + done.stderr and not (tmp_path / "data").exists()


def test_flags_are_the_settings(serve):
    """Every setting is also a flag, with a blank or an equals sign."""
    server = serve(arguments=["--max-age", "11", "--max-age-for-multidownload=22"])
    told = get(server, "/api/config").json()
    assert (told["maxAge"], told["maxAgeForMultiDownload"]) == (11, 22)


@pytest.mark.parametrize(
    "arguments",
    [["serve", "--no-such-flag"], ["no-such-command"], ["serve", "--max-age"], ["serve", "--max-age", "x", "--print-config"]],
)
def test_wrong_commands(tmp_path, arguments):
    done = running.run(arguments, tmp_path, {"DATA_DIR": tmp_path / "data"}, 30)
    assert done.returncode > 0 and done.stderr.strip()


def test_help_names_the_commands(tmp_path):
    done = running.run(["--help"], tmp_path, {}, 30)
    assert done.returncode == 0 and "serve" in done.stdout and "cleanup" in done.stdout
