"""What the promises need of a store is tried and not believed: at the start, by /readyz, and with settings as people paste them."""

import pytest

import running
import wire
from bucket.lacking_store import LackingStore
from racing import race
from uploads import assert_file, get, put
from waiting import eventually, seeded

LACKS = {
    "create": "If-None-Match",
    "change": "If-Match",
    "delete": "deleted",
    "refuse": "If-None-Match",
    "region": "R2_REGION",
    "moved": "R2_ENDPOINT",
}


@pytest.fixture
def store():
    stores = []

    def make(*lacks):
        stores.append(LackingStore(lacks))
        return stores[-1]

    yield make
    for one in stores:
        one.stop()


def start(store, tmp_path, **changes):
    settings = {**running.DEFAULTS, **store.bucket.settings, "DATA_DIR": tmp_path / "data", "PORT": running.free_port(), **changes}
    return running.run(["serve"], tmp_path, settings, 60)


@pytest.mark.parametrize("lack", LACKS)
def test_a_store_that_lacks_something_ends_the_start(store, tmp_path, lack):
    """One line that says what is missing: nobody is served by a store that would deliver one-time files twice."""
    done = start(store(lack), tmp_path)
    assert done.returncode == 1, done
    lines = running.alarm_lines(done.stdout + done.stderr)
    assert len(lines) == 1 and LACKS[lack] in lines[0], lines


@pytest.mark.parametrize("lacks", [(), ("complete",)])
def test_a_store_that_keeps_conditions_delivers_once(store, serve, lacks):
    """The same store without the proxy's theft: served, and twenty at once get a file once; nothing of the proof is left. That
    a multipart upload overwrites, as radosgw's do, is made up for."""
    whole = store(*lacks)
    server = serve(**whole.bucket.settings)
    assert whole.bucket.keys() == []
    for size in (50_000, 2_000_000, 20_000_000):
        body = seeded(f"{size}").randbytes(size)
        upload = put(server, body)
        race([(server, ())] * 20, upload, body, 1, 60, f"{size} bytes", later=(423, 503))
    assert whole.bucket.open_uploads() == []


def test_readiness_tells_when_a_store_stops_to_keep_conditions(store, serve, lack="create"):
    """A gateway that is replaced while the service runs is seen within two minutes, and the log says it."""
    gateway = store()
    server = serve(**gateway.bucket.settings)
    gateway.lacks = {lack}
    eventually(lambda: wire.request(server, "GET", "/readyz", timeout=15).status == 503, 120, "not ready", every=0.5)
    eventually(lambda: any(LACKS[lack] in entry.get("cause", "") for entry in server.log_entries()), 5, "the log says why")


# How people paste it, of the right settings → the same bucket.
PASTED = {
    "slash": lambda s: {"R2_ENDPOINT": s["R2_ENDPOINT"] + "/"},
    "bucket in the endpoint": lambda s: {"R2_ENDPOINT": f"{s['R2_ENDPOINT']}/{s['R2_BUCKET_NAME']}"},
    "bucket in the endpoint and a slash": lambda s: {"R2_ENDPOINT": f"{s['R2_ENDPOINT']}/{s['R2_BUCKET_NAME']}/"},
    "newline": lambda s: {name: f"{value}\n" for name, value in s.items()},
    "CR LF": lambda s: {name: f"{value}\r\n" for name, value in s.items()},
    "blanks": lambda s: {name: f"  {value}\t" for name, value in s.items()},
    "byte order mark": lambda s: {name: f"\ufeff{value}" for name, value in s.items()},
    "tags are found out": lambda s: {"R2_WRITE_ETAGS": None},
}


@pytest.mark.parametrize("how", PASTED)
@pytest.mark.parametrize("which", ["radosgw", "fake"])
def test_settings_as_people_paste_them(request, serve, which, how):
    """Real signatures are checked by both stores; Ceph wants bare entity tags and is found out."""
    bucket = request.getfixturevalue(f"{which}_server")
    settings = {**bucket.settings, "R2_WRITE_ETAGS": "auto"}
    server = serve(**{**settings, **PASTED[how](settings)})
    body = seeded(how).randbytes(100_000)
    upload = put(server, body)
    assert_file(get(server, upload.path, timeout=30), body)
    assert get(server, upload.path).status == 410


@pytest.mark.parametrize("name", ["R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY", "R2_BUCKET_NAME", "PASSWORD"])
@pytest.mark.parametrize("value", ["two\nlines", "a\x01b", "nul\x7f", "\ufffd"])
def test_settings_that_are_no_text_are_refused_by_name(fake_server, tmp_path, name, value):
    settings = {**running.DEFAULTS, **fake_server.settings, "DATA_DIR": tmp_path / "data", "PORT": running.free_port(), name: value}
    done = running.run(["serve"], tmp_path, settings, 30)
    assert done.returncode not in (0, None)
    output = done.stdout + done.stderr
    assert name in output and len([line for line in output.splitlines() if line.startswith(name)]) <= 1 and value not in output


def test_a_quota_over_a_bucket_is_refused(fake_server, tmp_path):
    settings = {**running.DEFAULTS, **fake_server.settings, "DATA_DIR": tmp_path / "data", "PORT": running.free_port()}
    done = running.run(["serve"], tmp_path, {**settings, "STORAGE_QUOTA": "1GiB"}, 30)
    assert done.returncode not in (0, None) and "STORAGE_QUOTA" in done.stdout + done.stderr


def test_unknown_names_cost_a_bounded_number_of_requests(store, serve):
    """Names and ids that do not exist are asked for once each, by one client only so many times, and never as a path of the store."""
    counted = store()
    server = serve(**counted.bucket.settings)
    before = len(counted.requests)
    for path in ("/..", "/.", "/.env", "/..%2f", "/.git"):
        assert wire.request(server, "GET", path).status == 404
    assert len(counted.requests) == before, counted.requests[before:]
    for turn in range(400):
        assert wire.request(server, "GET", f"/wp-{turn}.php").status in (404, 429)
    assert len(counted.requests) - before < 150
