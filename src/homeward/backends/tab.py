"""The tab that asked, as a backend: its own model answers, and no other machine is asked.

It is there for as long as one answer is written, and only where the user chose it.
"""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol, Self

import msgspec

from homeward.backends.health import AskedHealth, Health
from homeward.backends.line import Line, WaitingLine
from homeward.backends.row import BackendRow
from homeward.protocol.address import Address
from homeward.protocol.chat import ChatRequest, Chunk
from homeward.protocol.place import Place

TAB = BackendRow(name="browser", place=Place.BROWSER)


class TabModel(msgspec.Struct, frozen=True, kw_only=True):
    """What a tab answers with."""

    model: str
    context_tokens: int
    """Tokens that prompt and answer share."""


class Tab(Protocol):
    """An open page whose browser can run a model."""

    async def load(self) -> TabModel:
        """Have its model ready; the page asks its user before it downloads one. Raises PageError."""
        ...

    def write(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """The answer; the last chunk has the finish reason. Closing it stops the page's model. Raises PageError."""
        ...


class TabBackend:
    """Answers one request in the tab that sent it; see `Asked`."""

    def __init__(self, tab: Tab) -> None:
        self.row = TAB
        self.line: WaitingLine = Line(TAB.source, at_a_time=1, waiting=0)
        self.health: AskedHealth = Health()
        self._tab = tab

    @asynccontextmanager
    async def locate(self, model: str) -> AsyncIterator[Address]:  # noqa: ARG002 - the page chooses its model
        """Where its model is once that is loaded: nowhere that could be connected to."""
        loaded = await self._tab.load()
        yield Address(url="", model=loaded.model, context_tokens=loaded.context_tokens)

    @asynccontextmanager
    async def open_stream(  # the page says itself for how long it may be silent
        self,
        request: ChatRequest,
        at: Address | None = None,  # noqa: ARG002
        first_token_seconds: float | None = None,  # noqa: ARG002
    ) -> AsyncIterator["TabStream"]:
        """Like `Backend.open_stream`."""
        stream = TabStream(self._tab.write(request))
        try:
            yield stream
        finally:
            await stream.aclose()

    async def count_tokens(self, messages: object, at: Address | None = None) -> None:
        """It is not asked for that: see `Backend.count_tokens`."""


class TabStream:
    """The chunks of one answer, as `AnswerStream` gives them."""

    bytes_out = 0
    """Nothing of it leaves this machine but to the page that shows the conversation anyway."""
    refused = False
    in_one_piece = False

    def __init__(self, chunks: AsyncGenerator[Chunk, None]) -> None:
        self._chunks = chunks

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Chunk:
        """The next chunk. Raises PageError."""
        return await anext(self._chunks)

    def arrived(self) -> list[Chunk]:
        """None are ever held back."""
        return []

    async def aclose(self) -> None:
        """Stops the page's model."""
        await self._chunks.aclose()
