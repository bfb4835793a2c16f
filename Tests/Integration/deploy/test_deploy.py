"""`bashupload deploy` with the real kubectl: against a small API server of our own, which knows what kubectl says on the wire."""

import base64
import json
import os
import shutil
import subprocess

import pytest

from api_server import Cluster, serve
from kustomize import ROOT

BINARY = os.environ.get("BASHUPLOAD", str(ROOT / ".build/release/bashupload"))
EXAMPLE = ROOT / "Tests/OpsTests/Fixtures/three-edges.yaml"
SECRETS = {
    "R2_ACCESS_KEY_ID": "planted-1", "R2_SECRET_ACCESS_KEY": "planted-2",
    "BASHUPLOAD_PASSWORD": "planted-3", "CLOUDFLARE_CERT_TOKEN": "planted-4",
}


class Desk:
    """An operator with a cluster file and a kubeconfig."""

    def __init__(self, folder):
        self.folder, self.cluster = folder, Cluster()
        self.server = serve(self.cluster)
        self.output = ""
        (folder / "bashupload.yaml").write_text(EXAMPLE.read_text())
        config = {
            "apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{self.server.server_port}"}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}], "users": [{"name": "u", "user": {}}],
        }
        (folder / "kubeconfig").write_text(json.dumps(config))
        for name in ("default", "kube-system"):
            self.cluster.seed("", "v1", "Namespace", "", name)
        for name, role in (("cp-1", "control"), ("edge-1", "edge"), ("edge-2", "edge"), ("edge-3", "edge")):
            self.cluster.seed(
                "", "v1", "Node", "", name, labels={"bashupload.app/role": role},
                status={"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {"kubeletVersion": "v1.33.5+k3s1"}},
            )

    def change(self, old, new):
        text = (self.folder / "bashupload.yaml").read_text()
        assert old in text
        (self.folder / "bashupload.yaml").write_text(text.replace(old, new))

    def deploy(self, *words, status=0):
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "KUBECONFIG": "kubeconfig", **SECRETS}
        if words[0] in ("plan", "apply"):
            words += ("--only", "kubernetes")  # the machines are tested in ../nodes
        done = subprocess.run([BINARY, "deploy", *words], capture_output=True, text=True, timeout=120, cwd=self.folder, env=environment)
        self.output += done.stdout + done.stderr
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def get(self, kind, name):
        return next((value for key, value in self.cluster.objects.items() if key[1] == kind and key[3] == name), None)


@pytest.fixture
def desk(tmp_path):
    if not shutil.which("kubectl"):
        if os.environ.get("REQUIRE_ALL") == "1":
            pytest.fail("no kubectl")
        pytest.skip("no kubectl in PATH")
    desk = Desk(tmp_path)
    yield desk
    desk.server.shutdown()


def test_plan_apply_and_nothing_more_to_do(desk):
    plan = desk.deploy("plan", status=2)
    assert "+ DaemonSet bashupload/bashupload" in plan and "+ ClusterIssuer bashupload-letsencrypt" in plan
    writes = [request for request in desk.cluster.requests if request[0] != "GET" and "dryRun" not in request[1]]
    assert writes == [], "a plan changes nothing"
    applied = desk.deploy("apply", "--yes", "--no-verify")
    assert "cert-manager: done" in applied and "rollout: done" in applied and "generation 1 is kept" in applied
    assert "0 to create, 0 to change, 0 to delete" in desk.deploy("plan")
    before = len(desk.cluster.requests)
    assert "nothing to change" in desk.deploy("apply", "--yes", "--no-verify")
    again = [request for request in desk.cluster.requests[before:] if request[0] != "GET" and "dryRun" not in request[1]]
    assert again == [], "a second apply changes nothing"
    assert desk.get("Lease", "bashupload-deploy") is None
    stored = desk.get("Secret", "bashupload-r2")["data"]
    assert base64.b64decode(stored["PASSWORD"]).decode() == "planted-3"
    assert "planted-" not in desk.output
    assert "edge-1" in desk.deploy("status") and desk.deploy("doctor").strip() == "nothing found"


def test_change_drift_prune_rollback_destroy(desk):
    desk.deploy("apply", "--yes", "--no-verify")
    desk.change("maxAge: 1h", "maxAge: 2h")
    plan = desk.deploy("plan", status=2)
    assert "~ ConfigMap bashupload/bashupload " in plan and "data.MAX_AGE: 3600 -> 7200" in plan
    desk.deploy("apply", "--yes", "--no-verify")
    settings = [value["data"]["MAX_AGE"] for key, value in desk.cluster.objects.items() if "MAX_AGE" in value.get("data", {})]
    assert settings == ["7200"], "the old ConfigMap is pruned"

    desk.get("CronJob", "bashupload-cleanup")["spec"]["schedule"] = "0 0 * * *"
    assert "spec.schedule: 0 0 * * * -> */5 * * * *" in desk.deploy("plan", status=2)
    desk.deploy("apply", "--yes", "--no-verify")
    assert desk.get("CronJob", "bashupload-cleanup")["spec"]["schedule"] == "*/5 * * * *"

    desk.change("monitoring: { enabled: true }", "monitoring: { enabled: false }")
    assert "- Namespace bashupload-monitoring" in desk.deploy("plan", status=2)
    desk.deploy("apply", "--yes", "--no-verify")
    assert desk.get("Namespace", "bashupload-monitoring") is None
    desk.deploy("plan")

    desk.deploy("rollback", "1", "--yes")
    settings = [value["data"]["MAX_AGE"] for value in desk.cluster.objects.values() if "MAX_AGE" in value.get("data", {})]
    assert settings == ["3600"]
    assert desk.get("Secret", "bashupload-r2")

    assert "domain was not typed" in desk.deploy("destroy", status=1)
    desk.deploy("destroy", "--confirm", "bashupload.app")
    left = sorted(key[1:] for key in desk.cluster.objects if "bashupload" in "".join(key))
    assert left == [], left


def test_two_operators(desk):
    desk.deploy("apply", "--yes", "--no-verify")
    desk.change("maxAge: 1h", "maxAge: 2h")
    desk.cluster.seed(
        "coordination.k8s.io", "v1", "Lease", "bashupload", "bashupload-deploy",
        spec={"holderIdentity": "eve@laptop", "acquireTime": "2999-01-01T00:00:00.000000Z"},
    )
    assert "eve@laptop is deploying" in desk.deploy("apply", "--yes", "--no-verify", status=1)
