"""`/v1/responses` on loopback: over backends that each behave as their name says, with a history of its own."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import uvicorn
from openai import AsyncOpenAI
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

from homeward.completion import Completer
from homeward.gateway import gateway_routes
from homeward.gateway.names import Names
from homeward.gateway.responses import responses_routes
from homeward.gateway.responses_store import NothingKept
from homeward.gateway.sending import Sender
from homeward.history import History
from homeward.protocol.key_use import SCOPES, KeyUse
from tests.gateway.conftest import Listed, Server

KEY = b"x-test-key"
"""Stands for the gate: whose key came with a request."""

Sent = dict[str, Any]


@dataclass
class House:
    """One that runs."""

    url: str
    client: AsyncOpenAI
    """The official one, with strict checks of all that it is sent."""
    http: aiohttp.ClientSession
    history: History
    sender: Sender

    async def ask(self, method: str, path: str, key: str = "", **body: Any) -> tuple[int, Any]:
        """Status and JSON."""
        headers = {KEY.decode(): key}
        sent, query = (body, None) if method == "POST" else (None, body)
        url = f"{self.url}/{path}"
        async with self.http.request(method, url, headers=headers, json=sent, params=query) as answer:
            return answer.status, await answer.json()

    async def create(self, given: Any = "Tell me a story.", **body: Any) -> Sent:
        """A response."""
        status, response = await self.ask("POST", "responses", input=given, **body)
        assert status == 200, response
        return dict(response)

    async def refused(self, method: str = "POST", path: str = "responses", **body: Any) -> tuple[int, str, str | None]:
        """Status, code and parameter of an error."""
        status, said = await self.ask(method, path, **body)
        error = said["error"]
        assert error["message"]
        return status, error["code"], error["param"]

    async def events(self, **body: Any) -> list[Sent]:
        """Those of a stream; each is named as its type says, and numbered without a gap."""
        whole = {"input": "Tell me a story.", "stream": True, **body}
        async with self.http.post(f"{self.url}/responses", json=whole) as answer:
            assert answer.status == 200, await answer.text()
            return events_of((await answer.read()).decode())


def events_of(text: str) -> list[Sent]:
    events: list[Sent] = []
    for each in text.removesuffix("\n\n").split("\n\n"):
        if each.startswith(":"):
            continue
        name, data = each.split("\n")
        event = json.loads(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        assert event["sequence_number"] == len(events)
        events.append(event)
    return events


def keyed(app: ASGIApp) -> ASGIApp:
    async def asgi(scope: Scope, receive: Receive, send: Send) -> None:
        name = dict(scope["headers"]).get(KEY, b"").decode()
        await app({**scope, "state": {"key": KeyUse(name, frozenset(SCOPES))}}, receive, send)

    return asgi


@asynccontextmanager
async def house_over(completer: Completer, database: Path, *, keeps: bool = True) -> AsyncIterator[House]:
    """Serves it on a free port; without `keeps`, as where no history is kept."""
    async with await History.open(database) as history:
        sender, names = Sender(completer, history), Names(Listed(completer), {})
        store = history.responses if keeps else NothingKept()
        further = responses_routes(sender, names, store)
        app = keyed(Starlette(routes=gateway_routes(sender, names, history, further)))
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            sock.listen()
            server = Server(uvicorn.Config(app, lifespan="off", log_config=None, http="httptools"))
            serving = asyncio.create_task(server.serve(sockets=[sock]))
            url = f"http://127.0.0.1:{sock.getsockname()[1]}/v1"
            client = AsyncOpenAI(base_url=url, api_key="any", max_retries=0, _strict_response_validation=True)
            async with client, aiohttp.ClientSession() as http:
                yield House(url, client, http, history, sender)
            server.should_exit = True
            await serving
