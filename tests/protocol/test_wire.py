"""OpenAI's protocol as different servers speak it."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeward.protocol.chat import (
    ChatRequest,
    Chunk,
    Function,
    FunctionCall,
    FunctionName,
    ImagePart,
    ImageUrl,
    JsonSchema,
    JsonSchemaFormat,
    Message,
    NamedTool,
    Sampling,
    TextPart,
    TokenLogprob,
    Tool,
    ToolCall,
    ToolCallPiece,
    TopLogprob,
    Usage,
)
from homeward.protocol.errors import (
    BackendDisconnectedError,
    BackendProtocolError,
    BackendStatusError,
    HomewardError,
    InvalidRequestError,
)
from homeward.protocol.sse import Event
from homeward.protocol.upstream_errors import decode_error
from homeward.protocol.wire import NO_INDEX, decode_chunk, decode_completion, encode_json, encode_request

SECRET = "sk-canary-0000 my prompt"


def decode(payload: object, name: bytes = b"") -> Chunk:
    return decode_chunk(Event(json.dumps(payload).encode(), name))


def delta(**fields: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


def finished(reason: object) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}


def test_request() -> None:
    """The body asks for a stream with usage, and leaves out what was left to the backend."""
    request = ChatRequest(
        messages=(Message("system", "Be brief."), Message("user", "Größe?")),
        sampling=Sampling(max_tokens=5, temperature=0.0, stop=("\n",)),
        backend="chosen",
    )
    assert json.loads(encode_request(request, "tiny")) == {
        "model": "tiny",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Größe?"}],
        "max_tokens": 5,
        "temperature": 0.0,
        "stop": ["\n"],
        "stream": True,
        "stream_options": {"include_usage": True},
    }


def test_request_with_the_newer_limit() -> None:
    """OpenAI's reasoning models want another name for the limit."""
    request = ChatRequest(messages=(), sampling=Sampling(max_tokens=5))
    body = json.loads(encode_request(request, "o3", "max_completion_tokens"))
    assert body["max_completion_tokens"] == 5
    assert "max_tokens" not in body


def test_request_with_fields_of_the_backends_own() -> None:
    """What only this backend knows goes along."""
    body = json.loads(encode_request(ChatRequest(messages=()), "tiny", extra={"return_progress": True}))
    assert body["return_progress"] is True


def test_request_with_half_a_character() -> None:
    """Half a surrogate pair is the caller's fault, and the error does not show the text around it."""
    request = ChatRequest(messages=(Message("user", SECRET + "\ud800"),))
    with pytest.raises(InvalidRequestError) as info:
        encode_request(request, "tiny")
    assert SECRET not in str(info.value)
    assert info.value.__suppress_context__


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(delta(content="Hi"), Chunk(text="Hi"), id="text"),
        pytest.param(delta(role="assistant", content=None), Chunk(), id="role only"),
        pytest.param(delta(content=""), Chunk(), id="empty"),
        pytest.param(delta(reasoning_content="Hm"), Chunk(reasoning="Hm"), id="llama.cpp and DeepSeek"),
        pytest.param(delta(reasoning="Hm", content=""), Chunk(reasoning="Hm"), id="Ollama"),
        pytest.param(delta(reasoning="Hm", reasoning_content="Hm"), Chunk(reasoning="Hm"), id="vLLM says it twice"),
        pytest.param(finished("stop"), Chunk(finish_reason="stop"), id="stop"),
        pytest.param(finished("function_call"), Chunk(finish_reason="tool_calls"), id="older name"),
        pytest.param(finished("max_tokens"), Chunk(finish_reason="length"), id="another name"),
        pytest.param(finished("eos_token"), Chunk(finish_reason="stop"), id="unknown counts as stop"),
        pytest.param(finished(""), Chunk(), id="empty finish reason is none"),
        pytest.param({"choices": []}, Chunk(), id="Azure's prompt_filter_results"),
        pytest.param({"choices": None, "error": None}, Chunk(), id="nulls"),
        pytest.param({}, Chunk(), id="nothing"),
        pytest.param({"choices": [{}]}, Chunk(), id="empty choice"),
        pytest.param({"choices": [{"delta": None}]}, Chunk(), id="no delta"),
        pytest.param({"choices": [{"index": 1, "delta": {"content": "second"}}]}, Chunk(), id="another choice"),
        pytest.param(
            {**finished("length"), "timings": {"predicted_n": 3}},
            Chunk(finish_reason="length"),
            id="llama.cpp's timings",
        ),
    ],
)
def test_chunks(payload: dict[str, Any], expected: Chunk) -> None:
    """What each dialect means."""
    assert decode(payload) == expected


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        (None, None),
        ({"prompt_tokens": 7, "completion_tokens": 9}, Usage(prompt_tokens=7, completion_tokens=9)),
        ({"prompt_tokens": 7}, None),
        ({"prompt_tokens": None, "completion_tokens": None}, None),
        ({"prompt_tokens": -1, "completion_tokens": 9}, None),
        (
            {"prompt_tokens": 7, "completion_tokens": 9, "prompt_tokens_details": {"cached_tokens": 5}},
            Usage(prompt_tokens=7, completion_tokens=9, cached_tokens=5),
        ),
        (
            {"prompt_tokens": 7, "completion_tokens": 9, "prompt_tokens_details": None},
            Usage(prompt_tokens=7, completion_tokens=9),
        ),
        (
            {"prompt_tokens": 7, "completion_tokens": 9, "prompt_cache_hit_tokens": 4},
            Usage(prompt_tokens=7, completion_tokens=9, cached_tokens=4),
        ),
    ],
)
def test_usage(usage: object, expected: Usage | None) -> None:
    """Usage missing in part is no usage, never 0; it comes alone or with the last choice."""
    assert decode({"choices": [], "usage": usage}).usage == expected
    assert decode({**finished("stop"), "usage": usage}).usage == expected


@pytest.mark.parametrize("reason", ["abort", "error", "insufficient_system_resource"])
def test_reasons_that_are_no_end(reason: str) -> None:
    """A server that says it broke off has not finished."""
    with pytest.raises(BackendDisconnectedError):
        decode(finished(reason))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"null",
        b"[]",
        b'"text"',
        b'{"choices": [{]}',
        b'{"choices": {}}',
        b'{"choices": [{"delta": {"content": 1}}]}',
        b'{"choices": [{"delta": {"content": "\xff"}}]}',
        b'{"choices": [{"finish_reason": true}]}',
        b'{"x": ' + b"[" * 100_000,
        b'{"choices": []} {}',
    ],
)
def test_not_the_protocol(data: bytes) -> None:
    """Malformed JSON and wrong types are an error of ours, without the bytes that it failed on."""
    with pytest.raises(BackendProtocolError) as info:
        decode_chunk(Event(data), "The backend 'home'")
    assert str(info.value).startswith("The backend 'home' sent something that is not OpenAI's protocol.")
    assert info.value.__suppress_context__


@pytest.mark.parametrize(
    ("payload", "name"),
    [
        ({"error": {"message": SECRET, "type": "server_error", "code": "engine_died"}}, b""),
        ({"error": SECRET}, b""),
        ({"error": {}}, b""),
        ({"error": True}, b""),
        ({"error": {"message": None, "code": SECRET}}, b""),
        ({"message": SECRET}, b"error"),
        (SECRET, b"error"),
        ({"object": "error", "message": SECRET}, b""),
        ({**delta(content="text"), "error": {"message": SECRET}}, b""),
    ],
)
def test_error_inside_the_stream(payload: object, name: bytes) -> None:
    """Every dialect's error ends the answer, and its text stays where it is."""
    with pytest.raises(BackendDisconnectedError) as info:
        decode(payload, name)
    assert SECRET not in str(info.value) + info.value.detail


def test_error_event_that_is_not_json() -> None:
    """What is called an error is one, whatever it holds."""
    with pytest.raises(BackendDisconnectedError):
        decode_chunk(Event(SECRET.encode(), b"error"))


def test_error_inside_the_stream_with_a_status() -> None:
    """Where the error names a status, ours has it; its words go to the log if they are plain."""
    with pytest.raises(BackendStatusError) as info:
        decode({"error": {"message": SECRET, "type": "rate_limit_error", "code": 429}})
    assert info.value.upstream_status == 429
    assert info.value.detail == "rate_limit_error"


def test_whole_answer() -> None:
    """An answer in one piece is one chunk."""
    body = {
        "choices": [{"index": 0, "message": {"content": "Hi", "reasoning_content": "Hm"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2},
    }
    expected = Chunk(
        text="Hi",
        reasoning="Hm",
        finish_reason="stop",
        usage=Usage(prompt_tokens=1, completion_tokens=2),
    )
    assert decode_completion(Event(json.dumps(body).encode())) == expected


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": "Hi"}}]}',
        b'{"choices": [{"finish_reason": "stop"}]}',
        b'{"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}',
        b"<html>",
    ],
)
def test_half_an_answer(body: bytes) -> None:
    """Without text or finish reason it is no answer."""
    with pytest.raises(BackendProtocolError):
        decode_completion(Event(body))


def test_error_for_an_answer() -> None:
    """An error with status 200 is an error."""
    with pytest.raises(BackendDisconnectedError):
        decode_completion(Event(json.dumps({"error": SECRET}).encode()))


OPENAI = (
    "This model's maximum context length is 4097 tokens. However, you requested 4927 tokens "
    "(3927 in the messages, 1000 in the completion). Please reduce the length."
)
OPENAI_CHAT = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens."
VLLM = "This model's maximum context length is 2048 tokens. However, your request has 2100 input tokens."


@pytest.mark.parametrize(
    ("body", "prompt_tokens", "window_tokens"),
    [
        ({"error": {"message": OPENAI, "code": "context_length_exceeded"}}, 3927, 4097),
        ({"error": {"message": OPENAI_CHAT, "code": "context_length_exceeded"}}, 9001, 8192),
        ({"error": {"message": VLLM, "type": "BadRequestError", "code": 400}}, 2100, 2048),
        ({"object": "error", "message": VLLM, "code": 400}, 2100, 2048),
        (
            {"error": {"code": 400, "type": "exceed_context_size_error", "n_prompt_tokens": 9, "n_ctx": 8}},
            9,
            8,
        ),
        ({"error": {"code": "context_length_exceeded"}}, None, None),
    ],
)
def test_too_long(body: object, prompt_tokens: int | None, window_tokens: int | None) -> None:
    """A prompt that is too long is known as such, with the numbers where they are given."""
    report = decode_error(json.dumps(body).encode())
    assert report.too_long
    assert (report.prompt_tokens, report.window_tokens) == (prompt_tokens, window_tokens)


@pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 100_000, b"null", b"[]", b'{"error": null}', b"1"])
def test_refusal_without_an_error_object(body: bytes) -> None:
    """Proxies answer with pages."""
    assert decode_error(body) == decode_error(b"{}")


def decode_all(data: bytes, name: bytes = b"") -> None:
    """Every way to read it; our own errors are fine."""
    with suppress(HomewardError):
        decode_chunk(Event(data, name))
    with suppress(HomewardError):
        decode_completion(Event(data, name))
    decode_error(data)


@given(st.binary(max_size=200), st.binary(max_size=10))
def test_garbage(data: bytes, name: bytes) -> None:
    """Whatever comes, nothing but our own errors is raised."""
    decode_all(data, name)


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just("error"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["choices", "delta", "content", "usage", "error", "code", "index", "n_ctx", "message"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(_json)
def test_any_json(value: object) -> None:
    """Also what is JSON, and nearly right."""
    decode_all(encode_json(value))


def test_tool_calls() -> None:
    """Pieces as they are; who does not number them is told apart, and an object is JSON all the same."""
    function = {"name": "f", "arguments": '{"a"'}
    chunk = decode(delta(tool_calls=[{"index": 1, "id": "c", "type": "function", "function": function}]))
    assert chunk.tool_calls == (ToolCallPiece(index=1, id="c", name="f", arguments='{"a"'),)
    chunk = decode(delta(tool_calls=[{"function": {"name": "f", "arguments": {"a": "é"}}}]))
    assert chunk.tool_calls == (ToolCallPiece(index=NO_INDEX, name="f", arguments='{"a":"é"}'),)
    assert decode(delta(tool_calls=[{"index": 0}])).tool_calls == (ToolCallPiece(index=0),)
    assert decode(delta(tool_calls=None)).tool_calls == ()


def test_what_else_an_answer_says() -> None:
    """Refusals, probabilities, and tokens that were thought."""
    assert decode(delta(refusal="No.")).refusal == "No."
    token = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": [{"token": "b", "logprob": -1.5}]}
    event = delta(content="a")
    event["choices"][0]["logprobs"] = {"content": [token]}
    assert decode(event).logprobs == (TokenLogprob("a", -0.5, (97,), (TopLogprob("b", -1.5),)),)
    usage = {"prompt_tokens": 1, "completion_tokens": 5, "completion_tokens_details": {"reasoning_tokens": 4}}
    assert decode({"choices": [], "usage": usage}).usage == Usage(
        prompt_tokens=1, completion_tokens=5, reasoning_tokens=4
    )


def test_a_request_with_all_that_shapes_an_answer() -> None:
    """In OpenAI's own shapes; what was not asked for is not there."""
    call = ToolCall("c", FunctionCall("f", "{}"))
    picture = ImagePart(ImageUrl("data:image/png;base64,AAAA", "low"))
    request = ChatRequest(
        messages=(
            Message("user", (TextPart("What?"), picture), name="ann"),
            Message("assistant", "", tool_calls=(call,)),
            Message("tool", "1", tool_call_id="c"),
        ),
        sampling=Sampling(
            tools=(Tool(Function("f", parameters={"type": "object"}, strict=True)),),
            tool_choice=NamedTool(FunctionName("f")),
            response_format=JsonSchemaFormat(JsonSchema("s", schema={})),
        ),
    )
    body = json.loads(encode_request(request, "tiny"))
    url = {"url": "data:image/png;base64,AAAA", "detail": "low"}
    assert body["messages"] == [
        {
            "role": "user",
            "content": [{"type": "text", "text": "What?"}, {"type": "image_url", "image_url": url}],
            "name": "ann",
        },
        {
            "role": "assistant",
            "content": "",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
        },
        {"role": "tool", "content": "1", "tool_call_id": "c"},
    ]
    assert {name: value for name, value in body.items() if name in {"tools", "tool_choice", "response_format"}} == {
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, "strict": True}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {}}},
    }
