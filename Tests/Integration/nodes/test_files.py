"""Every file of a node is read by the program that it is for. Any output is a failure: some of them warn and end with 0."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from clusters import FIXTURES, deploy
from namespaces import run

ALLOW = [word for feature in ("longhorn", "falco", "descheduler") for word in ("--allow", feature)]
SCHEMAS = Path(__file__).parent / "schemas"
NAMES = sorted(path.stem for path in FIXTURES.glob("*.yaml"))


@pytest.fixture(scope="module")
def trees(tmp_path_factory) -> dict:
    """`fixture/node` → its tree, of every node of every fixture."""
    found = {}
    for name in NAMES:
        out = tmp_path_factory.mktemp(name) / "out"
        facts = FIXTURES / f"{name}.facts"
        words = ["--facts", facts] if facts.exists() else []
        done = deploy("render", "--file", FIXTURES / f"{name}.yaml", "--output", out, *words, *ALLOW)
        assert done.returncode == 0 and done.stderr == "", done.stderr
        for tree in (out / "nodes").iterdir():
            found[f"{name}/{tree.name}"] = tree
    assert len(found) >= 15
    return found


def files(trees, path: str) -> dict:
    found = {name: tree / path for name, tree in trees.items() if (tree / path).exists()}
    assert found, f"no node has {path}"
    return found


def silent(*words, **options) -> None:
    done = run(*words, **options)
    assert done.stdout + done.stderr == "", f"{words}: {done.stdout}{done.stderr}"


def test_nft(trees):
    for path in files(trees, "etc/bashupload/firewall.nft").values():
        silent("nft", "-c", "-f", path)
        assert not re.search(r"^\s*flush ruleset", path.read_text(), re.M)
        # The uplink is only known on the node.
        assert set(re.findall(r'iifname \{? ?"([^"]+)"', path.read_text())) <= {"cni0", "wg-bashupload", "ztbashupload"}


def test_nft_sees_a_mistake(trees, tmp_path):
    text = next(iter(files(trees, "etc/bashupload/firewall.nft").values())).read_text()
    (tmp_path / "wrong.nft").write_text(text.replace("ct original proto-dst 80", "ct original proto-dst != { 80, 443 }") + "}")
    assert run("nft", "-c", "-f", tmp_path / "wrong.nft", check=False).returncode != 0


def test_sshd(trees, tmp_path):
    key = tmp_path / "key"
    silent("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
    os.makedirs("/run/sshd", exist_ok=True)
    for path in files(trees, "etc/ssh/sshd_config.d/00-bashupload.conf").values():
        silent(shutil.which("sshd", path="/usr/sbin"), "-t", "-f", path, "-h", key)
        effective = run("/usr/sbin/sshd", "-T", "-f", path, "-h", key).stdout
        assert "passwordauthentication no" in effective and "kbdinteractiveauthentication no" in effective


def test_units(trees, tmp_path):
    """In a root of its own, where the programs that the units name exist."""
    for number, (name, tree) in enumerate(trees.items()):
        root = tmp_path / str(number)
        shutil.copytree(tree, root)
        for program in ("usr/local/bin/k3s", "usr/sbin/nft", "sbin/modprobe", "bin/mkdir"):
            target = root / program
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("#!/bin/sh\n")
            target.chmod(0o755)
        folder = root / "etc/systemd/system"
        names = [path.name for path in folder.iterdir()]
        assert len(names) >= 3
        # Units of the system that ours name.
        library = root / "usr/lib/systemd/system"
        library.mkdir(parents=True)
        for unit in ("network-online.target", "network-pre.target", "sysinit.target", "shutdown.target", "multi-user.target",
                     "timers.target", "local-fs.target", "basic.target", "network.target", "sysinit.target", "time-set.target",
                     "time-sync.target", "-.slice", "system.slice", "-.mount"):
            source = Path("/usr/lib/systemd/system") / unit
            if source.exists():
                shutil.copy(source, library / unit)
        done = run("systemd-analyze", "verify", f"--root={root}", "--man=no", "--recursive-errors=no", *names, check=False)
        assert done.stdout + done.stderr == "" and done.returncode == 0, f"{name}: {done.stdout}{done.stderr}"
    (folder / names[0]).write_text("[Service]\nExecStart=/usr/local/bin/k3s\nRestrat=always\n")
    done = run("systemd-analyze", "verify", f"--root={root}", "--man=no", "--recursive-errors=no", names[0], check=False)
    assert "Restrat" in done.stdout + done.stderr


def test_wg_quick(trees):
    for path in files(trees, "etc/wireguard/wg-bashupload.conf").values():
        done = run("wg-quick", "strip", path)
        assert done.stderr == "" and "PostUp" not in done.stdout and done.stdout.count("[Peer]") == 4
        # What is left is what `wg setconf` reads.
        assert "PublicKey" in done.stdout and "PrivateKey" not in done.stdout
        assert path.stat().st_mode & 0o777 == 0o600


def test_keepalived(trees, world):
    for number, (name, path) in enumerate(files(trees, "etc/keepalived/keepalived.conf").items()):
        interface = re.search(r"interface (\S+)", path.read_text())[1]
        machine = world.machine(f"k{number}", "10.0.0.1/24", interface=interface)
        done = machine("keepalived", "--config-test", "--use-file", path)
        assert done.stdout + done.stderr == "", f"{name}: {done.stdout}{done.stderr}"
    (path.parent / "wrong").write_text(path.read_text().replace("nopreempt", "nopreemt"))
    assert machine("keepalived", "--config-test", "--use-file", path.parent / "wrong", check=False).stderr != ""


@pytest.mark.parametrize("schema, path", [
    ("KubeletConfiguration", "var/lib/rancher/k3s/agent/etc/kubelet.conf.d/10-bashupload.conf"),
    ("Policy", "etc/rancher/k3s/audit.yaml"),
    ("AdmissionConfiguration", "etc/rancher/k3s/admission.yaml"),
])
def test_schemas(trees, schema, path):
    rules = json.loads((SCHEMAS / f"{schema}.json").read_text())
    jsonschema.Draft202012Validator.check_schema(rules)
    for file in files(trees, path).values():
        content = yaml.load(file.read_text(), NoDuplicates)
        jsonschema.Draft202012Validator(rules).validate(content)
        wrong = {**content, next(iter(content)) + "s": 1}
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(rules).validate(wrong)


class NoDuplicates(yaml.SafeLoader):
    """YAML that refuses a key twice."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key) for key, _ in node.value]
        assert len(keys) == len(set(keys)), keys
        return super().construct_mapping(node, deep)


def test_k3s(trees):
    """Only flags that k3s has, those of a server only on servers; what it names is in the tree, or secret."""
    for name, file in files(trees, "etc/rancher/k3s/config.yaml").items():
        content = yaml.load(file.read_text(), NoDuplicates)
        kind = "server" if "agent-token-file" in content else "agent"
        jsonschema.Draft202012Validator(json.loads((SCHEMAS / f"k3s-{kind}.json").read_text())).validate(content)
        if kind == "server":
            assert set(content["disable"]) >= {"traefik", "servicelb"} and content["secrets-encryption"] is True
        for argument in content.get("kube-apiserver-arg", []):
            key, value = argument.split("=", 1)
            if key.endswith("file"):
                assert (trees[name] / value.lstrip("/")).exists(), value
        assert "etcd-s3-secret-key" not in content and "token" not in content


def test_shell_scripts(trees):
    for name, tree in trees.items():
        for path in (tree / "usr/local/lib/bashupload").iterdir():
            silent("shellcheck", "--severity=style", path)
            assert os.access(path, os.X_OK), path


def test_apt(trees):
    path = next(iter(files(trees, "etc/apt/apt.conf.d/52bashupload").values()))
    done = run("apt-config", "dump", env={"APT_CONFIG": str(path), "PATH": os.environ["PATH"]})
    assert done.stderr == "" and 'Unattended-Upgrade::Automatic-Reboot "false";' in done.stdout
    assert 'APT::Periodic::Unattended-Upgrade "1";' in done.stdout


def test_the_memory_of_a_small_node_is_enough():
    """What a 2 GiB edge keeps for pods: nginx, the app and the agents of the features."""
    text = (FIXTURES.parent / "Golden/nodes/three-edges/edge-3/files/var/lib/rancher/k3s/agent/etc/kubelet.conf.d/10-bashupload.conf").read_text()
    kubelet = yaml.safe_load(text)
    taken = sum(int(kubelet[key]["memory"].removesuffix("Mi")) for key in ("kubeReserved", "systemReserved"))
    allocatable = 1900 - taken - int(kubelet["evictionHard"]["memory.available"].removesuffix("Mi"))
    assert 1200 <= allocatable <= 1400
