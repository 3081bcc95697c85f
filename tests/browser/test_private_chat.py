"""The private chat: with the real starter model, with Chrome's own in its place, and with files that are no models."""

import asyncio
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from homeward.browser.files import PAGES, browser_app
from tests.browser.conftest import LAN_NAME, STARTER, Pages, chromium, complaints, pages_of, serving
from tests.browser.private_chat_page import ANSWERING_MILLISECONDS, PrivateChatPage

pytestmark = pytest.mark.browser_page

BUILT_IN = """
    self.created = 0;
    self.LanguageModel = {
        availability: async () => 'STATE',
        create: async ({initialPrompts = []} = {}) => {
            self.created += 1;
            const tokens = (text) => Math.ceil(text.length / 4);
            return {
                inputQuota: CONTEXT,
                measureInputUsage: async (all) => all.reduce((sum, {content}) => sum + tokens(content), 0),
                destroy: () => {},
                promptStreaming: (text, {signal}) => new ReadableStream({
                    async start(stream) {
                        const said = text.startsWith('Repeat ') ? text.slice(7) : `You said ${text}.`;
                        for (const word of said.split(/(?= )/)) {
                            await new Promise((go) => setTimeout(go, 20));
                            if (signal.aborted) return stream.error(signal.reason);
                            stream.enqueue(word);
                        }
                        if (!text.includes('for ever')) stream.close();
                    },
                }),
            };
        },
    };
"""
"""Chrome's own model as a page sees it: it repeats what it is told."""

MARKDOWN = (
    "Repeat # Title\n\n<img src=/models/secret.png onerror=alert(1)> ![x](/models/secret.png) "
    "[bad](javascript:alert(1)) [good](https://example.org)\n\n"
    "| a | b |\n|--:|:-:|\n| 1 | 2 |\n\n```python\nprint(1)\n```"
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as started:
        yield started


@pytest.fixture
def pages(browser: Browser, site: int) -> Iterator[Pages]:
    with pages_of(browser, site) as opened:
        yield opened


def test_a_conversation_with_the_starter_model_stays_in_the_tab(pages: Pages) -> None:
    """Downloaded with consent only; answers, remembers and stops without a request. A reload forgets what was said."""
    chat = pages.private_chat()
    asked = listening(chat.page)
    expect(chat.begin).to_have_text("Download and start (98 MB)")
    expect(chat.offer).to_contain_text("SmolLM2-135M-Instruct, licence Apache-2.0")
    assert not [request for request in asked if request.method == "GET" and "/models/" in request.url]
    chat.load()
    expect(chat.badge).to_have_text("WebAssembly, one thread")
    expect(chat.why).to_contain_text("found no graphics adapter")
    expect(chat.question).to_be_focused()

    asked.clear()
    chat.choose(temperature="0", max_tokens=64)
    assert "Paris" in chat.ask("What is the capital of France?")
    expect(chat.turns.last.locator(".receipt")).to_contain_text("tokens/s")
    expect(chat.context).to_contain_text("of 4,096 tokens")
    assert "Paris" in chat.ask("Say that again.")
    chat.choose(max_tokens=2000)
    chat.question.fill("Write a very long story about a river.")
    chat.question.press("Enter")
    expect(chat.live).to_contain_text("tokens/s", timeout=ANSWERING_MILLISECONDS)
    chat.page.keyboard.press("Escape")
    expect(chat.turns.last.locator(".mark")).to_have_text("Stopped by you.")
    expect(chat.question).to_be_focused()
    assert [request.url for request in asked] == []

    chat.page.reload()
    expect(chat.begin).to_have_text("Start")
    expect(chat.stored).to_contain_text(STARTER.name)
    chat.load()
    expect(chat.turns).to_have_count(0)
    assert not [request for request in asked if "/models/" in request.url]
    chat.button(f"Delete {STARTER.name}").click()
    expect(chat.stored).to_have_text("No model is stored in this browser.")


def test_a_cancelled_download_goes_on_where_it_was(browser: Browser, pages_app: ASGIApp) -> None:
    slow = Slowed(pages_app)
    with serving(slow) as site, pages_of(browser, site.port) as pages:
        chat = pages.private_chat()
        chat.begin.click()
        expect(chat.amount).to_contain_text("left")
        expect(chat.amount).to_contain_text("MB/s")
        chat.cancel.click()
        expect(chat.begin).to_have_text("Go on with the download")
        expect(chat.stored).to_contain_text("(part)")
        slow.pause_seconds = 0
        chat.load()
    assert slow.ranges[-1].startswith(b"bytes=")
    assert slow.ranges[-1] != b"bytes=0-"


def test_no_model_on_the_server_and_files_that_are_none(browser: Browser) -> None:
    """What is missing and wrong is explained; the user's own file is opened without being sent anywhere."""
    with serving(browser_app(PAGES, dict)) as site, pages_of(browser, site.port) as pages:
        chat = pages.private_chat()
        expect(chat.offer).to_contain_text("offers no model")
        expect(chat.begin).to_be_hidden()
        starter = STARTER.read_bytes()
        for content, words in (
            (b"<html></html>", "is not a GGUF file"),
            (starter[:5_000_000], "is not complete"),
            (b"GGUF" + bytes(4_000), "cannot run this model"),
        ):
            chat.open_own({"name": "mine.gguf", "mimeType": "", "buffer": content})
            expect(chat.problem).to_contain_text(words)
        asked = listening(chat.page)
        chat.open_own(STARTER)
        chat.wait_until_ready()
        expect(chat.page.locator("#model-name")).to_have_text(STARTER.name)
        expect(chat.stored).to_have_text("No model is stored in this browser.")
        assert {request.method for request in asked} == {"GET"}


def test_on_a_lan_address_it_says_what_is_missing(pages: Pages) -> None:
    """Plain http from another machine: nothing is kept, and copying needs the user's own hands."""
    chat = pages.private_chat(host=LAN_NAME, script=built_in("available"))
    expect(chat.offer).to_contain_text("keeps no models on this address")
    expect(chat.stored).to_have_text("This browser stores no models on this address.")
    chat.built_in.click()
    chat.ask("hello")
    chat.button("Copy").click()
    expect(chat.page.locator("#announce")).to_contain_text("did not let this page copy")


def test_chromes_own_model_is_used_only_where_it_is_there(pages: Pages) -> None:
    """It is never downloaded for us."""
    chat = pages.private_chat(script=built_in("downloadable"))
    expect(chat.page.locator("#built-in-note")).to_contain_text("never starts that download")
    expect(chat.built_in).to_be_hidden()
    assert chat.page.evaluate("self.created") == 0

    chat = opened_built_in(pages)
    assert chat.ask("hello") == "You said hello."
    expect(chat.badge).to_have_text("Chrome\N{RIGHT SINGLE QUOTATION MARK}s built-in model")
    expect(chat.page.locator("#temperature")).to_be_hidden()


def test_questions_and_answers_can_be_changed_copied_and_saved(pages: Pages) -> None:
    chat = opened_built_in(pages)
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.ask("one")
    chat.ask("two")
    chat.button("Answer anew").click()
    expect(chat.turns.last).to_contain_text("You said two.")
    expect(chat.turns).to_have_count(2)
    chat.button("Edit question").click()
    expect(chat.question).to_have_value("two")
    chat.question.fill("three")
    chat.question.press("Enter")
    expect(chat.turns.last).to_contain_text("You said three.")
    expect(chat.turns).to_have_count(2)
    chat.button("Copy").last.click()
    expect(chat.page.locator("#announce")).to_have_text("Copied.")
    assert chat.page.evaluate("navigator.clipboard.readText()") == "You said three."
    with chat.page.expect_download() as downloading:
        chat.button("Save as file").click()
    assert "## You\n\nthree\n\n## Model\n\nYou said three." in downloading.value.path().read_text(encoding="utf-8")
    chat.button("New conversation").click()
    expect(chat.turns).to_have_count(0)
    expect(chat.question).to_be_focused()


def test_what_a_model_writes_makes_no_request(pages: Pages) -> None:
    """No picture, no script, no style; a table and code as they should be."""
    chat = opened_built_in(pages)
    asked = listening(chat.page)
    chat.ask(MARKDOWN)
    answer = chat.turns.last.locator(".prose")
    expect(answer.locator("h3")).to_have_text("Title")
    expect(answer.locator("img, script, [style]")).to_have_count(0)
    expect(answer.locator("a[href^=http]").last).to_have_attribute("rel", "noopener noreferrer")
    expect(answer.locator("a[href*=javascript]")).to_have_count(0)
    expect(answer.locator("td.right")).to_have_text("1")
    expect(answer.locator("pre")).to_have_text("print(1)")
    assert [request.url for request in asked] == []
    assert complaints(chat.page) == []


def test_a_full_context_goes_on_without_the_oldest_and_says_so(pages: Pages) -> None:
    chat = opened_built_in(pages, context=100)
    for word in ("a" * 80, "b" * 80):
        chat.ask(word)
    expect(chat.left_out).to_be_empty()
    chat.ask("c" * 80)
    expect(chat.left_out).to_contain_text("The 2 oldest messages no longer fit")
    chat.question.fill("d" * 800)
    chat.question.press("Enter")
    expect(chat.page.locator("#talk-problem")).to_contain_text("longer than the context")
    expect(chat.question).to_have_value("d" * 800)


def test_by_keyboard_alone(pages: Pages) -> None:
    """From the card to an answer and its stop; Enter that ends a Korean syllable sends nothing."""
    chat = pages.private_chat(script=built_in("available"))
    expect(chat.built_in).to_be_visible()
    keys = chat.page.keyboard
    tab_to(chat.page, "built-in")
    keys.press("Enter")
    expect(chat.question).to_be_focused()
    keys.type("talk for ever")
    chat.question.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    expect(chat.stop).to_be_hidden()
    keys.press("Shift+Enter")
    expect(chat.question).to_have_value("talk for ever\n")
    keys.press("Enter")
    expect(chat.page.locator("#writing")).to_contain_text("You said talk")
    tab_to(chat.page, "stop")
    keys.press("Enter")
    expect(chat.turns.last.locator(".mark")).to_have_text("Stopped by you.")
    expect(chat.question).to_be_focused()


@pytest.mark.parametrize(("locale", "dark"), [("en-US", True), ("ko-KR", False)])
def test_nothing_for_axe_to_complain_about_on_a_narrow_phone(pages: Pages, locale: str, dark: bool) -> None:
    """At the start, while it writes, and with an answer; in the browser's language."""
    chat = pages.private_chat(script=built_in("available"), locale=locale, dark=dark, width=390, touch=True)
    expect(chat.page.locator("html")).to_have_attribute("lang", locale[:2])
    expect(chat.begin).to_be_visible()
    assert complaints(chat.page) == []
    chat.built_in.click()
    chat.question.fill("talk for ever")
    chat.question.press("Enter")
    expect(chat.page.locator("#writing")).to_contain_text("for ever")
    assert complaints(chat.page) == []
    chat.stop.click()
    expect(chat.turns).to_have_count(1)
    chat.page.locator("#announce").wait_for(state="hidden")  # else it lies over what is checked
    assert complaints(chat.page) == []
    assert chat.page.evaluate("document.documentElement.scrollWidth") <= 390


class Slowed:
    """Sends models slowly, and keeps which parts of them were asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.pause_seconds = 0.02  # for each 64 KB
        self.ranges: list[bytes] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope.get("path", "").startswith("/models/"):
            await self.app(scope, receive, send)
            return
        self.ranges.append(dict(scope["headers"]).get(b"range", b""))

        async def slow_send(message: Message) -> None:
            await asyncio.sleep(self.pause_seconds)
            await send(message)

        await self.app(scope, receive, slow_send)


def listening(page: Page) -> list[Request]:
    """Requests of this page and its workers from now on."""
    asked: list[Request] = []
    page.context.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - Playwright takes no built-in
    return asked


def built_in(state: str, context: int = 1000) -> str:
    return BUILT_IN.replace("STATE", state).replace("CONTEXT", str(context))


def opened_built_in(pages: Pages, context: int = 1000) -> PrivateChatPage:
    chat = pages.private_chat(script=built_in("available", context))
    chat.built_in.click()
    expect(chat.question).to_be_focused()
    return chat


def tab_to(page: Page, wanted: str) -> None:
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == wanted:
            return
    raise AssertionError(f"Tab does not lead to {wanted}")
