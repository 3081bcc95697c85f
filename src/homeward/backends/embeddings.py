"""Embeddings of an engine on this device. There is no way to any other place here: texts to embed never leave it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager

import msgspec

from homeward.backends.connections import Connections
from homeward.backends.exchange import ask
from homeward.backends.line import Line, WaitingLine
from homeward.backends.row import BackendRow
from homeward.protocol.address import Address
from homeward.protocol.embeddings import (
    Embeddings,
    EmbeddingsRequest,
    Vector,
    decode_answer,
    encode_question,
    shortened,
    too_long,
)
from homeward.protocol.place import Place
from homeward.protocol.upstream_errors import not_the_protocol
from homeward.protocol.wire import encode_json

ROW = BackendRow(name="embedding", place=Place.DEVICE, at_a_time=4, restarts=True)
"""The engine reads one text at a time; so many requests take turns by the batch."""
BATCH_TEXTS = 16
BATCH_BYTES = 8_192
"""What goes out at a time: little, so that who asks for one vector gets it while a long file is being read."""
BATCH_SECONDS = 600.0
"""For a batch, and those of the others that are before it: the longest texts take minutes on a slow processor."""
COUNT_SECONDS = 60.0
SPECIAL_TOKENS = 4
"""What a tokenizer puts around a text at most. The text itself has no more tokens than bytes."""
BYTES_OF_A_TOKEN = 256
"""More than any tokenizer takes for one, of any text that means something."""

Lease = Callable[[], AbstractAsyncContextManager[Address]]
"""The address of an engine that embeds, for as long as it is used; without `/v1` behind it."""


class EmbeddingBackend:
    """An engine that turns texts into vectors."""

    def __init__(
        self, lease: Lease, connections: Connections, *, adjust: Callable[[Vector], Vector] | None = None
    ) -> None:
        """`adjust` is done to each vector of the engine; None where they are good as they are."""
        self._lease = lease
        self._connections = connections
        self._adjust = adjust
        self.line: WaitingLine = Line(
            ROW.source, at_a_time=ROW.at_a_time, waiting=ROW.waiting, seconds=ROW.waiting_seconds
        )
        """In front of it."""

    async def embed(self, request: EmbeddingsRequest) -> Embeddings:
        """A vector of length 1 for each text of the request.

        Raises:
            InvalidRequestError: the request is wrong, or a text is longer than the model's window.
            OverloadedError: too many wait already.
            EngineError: there is no engine to ask.
            BackendError: it did not answer as it should.
        """
        texts = request.texts
        vectors: list[Vector] = []
        tokens = 0
        async with self._turn(), self._lease() as address:
            await self._check_lengths(request, texts, address)
            for batch in batches(texts):
                answer = await self._ask(batch, address)
                tokens += answer.prompt_tokens
                for vector in answer.vectors:
                    vectors.append(self._finished(vector, request.dimensions))
                    await asyncio.sleep(0)  # it is a millisecond of arithmetic
        return Embeddings(vectors=tuple(vectors), prompt_tokens=tokens, model=address.model)

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        turn = self.line.turn()
        try:
            async with aclosing(turn.ahead()) as ahead:
                async for _ in ahead:
                    pass
            yield
        finally:
            turn.end()

    async def _check_lengths(self, request: EmbeddingsRequest, texts: Sequence[str], address: Address) -> None:
        """The engine's own refusal would come after the texts before it, and not say which one it means."""
        window = address.context_tokens
        if window is None:
            return
        for index, text in enumerate(texts):
            size = len(text.encode("utf-8", "surrogatepass"))
            if size + SPECIAL_TOKENS <= window:
                continue
            if size > window * BYTES_OF_A_TOKEN or await self._count(text, address) > window:
                raise too_long(request.place(index), window)

    async def _count(self, text: str, address: Address) -> int:
        question = encode_json({"content": text, "add_special": True})
        body = await ask(self._connections, ROW, address, "tokenize", body=question, seconds=COUNT_SECONDS)
        try:
            return len(msgspec.json.decode(body, type=_Tokens).tokens)
        except (ValueError, RecursionError):
            raise not_the_protocol(ROW.source, "no tokens") from None

    async def _ask(self, texts: Sequence[str], address: Address) -> Embeddings:
        question = encode_question(texts, address.model)
        body = await ask(self._connections, ROW, address, "v1/embeddings", body=question, seconds=BATCH_SECONDS)
        return decode_answer(body, len(texts), address.model, ROW.source)

    def _finished(self, vector: Vector, dimensions: int | None) -> Vector:
        adjusted = self._adjust(vector) if self._adjust else vector
        return shortened(adjusted, dimensions) if dimensions is not None else adjusted


class _Tokens(msgspec.Struct):
    tokens: list[int]


def batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in their order, in pieces that are small; a long text is a piece of its own."""
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and (len(batch) == BATCH_TEXTS or size + len(text) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    yield batch
