"""A real Chromium, driven by Playwright, with a fresh profile per test. It ends with its module: Playwright keeps an event loop
running, beside which other tests cannot run theirs."""

import shutil

import pytest
from playwright.sync_api import sync_playwright


@pytest.fixture(scope="module")
def chromium():
    program = shutil.which("chromium")
    assert program, "chromium is not installed: make test-deps"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--autoplay-policy=no-user-gesture-required"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    context = chromium.new_context(accept_downloads=True)
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()
