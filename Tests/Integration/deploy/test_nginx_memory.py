"""What nginx holds at worst, against the memory limit of its container: the sum in nginx.conf, measured."""

import contextlib
import re
import resource

import pytest

import nginx_attacks as attacks
import wire
from nginx import Nginx, base_configuration, container
from nginx_memory import worst
from object_checks import quantity
from uploads import assert_file, put
from waiting import eventually, seeded

MIB = 1024 * 1024
LIMIT = int(quantity(container()["resources"]["limits"]["memory"]))
CONNECTIONS = 700  # more than nginx has
# Many clients: the limit for each shall not be what helps.
SOURCES = [f"127.0.1.{number}" for number in range(1, 41)]


@pytest.fixture(autouse=True)
def descriptors():
    """A connection is three descriptors of this process at most."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
def nginx(tmp_path):
    """`nginx(change=…, answers=…)`: in front of an application that reads nothing."""
    with contextlib.ExitStack() as ends:

        def start(change=lambda text: text, answers=False, limit=None):
            stalled = attacks.Stalled(answers)
            ends.callback(stalled.stop)
            front = Nginx(tmp_path / f"nginx{len(list(tmp_path.iterdir()))}", stalled.port, change)
            front.limit = front.limit if limit is None else limit
            ends.callback(front.stop)
            return front.start()

        yield start


@pytest.fixture
def attack():
    """`attack(function, count, …)`: so many connections that stay until the end of the test."""
    held = []

    def run(function, count, **more):
        for number in range(count):
            with contextlib.suppress(OSError):
                held.append(function(source=SOURCES[number % len(SOURCES)], **more))

    run.held = held
    yield run
    for connection in held:
        connection.close()


def peak(front) -> int:
    """The most that it held in the time in which what was sent is read."""
    highest, looks = front.held(), 0

    def steady():
        nonlocal highest, looks
        now = front.held()
        looks = looks + 1 if now <= highest else 0
        highest = max(highest, now)
        return looks >= 5

    eventually(steady, 30, "memory does not grow any more", every=0.1)
    return highest


ATTACKS = {
    "unfinished heads": (attacks.unfinished_head, {"size": 130000}),
    "unfinished heads over TLS": (attacks.unfinished_head_over_tls, {"size": 130000}),
    "hellos of 128 KiB": (attacks.large_hello, {}),
    "requests of HTTP/2 with full heads": (attacks.http2, {"streams": 4, "head": 33000}),
    "requests of HTTP/2 with too large heads": (attacks.http2, {"streams": 4, "head": 34500}),
    "more requests of HTTP/2 than allowed": (attacks.http2, {"streams": 16, "head": 120000}),
    "uploads of HTTP/2": (attacks.http2_upload, {"head": 33000}),
    "many uploads on one connection": (attacks.http2, {"streams": 16, "head": 20000, "body": b"x" * 700000}),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_fits_into_the_limit(name, nginx, attack):
    front = nginx(answers="upload" in name)
    function, more = ATTACKS[name]
    processes = front.processes()
    attack(lambda **rest: function(front, **rest), CONNECTIONS, **more)
    held = peak(front)
    print(f"{name}: {len(attack.held)} connections, {held / MIB:.0f} of {LIMIT // MIB} MiB")
    assert held < LIMIT
    assert front.processes() == processes, "a process of nginx ended"


def test_the_worst_of_all_fits_into_the_limit(nginx, attack):
    """200 uploads whose answers are not read, and behind them whatever costs most on each connection that is left."""
    front = nginx(answers=True)
    processes = front.processes()
    attack(lambda **more: attacks.http2_upload(front, head=33000, **more), 200)
    uploads = peak(front)
    attack(lambda **more: attacks.http2(front, head=33000, **more), CONNECTIONS - 200)
    held = peak(front)
    print(f"200 uploads {uploads / MIB:.0f} MiB, and refused requests {held / MIB:.0f} of {LIMIT // MIB} MiB")
    assert held < LIMIT
    assert front.processes() == processes


def earlier(text: str) -> str:
    """The figures that it once had."""
    for pattern, value in (
        (r"worker_connections \d+", "worker_connections 4096"),
        (r"large_client_header_buffers \S+ \S+;", "large_client_header_buffers 4 32k;"),
        (r"http2_max_concurrent_streams \d+", "http2_max_concurrent_streams 16"),
        (r"\n\s*limit_conn (requests|clients) .*", ""),
    ):
        text = re.sub(pattern, value, text)
    return text


def test_the_memory_test_can_fail(nginx, attack):
    """The control: without the limits a hundred connections are enough."""
    front = nginx(earlier, limit=0)
    attack(lambda **more: attacks.http2(front, streams=16, head=120000, **more), 100)
    held = peak(front)
    print(f"100 connections of HTTP/2 with the earlier figures: {held / MIB:.0f} MiB")
    assert held > LIMIT


def test_the_limit_of_a_process_is_the_end(nginx, attack):
    """Control frames are in no sum. nginx runs into its own limit, refuses, lives, and serves when they have gone."""
    # On loopback the kernel would take megabytes for each connection, which over a network it does not.
    small = lambda text: text.replace("listen 8443 ssl default_server", "listen 8443 ssl default_server sndbuf=4k")  # noqa: E731
    free = nginx(small, limit=0)
    frames = lambda front: attacks.control_frames(front, 9000, 500, SOURCES)  # noqa: E731
    attack.held.extend(frames(free))
    unbounded = peak(free)
    for connection in attack.held:
        connection.close()
    front = nginx(small)
    processes = front.processes()
    attack.held.extend(frames(front))
    held = peak(front)
    print(f"control frames: {unbounded / MIB:.0f} MiB without a limit, {held / MIB:.0f} MiB with {front.limit} KiB a process")
    assert unbounded > LIMIT, "the control: the attack is one"
    assert held < LIMIT and front.processes() == processes
    for connection in attack.held:
        connection.close()
    eventually(lambda: wire.request(front.health, "GET", "/").status == 204, 10, "nginx serves again")


def test_the_sum_in_the_file_is_right():
    """Who changes a figure changes the sum beside it."""
    text = base_configuration()["nginx.conf"]
    written = int(re.search(r"in all (\d+)\n", text)[1])
    assert abs(written - worst(text)) < 3000, f"nginx.conf says {written} KiB, its figures give {worst(text):.0f}"
    assert written * 1024 < LIMIT


def test_idle_processes_are_small_on_every_node(nginx):
    """The number of workers is that of the file and not that of the machine's processors."""
    assert re.search(r"^worker_processes [1-4];", base_configuration()["nginx.conf"], re.MULTILINE)
    assert nginx().held() < 16 * MIB


def test_a_transfer_survives_an_attack(serve, tmp_path, attack):
    """All connections are taken by one client: what is in progress goes on, the kubelet finds nginx alive, others come again."""
    server = serve(TRUSTED_PROXIES="127.0.0.1,::1")
    front = Nginx(tmp_path / "nginx", server.port).start()
    try:
        body = seeded("survivor").randbytes(8 * MIB)
        upload = put(front.plain, body)
        connection = wire.Connection(front.plain, rcvbuf=65536)
        connection.send_head("GET", upload.path)
        response = connection.head()
        attack(lambda source: attacks.unfinished_head(front, source=None), CONNECTIONS)
        attacks.connect(front.health).close()
        assert_file(connection.body(response, within=30), body)
        for taken in attack.held:
            taken.close()
        eventually(lambda: wire.request(front.plain, "GET", "/").status == 200, 15, "others are served")
    finally:
        front.stop()
    assert front.process.returncode == 0
