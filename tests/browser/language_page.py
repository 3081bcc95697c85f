"""The engine of the language models without a page around it: built from `language/`, and driven from Python."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from playwright.sync_api import BrowserContext, Page
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from homeward.browser.files import browser_app
from tests.browser.conftest import STARTER

ROOT = Path(__file__).parents[2]
Chat = Sequence[dict[str, str]]


def build(folder: Path) -> None:
    npx = shutil.which("npx")
    assert npx, "Node.js is needed, and in web/: npm ci --ignore-scripts"
    command = [npx, "vite", "build", "--logLevel", "warn", "--outDir", str(folder)]
    config = ["--config", str(Path(__file__).with_name("language") / "vite.config.mjs")]
    subprocess.run([*command, *config], cwd=ROOT / "web", check=True)


class Wire:
    """Between the server and the browser: what was asked of the model, and where its bytes end."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.forget()

    def forget(self) -> None:
        self.ranges: list[tuple[str | None, str | None]] = []
        """Of each request for the model: `range` and `if-range`."""
        self.holds_after: int | None = None
        """No more comes then, until the browser goes."""
        self.breaks_after: int | None = None
        self.instead: bytes | None = None
        self.status: int | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not scope.get("path", "").endswith(".gguf"):
            await self.app(scope, receive, send)
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        self.ranges.append((headers.get("range"), headers.get("if-range")))
        if self.instead is not None or self.status is not None:
            await send({"type": "http.response.start", "status": self.status or 200, "headers": []})
            await send({"type": "http.response.body", "body": self.instead or b""})
            return
        sent = 0

        async def counted(message: Message) -> None:
            nonlocal sent
            sent += len(message.get("body", b""))
            if self.breaks_after is not None and sent > self.breaks_after:
                raise ConnectionError
            await send(message)
            if self.holds_after is not None and sent > self.holds_after:
                await gone(receive)

        try:
            await self.app(scope, receive, counted)
        except ConnectionError:
            return  # uvicorn closes a connection whose answer is not complete


@contextmanager
def served(folder: Path) -> Iterator[tuple[int, Wire]]:
    """The port on 127.0.0.1, and the wire."""
    wire = Wire(browser_app(folder, lambda: {STARTER.name: STARTER}))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(wire, lifespan="off", log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()[1], wire
        server.should_exit = True
        thread.join()


async def gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


class EnginePage:
    """One tab with the engine in it."""

    def __init__(self, context: BrowserContext, origin: str, script: str = "") -> None:
        self.page: Page = context.new_page()
        self.wrong: list[str] = []
        self.asked: list[str] = []
        if script:
            self.page.add_init_script(script)
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))
        self.page.on("console", lambda message: self.note(message.text))
        self.page.on("request", lambda request: self.check(request.url, origin))
        self.page.goto(f"{origin}/")

    def check(self, url: str, origin: str) -> None:
        self.asked.append(url.removeprefix(origin))
        if not url.startswith((f"{origin}/", "data:", "blob:")):
            self.wrong.append(url)

    def note(self, text: str) -> None:
        if "Content Security Policy" in text:
            self.wrong.append(text)

    def do(self, call: str, *arguments: Any) -> Any:
        return self.page.evaluate(f"given => inTime(engine.{call}(...given))", list(arguments))

    def start(self, call: str, *arguments: Any) -> None:
        """Without waiting; `result` has it."""
        self.page.evaluate(f"given => {{ window.started = engine.{call}(...given) }}", list(arguments))

    def result(self) -> Any:
        return self.page.evaluate("inTime(started)")

    def running(self) -> dict[str, Any]:
        running: dict[str, Any] = self.page.evaluate("engine.model.running")
        return running

    def ask(self, *messages: str, **options: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.do("answer", {"messages": chat(*messages), **options})
        return answer


def chat(*messages: str) -> Chat:
    """By turns, the user first."""
    return [{"role": ("user", "assistant")[index % 2], "content": text} for index, text in enumerate(messages)]
