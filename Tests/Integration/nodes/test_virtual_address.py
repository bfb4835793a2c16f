"""keepalived with the generated configuration: the address moves when its node, or the API server on it, is gone."""

import time

from clusters import cluster, render
from waiting import eventually

VIRTUAL = "10.0.0.100"


def test_the_address_moves_within_five_seconds(world, tmp_path):
    nodes = [
        {"name": f"cp-{n}", "role": "control", "address": f"203.0.113.{n}", "privateAddress": f"10.0.0.{n}", "provider": "a", "region": "r"}
        for n in (1, 2, 3)
    ] + [{"name": "edge-1", "role": "edge", "address": "203.0.113.11", "provider": "b", "region": "r"}]
    content = cluster(nodes, features={"keepalived": {"enabled": True, "virtualAddress": VIRTUAL}})
    facts = {"nodes": {f"cp-{n}": {"interface": "inner"} for n in (1, 2, 3)}}
    trees = render(tmp_path, content, facts)
    machines, api = {}, {}
    for n in (1, 2, 3):
        name = f"cp-{n}"
        machine = machines[name] = world.machine(name, f"10.0.0.{n}/24", interface="inner")
        machine("nft", "-f", trees / name / "etc/bashupload/firewall.nft")
        api[name] = machine.start("socat", "TCP-LISTEN:6443,fork,reuseaddr", "EXEC:'echo api'")
        conf = trees / name / "etc/keepalived/keepalived.conf"
        check = machine("keepalived", "--config-test", "--use-file", conf)
        assert check.stdout + check.stderr == ""
        # A pid file of its own for each: they share a file system here.
        machine.keepalived = machine.start(
            "keepalived", "--dont-fork", "--log-console", "--use-file", conf, "--pid", tmp_path / f"{name}.pid", "--vrrp_pid",
            tmp_path / f"{name}.vrrp", stdout=open(tmp_path / f"{name}.log", "w"), stderr=-2,
        )

    def holders():
        return [name for name, machine in machines.items() if VIRTUAL in machine("ip", "-4", "address", "show", "dev", "inner").stdout]

    eventually(lambda: holders() == ["cp-1"], 15)
    # The API server ends: the node gives the address away.
    start = time.monotonic()
    api["cp-1"].kill()
    eventually(lambda: holders() == ["cp-2"], 15)
    assert time.monotonic() - start < 5
    # The machine vanishes, without a word.
    start = time.monotonic()
    machines["cp-2"]("ip", "link", "set", "inner", "down")
    del machines["cp-2"]
    eventually(lambda: holders() == ["cp-3"], 15)
    assert time.monotonic() - start < 5
    # The first one is well again and does not take it back: that would be a second interruption.
    api["cp-1"] = machines["cp-1"].start("socat", "TCP-LISTEN:6443,fork,reuseaddr", "EXEC:'echo api'")
    for _ in range(30):
        assert holders() == ["cp-3"]
        time.sleep(0.1)
