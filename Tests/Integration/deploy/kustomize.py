"""Builds a kustomize tree the way an engineer does: with kubectl, or with the kustomize program."""

import functools
import os
import shutil
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
KUBERNETES = ROOT / "deploy/kubernetes"
BASE = KUBERNETES / "base"
COMPONENTS = sorted(path.name for path in (KUBERNETES / "components").iterdir() if (path / "kustomization.yaml").exists())


class BuildFailure(Exception):
    """kustomize refused the tree; the text is its own."""


@functools.cache
def command() -> tuple:
    """`kubectl kustomize` of version 4.1 or newer (components), else the kustomize program, also from .build/tools."""
    kubectl = shutil.which("kubectl")
    if kubectl:
        version = subprocess.run([kubectl, "version", "--client", "--output=json"], capture_output=True, text=True)
        if '"kustomizeVersion"' in version.stdout:  # only printed since it has been kustomize 4
            return (kubectl, "kustomize")
    for program in (shutil.which("kustomize"), ROOT / ".build/tools/bin/kustomize"):
        if program and os.access(program, os.X_OK):
            return (str(program), "build")
    raise AssertionError("no kubectl with kustomize 4 or newer, and no kustomize: run scripts/install-deps test")


@functools.cache
def build_text(folder: Path) -> str:
    built = subprocess.run([*command(), str(folder)], capture_output=True, text=True, timeout=60)
    if built.returncode:
        raise BuildFailure(built.stderr.strip())
    assert not built.stderr.strip(), f"a warning of kustomize for {folder.name}: {built.stderr}"
    return built.stdout


def build(folder: Path) -> list:
    """The objects, parsed anew for every caller: they may be changed."""
    return [document for document in yaml.safe_load_all(build_text(folder)) if document]


def overlay(folder: Path, components=(), extra: str = "") -> Path:
    """A throw-away overlay over the base; kustomize wants relative paths."""
    folder.mkdir(parents=True, exist_ok=True)
    relative = lambda path: os.path.relpath(path, folder)  # noqa: E731
    lines = ["apiVersion: kustomize.config.k8s.io/v1beta1", "kind: Kustomization", f"resources: [{relative(BASE)}]"]
    if components:
        lines.append("components:")
        lines += [f"  - {relative(KUBERNETES / 'components' / name)}" for name in components]
    (folder / "kustomization.yaml").write_text("\n".join(lines) + "\n" + extra)
    return folder


def find(objects: list, kind: str, name: str) -> dict:
    """The object of this kind and name; a hash that kustomize added to the name does not matter."""
    for candidate in objects:
        full = candidate["metadata"]["name"]
        if candidate["kind"] == kind and (full == name or (full.startswith(name + "-") and len(full) == len(name) + 11)):
            return candidate
    raise AssertionError(f"no {kind} {name} among {[(o['kind'], o['metadata']['name']) for o in objects]}")
