"""`bashupload deploy` on a real node: kubelet, containerd and runc start real pods of real images, and `verify` sends a file through
nginx on the node's own ports. `Tests/kubernetes-node run python -m pytest Tests/Integration/deploy/story_of_a_node.py` runs it."""

import json
import os
import subprocess
import time

import pytest

from kustomize import ROOT

BINARY = os.environ.get("BASHUPLOAD", str(ROOT / ".build/release/bashupload"))
FILE = """
apiVersion: bashupload.app/v1
cluster: one-node
domain: {DOMAIN}
image: {IMAGE}
storage:
  r2:
    accountID: 0123456789abcdef0123456789abcdef
    endpoint: {STORE_ENDPOINT}
    bucket: {S3_BUCKET}
    accessKeyID: {{ fromEnv: S3_ACCESS_KEY_ID }}
    secretAccessKey: {{ fromEnv: S3_SECRET_ACCESS_KEY }}
certificates:
  issuer: {{ secret: bashupload-own }}
nodes:
  - {{ name: one, role: all, address: {NODE_ADDRESS}, provider: here, region: here }}
"""


class Desk:
    """An operator beside the node."""

    def __init__(self, folder):
        self.folder = folder
        self.write(FILE.format(**os.environ))
        self.environment = {
            **os.environ, "HOME": str(folder), "KUBECONFIG": os.environ["KUBECONFIG_TEST"], "CURL_CA_BUNDLE": os.environ["CA_FILE"],
        }

    def write(self, text):
        self.text = text
        (self.folder / "bashupload.yaml").write_text(text)

    def run(self, *words, status=0, seconds=400, stdin=None):
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=seconds, cwd=self.folder, env=self.environment, input=stdin)
        print("$", *words[1 if words[0] == BINARY else 0:], f"({done.returncode})\n{(done.stdout + done.stderr)[:4000]}", flush=True)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def deploy(self, *words, status=0):
        if words[0] in ("plan", "apply"):
            words += ("--only", "kubernetes")
        return self.run(BINARY, "deploy", *words, status=status)

    def kubectl(self, *words, **more):
        return self.run("kubectl", "--namespace=bashupload", *words, **more)

    def curl(self, path, *words):
        domain, address = os.environ["DOMAIN"], os.environ["NODE_ADDRESS"]
        resolve = ("--resolve", f"{domain}:443:{address}", "--resolve", f"{domain}:80:{address}")
        return self.run("curl", "--silent", "--show-error", "--fail", *resolve, *words, f"https://{domain}{path}")

    def pod(self):
        words = ("kubectl", "--namespace=bashupload", "get", "pods", "--selector=app.kubernetes.io/component=edge", "--output=json")
        pods = json.loads(subprocess.run(words, env=self.environment, capture_output=True, check=True, timeout=60).stdout)["items"]
        return next((pod for pod in pods if "deletionTimestamp" not in pod["metadata"]), None)


def eventually(look, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(1)
    pytest.fail(f"not within {seconds} s")


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def is_ready(pod):
    return pod and any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", []))


def test_a_life_on_a_real_node(desk, tmp_path):
    # Brought by the operator, as docs/DEPLOY.md says: a certificate of one's own.
    desk.run("kubectl", "create", "namespace", "bashupload")
    desk.kubectl("create", "secret", "tls", "bashupload-own", f"--cert={os.environ['CERT_FILE']}", f"--key={os.environ['KEY_FILE']}")

    applied = desk.deploy("apply", "--yes")
    assert "ok   one: certificate, upload, download by one, second download refused" in applied
    assert "0 to create, 0 to change, 0 to delete" in desk.deploy("plan")
    assert "nothing to change" in desk.deploy("apply", "--yes", "--no-verify")
    assert "rollout      complete" in desk.deploy("status")
    assert desk.deploy("doctor").strip() == "nothing found"

    # 64 MiB through nginx, TLS, the port of the node and the bucket.
    large = tmp_path / "large"
    large.write_bytes(os.urandom(64 << 20))
    url = desk.curl("/large.bin", "--upload-file", str(large), "--header", "Accept: text/uri-list").strip()
    desk.curl(url.removeprefix(f"https://{os.environ['DOMAIN']}"), "--output", str(tmp_path / "back"))
    assert (tmp_path / "back").read_bytes() == large.read_bytes()

    # A pod that is killed comes back by itself.
    old = desk.pod()["metadata"]["name"]
    desk.kubectl("delete", "pod", old)
    eventually(lambda: is_ready(desk.pod()) and desk.pod()["metadata"]["name"] != old)
    assert "ok   one" in desk.deploy("verify")

    # A value of the ConfigMap is a new pod.
    old = desk.pod()["metadata"]["name"]
    desk.write(desk.text + "policy: { maxAge: 2h }\n")
    desk.deploy("apply", "--yes")
    assert desk.pod()["metadata"]["name"] != old
    assert json.loads(desk.curl("/api/config"))["maxAge"] == 7200

    # A version that cannot be had is taken back, and the service goes on.
    good = desk.text
    desk.write(good.replace(os.environ["IMAGE"], "registry.example.org/bashupload@sha256:" + "dead" * 16))
    broken = desk.deploy("apply", "--yes", status=1)
    assert "ImagePull" in broken and "rolled back to generation 2, which runs" in broken
    assert "ok   one" in desk.deploy("verify")
    desk.write(good)
    assert "0 to create, 0 to change, 0 to delete" in desk.deploy("plan")

    # Keys that the store refuses are taken back; a node is out of service meanwhile, and no more than one.
    key = desk.environment["S3_SECRET_ACCESS_KEY"]
    desk.environment["S3_SECRET_ACCESS_KEY"] = "not-the-key"
    refused = desk.deploy("rotate", "r2", "--yes", status=1)
    assert "CrashLoopBackOff" in refused and "Secret bashupload/bashupload-r2: as it was before" in refused
    assert "rolled back to generation 2, which runs" in refused and "not-the-key" not in refused
    desk.environment["S3_SECRET_ACCESS_KEY"] = key
    assert "ok   one" in desk.deploy("verify")
    assert "0 to create, 0 to change, 0 to delete" in desk.deploy("plan")

    # One run of the cleaner.
    desk.kubectl("create", "job", "--from=cronjob/bashupload-cleanup", "once")
    desk.kubectl("wait", "--for=condition=Complete", "job/once", "--timeout=120s")
    assert json.loads(desk.kubectl("logs", "job/once").strip().splitlines()[-1])

    # Back, and away.
    desk.deploy("rollback", "1", "--yes")
    assert json.loads(desk.curl("/api/config"))["maxAge"] == 3600
    desk.deploy("destroy", "--confirm", os.environ["DOMAIN"])
    assert "bashupload" not in desk.run("kubectl", "get", "namespaces", "--output=name")
