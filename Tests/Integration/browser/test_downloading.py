"""Links in a real browser: looking spends nothing, the button saves every kind of file once, media by link plays."""

import io
import math
import struct
import wave

import pytest

import wire
from uploads import put, state, upload_of
from waiting import eventually, seeded


def sound(seconds: float) -> bytes:
    """A tone of 16 bits and 44.1 kHz."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(44_100)
        samples = (int(8_000 * math.sin(turn / 16)) for turn in range(int(44_100 * seconds)))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return buffer.getvalue()


PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
# The least that a browser takes for each of these; what matters is what it does with the type.
FILES = {
    "contract.pdf": b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n" + bytes(200_000),
    "photo.png": PIXEL,
    "notes.txt": b"a line\n" * 20_000,
    "data.json": b'{"a": [1, 2, 3]}',
    "voice.wav": sound(20),
    "film.mp4": bytes.fromhex("00000018667479706d703432000000006d70343269736f6d") + seeded("film").randbytes(3_000_000),
    "page.html": b"<!doctype html><title>x</title><script>document.title='ran'</script><p>hello",
    "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>document.title="ran"</script></svg>',
    "archive.zip": b"PK\x05\x06" + bytes(18),
    "naïve 文件.txt": b"names",
}


@pytest.fixture(scope="module")
def server(serve_once):
    return serve_once()


@pytest.mark.parametrize("name", FILES)
def test_the_button_saves_once(server, page, tmp_path, name):
    """Opening and opening again spends nothing; the button saves the bytes under their name; then the page says why it is gone."""
    body = FILES[name]
    upload = upload_of(wire.request(server, "POST", "/", *form(name, body)))
    for _ in range(2):
        page.goto(upload.url)
        assert page.get_by_role("button").is_visible()
        assert state(server, upload.id)["remainingDownloads"] == 1
    with page.expect_download() as saved:
        page.get_by_role("button").click()
    download = saved.value
    assert download.suggested_filename == name
    download.save_as(tmp_path / "saved")
    assert (tmp_path / "saved").read_bytes() == body
    eventually(lambda: state(server, upload.id)["state"] == "consumed", 10, "spent")
    answer = page.goto(upload.url)
    assert answer.status == 410
    assert "downloaded once" in page.content()


def form(name, body):
    boundary = "browser-b0undary"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    return {"Content-Type": f"multipart/form-data; boundary={boundary}"}, head + body + f"\r\n--{boundary}--\r\n".encode()


def test_sound_by_link_plays(server, page):
    """A link that is not counted shows the player of the browser, and the player gets the bytes. (Whether its clock moves depends on
    a sound card.)"""
    upload = put(server, sound(20), "voice.wav", {"X-Expiration-Seconds": "600"})
    page.goto(upload.url)
    page.wait_for_function("document.querySelector('video, audio')?.readyState >= 2")
    assert page.evaluate("document.querySelector('video, audio').duration") == pytest.approx(20)
    assert page.evaluate("document.querySelector('video, audio').error") is None


@pytest.mark.parametrize("name", ["page.html", "drawing.svg"])
def test_active_files_by_link_are_saved_and_never_run(server, page, name):
    upload = put(server, FILES[name], name, {"X-Expiration-Seconds": "600"})
    with page.expect_download() as saved:
        page.evaluate("url => { location.href = url }", upload.url)
    assert saved.value.suggested_filename == name


def test_scripts_cannot_use_a_sound_of_the_same_origin(server, page):
    """The origin that a player keeps is worth nothing without scripts: none runs on the URL of a file."""
    upload = put(server, sound(1), "voice.wav", {"X-Expiration-Seconds": "600"})
    answer = page.goto(upload.url)
    policy = answer.headers["content-security-policy"]
    assert "sandbox" in policy and "allow-scripts" not in policy and "default-src 'none'" in policy


def test_the_upload_form_answers_a_page(server, page, tmp_path):
    (tmp_path / "choice.txt").write_text("chosen")
    page.goto(server.url)
    page.locator("input[type=file]").set_input_files(tmp_path / "choice.txt")
    page.locator("button").click()
    link = page.locator("a[href*='.txt']").get_attribute("href")
    assert state(server, link.rsplit("/", 1)[1].split(".")[0])["name"] == "choice.txt"
