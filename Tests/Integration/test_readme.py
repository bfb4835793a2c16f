"""The recipes of the README, run word for word: fenced `sh` blocks that begin with the line `# recipe`."""

import re
import subprocess
import tarfile
from pathlib import Path

import pytest

import running
from waiting import seeded

README = Path(__file__).resolve().parent / "../../README.md"
ADDRESS = re.compile(r"127\.0\.0\.1:3000|localhost:3000")


def recipes() -> list:
    if not README.exists():
        return []
    blocks = re.findall(r"^[ \t]*```sh[ \t]*\n(.*?)^[ \t]*```", README.read_text("utf-8"), re.M | re.S)
    return [block for block in blocks if re.search(r"^[ \t]*# recipe\b", block, re.M)]


@pytest.fixture
def scratch(tmp_path):
    """A folder with the files that the recipes speak of."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    (folder / "file.txt").write_text("Hello from a file.\n")
    (folder / "my file.txt").write_text("A name with a space.\n")
    (folder / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0" + seeded("photo").randbytes(2_000_000))
    with tarfile.open(folder / "backup.tar", "w") as archive:
        archive.add(folder / "file.txt", "file.txt")
    return folder


def test_there_are_recipes():
    assert len(recipes()) >= 10, f"{len(recipes())} recipes in {README.name}"


@pytest.mark.parametrize(
    "recipe", recipes() or [""], ids=lambda recipe: re.sub(r"[^ -~]", "?", " ".join(recipe.split()[2:10]))[:50]
)
def test_recipe(serve, scratch, recipe):
    """It succeeds as it stands, and the server had no reason to call it a wrong request."""
    assert recipe, f"no recipe in {README.name}"
    server = serve()
    text = ADDRESS.sub(f"{server.host}:{server.port}", recipe)
    assert text != recipe, "the recipe does not talk to the server"
    environment = running.environment(scratch, {"TMPDIR": str(scratch)})
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", text],
        cwd=scratch,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
    wrong = {"400", "401", "403", "404", "405", "411", "413", "414", "417", "429", "431", "500", "503", "507"}
    entries = [
        entry for entry in server.log_entries() if wrong & {str(value) for key, value in entry.items() if "status" in key.lower()}
    ]
    assert not entries, f"{text}\n{done.stdout}\n{entries}"
