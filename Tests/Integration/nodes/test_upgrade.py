"""`deploy upgrade` of three control nodes and two edges over sshd: the order, and what happens when one does not come back."""

import hashlib
import json
import shutil

from namespaces import HERE
from test_apply import Trio

OLD, NEW = "v1.33.5+k3s1", "v1.34.2+k3s1"


def k3s(version):
    """Without a word it is started, as the systemctl of the test does it."""
    return f"""#!/bin/sh
case "$*" in
  "") [ ! -e /run/breaks ] || exit 1; echo {version} >/run/running ;;
  "etcd-snapshot save "*) echo "$*" >>/var/log/k3s-snapshots; exit ;;
esac
echo k3s version {version}
"""


class Kubernetes(Trio):
    def __init__(self, world, folder):
        super().__init__(world, folder)
        self.programs = folder / "programs"
        self.programs.mkdir()
        shutil.copy(HERE / "kubectl", self.programs)
        places = {name: [server.holder.pid, server.root] for name, server in self.servers.items()}
        (self.programs / "servers.json").write_text(json.dumps(places))

    def bring(self, version):
        """Another k3s in the file."""
        (self.desk.folder / "k3s").write_text(k3s(version))
        digest = hashlib.sha256(k3s(version).encode()).hexdigest()
        file = {"version": version, "sha256": {"amd64": digest, "arm64": digest}, "file": {"amd64": "k3s", "arm64": "k3s"}}
        self.write(kubernetes={"k3s": file})

    def upgrade(self, status=0):
        return self.desk.deploy_with(self.programs, "upgrade", "--yes", "--no-verify", "--timeout", "10s", status=status)

    def versions(self):
        return [(server.read("/run/running") or "").strip() for server in self.servers.values()]

    def calls(self):
        path = self.programs / "calls"
        return path.read_text().split("\n")[:-1] if path.exists() else []


def out_and_back(*edges):
    return [f"{verb} {edge}" for edge in edges for verb in ("cordon", "drain", "uncordon")]


def test_control_nodes_first_one_at_a_time_and_edges_out_of_service_meanwhile(world, tmp_path):
    kubernetes = Kubernetes(world, tmp_path)
    servers = kubernetes.servers
    kubernetes.bring(OLD)
    kubernetes.desk.apply()
    assert kubernetes.versions() == [OLD] * 5
    before = kubernetes.restarts()
    kubernetes.bring(NEW)
    assert "nothing to change" in kubernetes.desk.apply(), "apply changes no version"

    # The second does not start with it: the third is not touched, nor any edge.
    servers["cp-2"]("touch", "/run/breaks")
    text = kubernetes.upgrade(status=1)
    assert "node/cp-1: a snapshot is taken" in text and f"node/cp-1: {NEW}" in text
    assert "cp-2" in text and "the nodes after it have been left alone: mend that and run upgrade again" in text
    assert kubernetes.versions() == [NEW, OLD, OLD, OLD, OLD] and kubernetes.calls() == []
    servers["cp-2"]("rm", "/run/breaks")

    # Ended while the first edge is out of service: it has the version, and waits for the next run to put it back.
    servers["edge-1"]("sh", "-c", "echo 'restart k3s-agent.service' >/run/killed-at")
    kubernetes.upgrade(status=1)
    assert kubernetes.versions() == [NEW, NEW, NEW, NEW, OLD] and kubernetes.calls() == out_and_back("edge-1")[:2]
    text = kubernetes.upgrade()
    assert "! node/edge-1 has been taken out by an earlier run: back into service" in text and f"node/edge-2: {NEW}" in text
    assert kubernetes.versions() == [NEW] * 5
    assert kubernetes.calls() == out_and_back("edge-1", "edge-2")
    assert kubernetes.upgrade() == f"every node has {NEW}\n"
    assert json.loads((kubernetes.programs / "state.json").read_text()) == {"edge-1": {}, "edge-2": {}}, "no mark stays"

    # Each has ended before the next began.
    restarts = [restart for restart in kubernetes.restarts() if restart not in before]
    assert [name for _, _, name in restarts] == ["cp-1", "cp-2", "cp-3", "edge-1", "edge-2"]
    assert all(one[1] <= other[0] for one, other in zip(restarts, restarts[1:]))
    assert servers["cp-1"].read("/var/log/k3s-snapshots").count("--name before-upgrade") == 3

    # The run that was killed has not noted that edge-1 had been restarted with its files: apply does it once more.
    text = kubernetes.desk.apply()
    assert "nodes: 1 to change" in text and "! node/edge-1 restarts k3s-agent.service" in text
    assert "nothing to change" in kubernetes.desk.apply()
