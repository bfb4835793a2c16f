"""A bucket that cannot be used is said in one line that names what to do; a store that goes away comes back."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import running
import wire
from bucket.s3 import Bucket
from uploads import assert_error, assert_file, get, get_when_free, put
from waiting import eventually

MIB = 1024 * 1024
LASTING = {"X-Expiration-Seconds": "600"}
# What is wrong → settings of the node, and words of which the line must have one.
WRONG = {
    "key id": ({"R2_ACCESS_KEY_ID": "another-key"}, ("access key", "R2_ACCESS_KEY_ID")),
    "secret": ({"R2_SECRET_ACCESS_KEY": "not-the-secret-of-this-key"}, ("secret access key", "R2_SECRET_ACCESS_KEY")),
    "bucket": ({"R2_BUCKET_NAME": "no-such-bucket"}, ("bucket", "R2_BUCKET_NAME")),
    "endpoint": ({"R2_ENDPOINT": None}, ("endpoint", "R2_ENDPOINT")),
    "clock behind": ({"CLOCK_SHIFT": -3600}, ("clock",)),
    "clock ahead": ({"CLOCK_SHIFT": 3600}, ("clock",)),
}


@pytest.fixture(params=["radosgw", "fake"])
def store(request):
    """Read only: these tests do not need an empty bucket."""
    return request.getfixturevalue(f"{request.param}_server")


@pytest.mark.parametrize("what", WRONG)
@pytest.mark.parametrize("command", ["serve", "cleanup"])
def test_wrong_settings_end_the_start(store: Bucket, tmp_path, shifted_clock, what, command):
    """Exit code 1 in time, one line, with the right word in it and nothing secret."""
    change, words = WRONG[what]
    settings = {**running.DEFAULTS, **store.settings, "DATA_DIR": tmp_path / "data", "PORT": running.free_port(), **change}
    if "CLOCK_SHIFT" in change:
        settings |= shifted_clock(change["CLOCK_SHIFT"])
    if settings["R2_ENDPOINT"] is None:
        settings["R2_ENDPOINT"] = f"http://127.0.0.1:{running.free_port()}"
    done = running.run([command], tmp_path, settings, 60)
    assert done.returncode == 1, done
    output = done.stdout + done.stderr
    assert not any(mark in output for mark in running.CRASH_MARKS), output
    lines = [line for line in running.alarm_lines(output) if "listening" not in line]
    assert len(lines) == 1, f"not one line: {lines}"
    assert any(word in lines[0] for word in words), f"{lines[0]!r} has none of {words}"
    for secret in (store.secret_key, settings["R2_SECRET_ACCESS_KEY"]):
        assert secret not in output


@pytest.mark.parametrize("missing", ["R2_ACCESS_KEY_ID", "R2_SECRET_ACCESS_KEY", "R2_ENDPOINT"])
def test_missing_settings_are_named(store, tmp_path, missing):
    """A bucket without a key or an address is a mistake of configuration, not a reason to store on the disk."""
    settings = {**running.DEFAULTS, **store.settings, "DATA_DIR": tmp_path / "data", "PORT": running.free_port()}
    settings.pop(missing)
    done = running.run(["serve"], tmp_path, settings, 30)
    assert done.returncode not in (0, None) and done.returncode > 0, done
    assert missing in done.stdout + done.stderr


def ready(node) -> int:
    """Within the patience of a probe that is generous."""
    return wire.request(node, "GET", "/readyz", timeout=15).status


def probe(node) -> float:
    """A probe while the store is away: 503; returns how long it took."""
    began = time.monotonic()
    assert ready(node) == 503
    return time.monotonic() - began


def refuses(node, method, path, fields=(), body=b"", seconds=45) -> float:
    """Told 503 and when to come back, in bounded time; returns how long it took."""
    began = time.monotonic()
    response = wire.request(node, method, path, fields, body, timeout=seconds)
    if method == "HEAD":
        assert response.status == 503, response
    else:
        assert_error(response, 503)
    assert response.header("Retry-After", "").isdigit(), response
    return time.monotonic() - began


def test_store_goes_away_and_comes_back(nodes, own_fake):
    """/readyz tells, /healthz does not fall; uploads and downloads are 503 with Retry-After; then all is well again."""
    store = own_fake()
    (node,) = nodes(store.bucket, 1, NO_CLEANUP=True)
    upload = put(node, b"before", headers=LASTING)
    assert ready(node) == 200
    store.stop()
    eventually(lambda: ready(node) == 503, 30, "/readyz tells that the store is away", every=0.1)
    assert wire.request(node, "GET", "/healthz").status == 200
    refuses(node, "PUT", "/meanwhile.bin", body=b"x" * 1000)
    refuses(node, "GET", upload.path)
    assert get(node, "/").status == 200
    store.start()
    eventually(lambda: ready(node) == 200, 30, "/readyz tells that the store is back", every=0.1)
    upload = put(node, b"after", headers=LASTING)
    assert_file(get(node, upload.path), b"after")


def test_store_stands_still_and_goes_on(nodes, own_fake):
    """A store that takes connections and says nothing is as good as none; nobody waits for ever."""
    store = own_fake()
    node, cold = nodes(store.bucket, 2, NO_CLEANUP=True, LEASE_SECONDS=5)
    large = b"l" * 20 * MIB
    kept = {headers: put(node, b"k" * 100_000, headers=dict(headers)) for headers in ((), tuple(LASTING.items()))}
    token = {"X-Delete-Token": kept[()].token}
    chunks = wire.chunk(large) + b"0\r\n\r\n"
    once, lasting = kept.values()
    asked = {
        "PUT of 1 KB": (node, "PUT", "/meanwhile.bin", {}, large[:1000]),
        "PUT of one part": (node, "PUT", "/meanwhile.bin", {}, large[: 8 * MIB]),
        "PUT in parts": (node, "PUT", "/meanwhile.bin", {}, large),
        "PUT without a length": (node, "PUT", "/meanwhile.bin", {"Transfer-Encoding": "chunked"}, chunks),
        "GET, counted": (node, "GET", once.path),
        "GET, uncounted": (node, "GET", lasting.path),
        "GET, not known yet": (cold, "GET", once.path),
        "HEAD": (node, "HEAD", once.path),
        "DELETE": (node, "DELETE", f"/{once.id}", token),
    }
    store.signal(signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(len(asked)) as pool:
            jobs = {what: pool.submit(refuses, *request) for what, request in asked.items()}
            eventually(lambda: ready(node) == 503, 60, "/readyz tells that the store is away", every=0.1)
            assert wire.request(node, "GET", "/healthz").status == 200
            probes = [probe(node) for _ in range(3)]
            print({what: round(job.result(), 1) for what, job in jobs.items()}, "readyz", probes)
        assert max(probes) < 5, probes
    finally:
        store.signal(signal.SIGCONT)
    eventually(lambda: ready(node) == 200, 30, "/readyz tells that the store is back", every=0.1)
    for upload in kept.values():
        assert_file(get_when_free(node, upload.path, 20), b"k" * 100_000)


def test_bucket_is_the_only_place(nodes, fake):
    """With a bucket no byte of a file stays on the node's disk."""
    (node,) = nodes(fake, 1, NO_CLEANUP=True)
    mark = b"a rather unusual text \xf0\x9f\xa6\x84 "
    upload = put(node, mark * 500000, headers=LASTING)
    assert_file(get(node, upload.path), mark * 500000)
    for path in node.data.rglob("*"):
        assert not path.is_file() or mark not in path.read_bytes(), f"{path.name} holds bytes of the file"
    assert fake.has(f"u/{upload.id}")
