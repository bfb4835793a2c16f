"""The rules of the component `monitoring`, as Prometheus reads them, and the metrics that they name."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

import wire
from kustomize import KUBERNETES, ROOT
from running import free_port
from uploads import put
from waiting import eventually

MONITORING = KUBERNETES / "components/monitoring"


def promtool(*arguments, folder: Path) -> str:
    """promtool from the path, or from where scripts/install-deps puts it."""
    program = shutil.which("promtool") or ROOT / ".build/tools/bin/promtool"
    assert os.access(program, os.X_OK), "no promtool: run scripts/install-deps test"
    done = subprocess.run([program, *map(str, arguments)], cwd=folder, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def alerts() -> list:
    return [rule for group in yaml.safe_load((MONITORING / "alerts.yml").read_text())["groups"] for rule in group["rules"]]


@pytest.fixture
def folder(tmp_path):
    """Rules, tests and configuration side by side, as promtool wants them."""
    shutil.copy(MONITORING / "alerts.yml", tmp_path)
    shutil.copy(Path(__file__).parent / "alerts_test.yml", tmp_path)
    config = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    config["rule_files"] = [path.replace("/etc/prometheus/", f"{tmp_path}/") for path in config["rule_files"]]
    for job in config["scrape_configs"]:
        # Debian builds its promtool without the discovery of Kubernetes.
        for discovery in job.pop("kubernetes_sd_configs", []):
            assert discovery["role"] == "pod" and set(discovery) == {"role", "namespaces"}
            job["static_configs"] = [{"targets": ["pod:1"]}]
    (tmp_path / "prometheus.yml").write_text(yaml.safe_dump(config))
    return tmp_path


def test_rules_and_configuration(folder):
    assert f"{len(alerts())} rules found" in promtool("check", "rules", "alerts.yml", folder=folder)
    promtool("check", "config", "prometheus.yml", folder=folder)


def test_alerts_fire_when_they_should(folder):
    assert "SUCCESS" in promtool("test", "rules", "alerts_test.yml", folder=folder)


def test_probes_hide_no_errors(folder):
    """The control: with probes in the sum ninety failing uploads an hour are less than five per cent."""
    text = (folder / "alerts.yml").read_text()
    (folder / "alerts.yml").write_text(text.replace(', route!~"/?(healthz|readyz)"', "").replace('{route!~"/?(healthz|readyz)"}', ""))
    with pytest.raises(AssertionError, match="ManyErrors"):
        promtool("test", "rules", "alerts_test.yml", folder=folder)


def test_every_alert_is_tested_and_told():
    names = [rule["alert"] for rule in alerts()]
    tested = (Path(__file__).parent / "alerts_test.yml").read_text()
    readme = (MONITORING / "README.md").read_text()
    for name in names:
        assert re.search(rf"alertname: {name}\n\s+exp_alerts:\n", tested), f"{name} is never expected to fire"
        assert name in readme, f"{name} is not in the README"
    assert len(set(names)) == len(names)


def test_a_wrong_rule_is_found(folder):
    """The control: a threshold that is off by a little makes the tests fail."""
    text = (folder / "alerts.yml").read_text()
    (folder / "alerts.yml").write_text(text.replace("* 100 > 85", "* 100 > 91"))
    with pytest.raises(AssertionError, match="FAILED"):
        promtool("test", "rules", "alerts_test.yml", folder=folder)


def test_the_metrics_exist(serve):
    """What the rules ask of bashupload is what bashupload tells: names and labels."""
    port = free_port()
    server = serve(METRICS_PORT=port)
    put(server, b"x")
    metrics = type("Metrics", (), {"host": "127.0.0.1", "port": port, "tls": None})
    text = wire.request(metrics, "GET", "/metrics").text
    asked = set(re.findall(r"\bbashupload_[a-z_]+", " ".join(rule["expr"] for rule in alerts())))
    assert asked == {"bashupload_requests_total"}
    # Routes are named as the server names them, else a rule would look at nothing, or at everything.
    wire.request(server, "GET", "/healthz")
    text = wire.request(metrics, "GET", "/metrics").text
    routes = set(re.findall(r'^bashupload_requests_total\{[^}]*route="([^"]*)"', text, re.MULTILINE))
    assert {"/healthz", "/readyz", "/<name>"} <= routes, text
    source = (ROOT / "Sources/Server/Routes/Route.swift").read_text()
    for rule in alerts():
        for name in re.findall(r'route=~?"([^"]*)"', rule["expr"]):
            for route in name.replace("/?readyz", "/readyz").split("|"):
                assert f'"{route}"' in source, f"{rule['alert']}: no route is called {route}"
    assert re.search(r'^bashupload_requests_total\{[^}]*status="200"[^}]*\} [1-9]', text, re.MULTILINE), text


def test_probes_do_not_fill_the_log(serve):
    """Twenty that succeed are no line, and with LOG_LEVEL=debug twenty; requests of clients are told as ever."""
    for level, lines in (("info", 0), ("debug", 20)):
        server = serve(LOG_LEVEL=level)
        asked = lambda: [e for e in server.log_entries() if e.get("route") in ("/healthz", "/readyz")]  # noqa: E731, B023
        before = len(asked())
        for number in range(20):
            assert wire.request(server, "GET", ("/healthz", "/readyz")[number % 2]).status == 200
        put(server, b"x")
        eventually(lambda: [e for e in server.log_entries() if e.get("method") == "PUT"], 5, "the upload is logged")  # noqa: B023
        assert len(asked()) - before == lines
        assert {entry["level"] for entry in asked()} <= {"debug"}


def test_a_probe_that_fails_is_logged(serve):
    """At the level of every other request, with its reason: DATA_DIR is away."""
    server = serve()
    server.data.rename(server.data.with_name("away"))
    try:
        eventually(lambda: wire.request(server, "GET", "/readyz").status == 503, 10, "the server is not ready")
        failed = eventually(lambda: [e for e in server.log_entries() if e.get("status") == "503"], 5, "the probe is logged")
        assert failed[0]["route"] == "/readyz" and failed[0]["level"] == "info" and failed[0]["problem"], failed
    finally:
        server.data.with_name("away").rename(server.data)
