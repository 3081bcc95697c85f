"""One request to the fake upstream, and the raw means to answer it well or badly."""

import asyncio
import json
import socket
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

WORDS = ("Once", " upon", " a", " time", " there", " was", " a", " cat", ".")
TEXT = "".join(WORDS)
CANARY = "UPSTREAM-SECRET-MARKER sk-canary-0000"
"""Stands in every error body; must never reach a user or a log."""
USAGE = {"prompt_tokens": 7, "completion_tokens": len(WORDS), "total_tokens": 7 + len(WORDS)}
MODELS = ("ok", "ok-slow")

Json = dict[str, Any]


def chunk(delta: Json, finish_reason: str | None = None, **more: object) -> Json:
    """One event of a stream as JSON."""
    choices = [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    head = {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": 1, "model": "fake"}
    return {**head, "choices": choices, **more}


def completion(text: str, **more: object) -> Json:
    """A whole answer as JSON."""
    message = {"role": "assistant", "content": text}
    choices = [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}]
    return {"id": "chatcmpl-fake", "object": "chat.completion", "created": 1, "choices": choices, **more}


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    path: str
    """Without its query."""
    query: str
    head: str
    body: Json
    raw_bytes: int
    """Of head and body together."""


class Exchange:
    """One request, and the raw means to answer it well or badly."""

    def __init__(
        self, asked: Asked, writer: asyncio.StreamWriter, *, pace: float, call_number: int, count: Callable[[int], None]
    ) -> None:
        self.asked = asked
        self.model = str(asked.body.get("model", ""))
        self.pace = pace
        self.call_number = call_number
        self.keep_alive = False
        self._writer = writer
        self._count = count
        self._chunked = False

    async def write(self, data: bytes) -> None:
        self._writer.write(data)
        self._count(len(data))
        await self._writer.drain()

    async def head(
        self,
        status: int = 200,
        content_type: str = "text/event-stream",
        headers: Sequence[str] = (),
        *,
        chunked: bool = True,
        length: int | None = None,
        keep_alive: bool = False,
    ) -> None:
        self._chunked = chunked and length is None
        self.keep_alive = keep_alive
        connection = "keep-alive" if keep_alive else "close"
        lines = [
            f"HTTP/1.1 {status} Fake",
            f"Content-Type: {content_type}",
            f"Connection: {connection}",
            *headers,
        ]
        if self._chunked:
            lines.append("Transfer-Encoding: chunked")
        elif length is not None:
            lines.append(f"Content-Length: {length}")
        await self.write("\r\n".join(lines).encode() + b"\r\n\r\n")

    async def body(self, data: bytes) -> None:
        await self.write(b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data)

    async def event(self, payload: object) -> None:
        await self.body(b"data: " + json.dumps(payload).encode() + b"\n\n")

    async def word(self, word: str) -> None:
        await self.event(chunk({"content": word}))

    async def first_words(self) -> None:
        await self.event(chunk({"role": "assistant", "content": ""}))
        await self.word(WORDS[0])
        await self.word(WORDS[1])

    async def finish(self, reason: str = "stop", *, done: bool = True) -> None:
        await self.event(chunk({}, reason))
        await self.end(done=done)

    async def end(self, *, done: bool = True) -> None:
        if done:
            await self.body(b"data: [DONE]\n\n")
        if self._chunked:
            await self.write(b"0\r\n\r\n")

    async def json(self, payload: object, status: int = 200, headers: Sequence[str] = ()) -> None:
        data = json.dumps(payload).encode()
        await self.head(status, "application/json", headers, length=len(data))
        await self.write(data)

    async def refuse(self, status: int, headers: Sequence[str] = (), **error: object) -> None:
        report = {"message": CANARY, "type": "upstream", "code": None, **error}
        await self.json({"error": report}, status, headers)

    def reset(self) -> None:
        """Closes with a TCP RST in place of a FIN."""
        raw = self._writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._writer.transport.abort()
