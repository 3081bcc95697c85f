"""A model service beside Homeward that writes what a test says, when it says so: no answer is over too soon."""

import asyncio
import json
import queue
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from tests.backends.exchange import chunk
from tests.e2e.background import SECONDS, Background

MODEL = "dictated"


class Dictation:
    """One answer, which goes on until `end` or until nobody listens any more."""

    def __init__(self, messages: list[dict[str, str]]) -> None:
        self.messages = messages
        """What was asked."""
        self._loop = asyncio.get_running_loop()
        self._events: asyncio.Queue[Mapping[str, Any] | None] = asyncio.Queue()
        self._left = asyncio.Event()

    def write(self, text: str) -> None:
        """The next words."""
        self._put(chunk({"content": text}))

    def end(self, reason: str = "stop") -> None:
        """That was all."""
        self._put(chunk({}, reason))
        self._put(None)

    def wait_until_left(self) -> None:
        """Until nobody listens any more. Raises TimeoutError."""
        asyncio.run_coroutine_threadsafe(self._left.wait(), self._loop).result(SECONDS)

    def _put(self, event: Mapping[str, Any] | None) -> None:
        self._loop.call_soon_threadsafe(self._events.put_nowait, event)

    async def send(self, response: web.StreamResponse) -> None:
        """Pass on what is said; cancelled when the client leaves."""
        try:
            while (event := await self._events.get()) is not None:
                await response.write(b"data: " + json.dumps(event).encode() + b"\n\n")
            await response.write(b"data: [DONE]\n\n")
        finally:
            self._left.set()


class Service:
    """The service; a Homeward finds it by `environment`, and answers by it alone."""

    def __init__(self) -> None:
        self._asked: queue.Queue[Dictation] = queue.Queue()
        self._background = Background(self._serving())
        self.environment = {
            "HOMEWARD_SERVICE_URL": self._background.value,
            "HOMEWARD_LLAMA_ENABLED": "false",
            "HOMEWARD_CHAT_EVENT_SECONDS": "3600",
        }

    def answer(self) -> Dictation:
        """The answer that was asked for last, or is now. Raises queue.Empty where none is."""
        return self._asked.get(timeout=SECONDS)

    def close(self) -> None:
        """End it, and all answers."""
        self._background.close()

    @asynccontextmanager
    async def _serving(self) -> AsyncIterator[str]:
        app = web.Application()
        app.router.add_get("/v1/models", self._list_models)
        app.router.add_post("/v1/chat/completions", self._complete)
        runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()

    async def _list_models(self, _request: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        dictation = Dictation((await request.json())["messages"])
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        self._asked.put(dictation)
        await dictation.send(response)
        return response
