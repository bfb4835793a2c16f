"""A store behind TLS: the node believes the authorities that it is told of and nobody else, and says so in one line."""

import asyncio
import ssl
import subprocess
import threading
from urllib.parse import urlsplit

import pytest

import running
from uploads import assert_file, get, put
from waiting import seeded

KIB, MIB = 1024, 1024 * 1024


class Front:
    """Ends TLS in front of a store, with a certificate for the name localhost alone."""

    def __init__(self, folder, bucket):
        self.target, self.port = urlsplit(bucket.endpoint), None
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(folder / "store.pem", folder / "store.key")
        self.listening = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self._run()), daemon=True)
        self.thread.start()
        assert self.listening.wait(10)

    async def _run(self):
        self.loop, self.ending = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context)
        self.port = server.sockets[0].getsockname()[1]
        self.listening.set()
        await self.ending.wait()

    async def _serve(self, reader, writer):
        there = await asyncio.open_connection(self.target.hostname, self.target.port)
        await asyncio.gather(self._pump(reader, there[1]), self._pump(there[0], writer))

    async def _pump(self, reader, writer):
        try:
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # the other side has left
        finally:
            writer.close()

    def stop(self):
        self.loop.call_soon_threadsafe(self.ending.set)
        self.thread.join(10)


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=30)


def make_authorities(folder):
    """Two authorities; the first has signed store.pem, which is for localhost."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    for name in ("right", "wrong"):
        names = ["-subj", f"/CN=The {name} authority", "-addext", "basicConstraints=critical,CA:TRUE"]
        openssl(folder, "req", "-x509", *key, "-days", "2", *names, "-keyout", f"{name}.key", "-out", f"{name}.pem")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    openssl(folder, "req", "-new", *key, "-subj", "/CN=localhost", "-keyout", "store.key", "-out", "store.csr")
    signer = ["-CA", "right.pem", "-CAkey", "right.key", "-CAcreateserial"]
    openssl(folder, "x509", "-req", "-in", "store.csr", *signer, "-days", "2", "-extfile", "names", "-out", "store.pem")


@pytest.fixture(scope="module")
def authorities(tmp_path_factory):
    folder = tmp_path_factory.mktemp("authorities")
    make_authorities(folder)
    return folder


@pytest.fixture
def fronts(authorities):
    started = []

    def start(bucket):
        started.append(Front(authorities, bucket))
        return started[-1]

    yield start
    for front in started:
        front.stop()


def test_store_with_a_certificate_of_the_right_authority(nodes, bucket, fronts, authorities):
    """Small and in parts, there and back; over TLS payloads are not signed, which both stores have to accept."""
    endpoint = f"https://localhost:{fronts(bucket).port}"
    first, second = nodes(bucket, 2, NO_CLEANUP=True, R2_ENDPOINT=endpoint, SSL_CERT_FILE=authorities / "right.pem")
    for size in (0, KIB, MIB, 20 * MIB):
        body = seeded(f"tls {size}").randbytes(size)
        assert_file(get(second, put(first, body).path, timeout=60), body)
        assert_file(get(first, put(second, body, chunked=True).path, timeout=60), body)


# What is wrong → host of the endpoint, file of authorities, and words that the line must have.
WRONG = {
    "another authority": ("localhost", "wrong.pem", ("is not trusted", "certificate")),
    "the system's authorities": ("localhost", None, ("is not trusted", "certificate")),
    "another host name": ("127.0.0.1", "right.pem", ("is not trusted", "another name")),
    "no file": ("localhost", "missing.pem", ("SSL_CERT_FILE", "missing.pem", "cannot be read")),
    "no certificates": ("localhost", "right.key", ("SSL_CERT_FILE", "right.key", "no certificate")),
}


@pytest.mark.parametrize("what", WRONG)
def test_store_that_is_not_to_be_trusted(fake, fronts, authorities, tmp_path, what):
    """Nothing is sent to it: the start ends in time, with one line."""
    host, file, words = WRONG[what]
    settings = {**running.DEFAULTS, **fake.settings, "DATA_DIR": tmp_path / "data", "PORT": running.free_port()}
    settings |= {"R2_ENDPOINT": f"https://{host}:{fronts(fake).port}", "SSL_CERT_FILE": file and authorities / file}
    fake.reset()
    done = running.run(["serve"], tmp_path, settings, 30)
    assert done.returncode == 1, done
    lines = running.alarm_lines(done.stdout + done.stderr)
    assert len(lines) == 1, lines
    assert all(word in lines[0] for word in words), lines[0]
    assert fake.secret_key not in lines[0] and fake.calls() == {}
