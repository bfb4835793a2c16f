"""nginx with the configuration of the base, in front of a real `bashupload serve`."""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
from pathlib import Path

import wire
from kustomize import BASE, ROOT, build, find
from object_checks import pod_template
from running import free_port
from waiting import eventually

PLACES = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", str(ROOT / ".build/tools/bin")])
NGINX = shutil.which("nginx", path=PLACES) or "nginx"


def version() -> tuple:
    text = subprocess.run([NGINX, "-v"], capture_output=True, text=True).stderr
    return tuple(map(int, re.search(r"nginx/(\d+)\.(\d+)\.(\d+)", text).groups()))


def base_configuration() -> dict:
    """The files of the ConfigMap as the base builds it."""
    return dict(find(build(BASE), "ConfigMap", "bashupload-nginx")["data"])


def container() -> dict:
    """The container of nginx in the pod of the base."""
    spec = pod_template(find(build(BASE), "DaemonSet", "bashupload"))["spec"]
    return next(c for c in spec["containers"] if c["name"] == "nginx")


def adapted(text: str, folder: Path, ports: dict) -> str:
    """The same configuration for this machine: other paths and ports, and the older words of nginx before 1.25.1."""
    places = {"/tmp/": "tmp/", "/etc/bashupload-nginx/": "etc/", "/etc/bashupload-tls": "tls"}
    text = re.sub(r" (/tmp/|/etc/bashupload-nginx/|/etc/bashupload-tls)", lambda place: f" {folder}/{places[place[1]]}", text)
    text = re.sub(r"^\s*listen \[::\].*\n", "", text, flags=re.MULTILINE)
    for name, port in ports.items():
        text = re.sub(rf"(listen |127\.0\.0\.1:){name}\b", rf"\g<1>{port}", text)
    text = re.sub(r"listen (\d)", r"listen 127.0.0.1:\1", text)
    if version() < (1, 25, 1):
        text = text.replace("http2 on;", "").replace(" ssl default_server", " ssl http2 default_server")
    return text


def certificate(folder: Path, name: str) -> tuple:
    """A self-signed pair, as (certificate, key) in PEM."""
    pem, key = folder / f"{name}.pem", folder / f"{name}.key"
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    names = ["-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run(
        ["openssl", "req", "-x509", *curve, "-nodes", "-days", "2", *names, "-keyout", str(key), "-out", str(pem)],
        check=True,
        capture_output=True,
    )
    return pem.read_bytes(), key.read_bytes()


class SecretVolume:
    """A mounted Secret, written the way the kubelet does: a new folder, then the symlink ..data is renamed over."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.generation = 0
        folder.mkdir()

    def write(self, files: dict):
        self.generation += 1
        fresh = self.folder / f"..2026_11_22_00_00_00.{self.generation}"
        fresh.mkdir()
        for name, data in files.items():
            (fresh / name).write_bytes(data)
        old = os.readlink(self.folder / "..data") if (self.folder / "..data").is_symlink() else None
        (self.folder / "..data_tmp").symlink_to(fresh.name)
        (self.folder / "..data_tmp").rename(self.folder / "..data")
        for name in files:
            if not (self.folder / name).is_symlink():
                (self.folder / name).symlink_to(f"..data/{name}")
        if old:
            shutil.rmtree(self.folder / old)


class Nginx:
    """One nginx with a folder of its own. `plain` and `secure` are what wire.Connection wants of a server."""

    class Port:
        host = "127.0.0.1"

        def __init__(self, port, tls=None):
            self.port, self.tls = port, tls

    def __init__(self, folder: Path, app_port: int, change=lambda text: text, files=None):
        self.folder = folder
        folder.mkdir()
        (folder / "tmp").mkdir()
        (folder / "etc").mkdir()
        self.tls = SecretVolume(folder / "tls")
        self.first = certificate(folder, "first")
        self.tls.write({"tls.crt": self.first[0], "tls.key": self.first[1]})
        ports = {"8080": free_port(), "8443": free_port(), "8081": free_port(), "3000": app_port}
        for name, text in (files or base_configuration()).items():
            # Only what nginx reads as its configuration; the rest it serves.
            content = adapted(change(text), folder, ports) if name.endswith(".conf") else text
            (folder / "etc" / name).write_bytes(content.encode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.plain, self.secure = self.Port(ports["8080"]), self.Port(ports["8443"], context)
        self.health = self.Port(ports["8081"])
        self.process = None
        # As the container starts it: with a limit of memory for each process.
        self.limit = int(re.search(r"ulimit -d (\d+)", " ".join(container()["command"]))[1])
        self.wrapper = []

    def arguments(self, *more) -> list:
        # Without privileges in the pod; root here, where a worker of another user could not read the test's folder.
        user = " user root;" if os.geteuid() == 0 and not self.wrapper else ""
        return [NGINX, "-p", str(self.folder), "-c", str(self.folder / "etc/nginx.conf"), *more, "-g", "daemon off;" + user]

    def check(self) -> str:
        """What `nginx -t` says beyond its two lines of success."""
        done = subprocess.run(self.arguments("-t"), capture_output=True, text=True)
        lines = [line for line in done.stderr.splitlines() if "syntax is ok" not in line and "test is successful" not in line]
        assert done.returncode == 0, done.stderr
        return "\n".join(lines)

    def start(self):
        with open(self.folder / "log", "ab") as log:
            start = ["sh", "-c", f'ulimit -d {self.limit} && exec "$0" "$@"'] if self.limit else []
            command = [*self.wrapper, *start, *self.arguments()]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        eventually(self.answers, 10, f"nginx answers; its log:\n{self.log()}")
        return self

    def answers(self) -> bool:
        assert self.process.poll() is None, f"nginx ended:\n{self.log()}"
        try:
            return wire.request(self.health, "GET", "/", timeout=2).status == 204
        except (OSError, wire.Closed):
            return False

    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(10)

    def processes(self) -> list:
        """The master and its workers."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return [self.process.pid, *map(int, children)]

    def temporary_files(self) -> list:
        """Files of request and response bodies, by name or still open without one."""
        found = [str(path) for path in (self.folder / "tmp").rglob("*") if path.is_file() and path.name != "nginx.pid"]
        for pid in self.processes():
            for link in Path(f"/proc/{pid}/fd").iterdir():
                try:
                    target = os.readlink(link)
                except FileNotFoundError:
                    continue
                if target.startswith(str(self.folder / "tmp")) and "nginx.pid" not in target:
                    found.append(target)
        return found

    def memory(self) -> int:
        """Resident bytes of the largest process, at its peak."""
        peaks = []
        for pid in self.processes():
            status = Path(f"/proc/{pid}/status").read_text()
            peaks.append(int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024)
        return max(peaks)

    def held(self) -> int:
        """Bytes that all processes have written to, which is what counts against the limit of the container."""
        private, shared = 0, 0
        for pid in self.processes():
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            private += int(re.search(r"^Private_Dirty:\s+(\d+) kB", text, re.MULTILINE)[1])
            shared = max(shared, int(re.search(r"^Shared_Dirty:\s+(\d+) kB", text, re.MULTILINE)[1]))
        return (private + shared) * 1024

    def served_certificate(self) -> bytes:
        """PEM of what a new connection is shown."""
        with (
            socket.create_connection((self.secure.host, self.secure.port), timeout=5) as plain,
            self.secure.tls.wrap_socket(plain, server_hostname="localhost") as secure,
        ):
            return ssl.DER_cert_to_PEM_cert(secure.getpeercert(binary_form=True)).encode()
