"""The generated WireGuard mesh with the userspace implementation: kernels of test machines have no module."""

import os
import subprocess

import pytest

from clusters import cluster, render
from waiting import eventually

ADDRESSES = {"cp-1": "203.0.113.10", "edge-1": "203.0.113.11", "edge-2": "192.0.2.33"}


@pytest.fixture
def mesh(world, tmp_path):
    nodes = [
        {"name": name, "role": "control" if name == "cp-1" else "edge", "address": address, "provider": name, "region": "r"}
        for name, address in ADDRESSES.items()
    ]
    keys, facts = {}, {}
    for name in ADDRESSES:
        keys[name] = subprocess.run(["wg", "genkey"], capture_output=True, text=True, check=True).stdout
        public = subprocess.run(["wg", "pubkey"], input=keys[name], capture_output=True, text=True, check=True).stdout
        facts[name] = {"publicKey": public.strip()}
    trees = render(tmp_path, cluster(nodes, mesh={"type": "wireguard"}), {"nodes": facts})
    machines = {}
    for name, address in ADDRESSES.items():
        machine = machines[name] = world.machine(name, address)
        machine.tree = trees / name
        machine.inside = machine_address(trees / name)
        machine.key = keys[name]
        machine("nft", "-f", trees / name / "etc/bashupload/firewall.nft")
        up(machine)
    return machines


def machine_address(tree):
    conf = (tree / "etc/wireguard/wg-bashupload.conf").read_text()
    return conf.split("Address = ")[1].split("/")[0]


def up(machine):
    """wg-quick with /etc/wireguard of this machine: files where apply puts them, with the modes that it gives them."""
    script = """
        mount -t tmpfs tmpfs /etc/wireguard && umask 077 &&
        cp "$0" /etc/wireguard/ && cat >/etc/wireguard/wg-bashupload.key &&
        mkdir -p /run/wireguard && WG_QUICK_USERSPACE_IMPLEMENTATION=wireguard-go wg-quick up wg-bashupload &&
        stat -c '%a %n' /etc/wireguard/*
    """
    os.makedirs("/etc/wireguard", exist_ok=True)
    # The control socket of wireguard-go has the interface's name, and all namespaces share /var/run: one folder each.
    done = subprocess.run(
        ["ip", "netns", "exec", machine.space, "unshare", "-m", "sh", "-c",
         f"mkdir -p /run/wireguard && mount -t tmpfs tmpfs /run/wireguard && {script}",
         str(machine.tree / "etc/wireguard/wg-bashupload.conf")],
        input=machine.key, capture_output=True, text=True, timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    machine.modes = done.stdout


def reaches(machine, other) -> bool:
    return machine("ping", "-c", "1", "-W", "1", other.inside, check=False).returncode == 0


def test_everybody_reaches_everybody_and_a_dead_node_disturbs_nobody(mesh):
    for machine in mesh.values():
        for other in mesh.values():
            if machine is not other:
                eventually(lambda: reaches(machine, other), 10)
    dead = mesh.pop("edge-2")
    dead("ip", "link", "set", "uplink", "down")
    for _ in range(3):
        assert reaches(mesh["cp-1"], mesh["edge-1"]) and reaches(mesh["edge-1"], mesh["cp-1"])
    assert not reaches(mesh["cp-1"], dead)
    dead("ip", "link", "set", "uplink", "up")
    dead("ip", "route", "add", "default", "dev", "uplink")
    eventually(lambda: reaches(mesh["cp-1"], dead), 20)


def test_packets_are_as_large_as_the_way_allows(mesh):
    cp, edge = mesh["cp-1"], mesh["edge-1"]
    eventually(lambda: reaches(cp, edge), 10)
    assert "mtu 1420" in cp("ip", "link", "show", "wg-bashupload").stdout
    whole = 1420 - 28
    assert cp("ping", "-c", "1", "-W", "2", "-M", "do", "-s", whole, edge.inside).returncode == 0
    assert cp("ping", "-c", "1", "-W", "2", "-M", "do", "-s", whole + 1, edge.inside, check=False).returncode != 0


def test_keys_are_for_root_alone_and_nothing_secret_is_rendered(mesh):
    for machine in mesh.values():
        assert machine.modes.splitlines() == [
            "600 /etc/wireguard/wg-bashupload.conf", "600 /etc/wireguard/wg-bashupload.key"
        ]
        for file in machine.tree.rglob("*"):
            if file.is_file():
                assert machine.key.strip() not in file.read_text() and "PrivateKey" not in file.read_text(), file


def test_the_mesh_opens_the_host_to_nodes_only(mesh, world):
    """What the mesh is for: from host to host. The same port from outside stays closed."""
    cp, edge = mesh["cp-1"], mesh["edge-1"]
    edge.listen("tcp:9100")
    eventually(lambda: reaches(cp, edge), 10)
    stranger = world.machine("stranger", "192.0.2.66")
    assert cp.ask(f"tcp:{edge.inside}:9100") == [cp.inside]
    assert stranger.ask(f"tcp:{ADDRESSES['edge-1']}:9100", f"tcp:{edge.inside}:9100", patience=1) == [None, None]


def test_a_peer_that_was_built_anew_is_added_without_a_restart(mesh, tmp_path):
    """As apply does it before a first control node joins again. `wg syncconf` would take the private key away."""
    cp, edge = mesh["cp-1"], mesh["edge-1"]
    eventually(lambda: reaches(cp, edge), 10)
    before = cp("ip", "link", "show", "wg-bashupload").stdout
    key = subprocess.run(["wg", "genkey"], capture_output=True, text=True, check=True).stdout
    public = subprocess.run(["wg", "pubkey"], input=key, capture_output=True, text=True, check=True).stdout.strip()
    old = subprocess.run(["wg", "pubkey"], input=edge.key, capture_output=True, text=True, check=True).stdout.strip()
    conf = (cp.tree / "etc/wireguard/wg-bashupload.conf").read_text()
    (tmp_path / "wg-bashupload.conf").write_text(conf.replace(old, public))
    (tmp_path / "key").write_text(key)
    inside(edge, "wg", "set", "wg-bashupload", "private-key", tmp_path / "key")
    assert not reaches(cp, edge)
    inside(cp, "sh", "-c", "wg-quick strip $0/wg-bashupload.conf >$0/peers && wg addconf wg-bashupload $0/peers", tmp_path)
    eventually(lambda: reaches(cp, edge), 20)
    assert reaches(cp, mesh["edge-2"]), "its own key and the other peers stay"
    assert cp("ip", "link", "show", "wg-bashupload").stdout == before


def inside(machine, *words):
    """A command that finds the control socket of the machine's wireguard-go."""
    pids = machine("ip", "netns", "pids", machine.space, check=False).stdout.split()
    own = next(pid for pid in pids if b"wireguard-go" in open(f"/proc/{pid}/cmdline", "rb").read())
    subprocess.run(["nsenter", "-t", own, "-m", "-n", *map(str, words)], check=True, timeout=20)
