"""Whether a long answer stays fluent on the page.

    python -m bench.fluency [--words 2000] [--per-second 100]

A loopback upstream writes Markdown with code blocks at a steady pace; Chromium shows it through the whole of Homeward
(page, socket, history, receipt). Printed: how long it took from sending to the end on the page, as a ratio of real time
(aim: 1.2; Chainlit with a frame per token takes 10 times real time), and how long the page's main thread was busy.
"""

import argparse
import asyncio
import json
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from os import environ
from pathlib import Path

import uvicorn
from playwright.async_api import async_playwright
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from bench.completers import completing
from homeward.app.page import page
from homeward.app.serve import server_config
from homeward.backends import Backend, BackendRow, Connections, fixed
from homeward.chat.conversations import Conversations
from homeward.config import Settings
from homeward.history import History
from homeward.protocol.address import Address
from homeward.protocol.place import Place
from homeward.routing import BackendView

PROSE = "The **quick** brown fox jumps over the *lazy* dog, and then it rests in the `shade` of a tree.\n\n"
CODE = "```python\ndef add(a: int, b: int) -> int:\n    # the sum\n    return a + b\n\nprint(add(1, 2))\n```\n\n"


def words(count: int) -> list[str]:
    """Markdown of so many words, every third paragraph of it code."""
    pattern = (PROSE + " " + PROSE + " " + CODE).split(" ")
    return [pattern[number % len(pattern)] + " " for number in range(count)]


def paced_upstream(count: int, per_second: float) -> Starlette:
    """An upstream that keeps to the clock, however long an event takes."""

    async def answer(_request: Request) -> Response:
        async def events() -> AsyncIterator[str]:
            began = time.perf_counter()
            for number, word in enumerate(words(count)):
                await asyncio.sleep(max(0.0, began + number / per_second - time.perf_counter()))
                yield f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'content': word}}]})}\n\n"
            yield 'data: {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}\n\ndata: [DONE]\n\n'

        return StreamingResponse(events(), media_type="text/event-stream")

    return Starlette(routes=[Route("/v1/chat/completions", answer, methods=["POST"])])


def listening() -> tuple[socket.socket, int]:
    """A free port of loopback."""
    sock = socket.socket()
    sock.bind(("127.0.0.1", 0))
    return sock, int(sock.getsockname()[1])


async def shown_in(url: str) -> tuple[float, float]:
    """Seconds from sending to the end on the page, and seconds that its main thread was busy meanwhile."""
    chromium = environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        tab = await browser.new_page()
        devtools = await tab.context.new_cdp_session(tab)
        await devtools.send("Performance.enable")
        await tab.goto(url)
        await tab.locator("#chat-input").fill("Go.")
        await tab.locator("#chat-submit:not([disabled])").wait_for()
        busy = await task_seconds(devtools)
        began = time.perf_counter()
        await tab.locator("#chat-submit").click()
        await tab.locator(".homeward-receipt[data-outcome='complete'] summary").wait_for(timeout=600_000)
        took = time.perf_counter() - began
        busy = await task_seconds(devtools) - busy
        await browser.close()
    return took, busy


async def task_seconds(devtools: object) -> float:
    """Seconds of work on the page's main thread so far."""
    metrics = await devtools.send("Performance.getMetrics")  # type: ignore[attr-defined]
    return float(next(each["value"] for each in metrics["metrics"] if each["name"] == "TaskDuration"))


class Nobody:
    """Gives no consent: there is no cloud."""

    async def give(self, backend: str) -> None:
        """Never called."""
        raise NotImplementedError(backend)


async def measure(count: int, per_second: float) -> None:
    """Put it together, let the browser look, and print."""
    page_socket, port = listening()
    upstream_socket, upstream_port = listening()
    upstream = uvicorn.Server(uvicorn.Config(paced_upstream(count, per_second), log_config=None, lifespan="off"))
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder))
        async with (
            AsyncExitStack() as stack,
            Connections() as connections,
            await History.open(Path(folder) / "history.db") as history,
        ):
            row = BackendRow(name="paced", place=Place.DEVICE)
            address = Address(url=f"http://127.0.0.1:{upstream_port}/v1", model="paced")
            view = BackendView(name="paced", place=Place.DEVICE)
            backends = {"paced": Backend(row, fixed(address), connections)}
            completer = await stack.enter_async_context(completing(backends, (view,), Path(folder)))
            conversations = Conversations(history, completer, settings.chat, Nobody())
            app = page(settings, conversations, (), port)
            server = uvicorn.Server(server_config(app))
            serving = [
                asyncio.create_task(server.serve([page_socket])),
                asyncio.create_task(upstream.serve([upstream_socket])),
            ]
            took, busy = await shown_in(f"http://127.0.0.1:{port}/")
            await conversations.close(0)
            server.should_exit = upstream.should_exit = True
            await asyncio.gather(*serving)
    real = count / per_second
    print(f"{count} words at {per_second:.0f}/s: {real:.1f} s of writing")
    print(f"shown after {took:.1f} s = {took / real:.2f} x real time (aim 1.2); main thread busy {busy:.1f} s")


def main() -> None:
    """Parse options and measure."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--words", type=int, default=2000)
    options.add_argument("--per-second", type=float, default=100)
    chosen = options.parse_args()
    asyncio.run(measure(chosen.words, chosen.per_second))


if __name__ == "__main__":
    main()
