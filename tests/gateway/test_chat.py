"""`/v1/chat/completions` as the official client sees it, and byte by byte where the client is too kind."""

import asyncio
import json
from typing import Any

import aiohttp
import pytest
import structlog
from msgspec.structs import replace
from openai import APIError, AsyncOpenAI, BadRequestError, NotFoundError

from homeward.backends import Line
from homeward.config import PolicySettings, PrivacySettings
from homeward.protocol.place import Place
from homeward.routing import BackendView, Snapshot
from tests.backends.exchange import CANARY, TEXT, USAGE, WORDS
from tests.backends.fake_upstream import FakeUpstream
from tests.completion.conftest import MakeCompleter
from tests.gateway.conftest import QUESTION, Gateway, gateway_over

CLOUD_FIRST = PolicySettings(preset="cloud-first")


def events_of(text: str) -> list[Any]:
    """The payloads of a stream, `[DONE]` as it is."""
    payloads = [line.removeprefix("data: ") for line in text.split("\n\n") if line.startswith("data: ")]
    return [payload if payload == "[DONE]" else json.loads(payload) for payload in payloads]


async def test_a_whole_answer(gateway: Gateway) -> None:
    """Text, counts, who answered; the receipt is found by the answer's id, and by that of the request."""
    raw = await gateway.client.chat.completions.with_raw_response.create(model="homeward", messages=QUESTION)
    answer = raw.parse()
    choice = answer.choices[0]
    assert (choice.message.content, choice.finish_reason, answer.model) == (TEXT, "stop", "ok/ok")
    assert answer.usage
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (USAGE["prompt_tokens"], USAGE["total_tokens"])
    assert raw.headers["x-homeward-place"] == "device"
    assert raw.headers["x-homeward-reason"] == "place_order"
    assert raw.headers["x-homeward-attempts"] == "1"
    for name in (answer.id, raw.headers["x-request-id"]):
        async with gateway.http.get(f"{gateway.url}/receipts/{name}") as found:
            receipt = await found.json()
        assert (receipt["outcome"], receipt["backend"], receipt["completion_tokens"]) == ("complete", "ok", len(WORDS))


async def test_a_stream(gateway: Gateway) -> None:
    """The role once, one id and model, one finish reason, no counts where none were asked for, `[DONE]` last."""
    *chunks, done = events_of(await gateway.stream())
    assert done == "[DONE]"
    assert len({(chunk["id"], chunk["created"], chunk["model"]) for chunk in chunks}) == 1
    choices = [chunk["choices"][0] for chunk in chunks]
    assert ["role" in choice["delta"] for choice in choices] == [True] + [False] * (len(chunks) - 1)
    assert "".join(choice["delta"].get("content", "") for choice in choices) == TEXT
    assert [choice["finish_reason"] for choice in choices if choice["finish_reason"]] == ["stop"]
    assert choices[-1]["finish_reason"] == "stop"
    assert not any("usage" in chunk for chunk in chunks)


async def test_a_stream_with_counts(gateway: Gateway) -> None:
    """In a chunk of their own; every other says that it has none."""
    *chunks, last, done = events_of(await gateway.stream(stream_options={"include_usage": True}))
    assert done == "[DONE]"
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == len(WORDS)
    assert all(chunk["usage"] is None for chunk in chunks)


async def test_the_receipt_comes_with_the_answer_where_it_is_asked_for(gateway: Gateway) -> None:
    """In the last chunk, and in the object."""
    last = events_of(await gateway.stream(homeward={"receipt": True}))[-2]
    assert last["homeward"]["place"] == "device"
    _, body, _ = await gateway.post(homeward={"receipt": True})
    assert body["homeward"]["id"] == str(gateway.receipt.id)
    _, body, _ = await gateway.post()
    assert "homeward" not in body


async def test_the_clients_own_stream(gateway: Gateway) -> None:
    """Read by the official client."""
    stream = await gateway.client.chat.completions.create(
        model="homeward", messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == TEXT
    assert chunks[-1].usage


@pytest.mark.parametrize("behaviour", ["calls", "calls-from-1", "calls-unnumbered", "calls-objects"])
async def test_tool_calls(completer_of: MakeCompleter, behaviour: str) -> None:
    """However a backend sends them, clients get an index from 0, an id and a name once, and the right end."""
    tools: Any = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("weather", "time")]
    async with gateway_over(completer_of(behaviour)) as gateway:
        answer = await gateway.client.chat.completions.create(model="homeward", messages=QUESTION, tools=tools)
        message = answer.choices[0].message
        assert message.content is None
        assert answer.choices[0].finish_reason == "tool_calls"
        calls: Any = message.tool_calls
        called = [(call.id, call.function.name, json.loads(call.function.arguments)) for call in calls]
        assert [each[1:] for each in called] == [("weather", {"city": "Paris"}), ("time", {"zone": "CET"})]
        assert [each[0] for each in called] == ["call_a", "call_b"]
        async with gateway.client.chat.completions.stream(model="homeward", messages=QUESTION, tools=tools) as stream:
            final = await stream.get_final_completion()
        again: Any = final.choices[0].message.tool_calls
        assert [call.function.arguments for call in again] == [call.function.arguments for call in calls]
        pieces = [
            piece
            for event in events_of(await gateway.stream(tools=tools))
            if event != "[DONE]"
            for piece in event["choices"][0]["delta"].get("tool_calls", [])
        ]
        assert [piece["index"] for piece in pieces if "id" in piece] == [0, 1]


async def test_a_tools_result_goes_back(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """The whole round trip as the backend sees it; `developer` is `system` to it."""
    call = {"id": "call_a", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Paris"}'}}
    messages = [
        {"role": "developer", "content": "Be brief."},
        *QUESTION,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_a", "content": [{"type": "text", "text": "12 °C"}]},
    ]
    async with gateway_over(completer_of("ok")) as gateway:
        assert (await gateway.post(messages=messages))[0] == 200
    assert upstream.requests[-1].body["messages"] == [
        {"role": "system", "content": "Be brief."},
        *QUESTION,
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "12 °C", "tool_call_id": "call_a"},
    ]


async def test_what_a_backend_is_sent(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """Every field that shapes the answer, and none that is not ours to pass on."""
    schema = {"name": "x", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}, "strict": True}
    shaping: dict[str, Any] = {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": -9007199254740991,
        "stop": ["\n"],
        "presence_penalty": 1.0,
        "frequency_penalty": -1.0,
        "logit_bias": {"50256": -100.0},
        "logprobs": True,
        "top_logprobs": 2,
        "reasoning_effort": "low",
        "response_format": {"type": "json_schema", "json_schema": schema},
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "parallel_tool_calls": False,
    }
    others: Any = {"user": "ann", "metadata": {"a": "b"}, "n": 1, "store": True, "id_slot": 3, "cache_prompt": False}
    async with gateway_over(completer_of("ok")) as gateway:
        assert (await gateway.post(max_completion_tokens=7, **shaping, **others))[0] == 200
    sent = upstream.requests[-1].body
    own = {"model": "ok", "messages": QUESTION, "stream": True, "stream_options": {"include_usage": True}}
    assert sent == {**own, **shaping, "max_tokens": 7}


async def test_logprobs(completer_of: MakeCompleter) -> None:
    """Where the backend has them, in OpenAI's shape; else null."""
    async with gateway_over(completer_of("logprobs")) as gateway:
        answer = await gateway.client.chat.completions.create(
            model="homeward", messages=QUESTION, logprobs=True, top_logprobs=1
        )
        logprobs = answer.choices[0].logprobs
        assert logprobs
        assert logprobs.content
        assert [token.token for token in logprobs.content] == list(WORDS)
        assert logprobs.content[0].top_logprobs[0].token == " dog"


PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}


async def test_an_image_goes_to_the_device_and_nowhere_else(
    completer_of: MakeCompleter, upstream: FakeUpstream
) -> None:
    """It may show anything, so it counts as a finding: without the user's word no cloud gets it."""
    messages = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, PICTURE]}]
    async with gateway_over(completer_of("ok", "ok-slow", cloud=["ok-slow"], policy=CLOUD_FIRST)) as gateway:
        status, body, _ = await gateway.post(messages=messages)
        assert (status, body["model"]) == (200, "ok/ok")
        assert gateway.receipt.facts
        assert gateway.receipt.facts.findings == {"image": 1}
        status, body, _ = await gateway.post(messages=messages, model="ok-slow/ok-slow")
        assert (status, body["error"]["code"]) == (403, "not_allowed")
    assert [request.body["model"] for request in upstream.requests] == ["ok"]
    assert upstream.requests[0].body["messages"] == messages


@pytest.mark.parametrize("stream", [False, True])
async def test_images_for_a_model_that_cannot_see_are_the_requests_fault(
    completer_of: MakeCompleter, upstream: FakeUpstream, stream: bool
) -> None:
    """Known before it is asked, or said by the engine: the same refusal, and never a fault of the backend's."""
    messages = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, PICTURE]}]
    async with gateway_over(completer_of("cant-see-llama")) as gateway:
        for _ in range(9):  # more than it takes to be left alone
            status, body, _ = await gateway.post(messages=messages, stream=stream)
            error = body["error"]
            assert (status, error["type"], error["param"]) == (400, "invalid_request_error", "messages")
            assert error["code"] == "images_not_supported"
            assert "cant-see-llama" in error["message"]
        status, _, _ = await gateway.post()
        assert status == 200
        view = BackendView(name="cant-see-llama", place=Place.DEVICE, model="m", sees_images=False)
        gateway.completer.snapshot = lambda *_: Snapshot((view,))
        before = len(upstream.requests)
        status, body, _ = await gateway.post(messages=messages, stream=stream)
        assert (status, body["error"]["code"]) == (400, "images_not_supported")
        assert body["error"]["param"] == "messages"
        assert "cant-see-llama/m" in body["error"]["message"]
        assert len(upstream.requests) == before


async def test_images_go_where_they_are_seen(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """If the user lets them leave."""
    messages = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, PICTURE]}]
    allowed = PrivacySettings(kinds={"image": "allow"})
    async with gateway_over(completer_of("ok", "ok-slow", cloud=["ok-slow"], privacy=allowed)) as gateway:
        seen = gateway.completer.snapshot
        gateway.completer.snapshot = lambda *_: Snapshot(
            tuple(replace(view, sees_images=view.name != "ok") for view in seen().backends)
        )
        _, body, _ = await gateway.post(messages=messages)
        assert body["model"] == "ok-slow/ok-slow"
        assert [(each.backend, each.reason) for each in gateway.receipt.dropped] == [("ok", "cant_see")]
    assert [request.body["model"] for request in upstream.requests] == ["ok-slow"]


@pytest.mark.parametrize(
    ("model", "wishes"),
    [
        ("homeward", {"places": ["network"]}),
        ("homeward:cloud", {"places": ["cloud"], "stays_home": True}),
        ("ok-slow/ok-slow", {"stays_home": True}),
        ("ok-slow/ok-slow", {"mode": "device"}),
        ("ok/ok", {"places": ["cloud"]}),
    ],
)
async def test_wishes_that_leave_nobody_are_the_requests_fault(
    completer_of: MakeCompleter, upstream: FakeUpstream, model: str, wishes: dict[str, Any]
) -> None:
    """Trying again is of no use, so no status says that it were."""
    async with gateway_over(completer_of("ok", "ok-slow", cloud=["ok-slow"])) as gateway:
        status, body, headers = await gateway.post(model=model, homeward=wishes)
        assert (status, body["error"]["type"]) == (400, "invalid_request_error")
        assert body["error"]["code"] == "nobody_allowed"
        assert "retry-after" not in headers
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"n": 2}, "n"),
        ({"messages": []}, "messages"),
        ({"temperature": 3}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"max_tokens": -1}, "max_tokens"),
        ({"stop": [""]}, "stop"),
        ({"stop": list("abcde")}, "stop"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"tools": [{"type": "custom", "custom": {"name": "f"}}]}, "tools[0].type"),
        ({"tools": [{"type": "function", "function": {"nam": "f"}}]}, "tools[0].function.name"),
        ({"tools": [{"type": "function"}]}, "tools[0].function"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}], "tool_choice": "some"}, "tool_choice"),
        (
            {
                "tools": [{"type": "function", "function": {"name": "f"}}],
                "tool_choice": {"type": "function", "function": {"name": "g"}},
            },
            "tool_choice",
        ),
        ({"response_format": {"type": "yaml"}}, "response_format.type"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        ({"messages": [{"role": "user"}]}, "messages[0].content"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "function", "name": "f", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "file"}]}]}, "messages[0].content[0].type"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "image_url", "image_url": {"url": "http://169.254.169.254/"}}],
                    }
                ]
            },
            "messages[0].content[0].image_url.url",
        ),
        ({"model": "gpt-5"}, "model"),
        ({"homeward": {"places": ["moon"]}}, "homeward.places[0]"),
    ],
)
async def test_what_is_refused_names_its_field(gateway: Gateway, wrong: dict[str, Any], param: str) -> None:
    """400, or 404 for a model; nobody was asked."""
    status, body, _ = await gateway.post(**wrong)
    error = body["error"]
    assert (status, error["param"]) == (404 if param == "model" else 400, param)
    assert error["type"] == "invalid_request_error"
    assert error["message"]
    assert gateway.kept.receipts == []


async def test_the_official_client_raises_its_own_errors(gateway: Gateway) -> None:
    """With our sentence."""
    with pytest.raises(NotFoundError, match="There is no model called `gpt-5` here"):
        await gateway.client.chat.completions.create(model="gpt-5", messages=QUESTION)
    with pytest.raises(BadRequestError, match="one answer to one request"):
        await gateway.client.chat.completions.create(model="homeward", messages=QUESTION, n=2)


async def test_who_is_asked(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """By name, by alias, by place, by the request's own policy, which never allows more than the user's."""
    cloudy = completer_of("ok", "ok-slow", cloud=["ok-slow"], policy=CLOUD_FIRST)
    async with gateway_over(cloudy, **{"gpt-5": "homeward:device", "big": "ok-slow/ok-slow"}) as gateway:
        asked: list[tuple[str, dict[str, Any], str]] = [
            ("homeward", {}, "ok-slow"),
            ("homeward:device", {}, "ok"),
            ("homeward:cloud", {}, "ok-slow"),
            ("ok/ok", {}, "ok"),
            ("gpt-5", {}, "ok"),
            ("big", {}, "ok-slow"),
            ("homeward", {"mode": "device"}, "ok"),
            ("homeward", {"places": ["device"]}, "ok"),
            ("homeward", {"stays_home": True}, "ok"),
            ("homeward:device", {"mode": "cloud"}, "ok"),
        ]
        for model, wishes, backend in asked:
            _, body, _ = await gateway.post(model=model, homeward=wishes)
            assert body["model"].partition("/")[0] == backend, (model, wishes)
    async with gateway_over(completer_of("ok", "ok-slow", cloud=["ok-slow"])) as gateway:
        gateway.completer.rules = type(gateway.completer.rules)(
            PolicySettings(preset="local-only"), gateway.completer.rules.budget, gateway.completer.rules.firewall
        )
        for wishes in ({"mode": "cloud"}, {"places": ["cloud", "device"]}):
            assert (await gateway.post(homeward=wishes))[1]["model"] == "ok/ok"
        status, body, _ = await gateway.post(model="ok-slow/ok-slow")
        assert (status, body["error"]["code"]) == (403, "not_allowed")
        assert body["error"]["type"] == "permission_error"


async def test_nothing_of_an_upstreams_json_passes(completer_of: MakeCompleter) -> None:
    """Open WebUI would run an `execute` event's code in the user's page."""
    async with gateway_over(completer_of("hostile")) as gateway:
        gateway.headers = {"X-Task": "", "X-Homeward-Client": "open-webui"}
        text = await gateway.stream()
    for word in ("execute", "selected_model_id", "pipeline", "document", "response.output", CANARY):
        assert word not in text
    said = [event for event in events_of(text) if event != "[DONE]" and "choices" in event]
    assert "".join(each["choices"][0]["delta"].get("content", "") for each in said if each["choices"]) == "Once"


@pytest.mark.parametrize(
    ("behaviour", "code"),
    [
        ("half-event-rst", "upstream_disconnected"),
        ("silent-end", "upstream_disconnected"),
        ("stall-after-token", "upstream_timeout"),
        ("malformed-json", "upstream_protocol_error"),
        ("error-data", "upstream_disconnected"),
    ],
)
async def test_a_stream_that_breaks_ends_in_an_error(completer_of: MakeCompleter, behaviour: str, code: str) -> None:
    """An event that makes the official client raise, and no `[DONE]`; nothing of the upstream's words."""
    async with gateway_over(completer_of(behaviour)) as gateway:
        text = await gateway.stream()
        *chunks, last = events_of(text)
        assert last["error"]["code"] == code
        assert "choices" not in last
        assert chunks
        assert CANARY not in text
        stream = await gateway.client.chat.completions.create(model="homeward", messages=QUESTION, stream=True)
        with pytest.raises(APIError):
            async for _ in stream:
                pass
        assert gateway.receipt.outcome == "interrupted"


@pytest.mark.parametrize(
    ("behaviour", "status", "code"),
    [
        ("status-400", 400, "upstream_status"),
        ("status-401", 502, "upstream_status"),
        ("status-500", 502, "upstream_status"),
        ("429-after-20", 429, "upstream_status"),
        ("html-200", 502, "upstream_protocol_error"),
        ("no-headers", 504, "upstream_timeout"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_an_error_before_the_first_word_is_a_status(
    completer_of: MakeCompleter, behaviour: str, status: int, code: str, stream: bool
) -> None:
    """Streamed or not; the upstream's own refusal of our key is not the caller's 401."""
    async with gateway_over(completer_of(behaviour)) as gateway:
        got, body, headers = await gateway.post(stream=stream)
        assert (got, body["error"]["code"]) == (status, code)
        assert CANARY not in json.dumps(body)
        assert headers["x-homeward-attempts"].isdigit()
        if status == 429:
            assert 1 <= int(headers["retry-after"]) <= 120


async def test_failover_is_told(completer_of: MakeCompleter) -> None:
    """F1: a whole answer, by the second one that was asked."""
    async with gateway_over(completer_of("status-500", "ok")) as gateway:
        status, body, headers = await gateway.post()
    assert (status, body["model"], headers["x-homeward-attempts"]) == (200, "ok/ok", "2")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_that_leaves_stops_the_answer(
    completer_of: MakeCompleter, upstream: FakeUpstream, stream: bool
) -> None:
    """F18, F19: the upstream is closed at once, and the receipt says that it was stopped."""
    async with gateway_over(completer_of("never-ends")) as gateway:
        asking = asyncio.create_task(gateway.stream() if stream else gateway.post())
        await upstream.until(lambda: upstream.running == 1)
        asking.cancel()
        left_at = asyncio.get_running_loop().time()
        await upstream.until(lambda: upstream.running == 0)
        assert upstream.client_left_at - left_at < 0.5
        while not gateway.kept.receipts:  # noqa: ASYNC110 - a moment later
            await asyncio.sleep(0.01)
        assert gateway.receipt.outcome == "stopped"


async def test_a_client_that_does_not_read_holds_the_upstream_up(
    completer_of: MakeCompleter, upstream: FakeUpstream
) -> None:
    """F24: what waits for it is bounded."""
    async with gateway_over(completer_of("flood")) as gateway:
        body = {"model": "homeward", "messages": QUESTION, "stream": True}
        async with gateway.http.post(f"{gateway.url}/chat/completions", json=body) as answer:
            await answer.content.read(1)
            before = -1
            while upstream.bytes_written != before:
                before = upstream.bytes_written
                await asyncio.sleep(0.3)
            assert upstream.bytes_written < 20_000_000


async def test_a_client_that_reads_nothing_is_cut_off(
    completer_of: MakeCompleter, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """F24: it holds nobody up for ever; the receipt and the log say why its answer ended."""
    monkeypatch.setattr("homeward.gateway.serving.UNREAD_SECONDS", 0.3)
    body = {"model": "homeward", "messages": QUESTION, "stream": True}
    async with gateway_over(completer_of("flood", at_a_time=1)) as gateway:
        with structlog.testing.capture_logs() as logs:
            async with gateway.http.post(f"{gateway.url}/chat/completions", json=body) as answer:
                await upstream.until(lambda: upstream.running == 1)
                await upstream.until(lambda: upstream.running == 0)
                with pytest.raises(aiohttp.ClientPayloadError):
                    await answer.read()
        assert (gateway.receipt.outcome, gateway.receipt.error) == ("interrupted", "broken_off")
        assert gateway.sender.running == set()
        [told] = [line for line in logs if line["event"] == "client_cut_off"]
        assert told["receipt"] == str(gateway.receipt.id)
        assert "read nothing" in told["message"]
        asking = asyncio.create_task(gateway.stream())
        await upstream.until(lambda: upstream.running == 1)  # so the one place is free
        asking.cancel()
        await upstream.until(lambda: upstream.running == 0)


async def test_a_client_that_reads_slowly_is_not_cut_off(
    completer_of: MakeCompleter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as it makes room from time to time, however long the whole takes."""
    monkeypatch.setattr("homeward.gateway.serving.UNREAD_SECONDS", 0.5)
    body = {"model": "homeward", "messages": QUESTION, "stream": True}
    async with gateway_over(completer_of("flood")) as gateway:
        began = asyncio.get_running_loop().time()
        async with gateway.http.post(f"{gateway.url}/chat/completions", json=body) as answer:
            while asyncio.get_running_loop().time() - began < 1.5:
                assert await answer.content.readany()
                await asyncio.sleep(0.01)
        await asyncio.wait(gateway.sender.running)
        assert gateway.receipt.outcome == "stopped"


async def test_a_shutdown_lets_answers_finish_and_ends_the_rest(completer_of: MakeCompleter) -> None:
    """F25: with an error event, and 503 for who comes later."""
    async with gateway_over(completer_of("ok-slow", "never-ends")) as gateway:
        short = asyncio.create_task(gateway.stream(model="ok-slow"))
        endless = asyncio.create_task(gateway.stream(model="never-ends"))
        line = gateway.completer.backends["never-ends"].line
        assert isinstance(line, Line)
        while line.length or len(gateway.sender.running) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await gateway.sender.close(1.5)
        assert events_of(await short)[-1] == "[DONE]"
        assert events_of(await endless)[-1]["error"]["code"] == "broken_off"
        status, body, headers = await gateway.post()
        assert (status, body["error"]["code"]) == (503, "overloaded")
        assert headers["retry-after"]


async def test_a_conversation_too_long_is_refused_unless_it_may_be_trimmed(completer_of: MakeCompleter) -> None:
    """Nothing is left out in silence."""
    turns = [{"role": role, "content": "word " * 200} for role in ("user", "assistant") * 3] + QUESTION
    async with gateway_over(completer_of("ok", context_tokens=800)) as gateway:
        status, body, _ = await gateway.post(messages=turns)
        assert (status, body["error"]["code"]) == (400, "context_length_exceeded")
        status, _, _ = await gateway.post(messages=turns, homeward={"trim": True})
        assert status == 200
        assert gateway.receipt.left_out_messages > 0


async def test_a_loading_model_is_waited_for_with_signs_of_life(
    completer_of: MakeCompleter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Comments, which every client ignores."""
    monkeypatch.setattr("homeward.gateway.sending.HEAD_SECONDS", 0.05)
    monkeypatch.setattr("homeward.gateway.serving.BEAT_SECONDS", 0.05)
    async with gateway_over(completer_of("no-first-token-silence")) as gateway:
        text = await gateway.stream()
        assert text.count(": still working") >= 2
        assert events_of(text)[-1]["error"]["code"] == "upstream_timeout"
        client: AsyncOpenAI = gateway.client
        with pytest.raises(APIError):
            [
                chunk
                async for chunk in await client.chat.completions.create(
                    model="homeward", messages=QUESTION, stream=True
                )
            ]


async def test_the_device_place_of_a_network_backend(completer_of: MakeCompleter) -> None:
    """The header says what the receipt says."""
    async with gateway_over(completer_of("ok", place=Place.NETWORK)) as gateway:
        _, _, headers = await gateway.post()
    assert headers["x-homeward-place"] == "network"
