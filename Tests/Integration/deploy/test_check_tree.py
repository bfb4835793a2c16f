"""The command that reads a kustomize root."""

import subprocess
import sys
from pathlib import Path

from kustomize import KUBERNETES, overlay

COMMAND = [sys.executable, str(Path(__file__).parent / "check_tree.py")]


def check(*arguments) -> tuple:
    done = subprocess.run([*COMMAND, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_a_right_tree(tmp_path):
    assert check(KUBERNETES / "overlays/example") == (0, "16 objects, nothing wrong\n")
    assert check(overlay(tmp_path / "o", ("quota",)), 3)[0] == 0


def test_mistakes_are_listed(tmp_path):
    merge = "configMapGenerator: [{name: bashupload, namespace: bashupload, behavior: merge, literals: [%s]}]\n"
    code, text = check(overlay(tmp_path / "cleaner", (), merge % "NO_CLEANUP=false"))
    assert code == 1 and text.splitlines() == [line for line in text.splitlines() if "two cleaners" in line]
    code, text = check(overlay(tmp_path / "quota", ("quota",)), 5)
    assert code == 1 and "5 edges need" in text
    code, text = check(overlay(tmp_path / "broken", (), "resourcess: []\n"))
    assert code == 1 and "resourcess" in text
    assert check()[0] == 2
