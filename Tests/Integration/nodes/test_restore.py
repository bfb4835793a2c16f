"""The drill: a real etcd with data, backup, loss of the machine, restore, data back. And what backup refuses."""

import hashlib
import json
import sqlite3
import stat
import tarfile
import time

import pytest
import yaml

from clusters import cluster
from namespaces import HERE
from servers import Desk, ProcessWatch, Server
from waiting import eventually

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


def test_a_snapshot_of_the_bucket(control):
    """The machine and the latest backup are gone or old: the bucket has a newer state, and the folder the tokens."""
    desk = control.desk
    control.etcd("put", "k", "old")
    desk.deploy("backup", "--output", "saved")
    control.etcd("put", "k", "new")
    control.server("mkdir", "-p", "/var/lib/bucket")
    control.etcd("snapshot", "save", "/var/lib/bucket/etcd-snapshot-cp-1-1790000000")
    control.lose()
    (desk.folder / "saved/snapshot").unlink()
    text = desk.deploy("restore", "--from", "saved", "--snapshot", "etcd-snapshot-cp-1-17", "--yes", status=1)
    assert "k3s could not take the snapshot" in text and "etcd-snapshot-cp-1-17 does not exist" in text
    text = desk.deploy("restore", "--from", "saved", "--snapshot", "etcd-snapshot-cp-1-1790000000", "--yes")
    assert "bring the snapshot" not in text and "restored in " in text
    assert control.etcd("get", "--print-value-only", "k").stdout == "new\n"
    assert control.server.read("/etc/rancher/k3s/token") == TOKENS["token"]
    assert "as k3s etcd-snapshot ls shows it" in desk.deploy("restore", "--from", "saved", "--snapshot", "a;b", status=64)


def test_the_state_of_an_older_k3s_comes_back_with_it(control):
    """An upgrade that went wrong: what the newer one has written cannot be read by the older, so both go back together."""
    desk = control.desk
    older = (HERE / "k3s/k3s-etcd").read_text()
    control.etcd("put", "k", "before the upgrade")
    desk.deploy("backup", "--output", "saved")
    control.server("systemctl", "stop", "k3s.service")
    control.server("sh", "-c", "cat >/usr/local/bin/k3s", input=older.replace("version=v1.33.5", "version=v1.34.2"))
    control.server("systemctl", "start", "k3s.service")
    control.etcd("put", "k", "of the newer one")

    text = desk.deploy("restore", "--from", "saved", "--yes", status=1)
    assert "has k3s v1.34.2+k3s1, and the state is of v1.33.5+k3s1" in text and "write kubernetes.k3s.version" in text
    assert control.etcd("get", "--print-value-only", "k").stdout == "of the newer one\n"

    (desk.folder / "k3s").write_text(older)
    content = yaml.safe_load((desk.folder / "bashupload.yaml").read_text())
    digest = hashlib.sha256(older.encode()).hexdigest()
    content["kubernetes"]["k3s"] = {
        "version": "v1.33.5+k3s1", "sha256": {"amd64": digest, "arm64": digest}, "file": {"amd64": "k3s", "arm64": "k3s"}}
    desk.write(content)
    text = desk.deploy("restore", "--from", "saved", "--yes")
    assert "1. cp-1: stop k3s, bring k3s v1.33.5+k3s1, start nothing: done (" in text
    assert "version v1.33.5+k3s1" in control.server("k3s", "--version").stdout
    assert control.etcd("get", "--print-value-only", "k").stdout == "before the upgrade\n"


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


class SQLiteControl(Control):
    """A control node whose k3s writes to its database without a pause."""

    def install(self):
        self.server("sh", "-c", "mkdir -p /etc/rancher/k3s && cat >/usr/local/bin/k3s && chmod 755 /usr/local/bin/k3s",
                    input=(HERE / "k3s/k3s-sqlite").read_text())
        for name, value in TOKENS.items():
            self.server("sh", "-c", f"umask 077; printf %s {value} >/etc/rancher/k3s/{name}")
        self.server("systemctl", "start", "k3s.service")
        eventually(lambda: self.rows() > 200, 20)

    def rows(self) -> int:
        script = "import sqlite3; print(sqlite3.connect('/var/lib/rancher/k3s/server/db/state.db').execute('SELECT count(*) FROM kine').fetchone()[0])"
        done = self.server("python3", "-c", script, check=False)
        return int(done.stdout) if done.returncode == 0 else 0


def test_a_sqlite_database_that_is_written_to_is_saved_whole_and_comes_back(world, tmp_path):
    control = SQLiteControl(world, tmp_path, datastore="sqlite")
    desk = control.desk
    try:
        before = control.rows()
        text = desk.deploy("backup", "--output", "saved")
        assert "saved: state and tokens of test" in text
        after = control.rows()
        eventually(lambda: control.rows() > after, 10)
        # All that had been committed, in a file that is sound, the log that was not yet in it included.
        with tarfile.open(desk.folder / "saved/snapshot") as archive:
            archive.extractall(desk.folder / "looked-at", filter="data")
        store = sqlite3.connect(desk.folder / "looked-at/db/state.db")
        assert store.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        saved, last = store.execute("SELECT count(*), max(id) FROM kine").fetchone()
        store.close()
        assert saved == last and before <= saved <= after

        control.lose()
        start = time.monotonic()
        text = desk.deploy("restore", "--from", "saved", "--yes")
        print(text, f"{saved} rows back after {time.monotonic() - start:.1f} s")
        eventually(lambda: control.rows() > saved, 10)
        for name, value in TOKENS.items():
            assert control.server.read(f"/etc/rancher/k3s/{name}") == value

        # A backup that fails in the middle does not leave the cluster without its server.
        control.server("sh", "-c", "printf '#!/bin/sh\\nexit 1\\n' >/usr/local/sbin/tar; chmod 755 /usr/local/sbin/tar")
        desk.deploy("backup", "--output", "failed", status=1)
        now = control.rows()
        eventually(lambda: control.rows() > now, 10)
        assert not (desk.folder / "failed").exists()
    finally:
        control.server("systemctl", "stop", "k3s.service")


def test_three_members_come_back_to_the_state_of_the_snapshot(world, tmp_path):
    """The state is lost on all three; the first is set back, and the others join it, one after the other."""
    addresses = {"cp-1": "203.0.113.10", "cp-2": "203.0.113.11", "cp-3": "203.0.113.12"}
    desk = Desk(world, tmp_path)
    (tmp_path / "roots").mkdir()
    nodes = [{"name": name, "role": "control", "address": address, "privateAddress": address.replace("203.0.113", "10.9.0"), "provider": "a", "region": "r"}
             for name, address in addresses.items()]
    desk.write(cluster([*nodes, {"name": "edge-1", "role": "edge", "address": "192.0.2.1", "provider": "b", "region": "r"}], kubernetes={"datastore": "etcd"}))
    servers = {name: Server(world, tmp_path / "roots" / name, name, address, desk.key) for name, address in addresses.items()}

    def etcd(name, *words, check=True):
        return servers[name]("env", "ETCDCTL_API=3", "etcdctl", "--endpoints=127.0.0.1:2379", *words, check=check)

    def members():
        return sorted(line.split(", ")[2] for line in etcd("cp-1", "member", "list").stdout.splitlines() if ", started, " in line)

    try:
        for name, server in servers.items():
            join = "" if name == "cp-1" else "server: https://203.0.113.10:6443\n"
            server("sh", "-c", "mkdir -p /etc/rancher/k3s && cat >/etc/rancher/k3s/config.yaml",
                   input=f"node-name: {name}\n{join}node-ip: {addresses[name]}\n")
            server("sh", "-c", "cat >/usr/local/bin/k3s && chmod 755 /usr/local/bin/k3s", input=(HERE / "k3s/k3s-etcd").read_text())
            for token, value in TOKENS.items():
                server("sh", "-c", f"umask 077; printf %s {value} >/etc/rancher/k3s/{token}")
            server("systemctl", "start", "k3s.service")
            eventually(lambda: name in members(), 30)
        for number in range(100):
            etcd("cp-2", "put", f"/registry/{number:03}", f"value {number}")
        desk.deploy("backup", "--output", "saved")
        etcd("cp-3", "del", "--prefix", "/registry/")
        assert etcd("cp-1", "get", "--prefix", "/registry/").stdout == ""

        # A snapshot that cannot be read: k3s has moved the state away by then. Everybody goes on with what was there.
        etcd("cp-1", "put", "now", "x")
        servers["cp-1"]("sh", "-c", "mkdir -p /var/lib/bucket && echo garbage >/var/lib/bucket/broken")
        tokens = {name: server.read("/etc/rancher/k3s/token") for name, server in servers.items()}
        text = desk.deploy("restore", "--from", "saved", "--snapshot", "broken", "--yes", status=1)
        assert "k3s could not take the snapshot" in text and "cp-3: k3s goes on with what it had" in text
        eventually(lambda: members() == ["cp-1", "cp-2", "cp-3"], 30)
        for name, server in servers.items():
            eventually(lambda: etcd(name, "get", "--print-value-only", "now", check=False).stdout == "x\n", 20)
            assert server.read("/etc/rancher/k3s/token") == tokens[name]
        assert "cluster-init" not in servers["cp-1"].read("/etc/rancher/k3s/config.yaml")
        # One that cannot be reached is known before anybody is stopped.
        servers["cp-3"].stop_sshd()
        assert "node/cp-3" in desk.deploy("restore", "--from", "saved", "--yes", status=1)
        servers["cp-3"].start_sshd()
        assert members() == ["cp-1", "cp-2", "cp-3"] and etcd("cp-2", "put", "now", "y", check=False).returncode == 0
        # The others have got another token since the backup was made.
        for name in ("cp-2", "cp-3"):
            servers[name]("sh", "-c", "printf %s rotated >/etc/rancher/k3s/token")

        start = time.monotonic()
        text = desk.deploy("restore", "--from", "saved", "--yes")
        assert all(server.read("/etc/rancher/k3s/token") == TOKENS["token"] for server in servers.values())
        done = [line for line in text.splitlines() if ": done (" in line]
        assert [line.split(":")[0] for line in done] == ["1. cp-2", "2. cp-3", "3. cp-1", "4. cp-1", "5. cp-2", "6. cp-3"]
        eventually(lambda: members() == ["cp-1", "cp-2", "cp-3"], 30)
        wanted = [f"value {number}" for number in range(100)]
        for name in servers:
            assert etcd(name, "get", "--prefix", "--print-value-only", "/registry/").stdout.splitlines() == wanted, name
        print("\n".join(done), f"all of it: {time.monotonic() - start:.1f} s", sep="\n")
        # A majority is enough again, so all three vote.
        servers["cp-1"]("systemctl", "stop", "k3s.service")
        eventually(lambda: etcd("cp-2", "put", "/registry/after", "x", check=False).returncode == 0, 20)
        servers["cp-1"]("systemctl", "start", "k3s.service")
    finally:
        for server in servers.values():
            server("systemctl", "stop", "k3s.service", check=False)
