"""`deploy apply` on three servers: from nothing to all of it, and what happens when something is in the way."""

import hashlib
import re

import pytest

from clusters import cluster, deploy
from namespaces import HERE
from servers import SECRETS, Desk, ProcessWatch, Server
from waiting import eventually, seeded

ADDRESSES = {"cp-1": "203.0.113.10", "edge-1": "203.0.113.11", "edge-2": "192.0.2.33"}
K3S = r"""#!/bin/sh
# A k3s of a test. Like k3s it changes the token only for whoever has the old one, and makes the new one itself.
if [ "${1-} ${2-}" = "token rotate" ]; then
  [ "$K3S_TOKEN" = "$(sed 's/^K10authority::server://' /var/lib/rancher/k3s/server/token)" ] || exit 1
  echo "K10authority::server:$(head -c 16 /dev/urandom | sha256sum | cut -c1-32)" >/var/lib/rancher/k3s/server/token
  exit 0
fi
echo k3s version v1.33.5+k3s1
"""


class Fleet:
    def __init__(self, world, folder, addresses=ADDRESSES):
        self.desk, self.addresses = Desk(world, folder), addresses
        roots = folder / "roots"
        roots.mkdir()
        self.servers = {name: Server(world, roots / name, name, address, self.desk.key) for name, address in addresses.items()}
        (folder / "k3s").write_text(K3S)
        self.write()

    def content(self, **more) -> dict:
        nodes = [
            {"name": name, "role": "control" if name == "cp-1" else "edge", "address": address, "provider": name, "region": "r"}
            for name, address in self.addresses.items()
        ]
        return cluster(nodes, kubernetes={"k3s": {"version": "v1.33.5+k3s1", "file": {"amd64": "k3s", "arm64": "k3s"}}}, **more)

    def write(self, **more):
        self.desk.write(self.content(**{"access": {"adminCIDRs": ["198.51.100.0/24"], "revertAfter": "10s"}, **more}))

    def wipe(self):
        for server in self.servers.values():
            server.wipe()

    def connections(self) -> dict:
        return {name: server.connections() for name, server in self.servers.items()}


@pytest.fixture(scope="module")
def built(shared_world, tmp_path_factory):
    return Fleet(shared_world, tmp_path_factory.mktemp("fleet"))


@pytest.fixture
def fleet(built):
    """Servers as they come from the provider, and the first cluster file."""
    built.wipe()
    built.write()
    return built


def test_from_nothing_to_all_and_then_nothing_more(fleet):
    desk = fleet.desk
    before = fleet.connections()
    text = desk.deploy("plan", "--only", "nodes", status=2)
    assert "+ node/edge-1 /etc/rancher/k3s/config.yaml" in text and "! node/cp-1 restarts k3s.service" in text
    assert "nodes: 3 to change, 0 unchanged" in text
    assert all(server.read("/etc/rancher/k3s/config.yaml") is None for server in fleet.servers.values()), "a plan changes nothing"
    with ProcessWatch() as watch:
        text = desk.apply()
    assert text.rstrip().endswith("applied")
    # The plan; the facts, the binary, the changes, and the new connection that proves them; cp-1 tells its tokens in one more.
    after = fleet.connections()
    assert {name: after[name] - before[name] for name in after} == {"cp-1": 6, "edge-1": 5, "edge-2": 5}
    rendered = desk.folder / "out"
    assert deploy("render", "--file", desk.folder / "bashupload.yaml", "--output", rendered).returncode == 0
    for name, server in fleet.servers.items():
        tree = rendered / "nodes" / name
        for path in (path for path in tree.rglob("*") if path.is_file()):
            inside = "/" + str(path.relative_to(tree))
            assert server.read(inside) == path.read_text(), f"{name} {inside}"
            assert server.mode(inside) == oct(path.stat().st_mode & 0o777)[2:], f"{name} {inside}"
        assert server.read("/usr/local/bin/k3s") == K3S and server.mode("/usr/local/bin/k3s") == "755"
        assert "table inet bashupload" in server("nft", "list", "tables").stdout
        assert server.read("/var/lib/bashupload/pending/id") is None
        calls = server.calls()
        unit = "k3s.service" if name == "cp-1" else "k3s-agent.service"
        assert calls.count(f"restart {unit}") == 1 and f"enable --quiet {unit}" in calls
    secrets(fleet, watch)

    calls = {name: server.calls() for name, server in fleet.servers.items()}
    states = {name: server.state() for name, server in fleet.servers.items()}
    before = fleet.connections()
    assert "nothing to change" in desk.apply()
    after = fleet.connections()
    assert {name: after[name] - before[name] for name in after} == {"cp-1": 1, "edge-1": 1, "edge-2": 1}
    assert {name: server.calls() for name, server in fleet.servers.items()} == calls
    assert {name: server.state() for name, server in fleet.servers.items()} == states
    assert "0 to change, 3 unchanged" in desk.deploy("plan", "--only", "nodes", status=0)


def secrets(fleet, watch):
    """They are where they belong, for root alone, and have been seen nowhere else."""
    cp, edge = fleet.servers["cp-1"], fleet.servers["edge-1"]
    agent = cp.read("/var/lib/rancher/k3s/server/agent-token")
    assert agent and edge.read("/etc/rancher/k3s/token") == agent
    assert edge.read("/etc/rancher/k3s/agent-token") is None
    own = cp.read("/etc/rancher/k3s/token")
    assert own != cp.read("/etc/rancher/k3s/agent-token") and len(own.strip()) == 64
    credentials = cp.read("/etc/rancher/k3s/config.yaml.d/50-snapshots.yaml")
    assert all(value in credentials for value in SECRETS.values())
    assert edge.read("/etc/rancher/k3s/config.yaml.d/50-snapshots.yaml") is None
    for server, path in (
        (cp, "/etc/rancher/k3s/token"), (cp, "/etc/rancher/k3s/agent-token"), (edge, "/etc/rancher/k3s/token"),
        (cp, "/etc/rancher/k3s/config.yaml.d/50-snapshots.yaml"),
    ):
        assert server.mode(path) == "600", path
    values = [*SECRETS.values(), own.strip(), agent.strip(), cp.read("/etc/rancher/k3s/agent-token").strip()]
    assert any("ssh -o BatchMode=yes" in line for line in watch.seen), "the watch has seen what was run"
    for value in values:
        assert not [line for line in watch.seen if value in line]
        assert value not in fleet.desk.output
        for server in fleet.servers.values():
            assert value not in server.log.read_text() and value not in (server.read("/var/log/systemctl.log") or "")
            assert server("grep", "-rlF", value, "/tmp", "/run", "/var/log", "/var/lib/bashupload", check=False).stdout == ""


def test_what_changes_is_told_and_nobody_else(fleet):
    desk = fleet.desk
    desk.apply()
    calls = {name: server.calls() for name, server in fleet.servers.items()}
    fleet.write(access={"adminCIDRs": ["198.51.100.0/25"], "revertAfter": "10s"})
    text = desk.apply()
    assert "~ node/edge-1 /etc/bashupload/firewall.nft" in text and "config.yaml" not in text
    for name, server in fleet.servers.items():
        new = server.calls()[len(calls[name]):]
        assert [call for call in new if call.startswith(("restart", "try"))] == ["restart bashupload-firewall.service"], name
        assert "198.51.100.0/25" in server("nft", "list", "ruleset").stdout
    # Somebody has changed a file by hand, and its permissions.
    edge = fleet.servers["edge-1"]
    edge("sh", "-c", "echo x >>/etc/sysctl.d/90-bashupload.conf; chmod 644 /etc/rancher/k3s/config.yaml")
    text = desk.deploy("plan", "--only", "nodes", status=2)
    assert "~ node/edge-1 /etc/sysctl.d/90-bashupload.conf" in text and "~ node/edge-1 /etc/rancher/k3s/config.yaml" in text
    assert "! node/edge-1 restarts systemd-sysctl.service" in text and "restarts k3s" not in text and "2 unchanged" in text
    desk.apply("--only", "node/edge-1", status=64)  # given twice
    desk.deploy("apply", "--only", "node/edge-1", "--yes")
    assert edge.mode("/etc/rancher/k3s/config.yaml") == "600"
    # What is not wanted any more goes, but only what was ours.
    edge("sh", "-c", "echo theirs >/etc/sysctl.d/99-theirs.conf")
    fleet.write(features={"dynamicAddress": {"enabled": True}})
    desk.apply()
    assert edge.read("/usr/local/lib/bashupload/address") and "bashupload-address.timer" in str(edge.calls())
    fleet.write()
    assert "- node/edge-1 /usr/local/lib/bashupload/address" in desk.apply()
    assert edge.read("/usr/local/lib/bashupload/address") is None and edge.read("/etc/sysctl.d/99-theirs.conf") == "theirs\n"
    assert "nothing to change" in desk.apply()


def test_a_change_that_would_lock_us_out_comes_back_by_itself(fleet):
    """A jump host by its outer address: nodes see another one, so their firewall would let nobody in."""
    desk = fleet.desk
    desk.apply()
    table = fleet.servers["edge-1"].read("/etc/bashupload/firewall.nft")
    rules = fleet.servers["edge-1"]("nft", "list", "ruleset").stdout
    # No network of administrators and only one way in, which is not the one that is used.
    content = fleet.content(access={"revertAfter": "10s", "adminCIDRs": []})
    content["access"]["adminCIDRs"] = ["192.0.2.200/32"]
    for node in content["nodes"]:
        node["ssh"] = {"jumpHost": {"address": "192.0.2.201"}}
    desk.write(content)
    # The test's own way does not go by a jump host: ssh of this desk has none, whatever it is asked for.
    wrapper = desk.folder / "bin"
    wrapper.mkdir(exist_ok=True)
    (wrapper / "ssh").write_text(
        '#!/bin/sh\nfor word; do shift; case $word in ProxyCommand=*) word=ProxyCommand=none ;; esac; set -- "$@" "$word"; done\nexec /usr/bin/ssh "$@"\n'
    )
    (wrapper / "ssh").chmod(0o755)
    text = desk.deploy_with(wrapper, "apply", "--only", "node/edge-1", "--yes", status=1)
    assert "have come back by themselves" in text and "access.jumpHost" in text
    edge = fleet.servers["edge-1"]
    assert edge.read("/etc/bashupload/firewall.nft") == table

    def without_counters(text):
        return [line for line in text.splitlines() if "elements" not in line and "expires" not in line]

    assert without_counters(edge("nft", "list", "ruleset").stdout) == without_counters(rules)
    assert edge.read("/var/lib/bashupload/pending/id") is None
    fleet.write()
    desk.apply()
    assert "nothing to change" in desk.apply()


def test_a_machine_that_starts_again_before_the_proof_starts_with_what_was_proven(fleet):
    desk = fleet.desk
    desk.apply()
    edge = fleet.servers["edge-1"]
    proven = edge.read("/etc/bashupload/firewall.nft")
    fleet.write(access={"adminCIDRs": ["198.51.100.0/26"], "revertAfter": "10m"})
    # Killed when the new table is loaded, which is after it has been written.
    edge("sh", "-c", "echo 'restart bashupload-firewall.service' >/run/killed-at")
    desk.deploy("apply", "--only", "node/edge-1", "--yes", status=1)
    assert "198.51.100.0/26" in edge.read("/etc/bashupload/firewall.nft")
    assert edge.read("/var/lib/bashupload/pending/id")
    # What bashupload-revert.service does before the network.
    edge("/usr/local/lib/bashupload/revert")
    assert edge.read("/etc/bashupload/firewall.nft") == proven and edge.read("/var/lib/bashupload/pending/id") is None
    assert "~ node/edge-1 /etc/bashupload/firewall.nft" in desk.apply()
    assert "nothing to change" in desk.apply()


def test_an_unproven_change_is_not_taken_for_done(fleet):
    """Neither by a run that wants the same, nor by one that wants the old back."""
    desk, edge = fleet.desk, fleet.servers["edge-1"]
    desk.apply()
    proven = edge.read("/etc/bashupload/firewall.nft")
    for unproven, networks in (("198.51.100.0/26", ["198.51.100.0/26"]), ("198.51.100.0/27", ["198.51.100.0/24"])):
        fleet.write(access={"adminCIDRs": [unproven], "revertAfter": "10m"})
        edge("sh", "-c", "echo 'restart bashupload-firewall.service' >/run/killed-at")
        desk.deploy("apply", "--only", "node/edge-1", "--yes", status=1)
        assert edge.read("/var/lib/bashupload/pending/id")
        fleet.write(access={"adminCIDRs": networks, "revertAfter": "10s"})
        desk.apply()
        assert networks[0] in edge.read("/etc/bashupload/firewall.nft") and edge.read("/var/lib/bashupload/pending/id") is None
        assert networks[0] in edge("nft", "list", "ruleset").stdout
    assert edge.read("/etc/bashupload/firewall.nft") == proven
    assert "nothing to change" in desk.apply()


def test_an_edge_killed_at_every_step_is_finished_by_the_next_run(world, tmp_path):
    """Eighteen edges, each killed at another step, until there is no step left."""
    edges = {f"edge-{number}": f"192.0.2.{number}" for number in range(1, 19)}
    fleet = Fleet(world, tmp_path, {"cp-1": "203.0.113.10", **edges})
    fleet.desk.apply()
    interrupted = killed(fleet, list(edges), first=1, stride=len(edges))
    assert interrupted >= 30, f"only {interrupted} steps were interrupted"


def test_a_control_node_killed_at_some_steps_is_finished_by_the_next_run(fleet):
    """Every eighth step; which ones is a matter of the seed."""
    fleet.desk.apply()
    first = seeded("killed control node").randint(1, 8)
    assert killed(fleet, ["cp-1"], first=first, stride=8) >= 4


def killed(fleet, names: list, first: int, stride: int) -> int:
    """Wipes, kills the script at a step, runs again, compares; returns how many steps were interrupted."""
    desk, servers = fleet.desk, [fleet.servers[name] for name in names]
    wanted = [final(server) for server in servers]
    step, interrupted = first, 0
    only = ["--only", "nodes"] if len(names) > 1 else ["--only", f"node/{names[0]}"]
    while True:
        for offset, server in enumerate(servers):
            server.wipe()
            server("sh", "-c", f"echo {step + offset} >/run/mine")
        desk.deploy("apply", *only, "--yes", status=None)
        left = [server("rm", "/run/mine", check=False).returncode == 0 for server in servers]
        interrupted += left.count(False)
        if all(left):
            return interrupted
        desk.deploy("apply", *only, "--yes")
        assert [final(server) for server in servers] == wanted, f"killed at {step}"
        step += stride


def final(server) -> dict:
    """What has to be the same whatever came before; tokens are made anew on each wiped control node."""
    state = server.state()
    return {
        path: facts[0] if "token" in path or path.endswith("stamps/kubernetes") else facts
        for path, facts in state.items()
        # What a killed script was about to rename is nobody's.
        if not path.startswith("/var/lib/bashupload/reverted") and not path.endswith(("-new", "/.new", "files.new", "files.all"))
    }


def test_a_server_that_is_down_is_named_and_the_others_go_on(fleet):
    desk, down = fleet.desk, fleet.servers["edge-2"]
    down.stop_sshd()
    try:
        text = desk.apply(status=1)
        assert "node/edge-2: not reachable" in text and "not as they should be: edge-2" in text
        assert fleet.servers["edge-1"].read("/etc/rancher/k3s/token")
        assert "restart k3s-agent.service" in fleet.servers["edge-1"].calls()
    finally:
        down.start_sshd()
    text = desk.apply()
    assert "node/edge-2: done" in text and "node/edge-1: done" not in text


def test_keys_of_the_mesh_are_made_on_the_servers_and_stay_there(fleet):
    desk = fleet.desk
    fleet.write(mesh={"type": "wireguard"})
    with ProcessWatch() as watch:
        desk.apply()
    keys = {name: server.read("/etc/wireguard/wg-bashupload.key").strip() for name, server in fleet.servers.items()}
    for name, server in fleet.servers.items():
        conf = server.read("/etc/wireguard/wg-bashupload.conf")
        assert server.mode("/etc/wireguard/wg-bashupload.key") == "600" == server.mode("/etc/wireguard/wg-bashupload.conf")
        for other, key in keys.items():
            public = server("wg", "pubkey", input=key).stdout.strip()
            assert (f"PublicKey = {public}\n" in conf) == (other != name) and (f"# public key: {public}\n" in conf) == (other == name) and key not in conf
            assert key not in desk.output and not [line for line in watch.seen if key in line]
            assert other == name or server("grep", "-rlF", key, "/etc", "/var/lib/bashupload", "/tmp", "/run", check=False).stdout == ""
    # One is away: the others know its key from one another, and keep it.
    fleet.servers["edge-2"].stop_sshd()
    try:
        text = desk.apply(status=1)
        assert "edge-2: not reachable" in text and "wg-bashupload.conf" not in text
    finally:
        fleet.servers["edge-2"].start_sshd()
    assert "nothing to change" in desk.apply()


def test_k3s_comes_by_url_with_its_digest(fleet):
    desk = fleet.desk
    content = fleet.content(access={"adminCIDRs": ["198.51.100.0/24"], "revertAfter": "10s"})
    served = desk.folder / "served/v1.33.5+k3s1"
    served.mkdir(parents=True, exist_ok=True)
    (served / "k3s").write_text(K3S)
    desk.machine.start("python3", "-m", "http.server", "--directory", served.parent, "8000", stdout=-3, stderr=-3)
    eventually(lambda: desk.machine("curl", "-s", "http://198.51.100.7:8000/", check=False).returncode == 0, 20)
    k3s = {"version": "v1.33.5+k3s1", "url": "http://198.51.100.7:8000/{version}/{binary}"}
    wrong = "0" * 63 + "1"
    for digest, status in ((wrong, 1), (hashlib.sha256(K3S.encode()).hexdigest(), 0)):
        content["kubernetes"]["k3s"] = {**k3s, "sha256": {"amd64": digest, "arm64": digest}}
        desk.write(content)
        text = desk.deploy("apply", "--only", "node/cp-1", "--yes", status=status)
        if status:
            assert f"not {wrong}" in text
            assert fleet.servers["cp-1"].read("/usr/local/bin/k3s") is None
            assert fleet.servers["cp-1"].read("/usr/local/bin/k3s.bashupload-new") is None
    assert fleet.servers["cp-1"].read("/usr/local/bin/k3s") == K3S


def test_certificates_that_are_about_to_end_restart_k3s(fleet):
    """k3s renews them only when it starts; here the test does it in its place."""
    desk, cp = fleet.desk, fleet.servers["cp-1"]
    desk.apply()

    def issue(days):
        folder = "/var/lib/rancher/k3s/server/tls"
        cp("sh", "-c", f"mkdir -p {folder} && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=admin "
           f"-days {days} -keyout /dev/null -out {folder}/client-admin.crt 2>/dev/null")

    issue(100)
    assert "nothing to change" in desk.apply()
    issue(80)
    text = desk.apply()
    assert "! node/cp-1 restarts k3s.service" in text and re.search(r"end in (79|80) days", text) and "node/edge-1: done" not in text
    assert cp.calls().count("restart k3s.service") == 2
    issue(365)
    assert "nothing to change" in desk.apply()


def test_a_new_token_for_the_agents(fleet):
    desk, cp, edge = fleet.desk, fleet.servers["cp-1"], fleet.servers["edge-1"]
    desk.apply()
    old, own = edge.read("/etc/rancher/k3s/token"), cp.read("/etc/rancher/k3s/token")
    with ProcessWatch() as watch:
        text = desk.deploy("rotate", "--yes")
    new = cp.read("/var/lib/rancher/k3s/server/agent-token")
    assert "every node has the new token" in text and new != old
    assert all(fleet.servers[name].read("/etc/rancher/k3s/token") == new for name in ("edge-1", "edge-2"))
    assert cp.read("/etc/rancher/k3s/token") == own and edge.calls().count("restart k3s-agent.service") == 2
    for value in (old.strip(), new.strip(), cp.read("/etc/rancher/k3s/agent-token").strip()):
        assert value not in desk.output and not [line for line in watch.seen if value in line]
    assert "nothing to change" in desk.apply()


def test_a_changed_public_address_is_told_to_k3s_once(fleet):
    """The order: where k3s reads it, the restart, and only then it is known; a failed restart is tried again."""
    desk, edge = fleet.desk, fleet.servers["edge-1"]
    fleet.write(features={"dynamicAddress": {"enabled": True}})
    desk.apply()
    watch = "/usr/local/lib/bashupload/address"

    def world_sees(text):
        edge("sh", "-c", f"printf '#!/bin/sh\\n{text}\\n' >/usr/local/sbin/curl; chmod 755 /usr/local/sbin/curl")

    try:
        world_sees(f"echo ip={edge.address}")
        edge(watch)
        assert edge.read("/etc/rancher/k3s/config.yaml.d/60-address.yaml") is None
        world_sees("echo ip=198.18.0.9")
        edge("mv", "/usr/local/bin/k3s", "/usr/local/bin/k3s.away")
        assert edge(watch, check=False).returncode != 0
        edge("mv", "/usr/local/bin/k3s.away", "/usr/local/bin/k3s")
        calls = edge.calls()
        assert edge(watch).stdout == "the public address is 198.18.0.9 now; k3s has been restarted with it\n"
        assert edge.read("/etc/rancher/k3s/config.yaml.d/60-address.yaml") == "node-external-ip: 198.18.0.9\n"
        assert edge.calls()[len(calls):] == ["restart k3s-agent.service"]
        assert edge(watch).stdout == "" and edge.calls()[len(calls):] == ["restart k3s-agent.service"]
        # Nonsense and silence change nothing.
        for answer in ("echo ip=1.2.3", "echo ip=1.2.3.4.5", "exit 7"):
            world_sees(answer)
            done = edge(watch, check=False)
            assert done.returncode == 1 and "k3s keeps the one that it has" in done.stderr
        assert edge.read("/etc/rancher/k3s/config.yaml.d/60-address.yaml") == "node-external-ip: 198.18.0.9\n"
    finally:
        edge("rm", "-f", "/usr/local/sbin/curl")
    # Without the feature nothing of it stays.
    fleet.write()
    desk.apply()
    assert edge.read("/etc/rancher/k3s/config.yaml.d/60-address.yaml") is None
    assert "disable --quiet --now bashupload-address.timer" in edge.calls()
    assert "nothing to change" in desk.apply()


def test_commands_are_shown_without_secrets(fleet):
    text = fleet.desk.deploy("plan", "--only", "nodes", "--print-commands", status=2)
    lines = [line for line in text.splitlines() if "$ ssh " in line]
    assert len(lines) == 3 and all("root@" in line and "/bin/sh -s <(" in line for line in lines)
    assert not any(value in text for value in SECRETS.values())
    assert str(HERE) not in text


class Trio(Fleet):
    """Three control nodes in one place, and two edges elsewhere."""

    PLACES = {"cp-1": "203.0.113.10", "cp-2": "203.0.113.12", "cp-3": "203.0.113.13", "edge-1": "192.0.2.33", "edge-2": "192.0.2.34"}

    def __init__(self, world, folder):
        super().__init__(world, folder, self.PLACES)

    def content(self, **more) -> dict:
        kubernetes = more.pop("kubernetes", {})
        content = super().content(**more)
        content["kubernetes"] |= kubernetes
        for number, node in enumerate(content["nodes"]):
            if node["name"].startswith("cp-"):
                node |= {"role": "control", "provider": "a", "privateAddress": f"10.9.0.{number + 1}"}
        return content

    def restarts(self) -> list:
        """(begin, end, name) of every restart of k3s."""
        return sorted(
            (*map(int, line.split()), name) for name, server in self.servers.items() for line in (server.read("/var/log/k3s-restarts") or "").splitlines()
        )

    def controls_one_at_a_time(self, restarts):
        order = [restart for restart in restarts if restart[2].startswith("cp-")]
        assert all(one[1] <= other[0] for one, other in zip(order, order[1:])), order
        return [name for _, _, name in order]


def test_three_control_nodes_restart_one_at_a_time_and_never_while_another_is_away(world, tmp_path):
    trio = Trio(world, tmp_path)
    desk, servers = trio.desk, trio.servers
    desk.apply()
    restarts = trio.restarts()
    assert trio.controls_one_at_a_time(restarts) == ["cp-1", "cp-2", "cp-3"]
    assert [name for _, _, name in restarts][:3] == ["cp-1", "cp-2", "cp-3"] and len(restarts) == 5, "edges come after all of them"
    assert servers["cp-2"].read("/etc/rancher/k3s/token") == servers["cp-1"].read("/var/lib/rancher/k3s/server/token")
    assert "\nserver: " in servers["cp-3"].read("/etc/rancher/k3s/config.yaml")
    assert "cluster-init" not in servers["cp-2"].read("/etc/rancher/k3s/config.yaml")
    assert "nothing to change" in desk.apply()

    # One is away: the majority is two, so none of the two restarts; edges are not concerned.
    trio.write(kubernetes={"snapshots": {"keep": 9}})
    servers["cp-2"].stop_sshd()
    try:
        text = desk.apply(status=1)
        assert "node/cp-1: left alone: cp-2 is not as it should be" in text and "node/cp-3: left alone: cp-1 is not" in text
        assert trio.restarts() == restarts
    finally:
        servers["cp-2"].start_sshd()

    # Interrupted in the second: the third keeps the majority with the first.
    servers["cp-2"]("sh", "-c", "echo 'restart k3s.service' >/run/killed-at")
    text = desk.apply(status=1)
    assert "node/cp-3: left alone: cp-2 is not as it should be" in text
    assert trio.controls_one_at_a_time(trio.restarts()[len(restarts):]) == ["cp-1", "cp-2"]
    desk.apply()
    assert trio.controls_one_at_a_time(trio.restarts()[len(restarts):]) == ["cp-1", "cp-2", "cp-2", "cp-3"]
    assert "nothing to change" in desk.apply()

    # One does not run: it is started before another is restarted, whatever the order of the file.
    restarts = trio.restarts()
    for name in ("cp-1", "cp-2", "cp-3"):
        servers[name]("sh", "-c", "mkdir -p /var/lib/rancher/k3s/server/db/etcd/member; "
                      f"echo 'advertise-client-urls: https://10.9.0.{name[-1]}:2379' >/var/lib/rancher/k3s/server/db/etcd/config")
    assert "nothing to change" in desk.apply()
    servers["cp-3"]("systemctl", "stop", "k3s.service")
    trio.write(kubernetes={"snapshots": {"keep": 8}})
    desk.apply()
    assert trio.controls_one_at_a_time(trio.restarts()[len(restarts):]) == ["cp-3", "cp-1", "cp-2"]
    assert "nothing to change" in desk.apply()

    # A member of etcd keeps its address.
    before = {name: server.state() for name, server in servers.items()}
    servers["cp-2"]("sh", "-c", "sed -i s/10.9.0.2/10.9.0.77/ /var/lib/rancher/k3s/server/db/etcd/config")
    text = desk.apply(status=1)
    assert "cp-2 is a member of etcd with the address 10.9.0.77, and the file gives it 10.9.0.2" in text
    servers["cp-2"]("sh", "-c", "sed -i s/10.9.0.77/10.9.0.2/ /var/lib/rancher/k3s/server/db/etcd/config")
    assert {name: server.state() for name, server in servers.items()} == before

    # A new token of the servers: k3s changes it, the others get it one after the other, agents keep theirs.
    restarts, old, agent = trio.restarts(), servers["cp-2"].read("/etc/rancher/k3s/token"), servers["edge-1"].read("/etc/rancher/k3s/token")
    with ProcessWatch() as watch:
        # Killed when k3s has made it and nobody has taken it; the connection that is tried again takes it.
        servers["cp-1"]("sh", "-c", "echo 1 >/run/mine")
        text = desk.deploy("rotate", "servers", "--yes")
    new = servers["cp-1"].read("/var/lib/rancher/k3s/server/token")
    assert servers["cp-1"].read("/run/mine") is None, "it was interrupted"
    assert "every control node has the new token" in text and new != old
    assert servers["cp-1"].read("/etc/rancher/k3s/token").strip() == new.strip().removeprefix("K10authority::server:")
    assert all(servers[name].read("/etc/rancher/k3s/token") == new for name in ("cp-2", "cp-3"))
    assert servers["edge-1"].read("/etc/rancher/k3s/token") == agent
    assert trio.controls_one_at_a_time(trio.restarts()[len(restarts):]) == ["cp-1", "cp-2", "cp-3"]
    value = new.strip().removeprefix("K10authority::server:")
    assert value not in desk.output and not [line for line in watch.seen if value in line]
    servers["cp-3"].stop_sshd()
    try:
        assert "nothing has been changed" in desk.deploy("rotate", "servers", "--yes", status=1)
        assert servers["cp-1"].read("/var/lib/rancher/k3s/server/token") == new
    finally:
        servers["cp-3"].start_sshd()

    # Another key of the snapshots' bucket: the file and a restart, on control nodes only.
    restarts = trio.restarts()
    desk.apply_with({"R2_ACCESS_KEY_ID": "planted-access-key-73", "R2_SECRET_ACCESS_KEY": "planted-secret-key-74"})
    assert trio.controls_one_at_a_time(trio.restarts()[len(restarts):]) == ["cp-1", "cp-2", "cp-3"] and len(trio.restarts()) == len(restarts) + 3
    assert all("planted-secret-key-74" in servers[name].read("/etc/rancher/k3s/config.yaml.d/50-snapshots.yaml") for name in ("cp-1", "cp-2", "cp-3"))
    assert "planted-secret-key-74" not in desk.output


def test_passwords_that_another_file_allows_are_found_and_nothing_is_changed(fleet):
    desk, edge = fleet.desk, fleet.servers["edge-1"]
    desk.apply()
    edge("sh", "-c", "sed -i '1i PasswordAuthentication yes' /etc/ssh/sshd_config && echo '# theirs' >>/etc/ssh/sshd_config.d/00-bashupload.conf")
    try:
        text = desk.apply(status=1)
        assert "sshd would still take passwords" in text and "grep -rn PasswordAuthentication /etc/ssh" in text
        assert "# theirs" in edge.read("/etc/ssh/sshd_config.d/00-bashupload.conf")
        assert edge.read("/var/lib/bashupload/pending/id") is None
    finally:
        edge("sed", "-i", "1d", "/etc/ssh/sshd_config")
    desk.apply()
    assert "# theirs" not in edge.read("/etc/ssh/sshd_config.d/00-bashupload.conf")


def test_packages_wait_for_whoever_installs_on_a_new_machine(fleet):
    """cloud-init or unattended-upgrades have the lock for a while."""
    edge = fleet.servers["edge-1"]
    edge("sh", "-c", "mv /usr/local/sbin/apt-get /usr/local/sbin/apt-get.test && cat >/usr/local/sbin/apt-get && chmod 755 /usr/local/sbin/apt-get",
         input="#!/bin/sh\nif [ -e /run/tried ]; then exec /usr/local/sbin/apt-get.test \"$@\"; fi\ntouch /run/tried\n"
               "echo 'E: Could not get lock /var/lib/apt/lists/lock' >&2\nexit 100\n")
    try:
        assert "node/edge-1: done" in fleet.desk.apply()
        assert "nftables" in edge.read("/var/lib/installed")
    finally:
        edge("sh", "-c", "mv /usr/local/sbin/apt-get.test /usr/local/sbin/apt-get; rm -f /run/tried")


def test_routes_of_router_advertisements_outlive_forwarding(fleet):
    """The kernel ignores them on a machine that forwards, unless it is told otherwise for each interface that is there."""
    content = fleet.content(access={"adminCIDRs": ["198.51.100.0/24"], "revertAfter": "10s"})
    for number, node in enumerate(content["nodes"]):
        node["address6"] = f"2001:db8::{number + 1}"
    fleet.desk.write(content)
    edge = fleet.servers["edge-1"]
    edge("sh", "-c", "echo 1 >/proc/sys/net/ipv6/conf/uplink/accept_ra")
    fleet.desk.apply()
    assert edge.read("/proc/sys/net/ipv6/conf/uplink/accept_ra") == "2\n"


def test_a_firewall_that_somebody_has_flushed_comes_back(fleet):
    """systemd still says that its unit is active."""
    desk, edge = fleet.desk, fleet.servers["edge-1"]
    desk.apply()
    edge("nft", "delete", "table", "inet", "bashupload")
    assert "! node/edge-1 restarts bashupload-firewall.service" in desk.apply()
    assert "hook input" in edge("nft", "list", "table", "inet", "bashupload").stdout
    assert "nothing to change" in desk.apply()


def test_a_firewall_file_that_is_gone_comes_back(fleet):
    desk, edge = fleet.desk, fleet.servers["edge-1"]
    desk.apply()
    table = edge.read("/etc/bashupload/firewall.nft")
    edge("rm", "/etc/bashupload/firewall.nft")
    assert "! node/edge-1 restarts bashupload-firewall.service" in desk.apply()
    assert edge.read("/etc/bashupload/firewall.nft") == table


@pytest.mark.parametrize("rules, place", [
    # As images of Oracle bring them: rules that no service owns.
    (["iptables -A INPUT -m state --state ESTABLISHED -j ACCEPT", "iptables -A INPUT -p tcp --dport 22 -j ACCEPT", "iptables -A INPUT -j REJECT"], "INPUT (hook input)"),
    (["iptables -A FORWARD -j REJECT"], "FORWARD (hook forward)"),
    (["ip6tables -P INPUT DROP"], "ip6 filter INPUT (hook input)"),
    (["nft add table inet mine", "nft add chain inet mine in { type filter hook input priority 5 ; policy accept ; }",
      "nft add chain inet mine last", "nft add rule inet mine last counter drop", "nft add rule inet mine in tcp dport 22 accept",
      "nft add rule inet mine in jump last"], "inet mine in (hook input)"),
])
def test_a_firewall_of_somebody_else_is_told_by_plan_and_refused_by_apply(fleet, rules, place):
    """Asked of the kernel and not of the names of services: what our table accepts, a later chain still drops."""
    edge = fleet.servers["edge-1"]
    try:
        for rule in rules:
            edge("sh", "-c", rule.replace(";", "\\;").replace("{", "'{'").replace("}", "'}'"))
        text = fleet.desk.deploy("plan", "--only", "node/edge-1", status=2)
        assert place in text and "a firewall that is not ours" in text, text
        text = fleet.desk.deploy("apply", "--only", "nodes", "--yes", status=1)
        assert "node/edge-1: a firewall that is not ours" in text and "applied" not in text
        assert edge.read("/etc/bashupload/firewall.nft") is None and fleet.servers["edge-2"].read("/etc/bashupload/firewall.nft")
    finally:
        for words in ("iptables -P INPUT ACCEPT", "iptables -F INPUT", "iptables -F FORWARD", "ip6tables -P INPUT ACCEPT"):
            edge(*words.split(), check=False)
        edge("nft", "delete", "table", "inet", "mine", check=False)


def test_rules_that_drop_only_some_packets_are_nobodys_business(fleet):
    """What k3s, fail2ban and the like do: conditions, chains that return, a policy that accepts."""
    edge = fleet.servers["edge-1"]
    rules = (
        "iptables -N KUBE-FIREWALL; iptables -A KUBE-FIREWALL -m mark --mark 0x8000/0x8000 -j DROP; iptables -A INPUT -j KUBE-FIREWALL; "
        "iptables -N KUBE-LAST; iptables -A KUBE-LAST -j DROP; iptables -A FORWARD -j KUBE-LAST; "
        "iptables -N f2b; iptables -A f2b -s 192.0.2.9 -j REJECT; iptables -A f2b -j RETURN; iptables -A INPUT -j f2b; iptables -A INPUT -s 192.0.2.8 -j DROP"
    )
    try:
        edge("sh", "-ec", rules)
        assert "a firewall that is not ours" not in fleet.desk.deploy("plan", "--only", "node/edge-1", status=2)
    finally:
        edge("sh", "-c", "iptables -F INPUT; iptables -F FORWARD; for each in KUBE-FIREWALL KUBE-LAST f2b; do iptables -F $each; iptables -X $each; done")
