"""The page behind the real gate on a free port, a manager that tests script, and pages that notice every fault."""

import os
import shutil
import socket
import threading
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect, sync_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from homeward.gate import Gate
from homeward.gate.policy import allowed_origins
from homeward.manage.routes import model_routes
from tests.e2e.conftest import CHROMIUM_ARGUMENTS
from tests.manage.fake_manager import FakeManager

expect.set_options(timeout=30_000)


async def chat(_request: Request) -> Response:
    return PlainTextResponse("the chat")


def gated(routes: Iterable[BaseRoute], port: int) -> Gate:
    app = Starlette(routes=[*routes, Route("/", chat)])
    return Gate(app, origins=allowed_origins("127.0.0.1", port), max_body_bytes=100_000)


@pytest.fixture
def manager() -> FakeManager:
    return FakeManager()


class Site:
    """A server in a thread; can be away for a while, as one that is restarted."""

    def __init__(self, *routes: BaseRoute) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._app = gated(routes, self.port)
        self.start()

    def start(self) -> None:
        started = threading.Event()
        config = uvicorn.Config(self._app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
        self._server = _Server(config, started)
        sock = socket.create_server(("127.0.0.1", self.port))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [sock]})
        self._thread.start()
        assert started.wait(20)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(20)
        assert not self._thread.is_alive()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, begun: threading.Event) -> None:
        super().__init__(config)
        self._begun = begun

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._begun.set()


@pytest.fixture
def site(manager: FakeManager) -> Iterator[Site]:
    running = Site(*model_routes(manager))
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Ends with this folder's tests: its event loop would be in the way of others."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert executable, "no Chromium found: install it, or set CHROMIUM"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


class Pages:
    """Opens pages, each in a browser profile of its own."""

    def __init__(self, browser: Browser, site: Site) -> None:
        self._browser = browser
        self._site = site
        self._opened: list[Page] = []
        self.faults: list[str] = []
        self.refusals_expected = False
        """A test that provokes refusals finds them in the console."""

    def open(self, locale: str = "en-US", width: int = 1280, height: int = 900, **options: Any) -> Page:
        """The models page, drawn."""
        page = self.blank(locale=locale, width=width, height=height, **options)
        page.goto("/models")
        expect(page.locator("#sections")).to_be_visible()
        return page

    def blank(self, locale: str = "en-US", width: int = 1280, height: int = 900, **options: Any) -> Page:
        """A page that has opened nothing yet."""
        size = {"width": width, "height": height}
        context = self._browser.new_context(locale=locale, viewport=size, base_url=self._site.url, **options)  # type: ignore[arg-type]
        page = context.new_page()
        self._opened.append(page)
        page.on("pageerror", lambda error: self.faults.append(f"error: {error}"))
        page.on("console", lambda message: self._heard(message.type, message.text))
        page.on("request", lambda request: self._asked(request.url))
        return page

    def _heard(self, kind: str, text: str) -> None:
        if text.startswith("Failed to load resource") and self.refusals_expected:
            return
        if kind in ("error", "warning") or "Content Security Policy" in text:
            self.faults.append(f"console: {text}")

    def _asked(self, url: str) -> None:
        if not url.startswith(self._site.url + "/"):
            self.faults.append(f"foreign: {url}")

    def close(self) -> None:
        for page in self._opened:
            page.context.close()


@pytest.fixture
def pages(browser: Browser, site: Site) -> Iterator[Pages]:
    opened = Pages(browser, site)
    try:
        yield opened
    finally:
        opened.close()
    assert opened.faults == []
