"""Cluster files for the tests of nodes, and what `deploy render` makes of them."""

import os
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
BINARY = os.environ.get("BASHUPLOAD", str(ROOT / ".build/release/bashupload"))
FIXTURES = ROOT / "Tests/OpsTests/Fixtures"


def deploy(*words, cwd=None, **environment) -> subprocess.CompletedProcess:
    return subprocess.run(
        [BINARY, "deploy", *map(str, words)], capture_output=True, text=True, timeout=300, cwd=cwd,
        env={"PATH": os.environ["PATH"], **environment},
    )


def cluster(nodes: list, **more) -> dict:
    """The least that a cluster file has, as a value."""
    return {
        "apiVersion": "bashupload.app/v1", "cluster": "test", "domain": "files.example.org",
        "image": "registry.example.org/bashupload@sha256:" + "1" * 64,
        "storage": {
            "r2": {
                "accountID": "0" * 31 + "1", "bucket": "bashupload",
                "accessKeyID": {"fromEnv": "R2_ACCESS_KEY_ID"}, "secretAccessKey": {"fromEnv": "R2_SECRET_ACCESS_KEY"},
            }
        },
        "certificates": {
            "email": "ops@example.org", "dns01": {"cloudflare": {"apiToken": {"fromEnv": "CLOUDFLARE_CERT_TOKEN"}}},
        },
        "nodes": nodes,
        **more,
    }


def render(folder: Path, content: dict, facts: dict | None = None) -> Path:
    """The folder of the nodes' trees."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bashupload.yaml").write_text(yaml.safe_dump(content))
    words = ["render", "--file", folder / "bashupload.yaml", "--output", folder / "out"]
    if facts is not None:
        (folder / "facts").write_text(yaml.safe_dump(facts))
        words += ["--facts", folder / "facts"]
    done = deploy(*words)
    assert done.returncode == 0 and done.stderr == "", done.stdout + done.stderr
    return folder / "out/nodes"
