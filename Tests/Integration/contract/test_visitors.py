"""Who gets a page and who gets the file: intent decides, and no program saves a page under the name of a file."""

import pytest

import wire
from uploads import BROWSER, OLD_BROWSER, assert_file, get, multipart, put, state
from waiting import seeded

BODY = seeded("visitors").randbytes(100_000)
WGET2 = {"User-Agent": "wget2/1.99.1", "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PROGRAMS = {
    "wget2": WGET2,
    "Java": {"User-Agent": "Java/17.0.15", "Accept": "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"},
    "Android's download manager": {"User-Agent": "AndroidDownloadManager/9 (Linux; U; Android 9; CUBOT_X19 Build/PPR1.180610.011)"},
    "a phone": {"User-Agent": "Dalvik/2.1.0 (Linux; U; Android 11; M bot 60 Build/RP1A)"},
    "robotframework": {"User-Agent": "robotframework-requests/0.9"},
    "a backup bot": {"User-Agent": "nightly-backup-bot/1.2"},
    "a library": {"User-Agent": "python-telegram-bot/20.7"},
    "a desktop client": {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Mattermost/5.3.1 Chrome/120 Electron/28 Safari/537.36"},
    "an app's download": {"User-Agent": "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126 Mobile Safari/537.36 Snapchat/12.1"},
    "a copied browser": {"User-Agent": BROWSER["User-Agent"], "Accept": BROWSER["Accept"]},
    "a script in a browser": {**BROWSER, "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
    "save link as": {**BROWSER, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "empty"},
    "half an old browser": {"Upgrade-Insecure-Requests": "1", "User-Agent": "fetcher/1"},
    "a long name": {"User-Agent": "x " * 12_000 + "slackbot"},
}
PAGES = {
    "a browser": BROWSER,
    "an old browser": OLD_BROWSER,
    "a frame": {**BROWSER, "Sec-Fetch-Dest": "iframe"},
    "only the destination": {"Sec-Fetch-Dest": "document", "User-Agent": "Mozilla/5.0"},
    "Slack": {"User-Agent": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"},
    "Discord": {"User-Agent": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"},
    "Telegram": {"User-Agent": "TelegramBot (like TwitterBot)"},
    "WhatsApp": {"User-Agent": "WhatsApp/2.23.20.0 A"},
    "Facebook": {"User-Agent": "facebookexternalhit/1.1;line-poker/1.0"},
    "Teams": {"User-Agent": "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5"},
    "Office": {"User-Agent": "Mozilla/4.0 (compatible; ms-office; MSOffice 16)"},
}


@pytest.fixture(scope="module")
def server(serve_once):
    return serve_once()


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("downloads", [1, 3])
def test_programs_get_the_file(server, name, downloads):
    upload = put(server, BODY, "report.zip", {"X-Max-Downloads": str(downloads)})
    answer = get(server, upload.path, PROGRAMS[name])
    assert_file(answer, BODY)
    assert answer.header("Content-Disposition").startswith("attachment;")
    assert state(server, upload.id)["remainingDownloads"] == downloads - 1


@pytest.mark.parametrize("name", PAGES)
def test_who_looks_gets_a_page_and_spends_nothing(server, name):
    upload = put(server, BODY, "report.zip")
    answer = get(server, upload.path, PAGES[name])
    assert answer.status == 200 and answer.header("Content-Type").startswith("text/html") and b"report.zip" in answer.body
    assert state(server, upload.id)["remainingDownloads"] == 1
    assert_file(get(server, upload.path), BODY)


@pytest.mark.parametrize("field", ["Sec-Purpose", "Purpose", "X-Moz", "X-Purpose"])
def test_a_prefetch_gets_neither_the_file_nor_success(server, field):
    upload = put(server, BODY)
    assert get(server, upload.path, {field: "prefetch"}).status == 503
    assert_file(get(server, upload.path), BODY)


@pytest.mark.parametrize("name", PROGRAMS)
def test_answers_to_programs_are_text(server, name):
    """The usage text, the URL of an upload, of a form, and an error: none is a page."""
    headers, form = multipart([("file", "a.txt", None, b"text")])
    for answer in (
        get(server, "/", PROGRAMS[name]),
        wire.request(server, "PUT", "/a.txt", PROGRAMS[name], b"text"),
        wire.request(server, "POST", "/", {**PROGRAMS[name], **headers}, form),
        get(server, "/1isfwqj52o7bw19s", PROGRAMS[name]),
    ):
        assert answer.header("Content-Type").startswith("text/plain"), answer


def test_what_spends_is_saved_in_every_browser(server):
    """The button, for types that browsers like to show or play."""
    for kind, name in (("application/pdf", "a.pdf"), ("image/png", "a.png"), ("audio/wav", "a.wav"), ("text/plain", "a.txt")):
        upload = put(server, BODY, name, {"Content-Type": kind})
        answer = wire.request(server, "POST", upload.path, BROWSER)
        assert_file(answer, BODY)
        assert answer.header("Content-Disposition").startswith("attachment;")
