"""Servers of a test: a real sshd in a namespace with a root directory of its own, and an operator's desk that reaches them."""

import os
import subprocess
import threading
from pathlib import Path

import yaml

from clusters import BINARY
from namespaces import HERE, World, run
from waiting import eventually

SECRETS = {"R2_ACCESS_KEY_ID": "planted-access-key-71", "R2_SECRET_ACCESS_KEY": "planted-secret-key-72"}

START = r"""
set -eu
root=$1
mount -t tmpfs tmpfs "$root"
mkdir -p "$root/upper" "$root/work" "$root/all"
mount -t overlay overlay -o "lowerdir=/,upperdir=$root/upper,workdir=$root/work" "$root/all"
cd "$root/all"
cp -a "$2/." .
mount --rbind /proc proc
mount --rbind /dev dev
mount --rbind /sys sys
mount -t tmpfs tmpfs run
mount -t tmpfs tmpfs tmp
rm -rf etc/ssh/sshd_config.d/* etc/bashupload etc/rancher var/lib/bashupload var/lib/rancher root/.ssh etc/wireguard usr/local/bin/k3s
mkdir -p run/sshd root/.ssh var/log etc/wireguard
printf 'Include /etc/ssh/sshd_config.d/*.conf\nLogLevel INFO\nSubsystem sftp internal-sftp\n' >etc/ssh/sshd_config
cp "$3" root/.ssh/authorized_keys
chmod 700 root/.ssh
chmod 600 root/.ssh/authorized_keys
echo ready
exec sleep infinity
"""


class Server:
    """One machine: everything is done inside of its root."""

    def __init__(self, world: World, folder: Path, name: str, address: str, key: Path, interface="uplink"):
        self.name, self.address = name, address
        self.machine = world.machine(name, address, interface=interface)
        folder.mkdir()
        self.log = folder.parent / f"{name}.log"
        self.log.touch()
        self.holder = self.machine.start(
            "unshare", "--mount", "sh", "-c", START, "sh", folder, HERE / "server", f"{key}.pub", stdout=subprocess.PIPE, text=True
        )
        assert self.holder.stdout.readline() == "ready\n"
        self.root = f"{folder}/all"
        self("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", "/etc/ssh/ssh_host_ed25519_key_test")
        self.sshd = None
        self.start_sshd()

    def __call__(self, *words, check=True, **options):
        inside = ["nsenter", f"--target={self.holder.pid}", "--net", "--mount", "chroot", self.root]
        return run(*inside, *words, check=check, **options)

    def start_sshd(self):
        self.sshd = subprocess.Popen(
            ["nsenter", f"--target={self.holder.pid}", "--net", "--mount", "chroot", self.root, "/usr/sbin/sshd", "-D", "-e",
             "-o", "PidFile=/run/sshd.pid", "-o", "UsePAM=no", "-h", "/etc/ssh/ssh_host_ed25519_key_test"],
            stderr=open(self.log, "a"),
        )
        eventually(lambda: self("test", "-s", "/run/sshd.pid", check=False).returncode == 0, 10)

    def stop_sshd(self):
        self.sshd.kill()
        self.sshd.wait()
        self("rm", "-f", "/run/sshd.pid")

    def read(self, path: str) -> str | None:
        done = self("cat", path, check=False)
        return done.stdout if done.returncode == 0 else None

    def mode(self, path: str) -> str:
        return self("stat", "-c", "%a", path).stdout.strip()

    def connections(self) -> int:
        return self.log.read_text().count("Accepted publickey")

    def calls(self) -> list:
        """What systemd was told to do."""
        return [line for line in (self.read("/var/log/systemctl.log") or "").splitlines() if not line.startswith("is-")]

    def state(self) -> dict:
        """Everything that deploy could have left: path → mode and digest; and the firewall."""
        paths = "/etc/bashupload /etc/rancher /etc/systemd /etc/ssh/sshd_config.d /etc/sysctl.d /etc/modules-load.d /etc/apt/apt.conf.d " \
            "/etc/wireguard /usr/local/lib /usr/local/bin/k3s /var/lib/bashupload /var/lib/rancher /etc/enabled"
        script = f"find {paths} -type f 2>/dev/null | sort | while read -r f; do echo \"$f $(stat -c %a \"$f\") $(sha256sum <\"$f\")\"; done"
        lines = self("sh", "-c", script).stdout.splitlines()
        return {line.split()[0]: line.split()[1:3] for line in lines}

    def wipe(self):
        """As it came from the provider."""
        self("sh", "-c", "rm -rf /etc/bashupload /etc/rancher /etc/wireguard/* /var/lib/bashupload /var/lib/rancher /usr/local/lib/bashupload "
             "/etc/enabled /run/active /usr/local/bin/k3s /etc/ssh/sshd_config.d/* /etc/systemd/system/k3s* /etc/systemd/system/bashupload* "
             "/etc/sysctl.d/90-bashupload.conf /etc/modules-load.d/bashupload.conf /etc/apt/apt.conf.d/52bashupload /var/lib/installed "
             "/var/log/systemctl.log /var/log/k3s-restarts /run/mine /run/killed-at; nft delete table inet bashupload 2>/dev/null; true")


class Desk:
    """An operator: the program, a key, known hosts of his own, and a watch over every process of this machine."""

    def __init__(self, world: World, folder: Path, address="198.51.100.7"):
        self.folder = folder
        self.machine = world.machine("desk", address)
        self.key = folder / "key"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)
        (folder / "ssh").mkdir(mode=0o700)
        os.makedirs("/root/.ssh", mode=0o700, exist_ok=True)
        self.output = ""

    def write(self, content: dict):
        content.setdefault("access", {}).setdefault("ssh", {"user": "root", "port": 22, "keyFile": str(self.key)})
        (self.folder / "bashupload.yaml").write_text(yaml.safe_dump(content))

    def command(self, *words) -> list:
        line = ["sh", "-c", 'mount --bind "$0" /root/.ssh && cd "$1" && shift && exec "$@"', self.folder / "ssh", self.folder]
        return ["ip", "netns", "exec", self.machine.space, "unshare", "--mount", *map(str, line), BINARY, "deploy", *map(str, words)]

    def deploy(self, *words, status=0) -> str:
        return self.deploy_with(None, *words, status=status)

    def deploy_with(self, programs: Path | None, *words, status=0, secrets=SECRETS) -> str:
        """With a folder of programs that come before the system's."""
        path = f"{programs}:{os.environ['PATH']}" if programs else os.environ["PATH"]
        done = subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=180, env={"PATH": path, "HOME": str(self.folder), **secrets}
        )
        text = done.stdout + done.stderr
        self.output += text
        assert status is None or done.returncode == status, f"{words} ended with {done.returncode}, not {status}:\n{text}"
        return text

    def apply_with(self, secrets: dict) -> str:
        return self.deploy_with(None, "apply", "--only", "nodes", "--yes", secrets=secrets)

    def apply(self, *words, status=0) -> str:
        return self.deploy("apply", "--only", "nodes", "--yes", *words, status=status)


class ProcessWatch:
    """Every command line that this machine runs meanwhile, as `ps` would show it to anybody."""

    def __enter__(self):
        self.seen, self.done = set(), threading.Event()
        self.thread = threading.Thread(target=self.sample)
        self.thread.start()
        return self

    def sample(self):
        while not self.done.is_set():
            for path in Path("/proc").glob("[0-9]*"):
                try:
                    self.seen.add((path / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace"))
                except OSError:
                    pass
            self.done.wait(0.003)

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
