"""What the Foundry engine answers: the real runtime with toy models whose every answer is known."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer

from homeward.engines.foundry.recipe import foundry_recipe
from homeward.engines.foundry.runtime import Generation
from homeward.engines.foundry.server import Server
from homeward.engines.supervisor import SupervisedEngine
from homeward.protocol.address import Address
from tests.engines.asking import JSON, answer, asking, status
from tests.engines.toys import MakeToy

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

CHAT = "/v1/chat/completions"
HI = [{"role": "user", "content": "Hi"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


class Served:
    """An engine that is ready, and how to ask it."""

    def __init__(self, address: Address) -> None:
        self.address = address

    async def whole(self, **fields: Any) -> JSON:
        return await answer(self.address, CHAT, {"messages": HI, **fields})

    async def events(self, **fields: Any) -> list[str]:
        """The payload of each event of a stream."""
        async with asking(self.address, CHAT, {"messages": HI, "stream": True, **fields}) as response:
            assert response.content_type == "text/event-stream"
            lines = (await response.text()).split("\n\n")
        assert lines.pop() == ""
        assert all(line.startswith("data: ") for line in lines)
        return [line.removeprefix("data: ") for line in lines]

    async def refused(self, **fields: Any) -> tuple[int, JSON]:
        async with asking(self.address, CHAT, {"messages": HI, **fields}) as response:
            return response.status, (await response.json())["error"]


@pytest.fixture
async def serve(toy: MakeToy, tmp_path: Any) -> AsyncIterator[Any]:
    """Starts the engine on a toy model with these traits."""
    engines: list[SupervisedEngine] = []

    async def start(*, recipe: JSON | None = None, **traits: object) -> Served:
        options = {"state_folder": tmp_path / "state", **(recipe or {})}
        engines.append(SupervisedEngine(foundry_recipe(toy(**traits), "toy", **options)))
        return Served(await engines[-1].ensure_ready())

    yield start
    for engine in engines:
        await engine.close()


def text_of(events: list[str]) -> str:
    chunks = [json.loads(event) for event in events if event != "[DONE]"]
    return "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"])


async def test_a_whole_answer_and_a_streamed_one_are_the_same(serve: Any) -> None:
    """Text, finish reason and usage; the stream ends in usage and [DONE]."""
    toy = await serve()
    whole = await toy.whole(max_tokens=30)
    assert whole["model"] == "toy"
    assert whole["choices"][0]["message"]["content"] == "abcdefghijklmnopqrstuvwxyz abc"
    assert whole["choices"][0]["finish_reason"] == "length"
    assert whole["usage"]["completion_tokens"] == 30
    *events, usage, done = await toy.events(max_tokens=30, stream_options={"include_usage": True})
    assert done == "[DONE]"
    assert text_of(events) == "abcdefghijklmnopqrstuvwxyz abc"
    assert json.loads(events[-1])["choices"][0]["finish_reason"] == "length"
    assert json.loads(usage)["usage"] == whole["usage"]
    assert json.loads(usage)["choices"] == []
    assert [event for event in await toy.events(max_tokens=2) if '"usage"' in event] == []


async def test_an_answer_that_ends_by_itself(serve: Any) -> None:
    """Characters that take several bytes arrive whole, even where a token ends inside one."""
    korean = "안녕".encode()
    script = ("Hello ", "🙂", korean[:2], korean[2:4], korean[4:], "!")
    toy = await serve(script=script)
    whole = await toy.whole()
    assert whole["choices"][0] | {"message": None} == whole["choices"][0] | {"finish_reason": "stop", "message": None}
    assert whole["choices"][0]["message"]["content"] == "Hello 🙂안녕!"
    events = await toy.events()
    assert text_of(events) == "Hello 🙂안녕!"
    assert events[-1] == "[DONE]"


async def test_counting_and_the_context(serve: Any) -> None:
    """The count is the usage's to the token; what does not fit is refused with the numbers.

    A request that just fits is answered; without a limit the answer fills the window.
    """
    toy = await serve(context_length=64)
    counted = await answer(toy.address, f"{CHAT}/input_tokens", {"messages": HI})
    prompt = counted["input_tokens"]
    assert (await toy.whole(max_tokens=1))["usage"]["prompt_tokens"] == prompt
    code, error = await toy.refused(max_tokens=64 - prompt + 1)
    assert (code, error["code"]) == (400, "context_length_exceeded")
    assert f"({prompt} in the messages" in error["message"]
    assert (await toy.whole(max_tokens=64 - prompt))["usage"]["total_tokens"] == 64
    assert (await toy.whole())["usage"]["total_tokens"] == 64
    code, error = await toy.refused(messages=[{"role": "user", "content": "x" * 100}])
    assert (code, error["code"]) == (400, "context_length_exceeded")


async def test_the_context_can_be_set_lower(serve: Any) -> None:
    toy = await serve(recipe={"context_tokens": 50}, context_length=64)
    assert toy.address.context_tokens == 50
    assert (await toy.whole())["usage"]["total_tokens"] == 50


async def test_stop_texts(serve: Any) -> None:
    whole = await (await serve()).whole(stop=["ef", "zz"], max_tokens=30)
    assert whole["choices"][0]["message"]["content"] == "abcd"
    assert whole["choices"][0]["finish_reason"] == "stop"


async def test_a_schema_is_enforced(serve: Any) -> None:
    """The model would rather say the alphabet."""
    schema = {
        "type": "object",
        "properties": {"answer": {"type": "integer"}},
        "required": ["answer"],
        "additionalProperties": False,
    }
    wrapped = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    whole = await (await serve()).whole(response_format=wrapped, max_tokens=60)
    assert whole["choices"][0]["finish_reason"] == "stop"
    assert isinstance(json.loads(whole["choices"][0]["message"]["content"])["answer"], int)


async def test_a_tool_call(serve: Any) -> None:
    """Streamed and whole: name, arguments, finish reason."""
    toy = await serve(tools=True)
    whole = await toy.whole(tools=[WEATHER])
    choice = whole["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    (call,) = choice["message"]["tool_calls"]
    assert call["function"]["name"] == "get_weather"
    assert json.loads(call["function"]["arguments"]) == {"city": "Seoul"}
    events = await toy.events(tools=[WEATHER])
    assert events[-1] == "[DONE]"
    choices = [json.loads(event)["choices"][0] for event in events[:-1]]
    assert [each["finish_reason"] for each in choices if each["finish_reason"]] == ["tool_calls"]
    calls = [part for each in choices for part in each["delta"].get("tool_calls", [])]
    assert calls[0]["function"]["name"] == "get_weather"
    assert json.loads("".join(part["function"].get("arguments", "") for part in calls)) == {"city": "Seoul"}


async def test_a_tool_call_that_is_none(serve: Any) -> None:
    """Cut by the limit: the runtime calls that an internal error; the answer says whose mistake it was."""
    code, error = await (await serve(tools=True)).refused(tools=[WEATHER], max_tokens=2)
    assert (code, error["code"]) == (502, "invalid_tool_call")
    events = await (await serve(tools=True)).events(tools=[WEATHER], max_tokens=2)
    assert json.loads(events[-1])["error"]["code"] == "invalid_tool_call"


async def test_tools_for_a_model_without(serve: Any) -> None:
    """It answers in words; a call that is required is refused."""
    toy = await serve()
    assert (await toy.whole(tools=[WEATHER], max_tokens=3))["choices"][0]["message"]["content"] == "abc"
    assert (await toy.refused(tools=[WEATHER], tool_choice="required"))[0] == 400


async def test_what_is_refused(serve: Any) -> None:
    """With OpenAI's error object, and without the runtime's C++."""
    toy = await serve()
    wrong: list[JSON] = [{"n": 2}, {"temperature": 9}, {"messages": []}, {"model": "other"}]
    for fields in wrong:
        code, error = await toy.refused(**fields)
        assert code in (400, 404)
        assert error["message"]
        assert ".cc" not in error["message"]
    orphan = [*HI, {"role": "tool", "content": "1", "tool_call_id": "nobody"}]
    code, error = await toy.refused(messages=orphan)  # only the runtime notices
    assert code == 400
    assert "::" not in error["message"]


async def test_the_key(serve: Any) -> None:
    """Nothing without it, health included; no page of a browser gets in."""
    toy = await serve()
    for path in ("/health", "/v1/models", "/nothing"):
        assert await status(toy.address, path, key="wrong") == 401
    assert await status(toy.address, CHAT, {"messages": HI}, key="") == 401
    assert await status(toy.address, "/health") == 200
    assert await status(toy.address, "/nothing") == 404
    async with aiohttp.ClientSession() as session, session.options(toy.address.url + "/chat/completions") as response:
        assert response.status == 401
        assert "Access-Control-Allow-Origin" not in response.headers


async def test_the_model_is_listed(serve: Any) -> None:
    (model,) = (await answer((await serve(context_length=64)).address, "/v1/models"))["data"]
    assert (model["id"], model["context_length"]) == ("toy", 64)


ENDLESS: JSON = {
    "recipe": {"parallel": 1, "context_tokens": 100_000},
    "context_length": 100_000,
    "layers": 6,
    "width": 512,
}
"""One turn, and an answer of 90,000 tokens takes minutes: whoever comes next is answered only if it was ended."""


async def test_who_leaves_a_stream_ends_the_answer(serve: Any) -> None:
    toy = await serve(**ENDLESS)
    async with asking(toy.address, CHAT, {"messages": HI, "stream": True, "max_tokens": 90_000}) as response:
        await response.content.readline()
    assert (await toy.whole(max_tokens=2))["choices"][0]["message"]["content"] == "ab"


async def test_who_no_longer_waits_for_a_whole_answer_ends_it(serve: Any) -> None:
    """The second one waits behind it until it is ended."""
    toy = await serve(**ENDLESS)
    leaving = asyncio.create_task(toy.whole(max_tokens=90_000))
    waiting = asyncio.create_task(toy.whole(max_tokens=2))
    done, _ = await asyncio.wait({leaving, waiting}, timeout=1.0)
    assert leaving not in done
    leaving.cancel()
    assert (await waiting)["choices"][0]["message"]["content"] == "ab"


async def test_a_stuck_answer_is_bad_health() -> None:
    """A native call that never returns leaves the server alive: the pulse has to tell."""
    generation = Generation(None, {}, None, lambda _: None)  # type: ignore[arg-type]
    server = Server(None, model="toy", api_key="key", parallel=1, calls_tools=False)  # type: ignore[arg-type]
    server.running.add(generation)
    async with TestServer(server.app()) as listening:
        address = Address(url=f"{listening.make_url('/v1')}", api_key="key", model="toy")
        assert await status(address, "/health") == 200
        generation.patience_ends = 0.0
        assert await status(address, "/health") == 503


async def test_answers_at_the_same_time(serve: Any) -> None:
    """Two run beside each other and don't mix."""
    toy = await serve(recipe={"parallel": 2})
    answers = await asyncio.gather(*(toy.whole(max_tokens=40) for _ in range(6)))
    assert {each["choices"][0]["message"]["content"][:26] for each in answers} == {"abcdefghijklmnopqrstuvwxyz"}


async def test_an_answer_is_continued_in_words(serve: Any) -> None:
    """The runtime takes a conversation that ends with an answer."""
    conversation = [*HI, {"role": "assistant", "content": "abc"}]
    assert (await (await serve()).whole(messages=conversation, max_tokens=3))["choices"][0]["message"]["content"]
