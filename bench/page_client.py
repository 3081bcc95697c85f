"""The chat page's protocol without a browser: for measuring what the server takes, and only that."""

import asyncio
import time
from typing import Any
from uuid import uuid4

import aiohttp
import socketio


class PageClient:
    """One connected page. Use as an async context manager."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.first_text = 0.0
        self.ended = 0.0
        self._done = asyncio.Event()
        self._session: aiohttp.ClientSession | None = None
        self._socket: Any = None

    async def __aenter__(self) -> "PageClient":
        self._session = aiohttp.ClientSession()
        async with self._session.get(self.url + "/", headers={"accept": "text/html"}) as answer:
            token = answer.cookies["access_token"].value
        self._socket = socketio.AsyncClient(http_session=self._session)
        self._socket.on("stream_start", self._text)
        self._socket.on("task_end", self._end)
        await self._socket.connect(
            self.url,
            socketio_path="/ws/socket.io",
            transports=["websocket"],
            headers={"Cookie": f"access_token={token}", "Origin": self.url},
            auth={"sessionId": str(uuid4()), "clientType": "webapp", "userEnv": "{}", "threadId": ""},
        )
        self._done.clear()
        await self._socket.emit("connection_successful")
        await self._done.wait()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._socket.disconnect()
        assert self._session is not None
        await self._session.close()

    async def _text(self, _data: object) -> None:
        self.first_text = self.first_text or time.perf_counter()

    async def _end(self, _data: object) -> None:
        self.ended = time.perf_counter()
        self._done.set()

    async def ask(self, text: str) -> tuple[float, float]:
        """Seconds from sending to the first text, and to the end."""
        self._done.clear()
        self.first_text = 0.0
        began = time.perf_counter()
        message = {
            "id": str(uuid4()), "threadId": "", "name": "local", "type": "user_message", "output": text,
            "createdAt": "", "metadata": {},
        }  # fmt: skip
        await self._socket.emit("client_message", {"message": message, "fileReferences": []})
        await self._done.wait()
        return self.first_text - began, self.ended - began
