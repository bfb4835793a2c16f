"""The generated table in front of real connections: hostPorts by translation, strangers, nodes, a flood; both families."""

import pytest

from clusters import cluster, render

CP, CP6 = "203.0.113.10", "2001:db8:c::10"
EDGE, EDGE6 = "203.0.113.11", "2001:db8:e::11"
STRANGER, STRANGER6 = "192.0.2.66", "2001:db8:bad::66"
ADMIN, ADMIN6 = "198.51.100.7", "2001:db8:a::7"
POD, POD6 = "10.42.1.5", "fd42::5"
SILENCE = 1  # seconds without an answer that are a no; a yes takes microseconds


class Net:
    """A control node, an edge with a pod behind two hostPorts, a stranger and an administrator."""

    def __init__(self, world, folder):
        nodes = [
            {"name": "cp-1", "role": "control", "address": CP, "address6": CP6, "provider": "a", "region": "r"},
            {"name": "edge-1", "role": "edge", "address": EDGE, "address6": EDGE6, "provider": "b", "region": "r"},
        ]
        access = {"adminCIDRs": ["198.51.100.0/24", "2001:db8:a::/48"]}
        trees = render(folder, cluster(nodes, access=access))
        self.tables = {name: trees / name / "etc/bashupload/firewall.nft" for name in ("cp-1", "edge-1")}
        self.cp = world.machine("cp-1", CP, CP6)
        self.edge = world.machine("edge-1", EDGE, EDGE6)
        self.stranger = world.machine("stranger", STRANGER, STRANGER6, "169.254.169.254")
        self.admin = world.machine("admin", ADMIN, ADMIN6)
        self.pod(world)
        self.cp.listen("tcp:22", "tcp:6443", "tcp:10250", "tcp:2379", "udp:51820", "tcp:9000")
        self.edge.listen("tcp:22", "tcp:10250", "tcp:9000", "udp:51820", "udp:8472")
        self.stranger.listen("tcp:80", "tcp:443")

    def pod(self, world):
        """What flannel and the portmap plugin leave on a node: a bridge, and translated ports in the nat table."""
        edge, pod = self.edge, world.add("pod")
        edge("ip", "link", "add", "cni0", "type", "bridge")
        edge("ip", "address", "add", "10.42.1.1/24", "dev", "cni0")
        edge("ip", "address", "add", "fd42::1/64", "dev", "cni0", "nodad")
        edge("ip", "link", "set", "cni0", "up")
        edge("ip", "link", "add", "veth0", "type", "veth", "peer", "name", "eth0", "netns", pod.space)
        edge("ip", "link", "set", "veth0", "master", "cni0", "up")
        for address, gateway in ((f"{POD}/24", "10.42.1.1"), (f"{POD6}/64", "fd42::1")):
            pod("ip", "address", "add", address, "dev", "eth0", *(["nodad"] if ":" in address else []))
        pod("ip", "link", "set", "eth0", "up")
        pod("ip", "route", "add", "default", "via", "10.42.1.1")
        pod("ip", "-6", "route", "add", "default", "via", "fd42::1")
        edge("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
        for tables, address in (("iptables", POD), ("ip6tables", f"[{POD6}]")):
            edge(tables, "-t", "nat", "-N", "CNI-HOSTPORT-DNAT")
            edge(tables, "-t", "nat", "-A", "PREROUTING", "-m", "addrtype", "--dst-type", "LOCAL", "-j", "CNI-HOSTPORT-DNAT")
            for outside, inside in ((80, 8080), (443, 8443), (8081, 9999), (30080, 8080)):
                edge(tables, "-t", "nat", "-A", "CNI-HOSTPORT-DNAT", "-p", "tcp", "--dport", outside, "-j", "DNAT", "--to-destination", f"{address}:{inside}")
            edge(tables, "-t", "nat", "-A", "POSTROUTING", "-s", POD if tables == "iptables" else POD6, "-o", "uplink", "-j", "MASQUERADE")
        pod.listen("tcp:8080", "tcp:8443", "tcp:9999")
        self.pod_machine = pod

    def load(self):
        self.cp("nft", "-f", self.tables["cp-1"])
        self.edge("nft", "-f", self.tables["edge-1"])


@pytest.fixture(scope="module")
def opened(shared_world, tmp_path_factory):
    net = Net(shared_world, tmp_path_factory.mktemp("firewall"))
    before = {
        "stranger": dict(zip(CLOSED, net.stranger.ask(*CLOSED))),
        "nat": [net.edge(f"{tables}-save", "-t", "nat").stdout for tables in ("iptables", "ip6tables")],
    }
    net.load()
    net.load()
    return net, before


OPEN = [f"tcp:{EDGE}:80", f"tcp:{EDGE}:443", f"tcp:{EDGE6}:80", f"tcp:{EDGE6}:443", f"tcp:{EDGE}:22", f"tcp:{CP6}:22"]
CLOSED = [
    f"{kind}:{address}:{port}"
    for addresses, ports in (
        ((EDGE, EDGE6), ("tcp 8081", "tcp 30080", "tcp 9000", "tcp 10250", "udp 51820", "udp 8472")),
        ((CP, CP6), ("tcp 6443", "tcp 10250", "tcp 2379", "udp 51820", "tcp 9000")),
    )
    for address in addresses
    for kind, port in (entry.split() for entry in ports)
]


def test_the_ports_would_be_open_without_the_table(opened):
    """Else what follows would prove nothing: before the table, a stranger reaches every one of them."""
    _, before = opened
    assert [target for target, answer in before["stranger"].items() if answer is None] == []


def test_a_stranger_reaches_the_service_with_his_own_address(opened):
    net, _ = opened
    assert net.stranger.ask(*OPEN) == [STRANGER6 if "2001" in target else STRANGER for target in OPEN]


def test_a_stranger_reaches_nothing_else(opened):
    net, _ = opened
    answers = dict(zip(CLOSED, net.stranger.ask(*CLOSED, patience=SILENCE)))
    assert {target for target, answer in answers.items() if answer is not None} == set()


def test_a_stranger_on_the_segment_does_not_reach_a_pod_by_its_own_address(opened):
    net, _ = opened
    net.stranger("ip", "route", "add", "10.42.1.0/24", "via", EDGE, "dev", "uplink", "onlink")
    assert net.stranger.ask(f"tcp:{POD}:8080", f"tcp:{POD}:9999", patience=SILENCE) == [None, None]


def test_nodes_reach_what_nodes_need(opened):
    net, _ = opened
    from_edge = [f"tcp:{CP}:6443", f"tcp:{CP6}:6443", f"tcp:{CP}:10250", f"udp:{CP}:51820", f"udp:{CP6}:51820"]
    assert net.edge.ask(*from_edge) == [EDGE6 if "2001" in target else EDGE for target in from_edge]
    from_cp = [f"tcp:{EDGE}:10250", f"tcp:{EDGE6}:10250", f"udp:{EDGE}:51820"]
    assert net.cp.ask(*from_cp) == [CP6 if "2001" in target else CP for target in from_cp]
    # Being a node opens no more than that.
    assert net.cp.ask(f"tcp:{EDGE}:9000", f"tcp:{EDGE}:8081", patience=SILENCE) == [None, None]
    assert net.edge.ask(f"tcp:{CP}:9000", f"tcp:{CP}:2379", patience=SILENCE) == [None, None]


def test_administrators_reach_the_api_and_not_the_kubelet(opened):
    net, _ = opened
    assert net.admin.ask(f"tcp:{CP}:6443", f"tcp:{CP6}:6443") == [ADMIN, ADMIN6]
    assert net.admin.ask(f"tcp:{CP}:10250", patience=SILENCE) == [None]


def test_pods_reach_the_world_and_their_node_but_not_the_credentials_of_the_machine(opened):
    net, _ = opened
    answers = net.pod_machine.ask(
        f"tcp:{STRANGER}:443", f"tcp:{STRANGER6}:443", "tcp:10.42.1.1:10250", "tcp:169.254.169.254:443"
    )
    assert answers == [EDGE, EDGE6, POD, EDGE]
    assert net.pod_machine.ask("tcp:169.254.169.254:80", patience=SILENCE) == [None]


def test_a_node_without_a_pod_answers_at_once(opened):
    """While nothing translates the ports, clients hear a reset and try another address; a dropped SYN holds them for minutes."""
    net, _ = opened
    targets = [f"{address}:{port}" for address in (CP, CP6, EDGE, EDGE6) for port in (80, 443)]
    saved = {tables: net.edge(f"{tables}-save", "-t", "nat").stdout for tables in ("iptables", "ip6tables")}
    for tables in saved:
        net.edge(tables, "-t", "nat", "-F", "CNI-HOSTPORT-DNAT")
    try:
        for target in targets:
            address, _, port = target.rpartition(":")
            script = (
                "import socket, time, sys\n"
                "start = time.monotonic()\n"
                f"try: socket.create_connection(({address!r}, {port}), timeout=5); print('open')\n"
                "except ConnectionRefusedError: print('refused' if time.monotonic() - start < 1 else 'late')\n"
                "except OSError as error: print(error)\n"
            )
            assert net.stranger("python3", "-c", script).stdout.strip() == "refused", target
    finally:
        for tables, rules in saved.items():
            net.edge(f"{tables}-restore", input=rules)
    assert net.stranger.ask(f"tcp:{EDGE}:443", f"tcp:{EDGE6}:80") == [STRANGER, STRANGER6]


def test_rules_of_others_are_untouched(opened):
    net, before = opened

    def rules(text):
        return [line for line in text.splitlines() if not line.startswith(("#", ":"))]

    after = [net.edge(f"{tables}-save", "-t", "nat").stdout for tables in ("iptables", "ip6tables")]
    assert [rules(text) for text in after] == [rules(text) for text in before["nat"]] and "CNI-HOSTPORT-DNAT" in after[0]
    tables = net.edge("nft", "list", "tables").stdout.split("\n")
    assert tables.count("table inet bashupload") == 1
    assert net.edge("nft", "list", "chain", "inet", "bashupload", "input").stdout.count("type filter hook input") == 1


@pytest.mark.parametrize("target, flood, same, other", [
    (f"tcp:{EDGE}:22", "192.0.2.80", "192.0.2.80", "192.0.2.81"),
    # A /64 is one source: whoever has one has all of its addresses.
    (f"tcp:{EDGE6}:22", "2001:db8:f:1::1", "2001:db8:f:1::2", "2001:db8:f:2::1"),
])
def test_a_flood_of_ssh_from_one_source_does_not_lock_out_another(opened, target, flood, same, other):
    net, _ = opened
    for address in {flood, same, other}:
        net.stranger("ip", "address", "add", f"{address}/{128 if ':' in address else 32}", "dev", "uplink", *(["nodad"] if ":" in address else []))
    answers = net.stranger.ask(target, times=80, source=flood, patience=3)
    assert 20 <= len([answer for answer in answers if answer]) <= 25, "a burst of 20, then 10 a minute"
    assert net.stranger.ask(target, source=same, patience=SILENCE) == [None]
    assert net.stranger.ask(target, source=other) == [other]
    # Administrators are not counted.
    many = net.admin.ask(target, times=80)
    assert all(many)
