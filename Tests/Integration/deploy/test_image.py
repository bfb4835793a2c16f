"""The image: its Dockerfile read line by line, and the program run with the rights that the pod gives it."""

import os
import re
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

import wire
from kustomize import BASE, ROOT, build, find
from nginx import Nginx
from object_checks import pod_template
from running import BINARY
from uploads import assert_file, get, put
from waiting import seeded

DOCKERFILE = ROOT / "deploy/Dockerfile"
# Linked into the program (Package.swift, staticRuntime).
SWIFT = re.compile(r"lib(swift|_?Foundation|dispatch|BlocksRuntime|_Internal)")


def instructions(text: str) -> list:
    """(INSTRUCTION, rest) of a Dockerfile, with continued lines joined and comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(line.split(None, 1)[0].upper(), line.split(None, 1)[1].strip()) for line in joined.splitlines() if line.strip()]


def stages(text: str) -> list:
    """One list of instructions per FROM."""
    found = []
    for name, rest in instructions(text):
        if name == "FROM":
            found.append([])
        assert found or name == "ARG", f"{name} before the first FROM"
        if found:
            found[-1].append((name, rest))
    return found


def flaws(text: str) -> list:
    """What a linter of Dockerfiles would say, as far as it matters for this one."""
    found, names = [], set()
    for stage in stages(text):
        base = stage[0][1].split()
        if base[0] != "scratch" and not re.search(r"(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$", base[0]) and base[0] not in names:
            found.append(f"FROM {base[0]}: no version")
        if len(base) == 3:
            names.add(base[2])
        for name, rest in stage:
            if name == "ADD":
                found.append("ADD fetches and unpacks; COPY does not")
            if name == "RUN" and "apt-get install" in rest:
                if "--no-install-recommends" not in rest:
                    found.append("apt-get install without --no-install-recommends")
                if "rm -rf /var/lib/apt/lists" not in rest:
                    found.append("the lists of apt stay in the layer")
                if "apt-get update" not in rest:
                    found.append("apt-get install without an update in the same layer: an old cache is used")
                if not re.search(r"apt-get install (-\S+ )*-y", rest):
                    found.append("apt-get install asks a question")
            if name in ("ENV", "ARG") and re.search(r"SECRET|PASSWORD|TOKEN|ACCESS_KEY", rest):
                found.append(f"{name} {rest.split('=')[0]}: a secret in the image")
            if name in ("ENTRYPOINT", "CMD") and not rest.startswith("["):
                found.append(f"{name} through a shell, which swallows SIGTERM: use the form with brackets")
            if name == "COPY":
                source = re.match(r"--from=(\S+)", rest)
                if source and source[1] not in names:
                    found.append(f"COPY --from={source[1]}: no such stage")
                if not source:
                    for path in shlex.split(rest)[:-1]:
                        if not path.startswith("--") and not (ROOT / path).exists():
                            found.append(f"COPY {path}: not in the repository")
    last = dict(stages(text)[-1])
    user = last.get("USER", "")
    if not re.fullmatch(r"[1-9][0-9]*(:[0-9]+)?", user):
        found.append(f"USER {user!r}: a number other than 0, else runAsNonRoot cannot be checked")
    if "ENTRYPOINT" not in last:
        found.append("no ENTRYPOINT")
    return found


def test_dockerfile():
    assert flaws(DOCKERFILE.read_text()) == []


FLAWED = {
    "no version": (r"swift:[\d.]+-bookworm", "swift", "no version"),
    "root": (r"USER 10001\n", "", "USER ''"),
    "user by name": ("USER 10001", "USER bashupload", "a number other than 0"),
    "through a shell": (r'ENTRYPOINT \["([^"]+)"\]', r"ENTRYPOINT \1", "swallows SIGTERM"),
    "secret": ("ENV DATA_DIR", "ENV R2_SECRET_ACCESS_KEY=x DATA_DIR", "a secret in the image"),
    "stage misspelt": ("--from=build", "--from=builder", "no such stage"),
    "recommends": ("--no-install-recommends ", "", "--no-install-recommends"),
    "lists stay": (r"rm -rf /var/lib/apt/lists/\*", "true", "lists of apt"),
    "copied from nowhere": (r"COPY \. \.", "COPY Source ./", "not in the repository"),
}


@pytest.mark.parametrize("name", FLAWED)
def test_flaw_is_found(name):
    old, new, words = FLAWED[name]
    text = DOCKERFILE.read_text()
    changed = re.sub(old, new, text, count=1)
    assert changed != text, "the Dockerfile has changed: adapt this test"
    assert any(words in flaw for flaw in flaws(changed)), flaws(changed)


def test_the_runtime_is_linked_in():
    listed = subprocess.run(["ldd", BINARY], capture_output=True, text=True, check=True).stdout
    names = re.findall(r"^\s*(\S+) => ", listed, re.MULTILINE)
    assert "libsqlite3.so.0" in names, "the list of libraries was not understood"
    assert [name for name in names if SWIFT.match(name)] == []


def test_the_build_context_is_small():
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".build*", "data"} <= set(ignored)
    subprocess.run(["bash", "-n", ROOT / "scripts/build-image"], check=True)
    assert (ROOT / "deploy/image-root").stat().st_mode & 0o111, "the Dockerfile runs it"


def confined(user: int, writable: list) -> list:
    """A wrapper with the rights of a container of the pod: a read-only root file system but for the volumes, another
    user, no capability. Without root the user stays the same; the rest holds."""
    mounts = "mount --make-rprivate / && " + " && ".join(f"mount --bind {path} {path}" for path in writable)
    script = mounts + " && mount -o remount,bind,ro /"
    drop = ["setpriv", "--no-new-privs", "--inh-caps=-all", "--bounding-set=-all"]
    if os.geteuid() == 0:
        drop += [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
        return ["unshare", "-m", "sh", "-euc", script + '\nexec "$@"', "sh", *drop]
    return ["unshare", "-rm", "sh", "-euc", script + '\nexec "$@"', "sh", *drop[:2]]


def test_the_confinement_confines(volumes):
    """The control: elsewhere than in the volume nothing can be written, and the user is no other."""
    wrapper = confined(10001, [volumes / "data"])
    tried = lambda path: subprocess.run([*wrapper, "touch", path], capture_output=True, text=True)  # noqa: E731
    assert tried(volumes / "data/file").returncode == 0
    assert "Read-only file system" in tried("/var/tmp/file").stderr
    assert "Read-only file system" in tried(volumes / "file").stderr


def security(container: str) -> dict:
    spec = pod_template(find(build(BASE), "DaemonSet", "bashupload"))["spec"]
    return next(c["securityContext"] for c in spec["containers"] if c["name"] == container)


@pytest.fixture
def volumes():
    """Folders that every user can reach; the test's own are private to whoever runs it."""
    folder = Path(tempfile.mkdtemp(prefix="bashupload-volumes-", dir="/var/tmp"))
    folder.chmod(0o755)
    (folder / "data").mkdir()
    (folder / "data").chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def test_the_server_runs_as_in_the_pod(serve, volumes):
    """User 10001, nothing writable but DATA_DIR, no capability: uploads, downloads, readiness."""
    rights = security("bashupload")
    assert rights["readOnlyRootFilesystem"] and rights["capabilities"] == {"drop": ["ALL"]}
    # A copy where that user can reach it, in the place of the program that the fixture names.
    program = shutil.copy(BINARY, volumes / "bashupload")
    wrapper = [*confined(rights["runAsUser"], [volumes / "data"]), "sh", "-c", 'shift; exec "$0" "$@"', program]
    server = serve(wrapper=wrapper, DATA_DIR=volumes / "data")
    status = Path(f"/proc/{server.pid}/status").read_text()
    assert re.search(r"^CapBnd:\s+0+$", status, re.MULTILINE) or os.geteuid() != 0, status
    if os.geteuid() == 0:
        assert re.search(rf"^Uid:\s+{rights['runAsUser']}\s", status, re.MULTILINE), status
    body = seeded("confined").randbytes(300000)
    assert_file(get(server, put(server, body).path), body)
    assert wire.request(server, "GET", "/readyz").status == 200


def test_the_server_runs_in_the_image(serve, volumes):
    """In the root file system that the Dockerfile makes, with its user and its settings: starts, keeps a file, finds its CAs."""
    root, user = volumes / "root", re.search(r"^USER (\d+)", DOCKERFILE.read_text(), re.MULTILINE)[1]
    program = volumes / "stripped"
    subprocess.run(["strip", "--strip-unneeded", BINARY, "-o", program], check=True)
    subprocess.run([ROOT / "deploy/image-root", program, root], check=True)
    size = sum(path.stat().st_size for path in root.rglob("*") if path.is_file())
    assert size < 120 << 20, f"{size >> 20} MiB"
    assert f":{user}:" in (root / "etc/passwd").read_text()
    assert "BEGIN CERTIFICATE" in (root / "etc/ssl/certs/ca-certificates.crt").read_text()
    assert not list(root.rglob("*sh")), "no shell"
    chown = re.search(r"^COPY --from=build --chown=(\d+:\d+) /image/data /data$", DOCKERFILE.read_text(), re.MULTILINE)[1]
    if os.geteuid() == 0:
        shutil.chown(root / "data", *map(int, chown.split(":")))
    for name in ("proc", "dev"):  # the container engine's part
        (root / name).mkdir()
    mounts = "".join(f"mount --rbind /{name} {root}/{name}\n" for name in ("proc", "dev"))
    owner = [f"--userspec={user}:{user}"] if os.geteuid() == 0 else []
    entry = shlex.join(["chroot", *owner, str(root), "/usr/local/bin/bashupload"])
    unshare = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    environment = dict(re.findall(r"([A-Z_]+)=(\S+)", re.search(r"^ENV (.*)$", DOCKERFILE.read_text(), re.MULTILINE)[1]))
    environment["METRICS_HOST"] = "127.0.0.1"
    server = serve(wrapper=[*unshare, "sh", "-euc", f'{mounts}shift\nexec {entry} "$@"', "sh"], **environment)
    body = seeded("image").randbytes(300000)
    assert_file(get(server, put(server, body).path), body)
    assert (root / "data/index.sqlite").stat().st_uid == (int(user) if os.geteuid() == 0 else os.geteuid())


def test_nginx_runs_as_in_the_pod(serve, volumes):
    """User 101, nothing writable but /tmp: what nginx wants to write at its start has a place there."""
    rights = security("nginx")
    server = serve(TRUSTED_PROXIES="127.0.0.1")
    nginx = Nginx(volumes / "nginx", server.port)
    (nginx.folder / "tmp").chmod(0o777)
    nginx.wrapper = confined(rights["runAsUser"], [nginx.folder / "tmp"])
    try:
        nginx.start()
        upload = put(nginx.secure, b"x" * 100000)
        assert get(nginx.plain, upload.path).body == b"x" * 100000
    finally:
        nginx.stop()
