"""A gateway on loopback over backends that each behave as their name says, and the official client."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
import uvicorn
from openai import AsyncOpenAI
from starlette.applications import Starlette

from homeward.completion import Completer
from homeward.gate import KeyGuard
from homeward.gate.keys import Ring
from homeward.gateway import gateway_routes
from homeward.gateway.names import ListedModel, Names
from homeward.gateway.sending import Sender
from homeward.protocol.place import PlaceName
from homeward.protocol.receipt import Receipt
from tests.completion.conftest import MakeCompleter, completer_of, upstream

__all__ = ["completer_of", "upstream"]

QUESTION: Any = [{"role": "user", "content": "Tell me a story."}]


class Kept:
    """Receipts in memory."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []

    def keep(self, receipt: Receipt) -> None:
        self.receipts.append(receipt)

    async def get_receipt(self, receipt_id: str) -> Receipt | None:
        return next((each for each in self.receipts if str(each.id) == receipt_id), None)


class Listed:
    """The backends of a completer, each with one model called as it behaves."""

    def __init__(self, completer: Completer) -> None:
        self._completer = completer

    def models(self) -> Iterator[ListedModel]:
        for name, backend in self._completer.backends.items():
            place: PlaceName = "device" if backend.row.place == "device" else "cloud"
            yield ListedModel(backend=name, model=name, place=place, context_tokens=4096, calls_tools=True)

    def find(self, name: str) -> tuple[str, str] | None:
        return (name, name) if name in self._completer.backends else None


@dataclass
class Gateway:
    """One that runs."""

    url: str
    client: AsyncOpenAI
    http: aiohttp.ClientSession
    completer: Completer
    kept: Kept
    sender: Sender
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def receipt(self) -> Receipt:
        """Of the last answer."""
        return self.kept.receipts[-1]

    async def post(self, path: str = "chat/completions", **body: Any) -> tuple[int, Any, dict[str, str]]:
        """Status, JSON and headers."""
        whole = {"model": "homeward", "messages": QUESTION, **body} if path == "chat/completions" else body
        async with self.http.post(f"{self.url}/{path}", json=whole, headers=self.headers) as answer:
            return answer.status, await answer.json(), {name.lower(): value for name, value in answer.headers.items()}

    async def stream(self, **body: Any) -> str:
        """The bytes of a streamed answer, as text."""
        whole = {"model": "homeward", "messages": QUESTION, "stream": True, **body}
        async with self.http.post(f"{self.url}/chat/completions", json=whole, headers=self.headers) as answer:
            return (await answer.read()).decode()


class Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def gateway_over(completer: Completer, **aliases: str) -> AsyncIterator[Gateway]:
    """Serves it on a free port."""
    kept = Kept()
    sender = Sender(completer, kept)
    routes = Starlette(routes=gateway_routes(sender, Names(Listed(completer), aliases), kept))
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        app = KeyGuard(routes, Ring, required=False)
        server = Server(uvicorn.Config(app, lifespan="off", log_config=None, http="httptools"))
        serving = asyncio.create_task(server.serve(sockets=[sock]))
        url = f"http://127.0.0.1:{sock.getsockname()[1]}/v1"
        async with AsyncOpenAI(base_url=url, api_key="any", max_retries=0) as client, aiohttp.ClientSession() as http:
            yield Gateway(url, client, http, completer, kept, sender)
        server.should_exit = True
        await serving


@pytest.fixture
async def gateway(completer_of: MakeCompleter) -> AsyncIterator[Gateway]:
    """Over one backend of this device that answers."""
    async with gateway_over(completer_of("ok")) as gateway:
        yield gateway
