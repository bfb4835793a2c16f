"""Machines of a test: network namespaces on one segment, with any address and without a way out of this machine."""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
_numbers = itertools.count()


def run(*words, check=True, **options) -> subprocess.CompletedProcess:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=options.pop("timeout", 60), **options)
    assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    return done


class Machine:
    """A namespace. `ip`, `nft`, programs: everything is run inside."""

    def __init__(self, world, name: str):
        self.world, self.name = world, name
        self.space = f"bu{os.getpid()}-{next(_numbers)}"
        self.processes = []
        run("ip", "netns", "add", self.space)
        self("ip", "link", "set", "lo", "up")

    def __call__(self, *words, **options) -> subprocess.CompletedProcess:
        return run("ip", "netns", "exec", self.space, *words, **options)

    def start(self, *words, **options) -> subprocess.Popen:
        """A program that runs until the end of the test."""
        process = subprocess.Popen(["ip", "netns", "exec", self.space, *map(str, words)], **options)
        self.processes.append(process)
        return process

    def listen(self, *ports: str):
        """Servers such as tcp:80 and udp:51820 that answer with the address of whoever asks."""
        process = self.start(sys.executable, HERE / "peers.py", "listen", *ports, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"

    def ask(self, *targets: str, times: int = 1, source: str = "", patience: float = 10) -> list:
        """What the servers at `tcp:203.0.113.11:80` answer, in the same order; None: nothing within `patience` seconds."""
        return json.loads(self(sys.executable, HERE / "peers.py", "ask", times, source, patience, *targets).stdout)

    def finish(self):
        for process in self.processes:
            process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
        # What a test has started in the background, such as wireguard-go.
        for pid in run("ip", "netns", "pids", self.space, check=False).stdout.split():
            run("kill", "-9", pid, check=False)
        run("ip", "netns", "delete", self.space, check=False)


class World:
    """One segment to which all machines are connected: every address is on the other end of the wire."""

    def __init__(self):
        assert os.geteuid() == 0, "network namespaces need root"
        self.machines = []
        self.hub = self.add("hub")
        self.hub("ip", "link", "add", "segment", "type", "bridge")
        self.hub("ip", "link", "set", "segment", "up")

    def add(self, name: str) -> Machine:
        machine = Machine(self, name)
        self.machines.append(machine)
        return machine

    def machine(self, name: str, *addresses: str, interface: str = "uplink", bridge: str = "segment") -> Machine:
        """A machine with these addresses on an interface whose name nobody else knows."""
        machine = self.add(name)
        self.connect(machine, *addresses, interface=interface, bridge=bridge)
        machine("ip", "route", "add", "default", "dev", interface)
        machine("ip", "-6", "route", "add", "default", "dev", interface)
        return machine

    def connect(self, machine: Machine, *addresses: str, interface: str, bridge: str = "segment"):
        port = f"p{next(_numbers)}"
        run("ip", "-n", self.hub.space, "link", "add", port, "type", "veth", "peer", "name", interface, "netns", machine.space)
        self.hub("ip", "link", "set", port, "master", bridge, "up")
        for address in addresses:
            length = 128 if ":" in address else 32
            machine("ip", "address", "add", address if "/" in address else f"{address}/{length}", "dev", interface, *(["nodad"] if ":" in address else []))
        machine("ip", "link", "set", interface, "up")

    def finish(self):
        for machine in reversed(self.machines):
            machine.finish()
