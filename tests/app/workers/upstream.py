"""A cloud on loopback whose every answer the test decides."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.backends.exchange import USAGE, chunk, completion

FAILS = 501
"""A failure of the backend that is not worth another try, so that a request is one call."""


class Asked:
    """One request that waits for what the test decides."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.body = body
        self.left = asyncio.Event()
        """Set when Homeward has closed the connection before the end."""
        self._words: asyncio.Queue[str | int | None] = asyncio.Queue()

    def say(self, word: str) -> None:
        """A piece of a streamed answer."""
        self._words.put_nowait(word)

    def finish(self) -> None:
        """Its end; of one in a single piece, all of it."""
        self._words.put_nowait(None)

    def fail(self) -> None:
        """In place of an answer."""
        self._words.put_nowait(FAILS)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """As the test says."""
        first = await self._words.get()
        if isinstance(first, int):
            return web.json_response({"error": {"message": "no", "type": "server_error"}}, status=first)
        if not self.body.get("stream"):
            return web.json_response(completion("Once", usage=USAGE))
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        word: str | int | None = first
        while isinstance(word, str):
            await response.write(event(chunk({"content": word})))
            word = await self._words.get()
        await response.write(event(chunk({}, "stop")) + event({**chunk({}), "choices": [], "usage": USAGE}))
        await response.write(b"data: [DONE]\n\n")
        return response


def event(data: object) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


class Upstream:
    """What was asked, in its order."""

    def __init__(self) -> None:
        self.url = ""
        self.calls = 0
        self.running = 0
        self.most = 0
        """As many ran at the same time."""
        self._asked: asyncio.Queue[Asked] = asyncio.Queue()

    async def asked(self) -> Asked:
        """The next request, once it is there."""
        async with asyncio.timeout(30):
            return await self._asked.get()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(await request.json())
        self.calls += 1
        self.running += 1
        self.most = max(self.most, self.running)
        self._asked.put_nowait(asked)
        try:
            return await asked.answer(request)
        except (asyncio.CancelledError, ConnectionError):
            asked.left.set()
            raise
        finally:
            self.running -= 1


@asynccontextmanager
async def serving() -> AsyncIterator[Upstream]:
    """One on a free port."""
    upstream = Upstream()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", upstream.handle)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    upstream.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    try:
        yield upstream
    finally:
        await runner.cleanup()
