"""What `bashupload deploy render` writes, read by the same checks as the hand-written tree."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from check_tree import lines
from kustomize import ROOT, build
from network import Pod, allowed

BINARY = os.environ.get("BASHUPLOAD", str(ROOT / ".build/release/bashupload"))
FIXTURES = ROOT / "Tests/OpsTests/Fixtures"
ALLOW = [word for feature in ("longhorn", "falco", "descheduler") for word in ("--allow", feature)]


def deploy(*words, cwd=None) -> subprocess.CompletedProcess:
    # Without HOME, KUBECONFIG or any secret: what works here works offline.
    return subprocess.run(
        [BINARY, "deploy", *map(str, words)], capture_output=True, text=True, timeout=60, cwd=cwd, env={"PATH": os.environ["PATH"]}
    )


@pytest.mark.parametrize("name", sorted(path.stem for path in FIXTURES.glob("*.yaml")))
def test_rendered_objects_are_right(name, tmp_path):
    file = FIXTURES / f"{name}.yaml"
    done = deploy("render", "--file", file, "--output", tmp_path / "out", *ALLOW)
    assert done.returncode == 0, done.stderr
    edges = len(re.findall(r"role: (?:edge|all)\b", re.sub(r"#.*", "", file.read_text())))
    own = re.search(r"issuer: \{ secret: ([\w-]+) \}", file.read_text())
    found = lines(tmp_path / "out/kubernetes", edges)
    # A certificate of one's own is in a Secret that only its owner knows.
    found = [line for line in found if not (own and own[1] in line)]
    assert found == []


def test_services_on_other_ports_are_reached(tmp_path):
    """An S3 service of one's own, a Loki and a maker of short URLs, wherever they are; the rest stays closed."""
    text = (FIXTURES / "everything.yaml").read_text()
    for old, new in (
        ("https://s3.example.org", "http://10.0.0.5:9000"),
        ("https://suosuo.de/short", "https://short.example.org:8443/short"),
        ("https://loki.example.org/loki/api/v1/push", "http://loki.example.org:3200/loki/api/v1/push"),
    ):
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "bashupload.yaml").write_text(text)
    done = deploy("render", "--file", tmp_path / "bashupload.yaml", "--output", tmp_path / "out", *ALLOW)
    assert done.returncode == 0, done.stderr
    assert [line for line in lines(tmp_path / "out/kubernetes", 2) if "own-tls" not in line] == []
    policies = [item for item in build(tmp_path / "out/kubernetes") if item["kind"] == "NetworkPolicy"]
    edge = Pod("bashupload", {"app.kubernetes.io/name": "bashupload", "app.kubernetes.io/component": "edge"})
    agent = Pod("bashupload-logs", {"app.kubernetes.io/name": "alloy"})
    for pod, address, port, may in (
        (edge, "10.0.0.5", 9000, True), (edge, "10.0.0.6", 9000, False), (edge, "10.0.0.5", 22, False),
        (edge, "198.51.100.7", 8443, True), (edge, "10.0.0.9", 8443, True), (edge, "169.254.169.254", 8443, False),
        (edge, "169.254.169.254", 443, False), (edge, "10.0.0.5", 443, False),
        (agent, "198.51.100.7", 3200, True), (agent, "198.51.100.7", 22, False),
    ):
        assert allowed(policies, pod, "egress", address, port) is may, (pod, address, port)


def test_a_refused_feature_is_named_with_its_limit(tmp_path):
    done = deploy("render", "--file", FIXTURES / "everything.yaml", "--output", tmp_path / "out")
    assert done.returncode == 1 and not (tmp_path / "out").exists()
    assert "4 GiB" in done.stderr and "--allow longhorn" in done.stderr


def test_init_check_render(tmp_path):
    assert deploy("init", "--domain", "files.example.org", cwd=tmp_path).returncode == 0
    done = deploy("check", cwd=tmp_path)
    assert done.returncode == 0 and "files.example.org" in done.stdout
    assert deploy("render", "--output", "out", cwd=tmp_path).returncode == 0
    assert lines(tmp_path / "out/kubernetes", 1) == []
    again = deploy("init", cwd=tmp_path)
    assert again.returncode == 1 and "exists already" in again.stderr


def test_a_wrong_word_ends_in_one_line(tmp_path):
    for words, status in ((["plna"], 64), (["check", "--flie", "x"], 64), (["check"], 1)):
        done = deploy(*words, cwd=tmp_path)
        assert done.returncode == status and done.stdout == "" and len(done.stderr.splitlines()) == 1
