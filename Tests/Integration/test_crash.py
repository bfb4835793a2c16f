"""P3, acknowledged means kept, and P1 beside it: kill -9 at a hundred moments under load.

Workers upload, download and delete without pause. Each kill waits for something worth interrupting (half of a body
sent, a body sent and its answer not read, a download under way or nearly over) or simply for a random moment, also
during start-up. Every worker writes down what it was told; at the end the server must agree with all of it.
"""

import json
import threading
import time
from dataclasses import dataclass, field
from random import Random

import wire
from store import Store
from uploads import get, multipart, repr_digest, sha256, upload_of
from waiting import eventually, pause, seeded

KIB, MIB = 1024, 1024 * 1024
KILLS = 100
WORKERS = 6
SECONDS = 150
LEASE = 2
RESUME = 3
LAST_CHUNK = 64 * KIB
MOMENTS = ("any", "start", "body half sent", "body sent", "download begun", "download nearly over", "deleting")


@dataclass
class Kept:
    """One acknowledged upload and everything clients saw of it afterwards."""

    id: str
    path: str
    token: str
    body_sha: str
    size: int
    once: bool
    attempts: list = field(default_factory=list)  # how far each download came that was cut short
    part: bytes = b""  # what was received until then
    deliveries: int = 0
    deleting: bool = False
    deleted: bool = False

    def may_be_spent(self) -> bool:
        """Without a delivery, only who was cut within the last chunk, or used up the bytes of its slot, may find it gone."""
        return any(got >= self.size - LAST_CHUNK for got in self.attempts) or sum(self.attempts) > self.size + MIB


class Load:
    """The workers, their notes, and the events that a kill can wait for."""

    def __init__(self, server, random):
        self.server = server
        self.random = random
        self.pool = random.randbytes(4 * MIB)
        self.lock = threading.Lock()
        self.kept = {}  # id → Kept
        self.free = []  # ids nobody works on now: a file has one client at a time, so the notes are exact
        self.cut = []  # the same, of downloads that were cut off once and may be resumed
        self.fully_sent = set()  # sha-256 of every body whose last byte left a worker
        self.problems = []
        self.ending = threading.Event()
        self.events = {name: threading.Event() for name in MOMENTS}
        self.counts = dict.fromkeys(("put", "get", "resume", "delete", "cut put", "cut get"), 0)
        self.threads = [threading.Thread(target=self.work, args=(random.getrandbits(64),), daemon=True) for _ in range(WORKERS)]

    def note(self, what):
        with self.lock:
            self.counts[what] += 1

    def problem(self, text):
        with self.lock:
            self.problems.append(text)

    def work(self, seed):
        random = Random(seed)
        while not self.ending.is_set():
            try:
                self.step(random)
            except (OSError, wire.Closed, wire.NoAnswer):
                pause(0.01)  # killed, or not yet up again
            except Exception as error:  # an assertion or an answer that is no HTTP
                self.problem(f"{type(error).__name__}: {error}")
                pause(0.05)

    def step(self, random):
        if len(self.free) < 20 or random.random() < 0.4:
            return self.put(random)
        with self.lock:
            ids = self.cut if self.cut and random.random() < 0.5 else self.free
            if not ids:
                return
            kept = self.kept[ids.pop(random.randrange(len(ids)))]
        try:
            if kept.once:
                self.download_once(kept, random)
            elif random.random() < 0.6 or len(self.kept) > 4000:
                self.delete(kept)
            else:
                self.download(kept, random)
        finally:
            with self.lock:
                if kept.attempts and not kept.deliveries:
                    if kept.part and len(kept.attempts) == 1 and kept.size % 4:  # the others wait for the final check
                        self.cut.append(kept.id)
                elif not kept.deleting and not (kept.deliveries and random.random() < 0.7):
                    self.free.append(kept.id)

    # -- what a client does

    def put(self, random):
        size = random.choice((0, 1, 100, 4096, 65536, int(3 * MIB * random.random() ** 3), random.randrange(3 * MIB)))
        start = random.randrange(MIB)
        body = random.randbytes(min(size, 24)) + self.pool[start : start + max(0, size - 24)]
        once = random.random() < 0.6
        fields = [] if once else [("X-Expiration-Seconds", "3600")]
        chunked = random.random() < 0.3
        fields.append(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(size)))
        with wire.Connection(self.server, timeout=20) as connection:
            connection.send_head("PUT", "/crash.bin", fields)
            half = size // 2
            pieces = [body[:half], body[half:]]
            if chunked:
                pieces = [wire.chunk(piece) if piece else b"" for piece in pieces]
                pieces[1] += b"0\r\n\r\n"
            if not connection.send(pieces[0]):
                raise wire.Closed("cut in the first half")
            self.events["body half sent"].set()
            with self.lock:  # before the last byte leaves: the server may have it before we know
                self.fully_sent.add(sha256(body))
            connection.send(pieces[1])
            self.events["body sent"].set()
            try:
                response = connection.read("PUT")
            except (wire.Closed, wire.NoAnswer):
                self.note("cut put")
                raise
        if not response.complete:
            self.note("cut put")
            return
        upload = upload_of(response)
        assert response.header("Repr-Digest") == repr_digest(body), "acknowledged with another digest"
        with self.lock:
            self.kept[upload.id] = Kept(upload.id, upload.path, upload.token, sha256(body), size, once)
            self.free.append(upload.id)
        self.note("put")

    def fetch(self, kept, random, headers=None):
        """The answer to a GET, with what came until the connection was cut. Half of the readers are slow, so that
        there is time to cut them."""
        slow = random.random() < 0.5
        with wire.Connection(self.server, timeout=20, rcvbuf=16 * KIB if slow else None) as connection:
            connection.send_head("GET", kept.path, headers)
            try:
                response = connection.head()
            except (wire.Closed, wire.NoAnswer):
                if kept.once:
                    kept.attempts.append(len(kept.part))
                raise
            length = int(response.header("Content-Length"))
            if length > 4 * LAST_CHUNK:
                self.events["download begun"].set()
            data = b""
            try:
                while len(data) < length:
                    if length > LAST_CHUNK >= length - len(data):
                        self.events["download nearly over"].set()
                    step = connection.take(min(32 * KIB, length - len(data)))
                    if not step:
                        break
                    data += step
                    if slow:
                        pause(0.002)
            except wire.NoAnswer:
                self.problem(f"a download of {kept.id} stood still at {len(data)} of {length}")
            response.body, response.complete = data, len(data) == length
            return response

    def download(self, kept, random):
        response = self.fetch(kept, random)
        if response.complete:
            assert response.status == 200 and sha256(response.body) == kept.body_sha, f"{kept.id} is damaged: {response!r:.300}"
            self.note("get")
        else:
            self.note("cut get")

    def download_once(self, kept, random):
        resume = bool(kept.part)
        response = self.fetch(kept, random, {"Range": f"bytes={len(kept.part)}-"} if resume else None)
        if response.status in (423, 410) and response.complete:
            if response.status == 410:
                self.check_gone(kept)
            return
        assert response.status == (206 if resume else 200), f"{kept.id}: {response!r:.300}"
        whole = (kept.part if resume else b"") + response.body
        if response.complete:
            assert sha256(whole) == kept.body_sha, f"{kept.id} came damaged"
            kept.deliveries += 1
            kept.part = b""
            self.note("resume" if resume else "get")
            assert kept.deliveries == 1, f"{kept.id} was delivered {kept.deliveries} times"
        else:
            kept.attempts.append(len(whole))
            kept.part = whole
            self.note("cut get")

    def check_gone(self, kept):
        assert kept.deliveries == 1 or kept.may_be_spent(), (
            f"{kept.id} is gone without a delivery: {kept.size} bytes, cut at {kept.attempts}"
        )

    def delete(self, kept):
        with wire.Connection(self.server, timeout=20) as connection:
            kept.deleting = True
            connection.send_head("DELETE", f"/{kept.id}", {"X-Delete-Token": kept.token})
            self.events["deleting"].set()
            response = connection.read("DELETE")
        if response.status in (204, 404, 410):
            kept.deleted = True
            self.note("delete")
        else:
            raise AssertionError(f"DELETE of {kept.id}: {response!r}")

    # -- running it

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.ending.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive(), "a worker hangs"


def kill_at(load, server, moment, random):
    """Ends the server at the given kind of moment, a few milliseconds late or early."""
    if moment != "start":
        server.wait_ready()
        event = load.events[moment]
        event.clear()
        limit = time.monotonic() + random.uniform(0.02, 0.6)
        while time.monotonic() < limit and not (moment != "any" and event.is_set()):
            pause(0.001)
    pause(random.uniform(0, 0.06 if moment == "start" else 0.004))
    server.kill9()


def test_kill_at_a_hundred_moments(serve):
    """No acknowledged upload is lost or damaged, none is delivered twice, nothing unknown is left."""
    began = time.monotonic()
    random = seeded("crash")
    server = serve(LEASE_SECONDS=LEASE, RESUME_SECONDS=RESUME, CLEANUP_INTERVAL=1)
    load = Load(server, random)
    load.start()
    try:
        for number in range(KILLS):
            kill_at(load, server, MOMENTS[number % len(MOMENTS)], random)
            assert not load.problems, f"after {number + 1} kills: {load.problems[:5]}"
            server.spawn()
        server.wait_ready()
        after = sum(load.counts.values())
        eventually(lambda: sum(load.counts.values()) > after + 20 or load.problems, 20, "the last start works")
    finally:
        load.stop()
    assert not load.problems, load.problems[:5]
    print(f"{KILLS} kills in {time.monotonic() - began:.0f} s: {load.counts}")
    for what, least in {"put": 100, "get": 100, "delete": 20, "cut put": 20, "cut get": 20, "resume": 5}.items():
        assert load.counts[what] >= least, f"the load did too little to mean anything: {load.counts}"

    final_check(load, server)
    tidy_check(load, server)
    assert time.monotonic() - began <= SECONDS, "the story takes too long"


def final_check(load, server):
    """Every note is compared with what the server answers now."""
    for kept in load.kept.values():
        if kept.deleted:
            assert get(server, kept.path).status == 410, f"{kept.id} was deleted"
        elif kept.once and kept.deliveries:
            assert kept.deliveries == 1
            response = get(server, kept.path)
            assert response.status == 410, f"{kept.id} was delivered and answers {response!r:.300}"
        else:
            answer = eventually(
                lambda: (now := get(server, kept.path, timeout=30)).status != 423 and now,
                LEASE + 5,
                f"{kept.id} is free again",
                every=0.1,
            )
            if answer.status == 410:
                assert kept.deleting or kept.once and kept.may_be_spent(), f"{kept.id} is lost: {kept!r:.300}"
            else:
                assert answer.status == 200 and answer.complete, f"{kept.id} is lost: {answer!r:.300}"
                assert sha256(answer.body) == kept.body_sha, f"{kept.id} is damaged"
                if kept.once:
                    assert get(server, kept.path).status == 410, f"{kept.id} would be delivered twice"


def tidy_check(load, server):
    """After one cleanup the files are exactly those that the index knows, and only whole bodies are visible."""
    cleanup = server.run("cleanup", "--json")
    assert cleanup.returncode == 0, cleanup.stderr
    assert json.loads(cleanup.stdout)["dryRun"] is False
    store = Store(server.data)

    def settled():  # what was consumed a moment ago leaves RESUME_SECONDS later, by the server's own cleanup
        difference["files"], difference["rows"] = on_disk() - store.ids_with_bytes(), store.ids_with_bytes() - on_disk()
        return not difference["files"] and not difference["rows"]

    def on_disk():
        return {name.split("/")[-1] for name in store.files("u")}

    difference = {}
    try:
        eventually(settled, RESUME + 5, "files and index agree", every=0.1)
    except AssertionError as error:
        raise AssertionError(
            f"after cleanup there are files without a row, or rows with blob_due and no file: {difference}"
        ) from error
    names = on_disk()
    assert not store.files("tmp")
    for name in store.files("u"):
        assert name == f"{name.split('/')[-1][:4]}/{name.split('/')[-1]}", f"a file in a strange place: {name}"
    strangers = sorted(store.ids() - set(load.kept))
    visible = 0
    for id in strangers:
        response = get(server, f"/{id}")
        if response.status == 200:  # stored, and only the answer was lost: then it is one of the bodies sent to the end
            assert id in names and response.complete
            assert sha256(response.body) in load.fully_sent, f"{id} shows a body that no client sent to its end"
            visible += 1
        else:
            assert response.status in (404, 410), f"{id}: {response!r:.300}"
    assert visible <= load.counts["cut put"], f"{visible} unknown uploads are visible after {load.counts['cut put']} lost answers"


def test_form_cut_by_a_crash_leaves_none_of_its_files(serve):
    """A form is shown whole or not at all: its first files are not there when the last has not come."""
    server = serve()
    headers, form = multipart([("f", f"{n}.bin", None, seeded(f"form {n}").randbytes(300_000)) for n in range(3)])
    store = Store(server.data)
    before = store.snapshot()
    connection = wire.Connection(server)
    connection.send_head("POST", "/", {**headers, "Content-Length": str(len(form))})
    connection.send(form[:-100_000])
    eventually(lambda: wire.queues(server.port).get(connection.local_port) == (0, 0), 5, "the server has read the parts")
    assert not store.ids_with_bytes(), "a part is in the index before the form is complete"
    server.kill9()
    connection.close()
    server.start()
    assert store.snapshot() == before
