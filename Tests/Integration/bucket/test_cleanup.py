"""P4 over a bucket: what is over leaves, at the cost of what is over, whoever cleans and however often."""

import json
import shutil
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

import running
import wire
from uploads import assert_file, assert_gone, get, id_at, put, state, upload_of
from waiting import eventually, seeded

KIB, MIB = 1024, 1024 * 1024
LIVE, EXPIRED = 10_000, 1_000
BRIEF, LASTING = {"X-Expiration-Seconds": "1"}, {"X-Expiration-Seconds": "3600"}
LATER = 800  # beyond every lifetime and allowance of these tests, within the 15 minutes that a store lets clocks differ


def command(folder, bucket, *options, **more) -> subprocess.CompletedProcess:
    """The CronJob: a process of its own, with a data directory of its own."""
    folder.mkdir(exist_ok=True)
    settings = {**running.DEFAULTS, **bucket.settings, "DATA_DIR": folder / "data", **more}
    return running.run(["cleanup", *options], folder, settings, 60)


def told(done) -> dict:
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    assert not any(mark in done.stderr for mark in running.CRASH_MARKS), done.stderr
    report = json.loads(done.stdout)
    assert report["failures"] == 0, (report, done.stderr)
    return report


def cleanup(folder, bucket, *options, **more) -> dict:
    return told(command(folder, bucket, "--json", *options, **more))


def fill(bucket, live=LIVE, expired=EXPIRED) -> tuple:
    """Objects and some claims of living and of expired ids, put there directly; (keys that live, keys that are over)."""
    random = seeded("cleanup of a bucket")
    now = time.time()
    dead = [id_at(now - 120 - random.randrange(30 * 86400), f"{number:010}") for number in range(expired)]
    alive = [id_at(now + 600 + random.randrange(30 * 86400), f"{number:010}") for number in range(live)]
    gone = [f"u/{id}" for id in dead] + [f"c/{id}/1" for id in dead[::2]] + [f"c/{id}/digest" for id in dead[::10]]
    gone += [f"c/{id_at(now - 7200, f'{number:010}')}/0" for number in range(50)]  # tombstones without an object
    kept = [f"u/{id}" for id in alive] + [f"c/{id}/1" for id in alive[::20]] + [f"c/{id}/0" for id in alive[::50]]
    bucket.put_all((key, b"0123456789") for key in gone + kept)
    return set(kept), set(gone)


def test_ten_thousand_live_and_a_thousand_expired(fake, tmp_path):
    """At most 40 calls; --dry-run removes nothing; then exactly what is over goes, and the next pass finds nothing."""
    kept, gone = fill(fake)
    fake.reset()
    report = cleanup(tmp_path / "dry", fake, "--dry-run")
    assert (report["dryRun"], report["deletedObjects"], report["freedBytes"]) == (True, EXPIRED, EXPIRED * 10)
    dry = fake.calls()
    assert not {"DeleteObject", "DeleteObjects", "PutObject", "AbortMultipartUpload"} & set(dry), dry
    assert set(fake.keys()) == kept | gone
    fake.reset()
    report = cleanup(tmp_path / "wet", fake)
    calls = fake.calls()
    print(f"dry run {dry}, clean up {calls}")
    assert sum(calls.values()) <= 40, calls
    assert (report["dryRun"], report["deletedObjects"], report["freedBytes"]) == (False, EXPIRED, EXPIRED * 10)
    assert set(fake.keys()) == kept
    fake.reset()
    report = cleanup(tmp_path / "wet", fake)
    assert (report["deletedObjects"], report["freedBytes"]) == (0, 0)
    assert sum(fake.calls().values()) <= 10, fake.calls()
    assert set(fake.keys()) == kept


def test_two_at_once(bucket, tmp_path):
    """Four CronJobs in the same moment: all end well, all that is over has gone, all that lives is there."""
    kept, gone = fill(bucket, live=30, expired=300)
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(cleanup, tmp_path / f"job{number}", bucket) for number in range(4)]
        reports = [job.result() for job in jobs]
    assert set(bucket.keys()) == kept, f"{len(gone & set(bucket.keys()))} are left"
    assert sum(report["deletedObjects"] for report in reports) >= 300


def test_text_for_people(fake, tmp_path):
    """Without --json: a sentence with the numbers."""
    fill(fake, live=10, expired=20)
    done = command(tmp_path / "job", fake)
    assert done.returncode == 0 and "20" in done.stdout and not done.stdout.lstrip().startswith("{"), done


def test_strangers_stay(fake, tmp_path):
    """Keys below our prefixes that nobody of us has made are not ours to remove."""
    strangers = {"u/readme", "u/0000000000000000extra", "u/UPPER00000000000", "c/note.txt", "c/0000000000000000", "old/data.tar"}
    for key in strangers:
        fake.put(key)
    kept, _ = fill(fake, live=5, expired=5)
    cleanup(tmp_path / "job", fake)
    assert set(fake.keys()) == kept | strangers


def test_abandoned_multipart_uploads(bucket, tmp_path):
    """Those of expired ids are aborted, whoever has left them; those of living ids may still be on their way."""
    dead = [f"u/{id_at(time.time() - 3600, f'{number:010}')}" for number in range(5)]
    alive = [f"u/{id_at(time.time() + 3600, f'{number:010}')}" for number in range(3)]
    for key in dead + alive:
        bucket.begin_upload(key)
    cleanup(tmp_path / "dry", bucket, "--dry-run")
    assert sorted(key for key, _ in bucket.open_uploads()) == sorted(dead + alive)
    cleanup(tmp_path / "job", bucket)
    assert sorted(key for key, _ in bucket.open_uploads()) == sorted(alive)


def test_store_away(own_fake, tmp_path):
    """Nothing listens: one line, and an exit code that a CronJob reports."""
    store = own_fake()
    store.stop()
    done = command(tmp_path / "job", store.bucket, "--json")
    assert done.returncode == 1, done
    assert len(running.alarm_lines(done.stdout + done.stderr)) == 1, done


def test_failures_are_told_and_made_good(fake, tmp_path):
    """Deletions fail: the exit code says so, what lives stays, and the next pass finishes."""
    kept, gone = fill(fake, live=50, expired=50)
    for number in range(1, 40):
        fake.fail("internalError", "DeleteObjects", number)
    done = command(tmp_path / "job", fake, "--json")
    assert done.returncode != 0 and done.returncode > 0, f"a pass that removed nothing ended well: {done}"
    assert kept <= set(fake.keys())
    fake.reset()
    cleanup(tmp_path / "job", fake)
    assert set(fake.keys()) == kept


# -- with nodes


@pytest.mark.parametrize("elsewhere", [False, True], ids=["clean", "do not clean"])
def test_owed_deletes_are_paid(nodes, bucket, elsewhere):
    """Consumed: the object leaves after RESUME_SECONDS and one CLEANUP_INTERVAL, also where a CronJob is the one that looks
    for what has expired. Its claim stays, so it stays gone."""
    first, second = nodes(bucket, 2, RESUME_SECONDS=1, CLEANUP_INTERVAL=1, NO_CLEANUP=elsewhere)
    uploads = [put(first, seeded("owed").randbytes(size)) for size in (KIB, MIB, 20 * MIB)]
    lasting = put(first, b"lasting", headers=LASTING)
    for upload in uploads:
        assert get(second, upload.path, timeout=30).complete
    eventually(lambda: bucket.keys("u/") == [f"u/{lasting.id}"], 15, "what was consumed leaves the bucket", every=0.1)
    for upload in uploads:
        assert bucket.has(f"c/{upload.id}/1"), "without its claim an object that comes back could be downloaded again"
        for node in (first, second):
            assert_gone(node, upload.path)
            assert state(node, upload.id)["state"] == "consumed"
    assert_file(get(second, lasting.path), b"lasting")


def test_server_cleans_by_itself(nodes, bucket, shifted_clock):
    """A node with CLEANUP_INTERVAL=1 removes what has expired; here it lives some minutes later than the node that took it."""
    (now,) = nodes(bucket, 1, NO_CLEANUP=True)
    brief, lasting = put(now, b"brief", headers=BRIEF), put(now, b"lasting", headers=LASTING)
    (later,) = nodes(bucket, 1, CLEANUP_INTERVAL=1, **shifted_clock(120))
    eventually(lambda: bucket.keys() == [f"u/{lasting.id}"], 10, "the expired object leaves the bucket", every=0.1)
    for node in (now, later):
        eventually(lambda: get(node, brief.path).status == 410, 5, "it is gone")
        assert_file(get(node, lasting.path), b"lasting")


def test_debts_of_a_dead_node(nodes, bucket, tmp_path, shifted_clock):
    """A node that owes a deletion and vanishes with its disk: nobody gets the file, and at its expiry it is removed."""
    dying, alive = nodes(bucket, 2, CLEANUP_INTERVAL=3600, MAX_AGE=60)
    consumed, untouched = put(alive, b"c" * MIB), put(alive, b"u" * 9 * MIB)
    assert_file(get(dying, consumed.path), b"c" * MIB)
    dying.kill9()
    shutil.rmtree(dying.data)
    assert_gone(alive, consumed.path)
    cleanup(tmp_path / "now", bucket)
    assert bucket.has(f"u/{untouched.id}") and bucket.has(f"c/{consumed.id}/1")
    assert_gone(alive, consumed.path)
    report = cleanup(tmp_path / "later", bucket, **shifted_clock(LATER))
    assert report["deletedObjects"] == 2, report
    assert not bucket.keys() and not bucket.open_uploads()


def test_debts_survive_a_crash(nodes, bucket):
    """kill -9 between the delivery and the deletion: the same node pays when it is back."""
    (node,) = nodes(bucket, 1, RESUME_SECONDS=1, CLEANUP_INTERVAL=3600)
    upload = put(node, b"x" * MIB)
    assert_file(get(node, upload.path), b"x" * MIB)
    node.kill9()
    assert bucket.has(f"u/{upload.id}")
    node.settings["CLEANUP_INTERVAL"] = 1
    node.start()
    eventually(lambda: not bucket.has(f"u/{upload.id}"), 10, "the debt is paid", every=0.1)
    assert_gone(node, upload.path)


@pytest.mark.parametrize("by", ["restart", "cleanup"])
def test_multipart_upload_of_a_killed_node(nodes, bucket, by):
    """kill -9 while parts are on their way: the next start of that node, or cleanup on it, aborts what it had begun."""
    (node,) = nodes(bucket, 1, NO_CLEANUP=True)
    body = seeded("abandoned").randbytes(20 * MIB)
    with wire.Connection(node, timeout=30) as connection:
        connection.send_head("PUT", "/abandoned.bin", {"Content-Length": str(len(body))})
        connection.send(body[: 17 * MIB])
        eventually(bucket.open_uploads, 15, "parts are on their way", every=0.05)
        node.kill9()
    assert bucket.open_uploads() and not bucket.keys("u/")
    if by == "restart":
        node.start()
    else:
        told(node.run("cleanup", "--json"))
    eventually(lambda: not bucket.open_uploads(), 10, "it is aborted", every=0.1)
    assert not bucket.keys("u/")


def test_transfers_under_way_are_untouched(nodes, bucket, tmp_path):
    """A half-sent upload in parts and a half-read download do not notice cleanups, of the same node and of others."""
    (node,) = nodes(bucket, 1, NO_CLEANUP=True)
    body = seeded("under way").randbytes(20 * MIB)
    once = put(node, body, "once.bin")
    with wire.Connection(node, timeout=60) as up, wire.Connection(node, rcvbuf=16 * KIB, timeout=60) as down:
        up.send_head("PUT", "/up.bin", {"Content-Length": str(len(body))})
        up.send(body[: 17 * MIB])
        down.send_head("GET", once.path)
        assert down.head().status == 200
        first = down.take(MIB)
        eventually(bucket.open_uploads, 15, "parts are on their way", every=0.05)
        for _ in range(2):
            assert told(node.run("cleanup", "--json"))["deletedObjects"] == 0
            assert cleanup(tmp_path / "other", bucket)["deletedObjects"] == 0
        up.send(body[17 * MIB :])
        upload = upload_of(up.read("PUT"))
        assert first + down.take(19 * MIB, 60) == body
    assert_file(get(node, upload.path, timeout=60), body)
    assert_gone(node, once.path)


def test_interrupted_cleanup_is_finished_by_the_next(fake, tmp_path):
    """SIGKILL in the middle of a pass leaves nothing wrong."""
    kept, _ = fill(fake, live=20, expired=3000)
    folder = tmp_path / "job"
    folder.mkdir()
    settings = {**running.DEFAULTS, **fake.settings, "DATA_DIR": folder / "data"}
    job = subprocess.Popen([str(running.BINARY), "cleanup"], env=running.environment(folder, settings), stdout=subprocess.DEVNULL)
    eventually(lambda: fake.calls().get("DeleteObjects") or job.poll() is not None, 15, "it deletes", every=0.001)
    job.send_signal(signal.SIGKILL)
    job.wait(10)
    cleanup(folder, fake)
    assert set(fake.keys()) == kept
