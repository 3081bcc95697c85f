"""`/v1/responses` as the official client sees it, and event by event where the client is too kind."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from openai import APIError, NotFoundError
from pydantic import BaseModel

from homeward.completion import Completer
from homeward.history import migrate
from tests.backends.exchange import CANARY, TEXT, USAGE, WORDS
from tests.backends.fake_upstream import FakeUpstream
from tests.completion.conftest import MakeCompleter
from tests.gateway.responses_house import House, house_over

PICTURE = "data:image/png;base64,iVBORw0KGgo="
TOOL: Any = {
    "type": "function",
    "name": "weather",
    "description": "Looks out of the window.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    "strict": True,
}

Open = Callable[[Completer], AbstractAsyncContextManager[House]]


@pytest.fixture(scope="session")
def empty_history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its tables alone, to be copied: making them takes longer than most tests."""
    path = tmp_path_factory.mktemp("history") / "history.db"
    asyncio.run(migrate(path))
    return path


@pytest.fixture
def serving(empty_history: Path, tmp_path: Path) -> Open:
    """Serves a completer."""
    path = tmp_path / "history.db"
    shutil.copy(empty_history, path)
    return lambda completer: house_over(completer, path)


@pytest.fixture
async def house(completer_of: MakeCompleter, serving: Open) -> AsyncIterator[House]:
    """Over one backend of this device that answers."""
    async with serving(completer_of("ok")) as house:
        yield house


def kinds(events: list[dict[str, Any]]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


# Answers


async def test_a_whole_response(house: House) -> None:
    """All that the client asked for stands in it, and who answered."""
    answer = await house.client.responses.create(
        model="homeward",
        input="Tell me a story.",
        instructions="Be brief.",
        max_output_tokens=50,
        temperature=0.5,
        metadata={"project": "x"},
        user="ann",
        tools=[TOOL],
        text={"verbosity": "low"},
    )
    assert (answer.output_text, answer.status, answer.model) == (TEXT, "completed", "ok/ok")
    assert (answer.error, answer.incomplete_details, answer.previous_response_id) == (None, None, None)
    assert (answer.instructions, answer.max_output_tokens, answer.temperature) == ("Be brief.", 50, 0.5)
    assert (answer.metadata, answer.user, answer.tool_choice) == ({"project": "x"}, "ann", "auto")
    assert answer.text
    assert (answer.text.verbosity, answer.tools[0].to_dict()) == ("low", TOOL)
    assert answer.usage
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (USAGE["prompt_tokens"], len(WORDS))
    assert answer.completed_at
    assert answer.completed_at >= answer.created_at


async def test_a_stream(house: House) -> None:
    """OpenAI's events in their order, the last of which is the response as it can be read again; no `[DONE]`."""
    events = await house.events()
    assert kinds(events) == [
        *("created", "in_progress", "output_item.added", "content_part.added"),
        *["output_text.delta"] * len(WORDS),
        *("output_text.done", "content_part.done", "output_item.done", "completed"),
    ]
    assert "".join(event["delta"] for event in events if event["type"].endswith(".delta")) == TEXT
    begun, whole = events[0]["response"], events[-1]["response"]
    assert (begun["status"], begun["output"], begun["usage"]) == ("in_progress", [], None)
    same = ("id", "created_at", "model", "object", "tools", "store")
    assert [begun[name] for name in same] == [whole[name] for name in same]
    assert whole["output"] == [event["item"] for event in events if event["type"] == "response.output_item.done"]
    assert (await house.ask("GET", f"responses/{whole['id']}")) == (200, whole)
    status, receipt = await house.ask("GET", f"receipts/{receipt_id(whole)}")
    assert (status, receipt["outcome"], receipt["completion_tokens"]) == (200, "complete", len(WORDS))


def receipt_id(response: dict[str, Any]) -> str:
    digits = response["id"].removeprefix("resp_")
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


async def test_the_receipt_comes_with_the_response_where_it_is_asked_for(house: House) -> None:
    response = await house.create(homeward={"receipt": True})
    assert response["homeward"]["id"] == receipt_id(response)
    assert "homeward" not in await house.create()


@pytest.mark.parametrize("behaviour", ["ok", "calls", "thinking-reasoning", "logprobs", "zero-tokens", "finish-length"])
async def test_the_clients_own_stream(completer_of: MakeCompleter, serving: Open, behaviour: str) -> None:
    """Each event fits its strict models, and what it puts together is what the last event says, and what is stored."""
    async with serving(completer_of(behaviour)) as house:
        stream = await house.client.responses.create(model="homeward", input="Go.", stream=True)
        events = [event async for event in stream]
        last = events[-1]
        assert last.type in ("response.completed", "response.incomplete")
        stored = await house.client.responses.retrieve(last.response.id)
        assert stored == last.response
        async with house.client.responses.stream(model="homeward", input="Go.") as helped:
            snapshot = None
            async for event in helped:
                snapshot = getattr(event, "response", snapshot)
            assert snapshot
            assert snapshot.output_text == last.response.output_text


async def test_a_stored_response_can_be_streamed_again(completer_of: MakeCompleter, serving: Open) -> None:
    """The same items and the same end; each text in one piece."""
    for behaviour in ("thinking-reasoning", "calls", "finish-length"):
        async with serving(completer_of(behaviour)) as house:
            first = await house.events()
            response_id = first[-1]["response"]["id"]
            stream = await house.client.responses.retrieve(response_id, stream=True)
            again = [event.to_dict() async for event in stream]
            assert [each for each in kinds(again) if "delta" not in each] == [
                each for each in kinds(first) if "delta" not in each
            ]
            assert again[-1]["response"] == first[-1]["response"]
            done = [[event["item"] for event in events if "item" in event] for events in (first, again)]
            assert done[0] == done[1]
            stream = await house.client.responses.retrieve(response_id, stream=True, starting_after=0)
            assert (await anext(aiter(stream))).type == "response.in_progress"
            await stream.close()
            path = f"responses/{response_id}"
            assert await house.refused("GET", path, stream="true", starting_after="4") == (
                400,
                "invalid_request",
                "starting_after",
            )


async def test_reasoning_and_logprobs(completer_of: MakeCompleter, serving: Open, upstream: FakeUpstream) -> None:
    async with serving(completer_of("thinking-reasoning")) as house:
        response = await house.create(reasoning={"effort": "low"})
        assert [item["type"] for item in response["output"]] == ["reasoning", "message"]
        assert response["output"][0]["content"] == [{"type": "reasoning_text", "text": "Hm."}]
        assert upstream.requests[-1].body["reasoning_effort"] == "low"
    async with serving(completer_of("logprobs")) as house:
        response = await house.create(include=["message.output_text.logprobs"], top_logprobs=1)
        (part,) = response["output"][0]["content"]
        assert [each["token"] for each in part["logprobs"]] == list(WORDS)
        assert (upstream.requests[-1].body["logprobs"], upstream.requests[-1].body["top_logprobs"]) == (True, 1)


@pytest.mark.parametrize(
    ("behaviour", "reason"), [("finish-length", "max_output_tokens"), ("finish-content_filter", "content_filter")]
)
async def test_what_is_cut_off_is_incomplete(
    completer_of: MakeCompleter, serving: Open, behaviour: str, reason: str
) -> None:
    async with serving(completer_of(behaviour)) as house:
        events = await house.events()
        response = events[-1]["response"]
        assert kinds(events)[-2:] == ["output_item.done", "incomplete"]
        assert (response["status"], response["incomplete_details"]) == ("incomplete", {"reason": reason})
        assert (response["output"][0]["status"], response["completed_at"]) == ("incomplete", None)
        assert (await house.create())["incomplete_details"] == {"reason": reason}


async def test_what_a_backend_is_sent(house: House, upstream: FakeUpstream) -> None:
    """Every field that shapes the answer, in the words of a chat."""
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    await house.create(
        [
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "Hi"}, {"type": "input_image", "image_url": PICTURE}],
            }
        ],
        max_output_tokens=7,
        temperature=0.5,
        top_p=0.5,
        tools=[TOOL],
        tool_choice={"type": "function", "name": "weather"},
        parallel_tool_calls=False,
        text={"format": {"type": "json_schema", "name": "x", "schema": schema, "strict": True}, "verbosity": "low"},
    )
    sent = upstream.requests[-1].body
    assert sent["messages"][0]["content"] == [
        {"type": "text", "text": "Hi"},
        {"type": "image_url", "image_url": {"url": PICTURE}},
    ]
    assert {
        name: sent[name] for name in ("max_tokens", "temperature", "top_p", "parallel_tool_calls", "verbosity")
    } == {
        "max_tokens": 7,
        "temperature": 0.5,
        "top_p": 0.5,
        "parallel_tool_calls": False,
        "verbosity": "low",
    }
    assert sent["tools"] == [{"type": "function", "function": {name: TOOL[name] for name in TOOL if name != "type"}}]
    assert sent["tool_choice"] == {"type": "function", "function": {"name": "weather"}}
    assert sent["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "x", "schema": schema, "strict": True},
    }


class Story(BaseModel):
    title: str


async def test_structured_output(completer_of: MakeCompleter, serving: Open) -> None:
    """With the official client's own parser."""
    async with serving(completer_of("echo")) as house:
        answer = await house.client.responses.parse(model="homeward", input='{"title": "Cats"}', text_format=Story)
        assert answer.output_parsed == Story(title="Cats")


# What goes on from a response


async def test_a_response_can_be_gone_on_from(house: House, upstream: FakeUpstream) -> None:
    """All that was said is sent again, the instructions are not."""
    first = await house.create("One", instructions="Be brief.")
    second = await house.create([{"role": "user", "content": "Two"}], previous_response_id=first["id"])
    await house.create("Three", previous_response_id=second["id"], instructions="Be loud.")
    assert upstream.requests[-1].body["messages"] == [
        {"role": "system", "content": "Be loud."},
        {"role": "user", "content": "One"},
        {"role": "assistant", "content": TEXT},
        {"role": "user", "content": "Two"},
        {"role": "assistant", "content": TEXT},
        {"role": "user", "content": "Three"},
    ]
    assert second["previous_response_id"] == first["id"]


async def test_a_tools_result_goes_back(completer_of: MakeCompleter, serving: Open, upstream: FakeUpstream) -> None:
    """By the stored response, and by items that the client sends itself."""
    async with serving(completer_of("calls")) as house:
        first = await house.create("How is the weather?", tools=[TOOL])
        assert [(each["type"], each["call_id"], each["name"], each["arguments"]) for each in first["output"]] == [
            ("function_call", "call_a", "weather", '{"city": "Paris"}'),
            ("function_call", "call_b", "time", '{"zone": "CET"}'),
        ]
        results = [
            {"type": "function_call_output", "call_id": each["call_id"], "output": "?"} for each in first["output"]
        ]
        await house.create(results, previous_response_id=first["id"], tools=[TOOL])
        by_id = upstream.requests[-1].body["messages"]
        await house.create(
            [{"role": "user", "content": "How is the weather?"}, *first["output"], *results], tools=[TOOL]
        )
        assert upstream.requests[-1].body["messages"] == by_id
        assert [message["role"] for message in by_id] == ["user", "assistant", "tool", "tool"]
        assert [call["id"] for call in by_id[1]["tool_calls"]] == ["call_a", "call_b"]
        assert [message["tool_call_id"] for message in by_id[2:]] == ["call_a", "call_b"]
        assert await house.refused(input=results) == (400, "invalid_request", "input")


async def test_an_item_can_be_referred_to(house: House, upstream: FakeUpstream) -> None:
    """Of what was asked, and of what was answered; its type may be left out."""
    first = await house.create("One")
    _, page = await house.ask("GET", f"responses/{first['id']}/input_items")
    asked, answered = page["data"][0]["id"], first["output"][0]["id"]
    references: list[dict[str, Any]] = [{"type": "item_reference", "id": asked}, {"id": answered}]
    second = await house.create([*references, {"role": "user", "content": "Two"}])
    assert [each["content"] for each in upstream.requests[-1].body["messages"]] == ["One", TEXT, "Two"]
    _, page = await house.ask("GET", f"responses/{second['id']}/input_items", order="asc")
    assert [each["id"] for each in page["data"][:2]] == [asked, answered], "resolved, so that it can be read later"
    for wrong in (answered[:-1] + "9", "msg_1"):
        refused = await house.refused(input=[{"role": "user", "content": "x"}, {"id": wrong}])
        assert refused == (400, "invalid_request", "input[1].id")


async def test_what_is_gone_cannot_be_gone_on_from(house: House) -> None:
    """Also where it is not the last one: its words would be missing without a word."""
    gone = (400, "previous_response_not_found", "previous_response_id")
    first = await house.create("One")
    second = await house.create("Two", previous_response_id=first["id"])
    assert await house.refused(input="x", previous_response_id="resp_none") == gone
    await house.client.responses.delete(first["id"])
    assert await house.refused(input="x", previous_response_id=second["id"]) == gone
    with pytest.raises(NotFoundError):
        await house.client.responses.delete(first["id"])
    with pytest.raises(NotFoundError):
        await house.client.responses.retrieve(first["id"])
    assert (await house.ask("GET", f"responses/{second['id']}"))[0] == 200


async def test_what_is_not_to_be_stored_is_not(house: House) -> None:
    response = await house.create(store=False)
    assert response["store"] is False
    assert await house.refused("GET", f"responses/{response['id']}") == (404, "not_found", "response_id")
    assert (await house.refused(input="x", previous_response_id=response["id"]))[1] == "previous_response_not_found"


async def test_where_no_history_is_kept_the_response_says_so(completer_of: MakeCompleter, tmp_path: Path) -> None:
    async with house_over(completer_of("ok"), tmp_path / "history.db", keeps=False) as house:
        response = await house.create(store=True)
        assert (response["status"], response["store"]) == ("completed", False)
        path = f"responses/{response['id']}"
        for method, where in (("GET", path), ("DELETE", path), ("GET", f"{path}/input_items")):
            assert (await house.refused(method, where))[0] == 404
        gone = await house.refused(input="x", previous_response_id=response["id"])
        assert gone[1] == "previous_response_not_found"
        assert (await house.refused(input=[{"id": response["output"][0]["id"]}]))[2] == "input[0].id"


async def test_a_response_belongs_to_its_key(house: House) -> None:
    _, mine = await house.ask("POST", "responses", key="ann", input="One")
    path = f"responses/{mine['id']}"
    for method, where in (("GET", path), ("DELETE", path), ("GET", f"{path}/input_items"), ("POST", f"{path}/cancel")):
        assert await house.refused(method, where, key="bob") == (404, "not_found", "response_id")
    assert (await house.refused(key="bob", input="x", previous_response_id=mine["id"]))[0] == 400
    assert (await house.refused(key="bob", input=[{"id": mine["output"][0]["id"]}]))[2] == "input[0].id"
    assert (await house.ask("POST", "responses", key="ann", input="x", previous_response_id=mine["id"]))[0] == 200
    assert (await house.ask("GET", path, key="ann"))[0] == 200


async def test_a_conversation_that_stayed_home_stays_there(completer_of: MakeCompleter, serving: Open) -> None:
    """Whatever is in what goes on from it, or refers to an item of it."""
    async with serving(completer_of("ok", "ok-slow", cloud=["ok-slow"])) as house:
        ask: dict[str, Any] = {"model": "homeward:cloud"}
        assert (await house.create("Hello", **ask))["model"] == "ok-slow/ok-slow"
        first = await house.create("Write to ann@gmail.com", **ask)
        assert first["model"] == "ok/ok"
        second = await house.create("Hello", previous_response_id=first["id"], **ask)
        assert second["model"] == "ok/ok"
        assert (await house.create("Hello", previous_response_id=second["id"], **ask))["model"] == "ok/ok"
        reference = {"id": second["output"][0]["id"]}
        assert (await house.create([reference, {"role": "user", "content": "Hello"}], **ask))["model"] == "ok/ok"


async def test_a_conversation_too_long_is_refused_unless_it_may_be_trimmed(
    completer_of: MakeCompleter, serving: Open
) -> None:
    turns = [{"role": role, "content": "word " * 200} for role in ("user", "assistant") * 3]
    turns.append({"role": "user", "content": "Hello"})
    async with serving(completer_of("ok", context_tokens=800)) as house:
        assert (await house.refused(input=turns))[:2] == (400, "context_length_exceeded")
        assert (await house.create(turns, truncation="auto"))["truncation"] == "auto"


# What was asked


async def test_input_items_come_by_pages(house: House) -> None:
    """The newest first, unless they are wanted in their order."""
    texts = [str(number) for number in range(5)]
    response = await house.create([{"role": "user", "content": text} for text in texts])
    page = await house.client.responses.input_items.list(response["id"], limit=2)
    assert page.has_more
    everything = [item.to_dict() async for item in page]
    assert [item["content"] for item in everything] == [[{"type": "input_text", "text": text}] for text in texts[::-1]]
    path = f"responses/{response['id']}/input_items"
    _, first = await house.ask("GET", path, order="asc", limit=3)
    assert [item["content"][0]["text"] for item in first["data"]] == texts[:3]
    assert (first["first_id"], first["has_more"]) == (first["data"][0]["id"], True)
    _, rest = await house.ask("GET", path, order="asc", limit=0, after=first["last_id"])
    assert [item["content"][0]["text"] for item in rest["data"]] == ["3"]
    _, nothing = await house.ask("GET", path, order="asc", after=everything[0]["id"])
    assert (nothing["data"], nothing["has_more"]) == ([], False)
    for wrong in ({"order": "up"}, {"limit": "-1"}, {"limit": "²"}, {"after": "msg_1"}):
        assert (await house.refused("GET", path, **wrong))[2] == next(iter(wrong))


async def test_an_empty_request_is_an_empty_message(house: House, upstream: FakeUpstream) -> None:
    """OpenAI calls no field required."""
    status, response = await house.ask("POST", "responses")
    assert (status, response["model"]) == (200, "ok/ok")
    assert upstream.requests[-1].body["messages"] == [{"role": "user", "content": ""}]


async def test_what_does_not_change_the_answer_is_taken(house: House, upstream: FakeUpstream) -> None:
    """All that the official client can send, but for what is refused; nothing of it leaves for the backend."""
    await house.create(
        access_programs={"cyber": "standard"},
        background=False,
        background_options={"completion_window": "soonest"},
        context_management=[{"type": "compaction", "compact_threshold": 1000}],
        image={"context_compression": "auto"},
        include=["file_search_call.results", "reasoning.encrypted_content"],
        max_tool_calls=0,
        prompt_cache_key="mine",
        prompt_cache_options={"mode": "implicit", "prewarm": True, "ttl": "30m"},
        prompt_cache_retention="in_memory",
        reasoning={"context": "auto", "generate_summary": "auto", "mode": "standard", "summary": "auto"},
        safety_identifier="ann",
        service_tier="flex",
        stream=False,
        stream_options={"include_obfuscation": True},
        text={"format": {"type": "text"}},
        tool_choice="none",
        top_logprobs=0,
        truncation="disabled",
        user="ann",
        anything={"else": [1]},
    )
    assert set(upstream.requests[-1].body) == {"model", "messages", "stream", "stream_options"}


async def test_tokens_are_estimated(house: House) -> None:
    """Those of the whole conversation; nobody is asked."""
    first = await house.create("One")
    counted = await house.client.responses.input_tokens.count(input="Two", previous_response_id=first["id"])
    alone = await house.client.responses.input_tokens.count(input="Two")
    assert counted.input_tokens > alone.input_tokens > 0
    _, body = await house.ask("POST", "responses/input_tokens", input="Two", tools=[TOOL])
    assert body["estimated"] is True
    assert body["input_tokens"] > alone.input_tokens


# What is refused


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"background": True}, "background"),
        ({"conversation": "conv_1"}, "conversation"),
        ({"prompt": {"id": "pmpt_1"}}, "prompt"),
        ({"moderation": {"model": "m"}}, "moderation"),
        ({"tool_choice": {"type": "function", "name": "none"}, "tools": [TOOL]}, "tool_choice.name"),
        ({"tool_choice": {"type": "web_search_preview"}, "tools": [TOOL]}, "tool_choice.type"),
        ({"tools": [{"type": "function"}]}, "tools[0].name"),
        ({"tools": [TOOL] * 129}, "tools"),
        ({"text": {"format": {"type": "xml"}}}, "text.format.type"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": -1}, "top_p"),
        ({"top_logprobs": 21}, "top_logprobs"),
        ({"max_output_tokens": 0}, "max_output_tokens"),
        ({"metadata": {"x" * 65: ""}}, "metadata"),
        ({"truncation": "middle"}, "truncation"),
        ({"input": 5}, "input"),
        ({"input": ["x"]}, "input[0]"),
        ({"input": [{"role": "user", "content": "x"}, {"type": "web_search_call"}]}, "input[1].type"),
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role"),
        ({"input": [{"role": "user"}]}, "input[0].content"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_file", "file_id": "f"}]}]},
            "input[0].content[0].type",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "http://169.254.169.254/"}]}]},
            "input[0].content[0].image_url",
        ),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "file_1"}]}]},
            "input[0].content[0].file_id",
        ),
        (
            {
                "input": [
                    {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"},
                    {"type": "function_call_output", "call_id": "a", "output": [{"type": "input_image"}]},
                ]
            },
            "input[1].output[0].image_url",
        ),
        ({"homeward": {"places": ["moon"]}}, "homeward.places[0]"),
    ],
)
async def test_what_is_refused_names_its_field(
    house: House, upstream: FakeUpstream, wrong: dict[str, Any], param: str
) -> None:
    """400, and nobody was asked; also where tokens are only counted."""
    body = {"input": "x", **wrong}
    assert await house.refused(**body) == (400, "invalid_request", param)
    assert await house.refused(path="responses/input_tokens", **body) == (400, "invalid_request", param)
    assert upstream.requests == []


@pytest.mark.parametrize("kind", ["web_search", "file_search", "mcp", "code_interpreter", "computer", "custom"])
async def test_tools_of_openais_servers_are_refused(house: House, kind: str) -> None:
    assert await house.refused(input="x", tools=[TOOL, {"type": kind}]) == (400, "unsupported_tool", "tools[1].type")


async def test_there_is_no_more(house: House) -> None:
    """Cancelling is for what is made in the background."""
    response = await house.create()
    path = f"responses/{response['id']}"
    assert await house.refused("POST", f"{path}/cancel") == (400, "invalid_request", "response_id")
    assert (await house.refused("POST", "responses/compact", model="homeward"))[0] == 404
    assert (await house.refused("GET", "responses"))[0] == 404
    assert await house.refused(input="x", model="gpt-5") == (404, "model_not_found", "model")


# What fails


@pytest.mark.parametrize("behaviour", ["half-event-rst", "silent-end", "error-data"])
async def test_a_stream_that_breaks_says_so(completer_of: MakeCompleter, serving: Open, behaviour: str) -> None:
    """To whoever reads the events, and to the official client, which raises."""
    async with serving(completer_of(behaviour)) as house:
        events = await house.events()
        assert kinds(events)[-2:] == ["failed", "error"]
        assert "output_item.done" not in kinds(events), "nothing ends as if it were whole"
        response, error = events[-2]["response"], events[-1]
        assert (response["status"], response["error"]["code"]) == ("failed", "server_error")
        assert response["output"][0]["status"] == "incomplete"
        assert response["output"][0]["content"][0]["text"] == "Once upon"
        assert error["message"] == error["error"]["message"] == response["error"]["message"]
        assert error["code"] == response["error"]["type"] == "upstream_disconnected" or behaviour == "error-data"
        assert CANARY not in str(events)
        assert await house.ask("GET", f"responses/{response['id']}") == (200, response)
        stream = await house.client.responses.create(model="homeward", input="Go.", stream=True)
        with pytest.raises(APIError) as caught:
            [event async for event in stream]
        assert caught.value.code == error["code"]
        status, code, _ = await house.refused(input="x")
        assert (status, code) == (502, error["code"])


@pytest.mark.parametrize("stream", [True, False])
async def test_an_error_before_the_first_word_is_a_status(
    completer_of: MakeCompleter, serving: Open, stream: bool
) -> None:
    """So that clients try again as they are used to."""
    async with serving(completer_of("429-after-20")) as house:
        status, code, _ = await house.refused(input="x", stream=stream)
        assert (status, code) == (429, "upstream_status")
    async with serving(completer_of("context-length")) as house:
        assert (await house.refused(input="x", stream=stream))[:2] == (400, "context_length_exceeded")


async def test_a_model_that_is_late_is_waited_for_with_signs_of_life(
    completer_of: MakeCompleter, serving: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first events come with the first words, or with the error."""
    monkeypatch.setattr("homeward.gateway.responses_answer.HEAD_SECONDS", 0.05)
    async with serving(completer_of("no-first-token-silence")) as house:
        events = await house.events()
        assert kinds(events) == ["created", "in_progress", "failed", "error"]
        assert events[-1]["code"] == "upstream_timeout"


async def test_what_cannot_be_stored_has_failed_although_it_was_said(house: House) -> None:
    """The client believes that it can go on from it."""
    await house.history.close()
    events = await house.events()
    assert kinds(events)[-3:] == ["output_item.done", "failed", "error"]
    assert events[-1]["code"] == "history_unavailable"
    response = await house.create()
    assert (response["status"], response["error"]["type"]) == ("failed", "history_unavailable")
    assert response["output"][0]["content"][0]["text"] == TEXT
    assert (await house.create(store=False))["status"] == "completed"
    assert (await house.refused(input="x", previous_response_id="resp_1"))[:2] == (503, "history_unavailable")


async def test_a_client_that_reads_nothing_is_cut_off(
    completer_of: MakeCompleter, serving: Open, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F24: its model is free for others, and the receipt says why its answer ended."""
    monkeypatch.setattr("homeward.gateway.serving.UNREAD_SECONDS", 0.3)
    async with serving(completer_of("flood")) as house:
        body = {"input": "Tell me a story.", "stream": True}
        async with house.http.post(f"{house.url}/responses", json=body) as answer:
            receipt_id = answer.headers["x-request-id"]
            await upstream.until(lambda: upstream.running == 0)
            with pytest.raises(aiohttp.ClientPayloadError):
                await answer.read()
        receipt = await house.history.get_receipt(receipt_id)
        assert receipt is not None
        assert (receipt.outcome, receipt.error) == ("interrupted", "broken_off")


async def test_a_client_that_leaves_stops_the_answer(
    completer_of: MakeCompleter, serving: Open, upstream: FakeUpstream
) -> None:
    """Upstream too; nothing is stored."""
    async with serving(completer_of("never-ends")) as house:
        stream = await house.client.responses.create(model="homeward", input="Go.", stream=True)
        begun = await anext(aiter(stream))
        assert begun.type == "response.created"
        await stream.close()
        await upstream.until(lambda: upstream.running == 0)
        if house.sender.running:
            await asyncio.wait(house.sender.running, timeout=5)
        assert await house.refused("GET", f"responses/{begun.response.id}") == (404, "not_found", "response_id")


async def test_a_shutdown_ends_what_runs(completer_of: MakeCompleter, serving: Open) -> None:
    """With an error that says so, and the response as far as it came is kept."""
    async with serving(completer_of("never-ends")) as house:
        stream = await house.client.responses.create(model="homeward", input="Go.", stream=True)
        begun = await anext(aiter(stream))
        assert begun.type == "response.created"
        await house.sender.close(0)
        with pytest.raises(APIError, match="shut down"):
            [event async for event in stream]
        _, stored = await house.ask("GET", f"responses/{begun.response.id}")
        assert (stored["status"], stored["error"]["type"]) == ("failed", "broken_off")
