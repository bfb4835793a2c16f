"""A store that fails at random: what was acknowledged is kept, what is counted is counted, nobody gets a damaged file."""

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random

import running
import wire
from uploads import get, repr_digest, sha256, upload_of
from waiting import eventually, seeded

KIB, MIB = 1024, 1024 * 1024
OPERATIONS = int(os.environ.get("FAULT_OPERATIONS", "1000"))
WORKERS = 16
STALLS = 4  # each of them holds a client for as long as our patience with the store lasts
LEASE = 3
LIFE = 150  # seconds that uploads live, longer than the story
LATER = 850  # LIFE, the allowance of ten minutes for a body without a length, and some more; stores allow 15 minutes
LAST_CHUNK = 64 * KIB
RATE = 0.05
SIZES = (0, 1, KIB, 64 * KIB, 64 * KIB + 1, 300 * KIB, MIB, 3 * MIB)
LARGE = (8 * MIB + 1, 9 * MIB, 17 * MIB)


@dataclass(eq=False)
class Kept:
    """One acknowledged upload."""

    id: str
    path: str
    token: str
    sha: str
    size: int
    once: bool
    attempts: list = field(default_factory=list)
    deliveries: int = 0
    deleting: bool = False
    deleted: bool = False

    @property
    def may_be_spent(self) -> bool:
        return any(got >= self.size - LAST_CHUNK for got in self.attempts) or sum(self.attempts) > self.size + MIB


class Story:
    def __init__(self, nodes, random):
        self.nodes, self.random = nodes, random
        self.pool = random.randbytes(20 * MIB)
        self.lock = threading.Lock()
        self.left = OPERATIONS
        self.kept, self.free = [], []
        self.problems = []
        self.counts = {}
        self.threads = [threading.Thread(target=self.work, args=(random.getrandbits(64),), daemon=True) for _ in range(WORKERS)]

    def note(self, what):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + 1

    def work(self, seed):
        random = Random(seed)
        while not self.problems:
            with self.lock:
                if self.left == 0:
                    return
                self.left -= 1
            try:
                self.step(random)
            except (OSError, wire.Closed):
                self.note("connection cut")
            except wire.NoAnswer as error:
                self.problems.append(f"a client waited for more than a minute: {error}")
            except Exception as error:
                self.problems.append(f"{type(error).__name__}: {error}")

    def step(self, random):
        server = random.choice(self.nodes)
        with self.lock:
            kept = self.free.pop(random.randrange(len(self.free))) if len(self.free) > 15 and random.random() < 0.65 else None
        if kept is None:
            return self.put(server, random)
        try:
            if kept.once and random.random() < 0.8:
                self.fetch(server, kept, random)
            elif kept.once or random.random() < 0.6:
                choice = random.random()
                if choice < 0.5:
                    self.look(server, kept)
                elif choice < 0.7:
                    self.delete(server, kept)
                else:
                    self.fetch(server, kept, random)
            else:
                self.fetch(server, kept, random)
        finally:
            with self.lock:
                if not (kept.deleting or kept.once and (kept.deliveries or kept.attempts)):
                    self.free.append(kept)

    def refused(self, what, response):
        """What a client may see of a failing store: 5xx with Retry-After. True when it was such an answer."""
        if response.status < 500:
            return False
        assert response.header("Retry-After", "").isdigit(), f"{what}: {response!r:.400}"
        assert not response.complete or len(response.text.strip().splitlines()) == 1, response
        self.note(f"{what} {response.status}")
        return True

    def put(self, server, random):
        size = random.choice(LARGE) if random.random() < 0.06 else random.choice(SIZES)
        start = random.randrange(MIB)
        body = random.randbytes(min(size, 24)) + self.pool[start : start + max(0, size - 24)]
        once = random.random() < 0.7
        fields = [] if once else [("X-Expiration-Seconds", str(LIFE))]
        if random.random() < 0.4:
            fields.append(("Transfer-Encoding", "chunked"))
            sent = b"".join(wire.chunk(body[at : at + 65536]) for at in range(0, len(body), 65536)) + b"0\r\n\r\n"
        else:
            fields.append(("Content-Length", str(size)))
            sent = body
        response = wire.request(server, "PUT", "/faults.bin", fields, sent, timeout=100)
        if self.refused("put", response):
            return
        if not response.complete:
            return self.note("put cut")
        upload = upload_of(response)
        assert response.header("Repr-Digest") == repr_digest(body), "acknowledged with another digest"
        kept = Kept(upload.id, upload.path, upload.token, sha256(body), size, once)
        with self.lock:
            self.kept.append(kept)
            self.free.append(kept)
        self.note("put")

    def fetch(self, server, kept, random):
        headers = None
        if not kept.once and kept.size > 10 and random.random() < 0.3:
            headers = {"Range": f"bytes={kept.size // 3}-"}
        try:
            response = get(server, kept.path, headers, timeout=100)
        except (OSError, wire.Closed):
            kept.attempts.append(0)
            raise
        if self.refused("get", response):
            return
        if response.status == 423 and kept.once:
            assert response.header("Retry-After"), response
            return self.note("get 423")
        if response.status == 410 and kept.once and kept.may_be_spent:
            kept.attempts.append(0)
            return self.note("get 410")
        assert response.status == (206 if headers else 200), f"{kept}: {response!r:.400}"
        if not response.complete:
            kept.attempts.append(len(response.body))
            return self.note("get cut")
        if headers:
            assert len(response.body) == kept.size - kept.size // 3
            return self.note("range")
        assert sha256(response.body) == kept.sha, f"a damaged file with a good status: {kept}"
        if kept.once:
            kept.deliveries += 1
            assert kept.deliveries == 1, f"delivered twice: {kept}"
        self.note("get")

    def look(self, server, kept):
        response = wire.request(server, "HEAD", kept.path, timeout=100)
        if response.status >= 500:
            return self.note(f"head {response.status}")
        assert response.status == 200 or kept.may_be_spent, f"{kept}: {response!r}"
        assert response.status != 200 or response.header("Content-Length") == str(kept.size)
        self.note("head")

    def delete(self, server, kept):
        kept.deleting = True
        response = wire.request(server, "DELETE", f"/{kept.id}", {"X-Delete-Token": kept.token}, timeout=100)
        if self.refused("delete", response):
            return
        assert response.status in (204, 410), response
        kept.deleted = True
        self.note("delete")
        after = get(server, kept.path, timeout=100)
        assert self.refused("get", after) or after.status == 410, f"deleted and still there: {kept} {after!r:.300}"


def trouble(store, random, ending):
    """Beside the faults at random: bursts, throttling of claims, calls that never end, late errors in good answers."""
    stalls = STALLS
    while not ending.is_set():
        kind = random.randrange(5)
        if kind == 0:
            for nth in range(1, random.randrange(5, 15)):
                store.fail(random.choice(("unavailable", "internalError")), nth=nth)
        elif kind == 1:
            for nth in range(1, 6):
                store.fail("throttled", "PutObject", nth)
        elif kind == 2 and stalls:
            stalls -= 1
            operation = random.choice(("GetObject", "PutObject", "HeadObject", "UploadPart"))
            store.fail(random.choice(("stall", "stalledAnswer")), operation)
        elif kind == 3:
            store.fail("errorInAnswer", "CompleteMultipartUpload")
        elif kind == 4:
            store.fail("lostAnswer", random.choice(("PutObject", "CompleteMultipartUpload", "CreateMultipartUpload")))
        ending.wait(random.uniform(0.3, 1.5))


def test_a_thousand_operations_on_a_failing_store(nodes, own_fake, tmp_path, shifted_clock):
    """Nothing acknowledged is lost, nothing is delivered twice, nothing is damaged, and in the end nothing is left."""
    began = time.monotonic()
    random = seeded("faults")
    store = own_fake().bucket
    servers = nodes(
        store, 2, LEASE_SECONDS=LEASE, RESUME_SECONDS=2, CLEANUP_INTERVAL=2, MAX_AGE=LIFE, MAX_AGE_FOR_MULTIDOWNLOAD=LIFE
    )
    story = Story(servers, random)
    store.fail_at_random(random.getrandbits(48), RATE)
    ending = threading.Event()
    troubler = threading.Thread(target=trouble, args=(store, Random(random.getrandbits(64)), ending), daemon=True)
    troubler.start()
    try:
        for thread in story.threads:
            thread.start()
        for thread in story.threads:
            thread.join(300)
    finally:
        ending.set()
        troubler.join(30)
    calls = store.calls()
    store.reset()
    print(f"{OPERATIONS} operations in {time.monotonic() - began:.0f} s: {story.counts}; calls: {sum(calls.values())}")
    assert not story.problems, story.problems[:5]
    assert not any(thread.is_alive() for thread in story.threads), "a client hangs"
    assert story.counts["put"] > OPERATIONS // 5 and story.counts["get"] > OPERATIONS // 10, f"too little: {story.counts}"

    final_check(story, servers)
    assert time.monotonic() - began < LIFE - 10, "the story took longer than its uploads live"
    tidy_check(store, tmp_path, shifted_clock)


def final_check(story, servers):
    """The store is well again: every acknowledged upload is what the notes say, on both nodes."""
    with ThreadPoolExecutor(12) as pool:
        jobs = [pool.submit(check, kept, *(servers if number % 2 else servers[::-1])) for number, kept in enumerate(story.kept)]
        for job in jobs:
            job.result()


def settled(server, kept) -> wire.Response:
    """The answer when the server no longer says "not now"."""
    answers = []

    def try_once():
        answers.append(get(server, kept.path, timeout=60))
        return answers[-1].status not in (423, 503)

    eventually(try_once, LEASE + 10, f"{kept} answers", every=0.1)
    return answers[-1]


def check(kept, one, other):
    if kept.deleted:  # what the store would not do at once, the node owes
        for server in (one, other):
            eventually(lambda: get(server, kept.path, timeout=60).status == 410, 10, f"{kept} is deleted", every=0.2)
        return
    if kept.deleting:  # nobody was told how it ended
        assert settled(one, kept).status in (200, 410)
        return
    answer = settled(one, kept)
    if answer.status == 410:
        assert kept.deliveries or kept.once and kept.may_be_spent, f"lost: {kept}"
        return
    assert answer.status == 200 and answer.complete, f"lost: {kept}: {answer!r:.300}"
    assert sha256(answer.body) == kept.sha, f"damaged: {kept}"
    again = settled(other, kept)
    if kept.once:
        assert not kept.deliveries, f"delivered twice: {kept}"
        assert again.status == 410
    else:
        assert again.status == 200 and sha256(again.body) == kept.sha, f"lost on the other node: {kept}: {again!r:.300}"


def tidy_check(store, folder, shifted_clock):
    """At the end of all lives one cleanup leaves an empty bucket."""
    settings = {**running.DEFAULTS, **store.settings, "DATA_DIR": folder / "cleaner", **shifted_clock(LATER)}
    done = running.run(["cleanup", "--json"], folder, settings, 60)
    assert done.returncode == 0, done
    print(f"cleanup: {json.loads(done.stdout)}")
    assert store.keys() == [], f"{len(store.keys())} objects are left: {store.keys()[:5]}"
    assert store.open_uploads() == []
