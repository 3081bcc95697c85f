"""The built pages of `web/`, served as Homeward serves it, in Chromium with WebGPU in software, and without WebGPU."""

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Request, sync_playwright
from starlette.types import ASGIApp

from homeward.browser.files import PAGES, browser_app
from homeward.engines.starter import HOW_TO_GET_IT, starter_model_path
from tests.browser.digit_page import DigitPage
from tests.browser.private_chat_page import PrivateChatPage

STARTER = starter_model_path() or Path()
assert STARTER.name, HOW_TO_GET_IT
AXE = Path(__file__).parents[1] / "vendor/axe-core/axe.min.js"
LAN_NAME = "lanbox.example"
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    f"--host-resolver-rules=MAP {LAN_NAME} 127.0.0.1",
]
SOFTWARE_WEBGPU = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"]


class Site:
    """Serves an app on 127.0.0.1 until it is stopped. Who connects before it serves waits."""

    def __init__(self, app: ASGIApp) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = listening.getsockname()[1]
        self.server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="warning"))
        self.thread = threading.Thread(target=self.server.run, kwargs={"sockets": [listening]})
        self.thread.start()

    def stop(self) -> None:
        """Whoever is connected is cut off."""
        self.server.should_exit = self.server.force_exit = True
        self.thread.join()


@contextmanager
def serving(app: ASGIApp) -> Iterator[Site]:
    site = Site(app)
    try:
        yield site
    finally:
        site.stop()


@pytest.fixture(scope="session")
def pages_app() -> ASGIApp:
    """The built pages with the starter model."""
    assert (PAGES / "index.html").exists(), "build the pages first: in web/, npm ci --ignore-scripts && npm run build"
    return browser_app(PAGES, lambda: {STARTER.name: STARTER})


@pytest.fixture(scope="session")
def site(pages_app: ASGIApp) -> Iterator[int]:
    """The port on 127.0.0.1."""
    with serving(pages_app) as served:
        yield served.port


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert executable, "no Chromium found: install it, or set CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=[*CHROMIUM_ARGUMENTS, *arguments])
        yield browser
        browser.close()


class Pages:
    """Opens pages, each in a browser profile of its own, and keeps what none of them may do."""

    def __init__(self, browser: Browser, port: int) -> None:
        self.browser = browser
        self.port = port
        self.wrong: list[str] = []
        self.opened: list[Page] = []

    def visit(
        self,
        place: str,
        *,
        host: str = "127.0.0.1",
        locale: str = "en-US",
        width: int = 1100,
        script: str = "",
        touch: bool = False,
        dark: bool = False,
        keeps_files: bool = True,
    ) -> Page:
        """`script` runs before the page's own. Where the page keeps no files, a test may answer requests for them."""
        origin = f"http://{host}:{self.port}"
        context = self.browser.new_context(
            base_url=origin,
            locale=locale,
            viewport={"width": width, "height": 900},
            has_touch=touch,
            color_scheme="dark" if dark else "light",
            service_workers="allow" if keeps_files else "block",
        )
        context.on("request", lambda request: self.check(request, origin))  # those of workers, too
        page = context.new_page()
        self.opened.append(page)
        if script:
            page.add_init_script(script)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda message: self.note(message.text))
        page.goto(place)
        return page

    def open(self, **wishes: Any) -> DigitPage:
        return DigitPage(self.visit("/digits/", **wishes))

    def private_chat(self, **wishes: Any) -> PrivateChatPage:
        return PrivateChatPage(self.visit("/chat/", **wishes))

    def check(self, request: Request, origin: str) -> None:
        if not request.url.startswith((f"{origin}/", "data:", "blob:")):
            self.wrong.append(request.url)

    def note(self, text: str) -> None:
        """A blocked request never becomes one that the browser reports: its console text tells."""
        if "Content Security Policy" in text:
            self.wrong.append(text)

    def close(self) -> None:
        for page in self.opened:
            page.context.close()


@contextmanager
def pages_of(browser: Browser, port: int) -> Iterator[Pages]:
    pages = Pages(browser, port)
    try:
        yield pages
    finally:
        pages.close()
    assert pages.wrong == []


def complaints(page: Page) -> list[str]:
    """What axe finds wrong."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    report = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{found['id']}: {node['html'][:120]}" for found in report["violations"] for node in found["nodes"]]
