"""`bashupload deploy` with the real kubectl: against a small API server of our own, which knows what kubectl says on the wire, and
against the one that KUBECONFIG_TEST names (a second small one where it names none), of which only kubectl tells."""

import base64
import json
import os
import signal
import subprocess
import threading

import pytest

from api_server import Cluster, merge, serve
from kustomize import ROOT
from live_cluster import LiveCluster

BINARY = os.environ.get("BASHUPLOAD", str(ROOT / ".build/release/bashupload"))
EXAMPLE = ROOT / "Tests/OpsTests/Fixtures/three-edges.yaml"
SECRETS = {
    "R2_ACCESS_KEY_ID": "planted-1", "R2_SECRET_ACCESS_KEY": "planted-2",
    "BASHUPLOAD_PASSWORD": "planted-3", "CLOUDFLARE_CERT_TOKEN": "planted-4",
}


class SmallCluster:
    """The small API server with its own controllers: every request is seen."""

    def __init__(self, folder):
        self.cluster = Cluster()
        self.server = serve(self.cluster)
        self.kubeconfig = kubeconfig(folder, self.server)
        for name in ("default", "kube-system"):
            self.cluster.seed("", "v1", "Namespace", "", name)
        for name, role in (("cp-1", "control"), ("edge-1", "edge"), ("edge-2", "edge"), ("edge-3", "edge")):
            self.cluster.seed(
                "", "v1", "Node", "", name, labels={"bashupload.app/role": role},
                status={"conditions": [{"type": "Ready", "status": "True"}], "nodeInfo": {"kubeletVersion": "v1.33.5+k3s1"}},
            )

    def objects(self):
        return [{"kind": key[1], **value} for key, value in list(self.cluster.objects.items())]

    def state(self):
        """What has been written so far."""
        return [request for request in self.cluster.requests if request[0] != "GET" and "dryRun" not in request[1]]

    def edit(self, kind, name, namespace, patch):
        key = next(key for key in self.cluster.objects if key[1:] == (kind, namespace, name))
        self.cluster.objects[key] = merge(self.cluster.objects[key], patch)

    def create(self, value):
        group, _, version = value["apiVersion"].rpartition("/")
        meta = value["metadata"]
        self.cluster.seed(group, version, value["kind"], meta["namespace"], meta["name"], spec=value["spec"])

    def shutdown(self):
        self.server.shutdown()


class StandInCluster(LiveCluster):
    """What KUBECONFIG_TEST would name: a small API server without controllers."""

    def __init__(self, folder):
        cluster = Cluster(has_controllers=False)
        for name in ("default", "kube-system"):
            cluster.seed("", "v1", "Namespace", "", name)
        self.server = serve(cluster)
        super().__init__(kubeconfig(folder, self.server))

    def shutdown(self):
        super().shutdown()
        self.server.shutdown()


def kubeconfig(folder, server):
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}], "users": [{"name": "u", "user": {}}],
    }
    (folder / "kubeconfig").write_text(json.dumps(config))
    return folder / "kubeconfig"


class Desk:
    """An operator with a cluster file and a kubeconfig."""

    def __init__(self, folder, cluster):
        self.folder, self.cluster = folder, cluster
        self.output = ""
        (folder / "bashupload.yaml").write_text(EXAMPLE.read_text())

    def change(self, old, new):
        text = (self.folder / "bashupload.yaml").read_text()
        assert old in text
        (self.folder / "bashupload.yaml").write_text(text.replace(old, new))

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), "KUBECONFIG": str(self.cluster.kubeconfig), **SECRETS}

    def deploy(self, *words, status=0):
        environment = self.environment()
        if words[0] in ("plan", "apply"):
            words += ("--only", "kubernetes")  # the machines are tested in ../nodes
        done = subprocess.run([BINARY, "deploy", *words], capture_output=True, text=True, timeout=280, cwd=self.folder, env=environment)
        self.output += done.stdout + done.stderr
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def get(self, kind, name):
        return next((value for value in self.cluster.objects() if (value["kind"], value["metadata"]["name"]) == (kind, name)), None)

    def ages(self):
        return [value["data"]["MAX_AGE"] for value in self.cluster.objects() if "MAX_AGE" in (value.get("data") or {})]


# With a real API server all stories run on it too; the stand-in proves the way there with the first.
LIVE = pytest.mark.parametrize("desk", ["small", "live"], indirect=True)
LIVE_IF_NAMED = LIVE if "KUBECONFIG_TEST" in os.environ else pytest.mark.parametrize("desk", ["small"], indirect=True)


@pytest.fixture
def desk(request, tmp_path):
    if request.param == "small":
        cluster = SmallCluster(tmp_path)
    elif "KUBECONFIG_TEST" in os.environ:
        cluster = LiveCluster(os.environ["KUBECONFIG_TEST"])
    else:
        cluster = StandInCluster(tmp_path)
    desk = Desk(tmp_path, cluster)
    yield desk
    if request.param == "live":
        desk.deploy("destroy", "--confirm", "bashupload.app")
    cluster.shutdown()


@LIVE
def test_plan_apply_and_nothing_more_to_do(desk):
    before = desk.cluster.state()
    plan = desk.deploy("plan", status=2)
    assert "+ DaemonSet bashupload/bashupload" in plan and "+ ClusterIssuer bashupload-letsencrypt" in plan
    assert desk.cluster.state() == before, "a plan changes nothing"
    applied = desk.deploy("apply", "--yes", "--no-verify")
    assert "cert-manager: done" in applied and "rollout: done" in applied and "generation 1 is kept" in applied
    assert "0 to create, 0 to change, 0 to delete" in desk.deploy("plan")
    before = desk.cluster.state()
    assert "nothing to change" in desk.deploy("apply", "--yes", "--no-verify")
    assert desk.cluster.state() == before, "a second apply changes nothing"
    assert desk.get("Lease", "bashupload-deploy") is None
    stored = desk.get("Secret", "bashupload-r2")["data"]
    assert base64.b64decode(stored["PASSWORD"]).decode() == "planted-3"
    assert "planted-" not in desk.output
    assert "edge-1" in desk.deploy("status") and desk.deploy("doctor").strip() == "nothing found"


@LIVE_IF_NAMED
def test_change_drift_prune_rollback_destroy(desk):
    desk.deploy("apply", "--yes", "--no-verify")
    desk.change("maxAge: 1h", "maxAge: 2h")
    plan = desk.deploy("plan", status=2)
    assert "~ ConfigMap bashupload/bashupload " in plan and "data.MAX_AGE: 3600 -> 7200" in plan
    desk.deploy("apply", "--yes", "--no-verify")
    assert desk.ages() == ["7200"], "the old ConfigMap is pruned"

    desk.cluster.edit("CronJob", "bashupload-cleanup", "bashupload", {"spec": {"schedule": "0 0 * * *"}})
    assert "spec.schedule: 0 0 * * * -> */5 * * * *" in desk.deploy("plan", status=2)
    desk.deploy("apply", "--yes", "--no-verify")
    assert desk.get("CronJob", "bashupload-cleanup")["spec"]["schedule"] == "*/5 * * * *"

    desk.change("monitoring: { enabled: true }", "monitoring: { enabled: false }")
    assert "- Namespace bashupload-monitoring" in desk.deploy("plan", status=2)
    desk.deploy("apply", "--yes", "--no-verify")
    assert desk.get("Namespace", "bashupload-monitoring") is None
    desk.deploy("plan")

    desk.deploy("rollback", "1", "--yes")
    assert desk.ages() == ["3600"]
    assert desk.get("Secret", "bashupload-r2")

    assert "domain was not typed" in desk.deploy("destroy", status=1)
    desk.deploy("destroy", "--confirm", "bashupload.app")
    left = [(value["kind"], value["metadata"]["name"]) for value in desk.cluster.objects()]
    assert [pair for pair in left if "bashupload" in pair[1]] == []


@LIVE_IF_NAMED
def test_two_operators(desk):
    desk.deploy("apply", "--yes", "--no-verify")
    desk.change("maxAge: 1h", "maxAge: 2h")
    lease = {"holderIdentity": "eve@laptop", "acquireTime": "2999-01-01T00:00:00.000000Z"}
    desk.cluster.create({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": lease,
        "metadata": {"name": "bashupload-deploy", "namespace": "kube-system"},
    })
    assert "eve@laptop is deploying" in desk.deploy("apply", "--yes", "--no-verify", status=1)
    desk.cluster.edit("Lease", "bashupload-deploy", "kube-system", {"spec": {"acquireTime": "2020-01-01T00:00:00.000000Z"}})
    assert "rollout: done" in desk.deploy("apply", "--yes", "--no-verify"), "a lock that somebody left behind is taken over"


@pytest.mark.parametrize("desk", ["small"], indirect=True)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_an_interruption_gives_the_lock_back(desk, number):
    """Somebody loses patience with a rollout that never ends, and runs it again."""
    roles = {"metadata": {"labels": {"bashupload.app/role": "edge"}}}
    for name in ("edge-1", "edge-2", "edge-3"):
        desk.cluster.edit("Node", name, "", {"metadata": {"labels": {"bashupload.app/role": "none"}}})
    words = [BINARY, "deploy", "apply", "--yes", "--no-verify", "--only", "kubernetes"]
    run = subprocess.Popen(
        words, cwd=desk.folder, env=desk.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    watchdog = threading.Timer(120, run.kill)
    watchdog.start()
    lines = []
    for line in run.stdout:
        lines.append(line)
        if "no node has the label" in line:
            assert desk.get("Lease", "bashupload-deploy")
            run.send_signal(number)
    assert run.wait() == 1 and "interrupted: run the same command again" in lines[-1], lines
    watchdog.cancel()
    assert desk.get("Lease", "bashupload-deploy") is None
    for name in ("edge-1", "edge-2", "edge-3"):
        desk.cluster.edit("Node", name, "", roles)
    desk.cluster.edit("DaemonSet", "bashupload", "bashupload", {"status": dict.fromkeys(
        ("desiredNumberScheduled", "updatedNumberScheduled", "numberReady", "numberAvailable"), 3)})
    assert "generation 1 is kept" in desk.deploy("apply", "--yes", "--no-verify")
