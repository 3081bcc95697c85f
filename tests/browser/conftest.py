"""The built page of `web/`, served as Homeward serves it, in Chromium with WebGPU in software, and without WebGPU."""

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Request, sync_playwright

from homeward.browser.files import browser_app
from tests.browser.digit_page import DigitPage

BUILT = Path(__file__).parents[2] / "web/dist"
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


@pytest.fixture(scope="session")
def site() -> Iterator[int]:
    """The port on 127.0.0.1."""
    assert (BUILT / "index.html").exists(), "build the page first: in web/, npm ci --ignore-scripts && npm run build"
    with socket.create_server(("127.0.0.1", 0)) as listening:  # who connects before it is served waits
        server = uvicorn.Server(uvicorn.Config(browser_app(BUILT), lifespan="off", log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join()


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

    def open(
        self,
        *,
        host: str = "127.0.0.1",
        locale: str = "en-US",
        width: int = 1100,
        script: str = "",
        touch: bool = False,
        dark: bool = False,
    ) -> DigitPage:
        """`script` runs before the page's own."""
        origin = f"http://{host}:{self.port}"
        context = self.browser.new_context(
            base_url=origin,
            locale=locale,
            viewport={"width": width, "height": 900},
            has_touch=touch,
            color_scheme="dark" if dark else "light",
        )
        page = context.new_page()
        self.opened.append(page)
        if script:
            page.add_init_script(script)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("console", lambda message: self.note(message.text))
        page.on("request", lambda request: self.check(request, origin))
        page.goto("/")
        return DigitPage(page)

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
