"""`ingress.staticFiles`: from the cluster file to what nginx serves, whatever the text and however long it is."""

import json
import os
import re
import subprocess

import pytest

import wire
from kustomize import ROOT, build, find
from nginx import Nginx
from uploads import assert_file, get, put

BINARY = os.environ.get("BASHUPLOAD", str(ROOT / ".build/release/bashupload"))
LIMIT = 128 * 1024
# nginx takes 4,096 bytes in one parameter, quotes and backslashes included.
TEXTS = {
    **{f"/x{size}": "x" * size for size in (4093, 4094, 4095, 4096, 4097, 8192, 60000)},
    **{f"/dollars{size}": "$" * size for size in (454, 455, 456)},
    "/quotes": "'\"\\'\"\\" * 700,
    "/sentence": "a 'quoted' \"text\"; } # $host ${dollar} \\n \\",
    "/lines": "User-agent: *\nDisallow: /\n\n# the end\n",
    "/no-end": "one line without an end",
    "/crlf": "one\r\ntwo\r\n",
    "/utf-8": "é 中文 🎈 \u202e\ufeff" * 300,
    "/.well-known/security.txt": "-----BEGIN PGP SIGNED MESSAGE-----\nContact: mailto:a@example.org\n",
    "/looks-like-yaml": "- a: b\n  ? c\n---\n...\n|\n",
    "/page.html": "<script>alert(1)</script>",
}


def cluster_file(folder, files: dict) -> str:
    """The smallest right one, with these. JSON is YAML, but for pairs of escapes, and some other signs."""
    text = json.dumps({"staticFiles": files}, ensure_ascii=False)
    for sign in "\0\x1b\x7f\u0085\u2028\u2029\ufeff":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    subprocess.run([BINARY, "deploy", "init", "--domain", "files.example.org"], cwd=folder, check=True, capture_output=True)
    path = folder / "bashupload.yaml"
    without = re.sub(r"^ingress:.*\n(?: .*\n)*", "", path.read_text(), flags=re.MULTILINE)
    path.write_text(f"{without}\ningress: {text}\n")
    return path


def deploy(folder, *words):
    return subprocess.run([BINARY, "deploy", *words], cwd=folder, capture_output=True, text=True, timeout=60)


def rendered(folder, files: dict) -> dict:
    cluster_file(folder, files)
    for words in (["check"], ["render", "--output", "out"]):
        done = deploy(folder, *words)
        assert done.returncode == 0, done.stderr
    return find(build(folder / "out/kubernetes"), "ConfigMap", "bashupload-nginx")["data"]


@pytest.fixture
def front(serve, tmp_path):
    """`front(files)` → (nginx with the rendered configuration, server behind it)."""
    started = []

    def start(files):
        server = serve(TRUSTED_PROXIES="127.0.0.1,::1")
        nginx = Nginx(tmp_path / "nginx", server.port, files=rendered(tmp_path, files))
        started.append(nginx)
        assert nginx.check() == ""
        return nginx.start(), server

    yield start
    for nginx in started:
        nginx.stop()


def test_every_text_is_served_as_it_is(front):
    nginx, server = front(TEXTS)
    server.kill9()
    for way in (nginx.plain, nginx.secure):
        for path, text in TEXTS.items():
            answer = wire.request(way, "GET", path)
            assert (answer.status, answer.body) == (200, text.encode()), (path, answer)
            assert answer.header("Content-Type") == "text/plain; charset=utf-8", path
    assert wire.request(nginx.plain, "HEAD", "/lines").header("Content-Length") == str(len(TEXTS["/lines"]))
    # Neither the files of the ConfigMap nor their neighbours.
    for path in ("/static-1.txt", "/nginx.conf", "/x4094/", "/x4094/../nginx.conf", "/lines%00"):
        assert wire.request(nginx.plain, "GET", path).status in (400, 503), path


def test_an_upload_may_have_the_name_of_a_fixed_file(front):
    """`curl -T robots.txt host/`: the name is taken for reading only."""
    nginx, _ = front({"/robots.txt": "User-agent: *"})
    upload = put(nginx.secure, b"mine", name="robots.txt")
    assert_file(get(nginx.plain, upload.path), b"mine")
    assert wire.request(nginx.plain, "GET", "/robots.txt").body == b"User-agent: *"


def test_the_limit_is_told(tmp_path):
    """All of them together: 128 KiB in bytes, to the byte."""
    name = "/long.txt"
    room = LIMIT - len(name)
    for text, status in (("é" * (room // 2) + "x" * (room % 2), 0), ("é" * (room // 2) + "x" * (room % 2 + 1), 1)):
        cluster_file(tmp_path, {name: text})
        done = deploy(tmp_path, "check")
        assert done.returncode == status, done.stderr
        if status:
            assert "131073 bytes in all; the limit is 131072" in done.stderr and len(done.stderr.splitlines()) == 1
        (tmp_path / "bashupload.yaml").unlink()


REFUSED = {
    "/nginx/too-long": "below /nginx/",
    "/a//b": "would never be asked for",
    "/a/./b": "would never be asked for",
    "/a/..": "would never be asked for",
    "/caf%C3%A9": "would never be asked for",
    "/a?b": "would never be asked for",
    "/a#b": "would never be asked for",
    "/" + "p" * 255: "the limit is 255",
    "/a b": "is not a path",
    "/a{b": "is not a path",
    "/readyz": "answered by the service itself",
}


@pytest.mark.parametrize("sign", ["\0", "\x1b", "\x7f", "\u0085", "\u2028", "\u2029"], ids=ascii)
def test_a_sign_that_yaml_does_not_keep_is_refused(tmp_path, sign):
    """A control character, or a line end that readers of YAML make a blank of."""
    cluster_file(tmp_path, {"/a.txt": f"one{sign}two"})
    done = deploy(tmp_path, "check")
    assert done.returncode == 1 and f"U+{ord(sign):04X}" in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path[:20])
def test_a_path_that_cannot_be_served_is_refused(tmp_path, path):
    cluster_file(tmp_path, {path: "text"})
    done = deploy(tmp_path, "check")
    assert done.returncode == 1 and REFUSED[path] in done.stderr, done.stderr


def test_the_longest_path_is_served(front):
    path = "/" + "p" * 254
    nginx, _ = front({path: "far"})
    assert wire.request(nginx.plain, "GET", path).body == b"far"
