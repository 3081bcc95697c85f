"""A listener on the wire between Open WebUI and Homeward: passes everything on, and notes what was asked.

On request it slips something in.
"""

import asyncio
import threading
from typing import Any

import aiohttp
import msgspec
from aiohttp import web

OF_ONE_CONNECTION = {"host", "connection", "content-length", "transfer-encoding", "keep-alive"}


class Asked(msgspec.Struct, frozen=True):
    """One request."""

    method: str
    path: str
    task: str | None
    """X-Task; None where the header is absent."""
    client: str | None
    origin: str | None
    size: int
    """Bytes of the body."""
    body: dict[str, Any]


class Wire:
    """In a thread of its own: Playwright keeps a loop in the main one."""

    def __init__(self, homeward: str) -> None:
        self.asked: list[Asked] = []
        self.slipped_in = b""
        """Goes before the events of each stream, as if Homeward had sent it."""
        self.url = ""
        self._homeward = homeward
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self._thread.start()
        assert self._started.wait(10)

    @property
    def answers_asked(self) -> list[Asked]:
        """What asked a model to write."""
        return [each for each in self.asked if each.method == "POST" and each.path == "/v1/chat/completions"]

    def forget(self) -> None:
        self.asked.clear()

    async def _serve(self) -> None:
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        runner = web.AppRunner(app, handler_cancellation=True, access_log=None)
        await runner.setup()
        async with aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout()) as self._session:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            self._started.set()
            await self._ended.wait()
            await runner.cleanup()

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        self.asked.append(
            Asked(
                method=request.method,
                path=request.path,
                task=request.headers.get("X-Task"),
                client=request.headers.get("X-Homeward-Client"),
                origin=request.headers.get("Origin"),
                size=len(body),
                body=msgspec.json.decode(body) if body else {},
            )
        )
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in OF_ONE_CONNECTION]
        url = self._homeward + request.path_qs
        async with self._session.request(request.method, url, headers=headers, data=body) as answer:
            passed = [(name, value) for name, value in answer.headers.items() if name.lower() not in OF_ONE_CONNECTION]
            response = web.StreamResponse(status=answer.status, headers=dict(passed))
            await response.prepare(request)
            if answer.content_type == "text/event-stream":
                await response.write(self.slipped_in)
            async for piece in answer.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response

    def close(self) -> None:
        """End it, and whatever it is still passing on."""
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(30)
        self._loop.close()
