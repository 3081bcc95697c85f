"""What a request sees of a backend, whatever stands behind it: a `Backend`, or the tab that asked."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from homeward.backends.health import AskedHealth
from homeward.backends.line import WaitingLine
from homeward.backends.row import BackendRow
from homeward.protocol.address import Address
from homeward.protocol.chat import ChatRequest, Chunk, Message


class Chunks(Protocol):
    """One answer as it comes: see `AnswerStream`."""

    @property
    def bytes_out(self) -> int:
        """Bytes of the request that left this machine."""
        ...

    @property
    def refused(self) -> bool:
        """Whether it was said that there will be no answer, so that it costs nothing."""
        ...

    @property
    def in_one_piece(self) -> bool:
        """Whether the answer came at once."""
        ...

    def __aiter__(self) -> AsyncIterator[Chunk]:
        """Once."""
        ...

    async def __anext__(self) -> Chunk:
        """The next one."""
        ...

    def arrived(self) -> list[Chunk]:
        """The chunks that are here already, without waiting."""
        ...


class Asked(Protocol):
    """Something to ask for an answer: see `Backend`."""

    row: BackendRow
    line: WaitingLine
    health: AskedHealth

    def locate(self, model: str, /) -> AbstractAsyncContextManager[Address]:
        """Where it is; an engine is ready then."""
        ...

    def open_stream(
        self, request: ChatRequest, at: Address | None = None, first_token_seconds: float | None = None
    ) -> AbstractAsyncContextManager[Chunks]:
        """The answer; leaving stops it."""
        ...

    async def count_tokens(self, messages: Sequence[Message], at: Address | None = None) -> int | None:
        """Tokens of a prompt; None where it cannot say."""
        ...
