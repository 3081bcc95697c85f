"""Embeddings of an engine: a real llama.cpp with a tiny model, and a server that misbehaves."""

import asyncio
import json
import math
from array import array
from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from homeward.backends import Connections
from homeward.backends import embeddings as module
from homeward.backends.embeddings import BATCH_BYTES, BATCH_TEXTS, ROW, EmbeddingBackend, batches
from homeward.engines.llama import embedding_recipe
from homeward.engines.supervisor import SupervisedEngine
from homeward.protocol.address import Address
from homeward.protocol.embeddings import EmbeddingsRequest, Vector
from homeward.protocol.errors import (
    BackendDisconnectedError,
    BackendProtocolError,
    BackendStatusError,
    BackendTimeoutError,
    InvalidRequestError,
    OverloadedError,
)
from tests.engines import toy_embedder as toy

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def leased(address: Address) -> Callable[[], AbstractAsyncContextManager[Address]]:
    @asynccontextmanager
    async def lease() -> AsyncIterator[Address]:
        yield address

    return lease


def likeness(one: Vector, other: Vector) -> float:
    return sum(a * b for a, b in zip(one, other, strict=True))


# With a real engine


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[SupervisedEngine]:
    engine = SupervisedEngine(embedding_recipe(toy.toy_embedder(tmp_path / "toy.gguf"), "toy"))
    yield engine
    await engine.close()


@pytest.fixture
def backend(engine: SupervisedEngine, connections: Connections) -> EmbeddingBackend:
    return EmbeddingBackend(engine.lease, connections)


@pytest.mark.engine
async def test_many_texts_come_back_in_their_order(backend: EmbeddingBackend) -> None:
    """More than one batch of them; each as it is alone, all of length 1, and every token counted."""
    texts = ("the cat", "the red dog ran", "blue") * BATCH_TEXTS
    together = await backend.embed(EmbeddingsRequest(input=texts))
    assert (together.model, len(together.vectors)) == ("toy", len(texts))
    tokens = 0
    for index, text in enumerate(texts[:3]):
        alone = await backend.embed(EmbeddingsRequest(input=text))
        assert alone.vectors[0].tolist() == pytest.approx(together.vectors[index].tolist(), abs=1e-5)
        tokens += alone.prompt_tokens
    assert together.prompt_tokens == tokens * BATCH_TEXTS
    assert all(math.hypot(*vector) == pytest.approx(1, abs=1e-5) for vector in together.vectors)


@pytest.mark.engine
async def test_fewer_dimensions(backend: EmbeddingBackend) -> None:
    """The first ones, of length 1 again; more than there are is a mistake of the caller's."""
    whole = (await backend.embed(EmbeddingsRequest(input="the cat"))).vectors[0]
    short = (await backend.embed(EmbeddingsRequest(input="the cat", dimensions=4))).vectors[0]
    assert likeness(short, whole[:4]) == pytest.approx(math.hypot(*whole[:4]), abs=1e-5)
    assert math.hypot(*short) == pytest.approx(1, abs=1e-5)
    with pytest.raises(InvalidRequestError, match="32 dimensions"):
        await backend.embed(EmbeddingsRequest(input="the cat", dimensions=33))


@pytest.mark.engine
async def test_vectors_can_be_adjusted(engine: SupervisedEngine, connections: Connections) -> None:
    """Before they are shortened."""

    def backwards(vector: Vector) -> Vector:
        return vector[::-1]

    plain, turned = (
        EmbeddingBackend(engine.lease, connections),
        EmbeddingBackend(engine.lease, connections, adjust=backwards),
    )
    request = EmbeddingsRequest(input="the cat", dimensions=1)
    last = (await plain.embed(EmbeddingsRequest(input="the cat"))).vectors[0][-1]
    assert (await turned.embed(request)).vectors[0].tolist() == [math.copysign(1, last)]


@pytest.mark.engine
@pytest.mark.parametrize("text", ["cat " * 200, "x" * (toy.CONTEXT * 256 + 1)])
async def test_a_text_that_is_too_long(backend: EmbeddingBackend, text: str) -> None:
    """In OpenAI's words, by its number, before any other is embedded."""
    with pytest.raises(InvalidRequestError) as caught:
        await backend.embed(EmbeddingsRequest(input=("the cat", text)))
    assert caught.value.message == f"Invalid 'input[1]': maximum input length is {toy.CONTEXT} tokens."
    assert caught.value.param == "input[1]"
    with pytest.raises(InvalidRequestError, match="Invalid 'input'"):
        await backend.embed(EmbeddingsRequest(input=text))


@pytest.mark.engine
async def test_a_text_of_many_bytes_and_few_tokens_fits(backend: EmbeddingBackend) -> None:
    """Length is counted in the model's tokens."""
    embeddings = await backend.embed(EmbeddingsRequest(input="unbekannt " * 20))
    assert embeddings.prompt_tokens == 22


# With a server that misbehaves


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Address]:
    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield Address(url=f"http://127.0.0.1:{port}", api_key="k", model="toy", context_tokens=64)
    finally:
        await runner.cleanup()


async def right(request: web.Request) -> web.Response:
    """A vector of two numbers for each text."""
    texts = (await request.json())["input"]
    vector = b64encode(array("f", [0.6, 0.8]).tobytes()).decode()
    data = [{"index": index, "embedding": vector} for index in range(len(texts))]
    return web.json_response({"data": data, "usage": {"prompt_tokens": len(texts)}})


async def wrong_json(_request: web.Request) -> web.Response:
    return web.json_response({"data": "canary"})


async def broken(_request: web.Request) -> web.Response:
    return web.json_response({"error": {"code": 500, "message": "canary", "type": "server_error"}}, status=500)


async def cut(request: web.Request) -> web.Response:
    assert request.transport
    request.transport.abort()
    return web.Response()


@pytest.mark.parametrize(
    ("answer", "error"),
    [(wrong_json, BackendProtocolError), (broken, BackendStatusError), (cut, BackendDisconnectedError)],
)
@pytest.mark.parametrize("text", ["short", "long " * 100])
async def test_what_an_engine_does_wrong_is_an_error_of_its_own(
    connections: Connections, answer: Answer, error: type[Exception], text: str
) -> None:
    """While it counts and while it embeds; nothing that it said is repeated."""
    async with serving(answer) as address:
        with pytest.raises(error) as caught:
            await EmbeddingBackend(leased(address), connections).embed(EmbeddingsRequest(input=text))
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None


async def test_it_does_not_wait_for_ever(connections: Connections, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_SECONDS", 0.1)

    async def silent(_request: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    async with serving(silent) as address:
        with pytest.raises(BackendTimeoutError):
            await EmbeddingBackend(leased(address), connections).embed(EmbeddingsRequest(input="a"))


class Held:
    """Answers right, once it is let."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[list[str]] = asyncio.Queue()
        self.open = asyncio.Event()
        self.left = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.put_nowait((await request.json())["input"])
        try:
            await self.open.wait()
        except asyncio.CancelledError:
            self.left.set()
            raise
        return await right(request)


async def test_who_leaves_stops_the_engine(connections: Connections) -> None:
    """The connection is closed, nothing further is asked, and the place is free for the next."""
    held = Held()
    async with serving(held.answer) as address, asyncio.timeout(5):
        backend = EmbeddingBackend(leased(address), connections)
        leaving = asyncio.create_task(backend.embed(EmbeddingsRequest(input=("a",) * 3 * BATCH_TEXTS)))
        assert await held.asked.get() == ["a"] * BATCH_TEXTS
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        await held.left.wait()
        assert held.asked.empty()
        held.open.set()
        assert len((await backend.embed(EmbeddingsRequest(input="b"))).vectors) == 1


async def test_a_short_question_does_not_wait_for_a_long_file(connections: Connections) -> None:
    """It is asked beside the file's first batch, not behind its last one."""
    held = Held()
    async with serving(held.answer) as address, asyncio.timeout(5):
        backend = EmbeddingBackend(leased(address), connections)
        file = asyncio.create_task(backend.embed(EmbeddingsRequest(input=("a",) * 2 * BATCH_TEXTS)))
        await held.asked.get()
        question = asyncio.create_task(backend.embed(EmbeddingsRequest(input="q")))
        assert await held.asked.get() == ["q"]
        held.open.set()
        await asyncio.gather(file, question)


async def test_only_so_many_are_let_in(connections: Connections) -> None:
    """The others wait in line, and where that is full they are told when to come again."""
    held = Held()
    async with serving(held.answer) as address, asyncio.timeout(20):
        backend = EmbeddingBackend(leased(address), connections)
        requests = [
            asyncio.create_task(backend.embed(EmbeddingsRequest(input=str(number))))
            for number in range(ROW.at_a_time + ROW.waiting)
        ]
        for _ in range(ROW.at_a_time):
            await held.asked.get()
        assert held.asked.empty()
        with pytest.raises(OverloadedError) as caught:
            await backend.embed(EmbeddingsRequest(input="one too many"))
        assert caught.value.retry_after_seconds
        held.open.set()
        await asyncio.gather(*requests)


def test_batches_are_small_and_lose_nothing() -> None:
    """By number and by size; a long text goes alone."""
    texts = ["a"] * (BATCH_TEXTS + 1) + ["b" * BATCH_BYTES, "c", "d" * (3 * BATCH_BYTES)]
    found = list(batches(texts))
    assert [len(batch) for batch in found] == [BATCH_TEXTS, 1, 1, 1, 1]
    assert [text for batch in found for text in batch] == texts


async def test_what_goes_out_is_what_llama_cpp_reads(connections: Connections) -> None:
    """Texts, the model's name, and base64, which is exact and short."""
    bodies: list[bytes] = []

    async def seen(request: web.Request) -> web.Response:
        bodies.append(await request.read())
        assert request.headers["Authorization"] == "Bearer k"
        assert request.path == "/v1/embeddings"
        return await right(request)

    async with serving(seen) as address:
        await EmbeddingBackend(leased(address), connections).embed(EmbeddingsRequest(input="Größe"))
    assert json.loads(bodies[0]) == {"model": "toy", "input": ["Größe"], "encoding_format": "base64"}
