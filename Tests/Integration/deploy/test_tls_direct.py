"""The component `tls-direct`: the server with the settings of that pod, and a certificate that the kubelet renews."""

import ssl
import threading
import time

import wire
from kustomize import build, find, overlay
from nginx import Nginx, SecretVolume, certificate
from object_checks import pod_template
from running import free_port
from test_objects import server_environment
from uploads import put
from waiting import eventually, seeded

MIB = 1024 * 1024


def test_the_server_ends_tls_itself(serve, tmp_path):
    """HTTPS on the port of the pod, probes as the kubelet asks them, a new certificate without a dropped connection."""
    objects = build(overlay(tmp_path / "overlay", ("tls-direct",)))
    values = server_environment(objects, "bashupload", "DaemonSet")
    container = pod_template(find(objects, "DaemonSet", "bashupload"))["spec"]["containers"][0]
    public = [port for port in container["ports"] if port.get("hostPort")]
    assert [(port["hostPort"], str(port["containerPort"])) for port in public] == [(443, values["PORT"])]
    for kind in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert (container[kind]["httpGet"]["scheme"], container[kind]["httpGet"]["port"]) == ("HTTPS", "https")

    volume = SecretVolume(tmp_path / "tls")
    first, second = certificate(tmp_path, "first"), certificate(tmp_path, "second")
    volume.write({"tls.crt": first[0], "tls.key": first[1]})
    for name in ("TLS_CERT_FILE", "TLS_KEY_FILE"):
        values[name] = values[name].replace("/etc/bashupload-tls", str(tmp_path / "tls"))
    for name in ("HOST", "PORT", "DATA_DIR", "METRICS_PORT", "MIN_FREE_SPACE"):
        values.pop(name, None)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    server = serve(start=False, PORT=free_port(), **values)
    server.tls = context
    server.start()

    upload = put(server, seeded("direct").randbytes(4 * MIB))
    assert upload.url.startswith(values["PUBLIC_URL"] + "/")
    for path in ("/healthz", "/readyz"):
        assert wire.request(server, "GET", path).status == 200

    running = wire.Connection(server, rcvbuf=65536)
    running.send_head("GET", upload.path)
    response = running.head()
    shown = lambda: Nginx.served_certificate(type("Shown", (), {"secure": server})).split()  # noqa: E731
    assert shown() == first[0].split()
    failures, stop = [], threading.Event()

    def knock():
        while not stop.is_set():
            try:
                shown()
            except OSError as failure:
                failures.append(failure)

    knocking = threading.Thread(target=knock)
    knocking.start()
    try:
        changed = time.monotonic()
        volume.write({"tls.crt": second[0], "tls.key": second[1]})
        eventually(lambda: shown() == second[0].split(), 60, "the new certificate is served", every=0.2)
        print(f"served after {time.monotonic() - changed:.1f} s")
    finally:
        stop.set()
        knocking.join(10)
    assert not failures, f"handshakes failed while the certificate changed: {failures[:3]}"
    body = running.body(response, within=30)
    assert body.complete and len(body.body) == 4 * MIB, "the download that was in progress was cut"


def test_forwarded_fields_are_ignored(serve, tmp_path):
    """Without a proxy nobody is believed: no trusted address is left over from the base."""
    values = server_environment(build(overlay(tmp_path / "overlay", ("tls-direct",))), "bashupload", "DaemonSet")
    assert values["TRUSTED_PROXIES"] == ""
    server = serve(TRUSTED_PROXIES=values["TRUSTED_PROXIES"])
    put(server, b"x", headers={"X-Forwarded-For": "203.0.113.66"})
    assert "203.0.113.66" not in server.log()
