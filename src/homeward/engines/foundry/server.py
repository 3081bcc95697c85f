"""OpenAI's chat protocol over one model, for the parent process alone: loopback, one key, no browser.

    GET  /health                              200 while the model works, 503 once an answer is stuck
    GET  /v1/models
    POST /v1/chat/completions                 streamed or not; ends when its client leaves
    POST /v1/chat/completions/input_tokens    {"input_tokens": n}, as llama.cpp's server answers it

Every stream ends in usage (where asked for) and `[DONE]`, or in an error event and no `[DONE]`.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from aiohttp import web

from homeward.engines.foundry.body import Asked, read_body
from homeward.engines.foundry.guarded import guarded
from homeward.engines.foundry.refusals import RefusalError
from homeward.engines.foundry.runtime import Accepted, Failed, Finished, Generation, Message, Piece, Runtime

_MOST_WAITING = 32
"""The parent keeps the line; here wait only those whose predecessor is still on its way out."""


class Server:
    """Answers requests with a runtime, a few at a time."""

    def __init__(self, runtime: Runtime, *, model: str, api_key: str, parallel: int, calls_tools: bool) -> None:
        self._runtime = runtime
        self._model = model
        self._api_key = api_key
        self._calls_tools = calls_tools
        self._turns = asyncio.Semaphore(parallel)
        self._waiting = 0
        self.running: set[Generation] = set()
        """Answers that are being made, also such as nobody waits for any more."""

    def app(self) -> web.Application:
        """The routes, behind the key."""
        routes = [
            web.get("/v1/models", self._models),
            web.post("/v1/chat/completions", self._chat),
            web.post("/v1/chat/completions/input_tokens", self._count),
        ]
        return guarded(routes, self._api_key, self._healthy)

    def _healthy(self) -> bool:
        return not any(generation.stuck for generation in self.running)

    async def _models(self, _request: web.Request) -> web.Response:
        model = {
            "id": self._model,
            "object": "model",
            "created": 0,
            "owned_by": "foundry",
            "context_length": self._runtime.context_tokens,
            "supports_tool_calling": self._calls_tools,
        }
        return web.json_response({"object": "list", "data": [model]})

    async def _count(self, request: web.Request) -> web.Response:
        asked = await self._asked(request)
        tokens = await asyncio.to_thread(self._runtime.count, asked.body)
        return web.json_response({"object": "response.input_tokens", "input_tokens": tokens})

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        asked = await self._asked(request)
        async with aclosing(self._answer(asked)) as messages:
            accepted = await anext(messages)  # or RefusalError, while there is still a status to say it with
            assert isinstance(accepted, Accepted)
            if asked.stream:
                return await _streamed(request, messages, include_usage=asked.include_usage)
            return web.json_response(await _whole(messages))

    async def _asked(self, request: web.Request) -> Asked:
        return read_body(await request.read(), model=self._model, calls_tools=self._calls_tools)

    async def _answer(self, asked: Asked) -> AsyncGenerator[Message, None]:
        """The messages of one generation, last `Finished`; raises `RefusalError`. Left early, the generation ends."""
        loop = asyncio.get_running_loop()
        messages: asyncio.Queue[Message] = asyncio.Queue()

        def deliver(message: Message) -> None:
            loop.call_soon_threadsafe(messages.put_nowait, message)
            if isinstance(message, Finished | Failed):
                loop.call_soon_threadsafe(self._ended, generation)

        await self._turn()
        generation = self._runtime.begin(asked.body, asked.max_tokens, deliver)
        self.running.add(generation)
        try:
            while True:
                message = await messages.get()
                if isinstance(message, Failed):
                    raise message.refusal
                yield message
                if isinstance(message, Finished):
                    return
        finally:
            generation.cancel()

    async def _turn(self) -> None:
        if self._waiting >= _MOST_WAITING:
            raise RefusalError(429, "Too many requests are waiting for this model.", code="overloaded")
        self._waiting += 1
        try:
            await self._turns.acquire()
        finally:
            self._waiting -= 1

    def _ended(self, generation: Generation) -> None:
        """Only now is its turn over: one that was cancelled while it read its prompt still computed."""
        self.running.discard(generation)
        self._turns.release()


async def _streamed(
    request: web.Request, messages: AsyncGenerator[Message, None], *, include_usage: bool
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-type": "text/event-stream", "cache-control": "no-store"})
    await response.prepare(request)
    try:
        async for message in messages:
            if isinstance(message, Piece):
                await response.write(b"data: " + message.chunk.encode() + b"\n\n")
            elif isinstance(message, Finished):
                if include_usage:
                    await _write(response, _usage_chunk(message.completion))
                await response.write(b"data: [DONE]\n\n")
    except RefusalError as refusal:
        await _write(response, refusal.body)
    await response.write_eof()
    return response


async def _whole(messages: AsyncGenerator[Message, None]) -> dict[str, Any]:
    async for message in messages:
        if isinstance(message, Finished):
            return message.completion
    raise AssertionError("a generation ends with Finished or Failed")


async def _write(response: web.StreamResponse, event: dict[str, Any]) -> None:
    await response.write(b"data: " + json.dumps(event).encode() + b"\n\n")


def _usage_chunk(completion: dict[str, Any]) -> dict[str, Any]:
    """The last chunk of OpenAI's streams, which the runtime leaves out."""
    kept = {name: completion[name] for name in ("id", "created", "model", "usage")}
    return {**kept, "object": "chat.completion.chunk", "choices": []}
