"""A backend that can be asked."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, nullcontext
from typing import TypeVar

import msgspec

from homeward.backends.connections import Connections
from homeward.backends.exchange import ask
from homeward.backends.health import AskedHealth, Health
from homeward.backends.line import Line, WaitingLine
from homeward.backends.row import BackendRow, Locate
from homeward.backends.stream import AnswerStream
from homeward.protocol.address import Address
from homeward.protocol.chat import ChatRequest, Message
from homeward.protocol.errors import BackendError
from homeward.protocol.place import Place
from homeward.protocol.upstream_errors import not_the_protocol
from homeward.protocol.wire import encode_json

PROBE_SECONDS = 2.0
COUNT_SECONDS = 5.0


_Answer = TypeVar("_Answer")


class _Model(msgspec.Struct):
    id: str


class _Models(msgspec.Struct):
    data: list[_Model]


class _Count(msgspec.Struct):
    input_tokens: int


class Backend:
    """Whatever answers OpenAI's protocol: an engine, a service, a cloud.

    One object serves any number of requests at once; all that it keeps is the line in front of it and its health.
    """

    def __init__(self, row: BackendRow, locate: Locate, connections: Connections) -> None:
        self.row = row
        self.locate = locate
        """Where it is; entered by every request on its own, and by who wants to know its context window."""
        self.line: WaitingLine = Line(
            row.source, at_a_time=row.at_a_time, waiting=row.waiting, seconds=row.waiting_seconds
        )
        """In front of it; who asks it for an answer takes a turn first."""
        self.health: AskedHealth = Health(rests=not row.restarts)
        """Whether it may be asked now; who asks it for an answer takes a permit first, and says how it went."""
        self._connections = connections

    def __repr__(self) -> str:
        return f"Backend({self.row!r})"

    @asynccontextmanager
    async def open_stream(
        self, request: ChatRequest, at: Address | None = None, first_token_seconds: float | None = None
    ) -> AsyncIterator[AnswerStream]:
        """The answer to `request`, as a stream of chunks to iterate inside this context.

        Entering locates the backend, which for an engine means that it is ready; the request goes out with
        the first `anext`, once: nothing is retried. Leaving closes the connection at once, however far the
        answer is, and the backend stops. Entering raises what `locate` raises (`EngineError`) and
        `InvalidRequestError`; iterating raises `BackendError` in all its kinds and `ContextLengthError`.

        Whoever has located it already, and holds that, says where: `at`. `first_token_seconds` stands in for the
        row's own deadline.
        """
        async with nullcontext(at) if at else self.locate(request.model) as address:
            stream = AnswerStream(self.row, address, self._connections, request, first_token_seconds)
            try:
                yield stream
            finally:
                stream.close()

    async def probe(self, at: Address | None = None, seconds: float = PROBE_SECONDS) -> tuple[str, ...]:
        """The names of its models, asked for within 2 s; no word of the user goes out.

        It locates the backend like a request does, so an engine would be started. Raises `BackendError`.
        """
        async with nullcontext(at) if at else self.locate("") as address:
            body = await ask(self._connections, self.row, address, "models", seconds=seconds)
        return tuple(model.id for model in self._decode(body, _Models).data)

    async def count_tokens(self, messages: Sequence[Message], at: Address | None = None) -> int | None:
        """Tokens of the prompt that `messages` make, as the backend counts them; None where it cannot say.

        Only a backend on this device is asked, for this happens before the policy has decided who may read
        the messages. Raises what `locate` raises (`EngineError`) and `InvalidRequestError`.
        """
        if not self.row.counts_tokens or self.row.place is not Place.DEVICE:
            return None
        async with nullcontext(at) if at else self.locate("") as address:
            try:
                return await self._count(address, messages)
            except BackendError:
                return None

    async def _count(self, address: Address, messages: Sequence[Message]) -> int:
        question = encode_json({"model": address.model, "messages": messages})
        path = "chat/completions/input_tokens"
        body = await ask(self._connections, self.row, address, path, body=question, seconds=COUNT_SECONDS)
        return self._decode(body, _Count).input_tokens

    def _decode(self, body: bytes, kind: type[_Answer]) -> _Answer:
        try:
            return msgspec.json.decode(body, type=kind)
        except (ValueError, RecursionError):
            # Dropped as cause: a decoder's error holds the bytes that it failed on.
            raise not_the_protocol(self.row.source, f"no {kind.__name__.strip('_').lower()}") from None
