"""`/short`: the link goes through a MyUrls service; when that does not help, the long one is answered with a note."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest

import wire
from uploads import assert_file, get, urls

SHORT = "https://s.example/abc"


class MyUrls:
    """A MyUrls service that is good, broken in different ways, or never answers."""

    def __init__(self, mode):
        self.asked = []
        self.released = threading.Event()
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
                service.asked.append((self.path, self.headers["Content-Type"], form))
                if mode == "silent":
                    service.released.wait(30)
                answer = {
                    "good": {"Code": 1, "ShortUrl": SHORT},
                    "refuses": {"Code": 0, "Message": "no"},
                    "nonsense": ["x"],
                    "no url": {"Code": 1},
                    "script": {"Code": 1, "ShortUrl": "javascript:alert(1)"},
                    "two lines": {"Code": 1, "ShortUrl": "https://s.example/a\nhttps://evil.example/"},
                }.get(mode, {})
                data = b"<html>" if mode == "html" else json.dumps(answer).encode()
                try:
                    self.send_response(500 if mode == "error" else 200)
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    pass

            def log_message(self, *_):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.http.server_port}/short"

    def close(self):
        self.released.set()
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def my_urls():
    services = []

    def start(mode):
        services.append(MyUrls(mode))
        return services[-1]

    yield start
    for service in services:
        service.close()


@pytest.mark.parametrize("target", ["/short/file.txt", "/short/", "/short"])
def test_short_link(serve, my_urls, target):
    """POST longUrl=<base64>, answer {Code: 1, ShortUrl}: the short link is answered, the file is behind the long one."""
    service = my_urls("good")
    server = serve(ENABLE_SHORT_URL=True, SHORT_URL_SERVICE=service.url)
    response = wire.request(server, "PUT", target, {}, b"short")
    assert response.status == 200 and urls(response.text)[0] == SHORT, response
    ((path, kind, form),) = service.asked
    assert path == "/short" and kind.startswith("application/x-www-form-urlencoded") and set(form) >= {"longUrl"}
    long = base64.b64decode(form["longUrl"][0], validate=True).decode()
    assert long.startswith(server.url + "/")
    assert_file(get(server, urlsplit(long).path), b"short")


def test_short_link_as_uri_list(serve, my_urls):
    service = my_urls("good")
    server = serve(ENABLE_SHORT_URL=True, SHORT_URL_SERVICE=service.url)
    assert wire.request(server, "PUT", "/short/f.txt", {"Accept": "text/uri-list"}, b"x").text == SHORT + "\n"


@pytest.mark.parametrize("mode", ["refuses", "error", "html", "nonsense", "no url", "script", "two lines", "nobody"])
def test_long_link_when_the_service_fails(serve, my_urls, mode):
    """The upload is kept and its long link answered, with a note that says so."""
    service = my_urls(mode)
    if mode == "nobody":
        service.close()
    server = serve(ENABLE_SHORT_URL=True, SHORT_URL_SERVICE=service.url)
    plain = wire.request(server, "PUT", "/file.txt", {}, b"kept")
    response = wire.request(server, "PUT", "/short/file.txt", {}, b"kept")
    check_long(server, response, plain)


def check_long(server, response, plain):
    assert response.status == 200, response
    link = urls(response.text)[0]
    assert link.startswith(server.url + "/") and "evil" not in response.text and "javascript" not in response.text
    note, usual = (answer.text.split("\n\n", 2)[2] for answer in (response, plain))
    assert note != usual and "short" in note.lower() and "短" in note, f"no note about the short link: {note!r}"
    assert_file(get(server, urlsplit(link).path), b"kept")


def test_long_link_when_the_service_is_slow(serve, my_urls):
    """After three seconds the long link is answered."""
    service = my_urls("silent")
    server = serve(ENABLE_SHORT_URL=True, SHORT_URL_SERVICE=service.url)
    plain = wire.request(server, "PUT", "/file.txt", {}, b"kept")
    began = time.monotonic()
    response = wire.request(server, "PUT", "/short/file.txt", {}, b"kept")
    took = time.monotonic() - began
    assert 2.5 <= took <= 5, f"answered after {took:.1f} s"
    check_long(server, response, plain)


def test_service_is_asked_only_for_short_links(serve, my_urls):
    service = my_urls("good")
    server = serve(ENABLE_SHORT_URL=True, SHORT_URL_SERVICE=service.url)
    assert urls(wire.request(server, "PUT", "/file.txt", {}, b"x").text)[0].startswith(server.url)
    assert urls(wire.request(server, "POST", "/", {}, b"x").text)[0].startswith(server.url)
    assert service.asked == []


def test_no_short_links_unless_enabled(serve, my_urls):
    """With ENABLE_SHORT_URL off nobody is asked; the upload is refused or has its long link."""
    service = my_urls("good")
    server = serve(SHORT_URL_SERVICE=service.url)
    response = wire.request(server, "PUT", "/short/file.txt", {}, b"x")
    assert response.status in (200, 400, 403, 404), response
    if response.status == 200:
        assert urls(response.text)[0].startswith(server.url)
    assert service.asked == []
