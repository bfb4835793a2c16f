"""Who may, and what anybody may see: password, usage text, page, configuration, health, proxies, limits per client."""

import base64
import subprocess
from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import pytest

import wire
from store import Store
from uploads import BROWSER, CHINESE, ENGLISH, assert_error, assert_file, get, multipart, put, upload_of, urls
from waiting import eventually

PASSWORD = "correct horse: battery staple"
AGENTS = {"curl": "curl/8.5.0", "wget": "Wget/1.21.3", "wget2": "Wget2/2.1.0", "httpie": "HTTPie/3.2.2"}


@pytest.fixture(scope="module")
def server(serve_once):
    return serve_once()


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.fixture(scope="module")
def guarded(serve_once):
    return serve_once(PASSWORD=PASSWORD)


GOOD = {
    "plain": PASSWORD,
    "basic": basic("anybody", PASSWORD),
    "basic without a user": basic("", PASSWORD),
    "basic lower case": basic("u", PASSWORD).replace("Basic", "basic"),
}
BAD = {
    "none": None,
    "empty": "",
    "wrong": "wrong",
    "longer": PASSWORD + "x",
    "shorter": PASSWORD[:-1],
    "other case": PASSWORD.upper(),
    "basic wrong": basic("u", "wrong"),
    "basic as user": basic(PASSWORD, ""),
    "basic no colon": "Basic " + base64.b64encode(PASSWORD.encode()).decode(),
    "basic no base64": "Basic !!!",
    "basic empty": "Basic",
    "basic of the word": "Basic " + PASSWORD,
    "bearer wrong": "Bearer wrong",
}


@pytest.mark.parametrize("value", GOOD.values(), ids=GOOD)
def test_password_opens(guarded, value):
    """As the plain header and as Basic with any user, for uploads and for downloads."""
    credentials = {"Authorization": value}
    upload = put(guarded, b"guarded", headers=credentials)
    assert wire.request(guarded, "HEAD", upload.path, credentials).status == 200
    assert_file(get(guarded, upload.path, credentials), b"guarded")
    assert get(guarded, upload.path, credentials).status == 410


@pytest.mark.parametrize("value", BAD.values(), ids=BAD)
def test_password_closes(guarded, value):
    """401 with a challenge; nothing is stored, nothing is delivered or spent, nothing is told about an id."""
    upload = put(guarded, b"guarded", headers={"Authorization": PASSWORD})
    store = Store(guarded.data)
    before = store.snapshot()
    credentials = {} if value is None else {"Authorization": value}
    form, data = multipart([("f", "a.txt", None, b"x")])
    for method, target, headers, body in (
        ("PUT", "/x", {}, b"x"),
        ("POST", "/", {}, b"x"),
        ("POST", "/", form, data),
        ("GET", upload.path, {}, b""),
        ("GET", upload.path, BROWSER, b""),
        ("GET", upload.path, {"Range": "bytes=0-0"}, b""),
        ("POST", upload.path, {}, b""),
    ):
        response = wire.request(guarded, method, target, {**headers, **credentials}, body)
        assert response.status == 401, f"{method} {target}: {response!r}"
        assert response.header("WWW-Authenticate", "").startswith("Basic realm=")
        assert len(response.text.strip().splitlines()) == 1 or "html" in response.header("Content-Type")
    assert wire.request(guarded, "HEAD", upload.path, credentials).status == 401
    assert store.snapshot() == before
    assert_file(get(guarded, upload.path, {"Authorization": PASSWORD}), b"guarded")


def test_password_does_not_close(guarded):
    """`/`, the page, /api/config and health stay open; the configuration tells that a password is needed."""
    assert get(guarded, "/").status == 200
    assert get(guarded, "/", BROWSER).status == 200
    assert get(guarded, "/api/config").json()["needPassword"] is True
    assert get(guarded, "/healthz").status == get(guarded, "/readyz").status == 200
    assert PASSWORD not in get(guarded, "/").text + get(guarded, "/", BROWSER).text + get(guarded, "/api/config").text


def test_password_with_curl(guarded, tmp_path):
    """-u and -H as in the README of bashupload-r2."""
    (tmp_path / "f.txt").write_bytes(b"by curl")
    for arguments in (["-u", f"me:{PASSWORD}"], ["-H", f"Authorization: {PASSWORD}"]):
        done = subprocess.run(
            ["curl", "-sS", "--fail", *arguments, "-T", str(tmp_path / "f.txt"), guarded.url],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done
        got = subprocess.run(["curl", "-sS", "--fail", *arguments, urls(done.stdout)[0]], capture_output=True, timeout=60)
        assert got.stdout == b"by curl"


def test_password_of_other_letters(serve):
    """A password that is no ASCII works with Basic in UTF-8."""
    server = serve(PASSWORD="pässwörd ❤")
    upload = put(server, b"x", headers={"Authorization": basic("u", "pässwörd ❤")})
    assert get(server, upload.path).status == 401
    assert_file(get(server, upload.path, {"Authorization": basic("u", "pässwörd ❤")}), b"x")


# -- configuration, health, usage, page


def test_config(server):
    response = get(server, "/api/config")
    assert response.status == 200 and response.header("Content-Type").startswith("application/json")
    assert response.header("Access-Control-Allow-Origin") == "*"
    assert response.json() == {"maxAgeForMultiDownload": 86400, "maxUploadSize": 5 * 1024**3, "maxAge": 3600, "needPassword": False}


def test_config_follows_the_settings(serve):
    server = serve(MAX_AGE=7, MAX_AGE_FOR_MULTIDOWNLOAD=8, MAX_UPLOAD_SIZE="9MiB", PASSWORD="x")
    assert get(server, "/api/config").json() == {
        "maxAgeForMultiDownload": 8,
        "maxUploadSize": 9 * 1024**2,
        "maxAge": 7,
        "needPassword": True,
    }


def test_health(server):
    for target in ("/healthz", "/readyz"):
        for method in ("GET", "HEAD"):
            assert wire.request(server, method, target).status == 200


@pytest.mark.parametrize("agent", AGENTS.values(), ids=AGENTS)
def test_usage_text(server, agent):
    """Terminal programs get text in English and Chinese that names this server and shows how to upload."""
    response = get(server, "/", {"User-Agent": agent, "Accept": "*/*"})
    assert response.status == 200 and response.header("Content-Type").lower().replace(" ", "") == "text/plain;charset=utf-8"
    assert CHINESE.search(response.text) and ENGLISH.search(response.text)
    assert "curl" in response.text and f"{server.host}:{server.port}" in response.text and "-T" in response.text
    assert "<html" not in response.text.lower()


class Page(HTMLParser):
    def __init__(self):
        super().__init__()
        self.forms, self.inputs, self.tags = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "form":
            self.forms.append(dict(attributes))
        if tag == "input":
            self.inputs.append(dict(attributes))


def test_page_for_browsers(server):
    """HTML with an upload form that needs no script; submitting it as a browser does stores the file."""
    response = get(server, "/", BROWSER)
    assert response.status == 200 and response.header("Content-Type").lower().replace(" ", "") == "text/html;charset=utf-8"
    page = Page()
    page.feed(response.text)
    forms = [form for form in page.forms if form.get("enctype") == "multipart/form-data"]
    assert len(forms) == 1 and forms[0]["method"].lower() == "post", page.forms
    files = [field for field in page.inputs if field.get("type") == "file"]
    assert len(files) == 1 and files[0]["name"], page.inputs
    assert "script" not in page.tags, "the form must work without"
    target = urlsplit(urljoin(server.url + "/", forms[0].get("action", ""))).path or "/"
    headers, body = multipart([(files[0]["name"], "chosen.txt", "text/plain", b"chosen")])
    answer = wire.request(server, "POST", target, {**BROWSER, **headers}, body)
    assert answer.status == 200
    link = next(url for url in urls(answer.text) if url.startswith(server.url))
    assert_file(get(server, link.removeprefix(server.url)), b"chosen")


def test_real_curl_and_wget_get_text(server):
    for command in (["curl", "-sS", "--fail"], ["wget", "-qO-"]):
        done = subprocess.run([*command, server.url], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0 and "curl" in done.stdout and CHINESE.search(done.stdout) and "<html" not in done.stdout.lower()


# -- scheme, host and client address

FORWARDED = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "files.example", "X-Forwarded-For": "203.0.113.7"}


def link(server, headers=None, source=None):
    return put(server, b"x", "f.txt", headers, source=source).url


def test_url_uses_the_request(server):
    assert link(server, {"Host": "files.example"}).startswith("http://files.example/")
    assert link(server, {"Host": "files.example:8080"}).startswith("http://files.example:8080/")
    assert link(server, {"Host": "[2001:db8::1]:8080"}).startswith("http://[2001:db8::1]:8080/")


def test_forwarded_fields_of_strangers_are_ignored(server):
    for headers in (FORWARDED, {"Forwarded": "host=evil.example;proto=https"}, {"X-Forwarded-Host": "evil.example"}):
        assert link(server, headers).startswith(f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize("trusted", ["127.0.0.1", "127.0.0.1/32", "10.0.0.0/8, 127.0.0.1/32, ::1"])
def test_forwarded_fields_of_trusted_proxies(serve, trusted):
    """Only from the addresses of TRUSTED_PROXIES."""
    server = serve(TRUSTED_PROXIES=trusted)
    assert link(server, FORWARDED).startswith("https://files.example/")
    assert link(server).startswith(f"http://127.0.0.1:{server.port}/")
    assert link(server, {"X-Forwarded-Proto": "https"}).startswith(f"https://127.0.0.1:{server.port}/")
    assert link(server, FORWARDED, source="127.0.0.2").startswith(f"http://127.0.0.1:{server.port}/")


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-Host": "evil.example/x"},
        {"X-Forwarded-Host": "a b"},
        {"X-Forwarded-Proto": "javascript"},
        {"X-Forwarded-Host": '"><script>'},
    ],
    ids=str,
)
def test_nonsense_from_a_trusted_proxy_reaches_no_url(serve, headers):
    """Refused or ignored, never printed."""
    server = serve(TRUSTED_PROXIES="127.0.0.1")
    response = wire.request(server, "PUT", "/f.txt", headers, b"x")
    if response.status == 200:
        assert upload_of(response).url.startswith(f"http://127.0.0.1:{server.port}/")
    else:
        assert_error(response, 400)


def test_public_url_wins(serve):
    server = serve(PUBLIC_URL="https://share.example", TRUSTED_PROXIES="127.0.0.1")
    for headers in ({}, FORWARDED, {"Host": "other.example"}):
        upload = put(server, b"x", "f.txt", headers)
        assert upload.url.startswith(f"https://share.example/{upload.id}")
        assert upload.response.header("Location") == upload.url
        assert_file(get(server, upload.path), b"x")
    assert "https://share.example" in get(server, "/", {"User-Agent": "curl/8"}).text


def test_uploads_per_minute(serve):
    """429 with Retry-After, before the body; per address of the client."""
    server = serve(UPLOADS_PER_MINUTE=3)
    for _ in range(3):
        upload = put(server, b"x")
    with wire.Connection(server) as connection:
        connection.send_head("PUT", "/x", {"Content-Length": "2000000", "Expect": "100-continue"})
        response = connection.read("PUT")
        assert response.interim == []
        assert_error(response, 429)
        assert response.header("Retry-After", "").isdigit() and "3" in response.text
        assert connection.ends()
    assert_error(wire.request(server, "POST", "/", {}, b"x"), 429)
    put(server, b"x", source="127.0.0.2")
    assert_file(get(server, upload.path), b"x")


def test_client_behind_proxies_is_the_rightmost_stranger(serve):
    """What a client writes into X-Forwarded-For itself does not count, hops of ours do not either."""
    server = serve(UPLOADS_PER_MINUTE=2, TRUSTED_PROXIES="127.0.0.1,10.0.0.0/8")
    for chain in ("9.9.9.9, 203.0.113.5", "8.8.8.8, 203.0.113.5, 10.1.2.3"):
        put(server, b"x", headers={"X-Forwarded-For": chain})
    assert_error(wire.request(server, "PUT", "/x", {"X-Forwarded-For": "7.7.7.7, 203.0.113.5"}, b"x"), 429)
    assert_error(wire.request(server, "PUT", "/x", [("X-Forwarded-For", "6.6.6.6"), ("X-Forwarded-For", "203.0.113.5")], b"x"), 429)
    put(server, b"x", headers={"X-Forwarded-For": "203.0.113.5, 203.0.113.6"})


def test_resuming_client_is_known_by_the_forwarded_address(serve):
    """The lease belongs to the address behind the proxy: another one behind the same proxy does not continue it."""
    server = serve(TRUSTED_PROXIES="127.0.0.1")
    upload = put(server, b"0123456789" * 1000)
    assert_file(get(server, upload.path, {"X-Forwarded-For": "203.0.113.5"}), b"0123456789" * 1000)
    tail = {"Range": "bytes=9990-"}
    assert get(server, upload.path, {**tail, "X-Forwarded-For": "203.0.113.6"}).status == 410
    assert_file(get(server, upload.path, {**tail, "X-Forwarded-For": "203.0.113.5"}), b"0123456789", 206)


def test_connections_per_client(serve):
    """The third connection of one address is told 429; others are served, and so is the client when one is closed."""
    server = serve(MAX_CONNECTIONS_PER_CLIENT=2)
    eventually(lambda: not wire.queues(server.port), 5, "the connections of the start are closed")
    held = [wire.Connection(server) for _ in range(2)]
    for connection in held:
        assert connection.exchange("GET", "/healthz").status == 200
    assert_error(get(server, "/healthz"), 429)
    assert get(server, "/healthz", source="127.0.0.2").status == 200
    assert held[0].exchange("GET", "/healthz").status == 200
    held.pop().close()
    eventually(lambda: get(server, "/healthz").status == 200, 5, "a closed connection makes room")


def test_max_connections(serve):
    """Above MAX_CONNECTIONS nobody is served (told 503, hung up on, or kept waiting) until one of the others ends."""
    server = serve(MAX_CONNECTIONS=4)
    eventually(lambda: not wire.queues(server.port), 5, "the connections of the start are closed")
    held = [wire.Connection(server) for _ in range(4)]
    for connection in held:
        assert connection.exchange("GET", "/healthz").status == 200
    extra = wire.Connection(server)
    extra.send_head("GET", "/healthz")
    try:
        assert_error(extra.read(within=1), 503)
    except (wire.Closed, wire.NoAnswer):
        pass
    assert held[0].exchange("GET", "/healthz").status == 200
    extra.close()
    for connection in held:
        connection.close()

    def served():
        try:
            return get(server, "/healthz", timeout=2).status == 200
        except (wire.Closed, wire.NoAnswer):
            return False

    eventually(served, 5, "there is room again")


def test_no_descriptors_left(serve):
    """When the process has no descriptors left it stops accepting for a while; it does not stop serving."""
    server = serve(wrapper=("prlimit", "--nofile=64:64"), MAX_CONNECTIONS=1000)
    held = [wire.Connection(server) for _ in range(100)]
    for connection in held:
        connection.close()

    def served():
        try:
            return get(server, "/healthz", timeout=2).status == 200
        except (wire.Closed, wire.NoAnswer, OSError):
            return False

    eventually(served, 10, "there is room again")
