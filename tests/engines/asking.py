"""Requests to a llama.cpp server, with its key."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp

from homeward.protocol.address import Address

JSON = dict[str, Any]

QUESTION = [{"role": "user", "content": "Name three colours."}]
STORY = [{"role": "user", "content": "Write a very long story about the sea."}]


@contextlib.asynccontextmanager
async def asking(
    address: Address, path: str, body: JSON | None = None, *, key: str | None = None
) -> AsyncIterator[aiohttp.ClientResponse]:
    root = address.url.removesuffix("/v1")
    headers = {"Authorization": f"Bearer {address.api_key if key is None else key}"}
    method = "GET" if body is None else "POST"
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.request(method, root + path, json=body) as response,
    ):
        yield response


async def answer(address: Address, path: str, body: JSON | None = None) -> JSON:
    async with asking(address, path, body) as response:
        answer: JSON = await response.json()
        return answer


async def status(address: Address, path: str, body: JSON | None = None, *, key: str | None = None) -> int:
    async with asking(address, path, body, key=key) as response:
        await response.read()
        return response.status


async def chat(address: Address, messages: list[dict[str, str]], **more: object) -> JSON:
    body = {"model": "starter", "messages": messages, "max_tokens": 12, "temperature": 0, **more}
    return await answer(address, "/v1/chat/completions", body)


async def busy_slots(address: Address) -> int:
    return sum(slot["is_processing"] for slot in await slots_of(address))


async def slots_of(address: Address) -> list[JSON]:
    async with asking(address, "/slots") as response:
        slots: list[JSON] = await response.json()
        return slots
