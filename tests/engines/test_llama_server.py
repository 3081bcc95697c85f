"""What llama.cpp's server does for those who ask it: the names, shapes and habits that other packages rely on."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest
import pytest_asyncio

from homeward.engines.llama import llama_recipe
from homeward.engines.starter import starter_model_path
from homeward.engines.supervisor import SupervisedEngine
from homeward.protocol.address import Address

from .asking import JSON, QUESTION, STORY, answer, asking, busy_slots, chat, status
from .watching import pid_of

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[SupervisedEngine]:
    """The starter model with two slots of 1024 tokens, ready; one for all tests here, none of which ends it."""
    path = starter_model_path()
    assert path is not None
    engine = SupervisedEngine(llama_recipe(path, "starter", context_tokens=1024, slots=2, threads=1))
    await engine.ensure_ready()
    yield engine
    await engine.close()


@pytest_asyncio.fixture(loop_scope="module")
async def address(engine: SupervisedEngine) -> Address:
    return await engine.ensure_ready()


async def test_it_answers(address: Address) -> None:
    """A real answer, under the name that the recipe gave the model."""
    reply = await chat(address, QUESTION)
    assert reply["model"] == "starter"
    assert reply["choices"][0]["message"]["content"]


async def test_only_the_right_key_opens_it(address: Address) -> None:
    """A wrong key, or none: 401. Health is open, and says nothing."""
    for path, body in (("/v1/chat/completions", {"messages": QUESTION}), ("/tokenize", {"content": "x"})):
        assert await status(address, path, body, key="wrong") == 401
        assert await status(address, path, body, key="") == 401
    assert await status(address, "/slots", key="wrong") == 401
    assert await status(address, "/health", key="wrong") == 200


async def test_no_page_in_a_browser_may_use_it(address: Address) -> None:
    """The server names no origin that may read its answers, and has no page, proxy or metrics of its own."""
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    url = address.url + "/chat/completions"
    async with aiohttp.ClientSession() as session, session.options(url, headers=headers) as response:
        assert not response.headers.get("Access-Control-Allow-Origin")
        assert not response.headers.get("Access-Control-Allow-Methods")
    statuses = [await status(address, path) for path in ("/", "/cors-proxy", "/tools", "/metrics")]
    assert statuses == [404, 403, 403, 501]


async def test_prompts_can_be_counted(address: Address) -> None:
    """Without generating: the request that others rely on to know how long a prompt is."""
    counted = await answer(address, "/v1/chat/completions/input_tokens", {"messages": QUESTION})
    usage = (await chat(address, QUESTION))["usage"]
    assert usage["prompt_tokens"] == counted["input_tokens"]


async def test_two_requests_run_at_the_same_time(address: Address) -> None:
    """While one long answer streams, a short one begins and ends."""
    long_body = {"messages": STORY, "stream": True, "max_tokens": 900}
    async with asking(address, "/v1/chat/completions", long_body) as long_one:
        await long_one.content.readline()
        short_one = await chat(address, QUESTION)
        assert short_one["choices"]
        assert not long_one.content.at_eof()
        assert await busy_slots(address) == 1


async def test_a_client_that_leaves_frees_its_slot(address: Address) -> None:
    """While the answer is written, and while the prompt is read (there `return_progress` makes it noticed)."""
    body: JSON = {"messages": STORY, "stream": True, "max_tokens": 900, "ignore_eos": True}
    async with asking(address, "/v1/chat/completions", body) as reply:
        await reply.content.readline()
        assert await busy_slots(address) == 1
    await _both_slots_serve(address)

    prompt = [{"role": "user", "content": "sea sky tree " * 200}]
    body = {"messages": prompt, "stream": True, "max_tokens": 300, "ignore_eos": True, "return_progress": True}
    async with asking(address, "/v1/chat/completions", body) as reply:
        progress = json.loads((await reply.content.readline()).removeprefix(b"data: "))["prompt_progress"]
        assert progress["processed"] < progress["total"]
    await _both_slots_serve(address)


async def _both_slots_serve(address: Address) -> None:
    """Long before the answer that nobody wanted any more would have been written."""
    async with asyncio.timeout(10):
        await asyncio.gather(*(chat(address, QUESTION, max_tokens=1, id_slot=slot) for slot in (0, 1)))
    assert await busy_slots(address) == 0


async def test_it_talks_to_nobody_and_listens_only_here(engine: SupervisedEngine, address: Address) -> None:
    """One listening socket on 127.0.0.1; no other connection of the child's making."""
    await chat(address, QUESTION)
    child = psutil.Process(pid_of(engine))
    port = int(address.url.removesuffix("/v1").rpartition(":")[2])
    sockets = child.net_connections()
    assert {socket.laddr for socket in sockets} == {("127.0.0.1", port)}
    assert [socket.status for socket in sockets].count(psutil.CONN_LISTEN) == 1
    assert not child.children()
    assert address.api_key not in " ".join(child.cmdline())
