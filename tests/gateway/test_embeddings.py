"""`/v1/embeddings` as programs see it: the official client over a real engine, and everything that is refused."""

import asyncio
import json
import math
import socket
from array import array
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import uvicorn
from openai import AsyncOpenAI, BadRequestError, NotFoundError
from starlette.applications import Starlette

from homeward.backends import Connections
from homeward.backends.embeddings import EmbeddingBackend
from homeward.engines.llama import embedding_recipe
from homeward.engines.supervisor import SupervisedEngine
from homeward.gateway.embeddings import Embedder, embeddings_routes
from homeward.protocol.embeddings import Embeddings, EmbeddingsRequest
from homeward.protocol.errors import EngineStartError, HomewardError, OverloadedError
from tests.engines import toy_embedder as toy
from tests.gateway.conftest import Server

OURS = {"homeward:embedding", "text-embedding-3-small"}


@asynccontextmanager
async def serving(embedder: Embedder) -> AsyncIterator[str]:
    app = Starlette(routes=embeddings_routes(embedder, OURS.__contains__))
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        server = Server(uvicorn.Config(app, lifespan="off", log_config=None, http="httptools"))
        running = asyncio.create_task(server.serve(sockets=[sock]))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}/v1"
        server.should_exit = True
        await running


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    """Over a real engine with a tiny model."""
    engine = SupervisedEngine(embedding_recipe(toy.toy_embedder(tmp_path / "toy.gguf"), "toy"))
    async with Connections() as connections, serving(EmbeddingBackend(engine.lease, connections)) as url:
        yield url
    await engine.close()


@pytest.fixture
async def client(url: str) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=url, api_key="My API Key", max_retries=0) as client:
        yield client


class Fixed:
    """Answers every text with the same vector, or fails."""

    def __init__(self, error: HomewardError | None = None) -> None:
        self.error = error
        self.asked = 0

    async def embed(self, request: EmbeddingsRequest) -> Embeddings:
        self.asked += 1
        if self.error:
            raise self.error
        vectors = tuple(array("f", [1.0]) for _ in request.texts)
        return Embeddings(vectors=vectors, prompt_tokens=1, model="mödel")


async def post(url: str, body: bytes, content_type: str = "application/json") -> tuple[int, Any, dict[str, str]]:
    headers = {"content-type": content_type}
    async with aiohttp.ClientSession() as http, http.post(f"{url}/embeddings", data=body, headers=headers) as answer:
        return answer.status, await answer.json(), {name.lower(): value for name, value in answer.headers.items()}


@pytest.mark.engine
async def test_the_official_client_in_both_encodings(client: AsyncOpenAI) -> None:
    """It asks for base64 where nothing is said; both give the same vectors, for several texts in their order."""
    texts = ["the cat sat", "the red dog ran"]
    packed = await client.embeddings.create(model="homeward:embedding", input=texts)
    plain = await client.embeddings.create(model="homeward:embedding", input=texts, encoding_format="float", user="u")
    assert [item.index for item in packed.data] == [0, 1]
    assert packed.usage.prompt_tokens == packed.usage.total_tokens == 11
    for one, other in zip(packed.data, plain.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)
        assert len(one.embedding) == toy.SIZE
        assert math.hypot(*one.embedding) == pytest.approx(1, abs=1e-5)


@pytest.mark.engine
async def test_openai_pythons_own_request(client: AsyncOpenAI) -> None:
    """The one of its `tests/api_resources/test_embeddings.py`, under an alias."""
    response = await client.embeddings.with_raw_response.create(
        input="The quick brown fox jumped over the lazy dog",
        model="text-embedding-3-small",
        dimensions=1,
        encoding_format="float",
        user="user-1234",
    )
    (item,) = response.parse().data
    assert [abs(number) for number in item.embedding] == [1.0]
    assert response.headers["x-homeward-place"] == "device"
    assert response.headers["x-homeward-model"] == "toy"


@pytest.mark.engine
async def test_open_webuis_request(url: str) -> None:
    """Texts and a model, nothing else; numbers come back."""
    status, body, _ = await post(url, json.dumps({"input": ["the cat"], "model": "homeward:embedding"}).encode())
    assert status == 200
    assert body["object"] == "list"
    assert [type(number) for number in body["data"][0]["embedding"]] == [float] * toy.SIZE


@pytest.mark.engine
async def test_langchains_token_numbers(client: AsyncOpenAI) -> None:
    """A sentence that names the way out."""
    with pytest.raises(BadRequestError, match="check_embedding_ctx_length=False") as caught:
        await client.embeddings.create(model="homeward:embedding", input=[[9906, 1917], [15339]])
    assert caught.value.param == "input"


@pytest.mark.engine
async def test_a_text_that_is_too_long(client: AsyncOpenAI) -> None:
    with pytest.raises(BadRequestError, match=f"maximum input length is {toy.CONTEXT} tokens") as caught:
        await client.embeddings.create(model="homeward:embedding", input=["the cat", "cat " * 100])
    assert caught.value.param == "input[1]"


async def test_another_model_is_a_404() -> None:
    """Which names what there is; nothing was embedded."""
    embedder = Fixed()
    async with serving(embedder) as url, AsyncOpenAI(base_url=url, api_key="k", max_retries=0) as client:
        with pytest.raises(NotFoundError, match="homeward:embedding") as caught:
            await client.embeddings.create(model="text-embedding-ada-002", input="a")
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert embedder.asked == 0


@pytest.mark.parametrize(
    ("body", "content_type", "status", "param"),
    [
        (b'{"input": "a"}', "text/plain", 415, None),
        (b"input=a", "application/x-www-form-urlencoded", 415, None),
        (b"", "application/json", 400, None),
        (b"{", "application/json", 400, None),
        (b'{"input": "\xff"}', "application/json", 400, None),
        (b'{"input": "\\ud800"}', "application/json", 400, None),
        (b'{"model": "homeward:embedding"}', "application/json", 400, "input"),
        (b'{"input": 1}', "application/json", 400, "input"),
        (b'{"input": ["a", {}]}', "application/json", 400, "input[1]"),
        (b'{"input": ""}', "application/json", 400, "input"),
        (b'{"input": "a", "dimensions": 0}', "application/json", 400, "dimensions"),
        (b'{"input": "a", "dimensions": 1e999}', "application/json", 400, "dimensions"),
        (b'{"input": "a", "encoding_format": "int8"}', "application/json", 400, "encoding_format"),
        (b'{"later": ' + b"[" * 100_000, "application/json", 400, None),
    ],
)
async def test_wrong_requests(body: bytes, content_type: str, status: int, param: str | None) -> None:
    """In OpenAI's envelope, with the field that is to blame."""
    async with serving(Fixed()) as url:
        found, answer, headers = await post(url, body, content_type)
    assert (found, answer["error"]["param"]) == (status, param)
    assert answer["error"]["type"] == "invalid_request_error"
    assert headers["x-homeward-place"] == "device"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (EngineStartError("The model file x.gguf does not exist.", next_step="Check the model's path."), 503),
        (OverloadedError("It is busy.", retry_after_seconds=5), 503),
    ],
)
async def test_errors_say_the_next_step(error: HomewardError, status: int) -> None:
    async with serving(Fixed(error)) as url:
        found, answer, _ = await post(url, b'{"input": "a"}')
    assert (found, answer["error"]["message"]) == (status, str(error))


async def test_a_models_name_of_any_letters_can_be_told() -> None:
    """In a header."""
    async with serving(Fixed()) as url:
        _, _, headers = await post(url, b'{"input": "a", "model": "homeward:embedding"}')
    assert headers["x-homeward-model"] == "m%C3%B6del"


async def test_a_client_that_leaves_ends_the_work() -> None:
    """And is not answered."""

    class Slow:
        def __init__(self) -> None:
            self.begun, self.ended = asyncio.Event(), asyncio.Event()

        async def embed(self, _request: EmbeddingsRequest) -> Embeddings:
            self.begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.ended.set()
            raise AssertionError

    slow = Slow()
    async with serving(slow) as url, asyncio.timeout(5):
        leaving = asyncio.create_task(post(url, b'{"input": "a"}'))
        await slow.begun.wait()
        leaving.cancel()
        await slow.ended.wait()
