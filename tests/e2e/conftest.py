"""A running Homeward with the real starter model, Chromium, and a page that notices every foreign request."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect, sync_playwright

from tests.e2e.chat_page import ChatPage
from tests.e2e.server import Server, running
from tests.e2e.service import Service

MILLISECONDS = 120_000
"""For whatever the page does; nothing here is about speed, and on a busy machine its first sight takes seconds."""
TEST_SECONDS = 1800

expect.set_options(timeout=MILLISECONDS)

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Longer than a test waits for anything, so that what did not come is named."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(TEST_SECONDS))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert executable, "no Chromium found: install it, or set CHROMIUM"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS, timeout=MILLISECONDS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("homeward") / "data") as server:
        yield server


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """For a Homeward that is started with its `environment`."""
    started = Service()
    yield started
    started.close()


class Pages:
    """Opens pages, each in a browser profile of its own, and checks all of them at the end."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.foreign: list[str] = []
        self.errors: list[str] = []
        self.opened: list[Page] = []

    def open(self, server: Server, path: str = "/", locale: str = "en-US", width: int = 1280) -> ChatPage:
        context = self.browser.new_context(locale=locale, viewport={"width": width, "height": 900}, base_url=server.url)
        context.set_default_timeout(MILLISECONDS)
        page = context.new_page()
        self.opened.append(page)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self.note(message.text))
        page.on("request", lambda request: self.check(request, server))
        page.goto(path)
        return ChatPage(page)

    def check(self, request: Request, server: Server) -> None:
        own = (server.url + "/", server.url.replace("http", "ws", 1) + "/", "data:", "blob:")
        if not request.url.startswith(own):
            self.foreign.append(request.url)

    def note(self, text: str) -> None:
        """A blocked request never becomes one that the browser reports: its console text tells."""
        if "Content Security Policy" in text:
            self.foreign.append(text)

    def close(self) -> None:
        for page in self.opened:
            page.context.close()


@pytest.fixture
def pages(browser: Browser) -> Iterator[Pages]:
    opened = Pages(browser)
    try:
        yield opened
    finally:
        opened.close()
    assert opened.foreign == []
    assert opened.errors == []


@pytest.fixture
def chat(pages: Pages, server: Server) -> ChatPage:
    page = pages.open(server)
    page.wait_until_ready()
    return page


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"
