"""The drill: a real etcd with data, backup, loss of the machine, restore, data back. And what backup refuses."""

import json
import stat

import pytest

from clusters import cluster
from namespaces import HERE
from servers import Desk, ProcessWatch, Server

TOKENS = {"token": "s" * 64, "agent-token": "a" * 64}


class Control:
    """A control node whose k3s is a real etcd."""

    def __init__(self, world, folder, name="cp-1", datastore="etcd"):
        self.desk = Desk(world, folder)
        (folder / "roots").mkdir()
        self.server = Server(world, folder / "roots" / name, name, "203.0.113.10", self.desk.key)
        self.desk.write(
            cluster([{"name": name, "role": "all", "address": "203.0.113.10", "provider": "a", "region": "r"}], kubernetes={"datastore": datastore})
        )
        self.install()

    def install(self):
        """As after an apply: k3s, its tokens, a running etcd."""
        self.server("sh", "-c", "mkdir -p /etc/rancher/k3s && cat >/usr/local/bin/k3s && chmod 755 /usr/local/bin/k3s",
                    input=(HERE / "k3s/k3s-etcd").read_text())
        for name, value in TOKENS.items():
            self.server("sh", "-c", f"umask 077; printf %s {value} >/etc/rancher/k3s/{name}")
        self.server("systemctl", "start", "k3s.service")

    def etcd(self, *words, check=True):
        return self.server("env", "ETCDCTL_API=3", "etcdctl", "--endpoints=127.0.0.1:2379", *words, check=check)

    def lose(self):
        """The machine is gone; a new one has the same name, k3s, and tokens and data of its own."""
        self.server("systemctl", "stop", "k3s.service")
        self.server("rm", "-rf", "/var/lib/rancher", "/etc/rancher")
        self.install()
        for name in TOKENS:
            self.server("sh", "-c", f"printf %s new >/etc/rancher/k3s/{name}")


@pytest.fixture
def control(world, tmp_path):
    control = Control(world, tmp_path)
    yield control
    control.server("systemctl", "stop", "k3s.service")


def test_backup_loss_restore(control):
    desk = control.desk
    for number in range(50):
        control.etcd("put", f"/registry/{number}", f"value {number}")
    with ProcessWatch() as watch:
        text = desk.deploy("backup", "--output", "saved")
    folder = desk.folder / "saved"
    assert "saved: state and tokens of test, k3s v1.33.5+k3s1" in text
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} == {"snapshot", "token", "agent-token", "RESTORE.md", "manifest.json"}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    assert {name: (folder / name).read_text() for name in TOKENS} == TOKENS
    assert "k3s server --cluster-reset" in (folder / "RESTORE.md").read_text()
    assert control.server("sh", "-c", "ls /tmp").stdout == "", "nothing stays on the node"
    control.etcd("put", "/registry/later", "lost")

    control.lose()
    assert control.etcd("get", "/registry/7").stdout == ""
    with watch:
        text = desk.deploy("restore", "--from", "saved", "--yes")
    assert "1. cp-1: bring the snapshot: done (" in text and "restored in " in text
    assert control.etcd("get", "--prefix", "--print-value-only", "/registry/").stdout.splitlines() == [
        value for _, value in sorted((f"/registry/{number}", f"value {number}") for number in range(50))
    ]
    for name, value in TOKENS.items():
        assert control.server.read(f"/etc/rancher/k3s/{name}") == value and control.server.mode(f"/etc/rancher/k3s/{name}") == "600"
        assert value not in desk.output and not [line for line in watch.seen if value in line]
    print(text[text.index("1. cp-1: bring the snapshot: done"):])


def test_what_is_printed_is_not_done_without_a_yes(control):
    desk = control.desk
    control.etcd("put", "k", "v")
    desk.deploy("backup", "--output", "saved")
    control.etcd("put", "k", "newer")
    text = desk.deploy("restore", "--from", "saved", status=1)
    assert "2. cp-1: stop k3s, bring back tokens and state, start k3s" in text and "--yes applies without asking" in text
    assert control.etcd("get", "--print-value-only", "k").stdout == "newer\n"


def test_what_is_wrong_is_refused_before_anything_is_touched(control):
    desk = control.desk
    control.etcd("put", "k", "v")
    desk.deploy("backup", "--output", "saved")
    assert "exists already" in desk.deploy("backup", "--output", "saved", status=1)
    assert "has no manifest.json" in desk.deploy("restore", "--from", ".", "--yes", status=1)
    manifest = desk.folder / "saved/manifest.json"
    content = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**content, "cluster": "another"}))
    assert "is of the cluster another" in desk.deploy("restore", "--from", "saved", "--yes", status=1)
    manifest.write_text(json.dumps(content))
    snapshot = desk.folder / "saved/snapshot"
    snapshot.write_bytes(snapshot.read_bytes()[:-1] + b"?")
    assert "is damaged" in desk.deploy("restore", "--from", "saved", "--yes", status=1)
    assert control.etcd("get", "--print-value-only", "k").stdout == "v\n"
