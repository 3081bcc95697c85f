"""With the network cut: what was visited works, a second visit costs nothing, and a new build replaces the old one."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from homeward.browser.files import PAGES, browser_app
from tests.browser.conftest import Pages, chromium, pages_of, serving
from tests.browser.digit_page import DigitPage
from tests.browser.private_chat_page import LOADING_MILLISECONDS, PrivateChatPage

pytestmark = pytest.mark.browser_page

SECOND_VISIT_BYTES = 200_000
CACHES = """async () => {
    const names = (await caches.keys()).sort();
    const pages = await caches.open(names.find((name) => name.startsWith('homeward-pages-')));
    return {names, chat: await (await pages.match('/browser/chat/')).text()};
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


def test_after_one_visit_everything_works_without_the_server(browser: Browser, pages_app: ASGIApp) -> None:
    """A second visit costs next to nothing; then pages, both engines, models and threads without any network."""
    app = Counted(pages_app)
    with serving(app) as site, pages_of(browser, site.port) as pages:
        chat = pages.private_chat()
        chat.load()
        chat.page.goto("/digits/")
        digits = DigitPage(chat.page)
        digits.load()

        app.sent = 0
        visit_all(chat.page)
        assert 0 < app.sent <= SECOND_VISIT_BYTES

        site.stop()
        app.sent = 0
        chat.page.context.set_offline(True)
        visit_all(chat.page)
        chat.page.goto("/chat/")
        assert chat.page.evaluate("crossOriginIsolated")
        chat.load()
        chat.choose(temperature="0", max_tokens=16)
        assert "Paris" in chat.ask("What is the capital of France?")
        chat.page.locator("#threads").select_option("2")
        expect(chat.badge).to_have_text("WebAssembly, 2 threads", timeout=LOADING_MILLISECONDS)
        chat.page.goto("/digits/")
        assert chat.page.evaluate("crossOriginIsolated")
        digits.load()
        digits.take_example(3)
        digits.reads("WASM", 3)
        assert app.sent == 0


def test_a_new_build_takes_over_when_the_pages_of_the_old_one_are_closed(
    browser: Browser, tmp_path: Path, pages_app: ASGIApp
) -> None:
    """Until then the old one keeps what its open pages need."""
    app = Replaceable(pages_app)
    below = Starlette(routes=[Mount("/browser", app=app)])
    with serving(below) as site, pages_of(browser, site.port) as pages:
        page = controlled(pages)
        before = page.evaluate(CACHES)
        app.current = browser_app(rebuilt(tmp_path), dict)
        page.reload()
        assert page.evaluate("document.body.dataset.build") == "new"
        page.evaluate("navigator.serviceWorker.ready.then((registration) => registration.update())")
        page.evaluate("""async () => {
            const registration = await navigator.serviceWorker.ready;
            while (!registration.waiting) await new Promise((go) => setTimeout(go, 50));
        }""")
        assert set(page.evaluate(CACHES)["names"]) > set(before["names"])

        other = page.context.new_page()
        other.goto("/elsewhere")  # which belongs to no worker
        page.close()
        other.evaluate(
            """async (old) => {
                while (await caches.has(old)) await new Promise((go) => setTimeout(go, 50));
            }""",
            next(name for name in before["names"] if "-pages-" in name),
        )
        after = other.evaluate(CACHES)
        assert len(after["names"]) == len(before["names"])
        assert "data-build=new" in after["chat"]
        site.stop()
        other.goto("/browser/chat/")
        expect(PrivateChatPage(other).offer).not_to_be_empty()


def controlled(pages: Pages) -> Page:
    page = pages.visit("/browser/")
    page.evaluate("""() => new Promise((go) => {
        if (navigator.serviceWorker.controller) go();
        else navigator.serviceWorker.addEventListener('controllerchange', go, {once: true});
    })""")
    return page


def visit_all(page: Page) -> None:
    for place, title in (("/", "AI in this browser"), ("/chat/", "Private chat"), ("/digits/", "Draw a digit")):
        page.goto(place)
        expect(page.locator("h1")).to_have_text(title)


def rebuilt(folder: Path) -> Path:
    """The pages as another build makes them: other words, and its own worker."""
    copy = shutil.copytree(PAGES, folder / "pages")
    for page in copy.rglob("index.html"):
        page.write_text(page.read_text(encoding="utf-8").replace("<body", "<body data-build=new"), encoding="utf-8")
    worker = copy / "sw.js"
    version = worker.read_text(encoding="utf-8").split("version:`")[1].split("`")[0]
    worker.write_text(worker.read_text(encoding="utf-8").replace(version, "0" * len(version)), encoding="utf-8")
    return copy


class Replaceable:
    """Another app may take its place while it serves."""

    def __init__(self, app: ASGIApp) -> None:
        self.current = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.current(scope, receive, send)


class Counted:
    """Knows how many bytes it has sent."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.sent = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counting(message: Message) -> None:
            self.sent += len(message.get("body", b"")) + sum(len(k) + len(v) for k, v in message.get("headers", []))
            await send(message)

        await self.app(scope, receive, counting)
