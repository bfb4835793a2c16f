"""Original names: what was sent comes back in both forms of Content-Disposition, and never as a path."""

import subprocess
from urllib.parse import quote

import pytest

import wire
from uploads import disposition, get, multipart, put, upload_of, urls

NAMES = [
    "file.txt",
    "no extension",
    "archive.tar.gz",
    ".bashrc",
    "-rf",
    "a b  c.txt",
    "ü.txt",
    "日本語のファイル.pdf",
    "Русский.doc",
    "🦆 duck.png",
    "e\u0301.txt",
    'quo"te.txt',
    "apos'trophe.txt",
    "semi;colon.txt",
    "com,ma.txt",
    "eq=ual.txt",
    "100%.txt",
    "50%20off.txt",
    "plus+plus.txt",
    "question?.txt",
    "ha#sh.txt",
    "a&b.txt",
    "<b>bold.txt",
    "dollar$HOME.txt",
    "back`tick`.txt",
    "star*.txt",
    "(brackets).txt",
    "[square].txt",
    "{curly}.txt",
    "tilde~.txt",
    "pipe|.txt",
    "at@sign.txt",
    "colon:x.txt",
    "...dots.txt",
    "dots..",
    "n" * 251 + ".txt",
    "ü" * 125 + "x.txt",
    "q" + '"' * 250 + ".txt",
    "CON",
    "index.html",
]
# What a path turns into: its last segment.
PATHS_PUT = {
    "a/b/c.txt": "c.txt",
    "one/two/x.txt": "x.txt",
    "deep/%C3%BC/%C3%A4.txt": "ä.txt",
    "a//b.txt": "b.txt",
    "x.txt?query=1": "x.txt",
}
PATHS_FORM = {
    "../../etc/passwd": "passwd",
    "/etc/cron.d/job": "job",
    "C:\\\\Users\\\\me\\\\evil.exe": "evil.exe",
    "..\\\\..\\\\x.dll": "x.dll",
    "a/b\\\\c.txt": "c.txt",
}


@pytest.fixture(scope="module")
def server(serve_once):
    return serve_once()


def check(server, upload, name):
    """HEAD and GET agree; the full form is exact, the plain form is ASCII, quoted and unambiguous."""
    head, got = wire.request(server, "HEAD", upload.path), get(server, upload.path)
    assert head.status == 200 and got.status == 200
    kind, plain, full = disposition(got)
    assert disposition(head) == (kind, plain, full)
    assert full == name
    if name.isascii() and not set(name) & set('"\\%'):
        assert plain == name, "an ASCII name needs no change"
    assert plain and plain.isascii() and not set(plain) & set("/\\\r\n\0") and plain not in (".", "..")
    assert plain.rpartition(".")[2] == name.rpartition(".")[2] or not name.isascii() or "." not in name


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:30])
def test_name_of_a_put(server, name):
    """Percent-encoded as curl does it."""
    check(server, put(server, b"x", quote(name, safe="")), name)


@pytest.mark.parametrize("name", [name for name in NAMES if "%" not in name], ids=lambda name: ascii(name)[:30])
def test_name_of_a_form_part(server, name):
    """Quotes with a backslash, as RFC 2616 clients write them; everything else as it is."""
    headers, body = multipart([("file", name.replace('"', '\\"'), None, b"x")])
    check(server, upload_of(wire.request(server, "POST", "/", headers, body)), name)


@pytest.mark.parametrize("name", ['quo"te.txt', "plain.txt", "ü ;.txt"])
def test_name_of_a_form_part_from_curl(server, tmp_path, name):
    """curl and browsers write a quote as %22."""
    (tmp_path / "f").write_bytes(b"x")
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    done = subprocess.run(
        ["curl", "-sS", "--fail", "-F", f'file=@{tmp_path}/f;filename="{quoted}"', server.url], capture_output=True, timeout=60
    )
    assert done.returncode == 0, done
    path = urls(done.stdout.decode())[0].removeprefix(server.url)
    assert disposition(wire.request(server, "HEAD", path))[2] == name


def test_name_star_of_a_form_part_wins(server):
    """filename* (RFC 8187) is more exact than filename."""
    body = b'--B\r\nContent-Disposition: form-data; name="f"; filename="plain.txt"; filename*=UTF-8\'\'%e2%82%ac%20rates.txt\r\n\r\nx\r\n--B--\r\n'
    response = wire.request(server, "POST", "/", {"Content-Type": "multipart/form-data; boundary=B"}, body)
    assert disposition(wire.request(server, "HEAD", upload_of(response).path))[2] in ("€ rates.txt", "plain.txt")


@pytest.mark.parametrize("path, name", PATHS_PUT.items())
def test_last_segment_of_a_put(server, path, name):
    """A path of several segments: the last is the name; a query is none of it."""
    check(server, put(server, b"x", path), name)


@pytest.mark.parametrize("path, name", PATHS_FORM.items())
def test_last_segment_of_a_form_name(server, path, name):
    """What old browsers and attackers send as a path keeps its last part only."""
    headers, body = multipart([("file", path, None, b"x")])
    check(server, upload_of(wire.request(server, "POST", "/", headers, body)), name)


@pytest.mark.parametrize("name", ["file.txt", "ü b.tar.gz", 'quo"te?.x-y', "n" * 251 + ".txt"])
def test_url_is_plain_and_works(server, name):
    """The URL is ASCII without spaces or quotes, whatever the name, and opens the file."""
    upload = put(server, b"x", quote(name, safe=""))
    assert upload.url.isascii() and upload.response.text.split()[0] == upload.url
    assert not set(upload.url) & set(" \"'<>\\^`{|}")
    assert get(server, upload.path).body == b"x"


def test_stored_file_name_is_the_id(server):
    """On disk there is only the id; the name cannot point anywhere."""
    upload = put(server, b"x", "name.txt")
    assert (server.data / "u" / upload.id[:4] / upload.id).read_bytes() == b"x"
    assert not [path for path in server.data.rglob("*name*")]
