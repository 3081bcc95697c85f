"""What of OpenAI's protocol reaches the runtime, and what is refused by name."""

import json
from typing import Any

import pytest

from homeward.engines.foundry.body import CONTINUE, Asked, read_body
from homeward.engines.foundry.refusals import RefusalError, place_in_source, runtime_refusal

HI = [{"role": "user", "content": "Hi"}]
TOOLS = [{"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}]


def read(calls_tools: bool = False, **fields: Any) -> Asked:
    raw = json.dumps({"messages": HI, **fields}).encode()
    return read_body(raw, model="toy", calls_tools=calls_tools)


def refused(**fields: Any) -> RefusalError:
    with pytest.raises(RefusalError) as caught:
        read(**fields)
    assert ".cc" not in caught.value.message
    return caught.value


def test_the_least() -> None:
    """Messages alone: the model's name is put in, nothing else."""
    asked = read()
    assert asked.body == {"model": "toy", "messages": HI}
    assert (asked.max_tokens, asked.stream, asked.include_usage) == (None, False, False)


def test_everything_that_the_runtime_knows() -> None:
    sampling: dict[str, Any] = {"temperature": 0.5, "top_p": 0.9, "top_k": 3, "seed": 7}
    asked = read(**sampling, stop="END", max_tokens=9, stream=True, stream_options={"include_usage": True})
    assert asked.body == {"model": "toy", "messages": HI, **sampling, "stop": ["END"]}
    assert (asked.max_tokens, asked.stream, asked.include_usage) == (9, True, True)


def test_the_newer_name_of_max_tokens_goes_first() -> None:
    assert read(max_tokens=9, max_completion_tokens=5).max_tokens == 5


@pytest.mark.parametrize(
    "fields",
    [
        {"user": "me", "metadata": {"a": 1}, "store": False, "parallel_tool_calls": True, "return_progress": True},
        {"n": 1, "frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {}, "logprobs": False},
        {"temperature": None, "stop": None, "tools": None, "response_format": None, "n": None},
        {"response_format": {"type": "text"}, "modalities": ["text"], "top_k": 0},
    ],
)
def test_what_does_not_change_the_answer_is_left_out(fields: dict[str, Any]) -> None:
    assert read(**fields).body == {"model": "toy", "messages": HI}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"logit_bias": {"5": 1}}, "logit_bias"),
        ({"frequency_penalty": 0.1}, "frequency_penalty"),
        ({"presence_penalty": -1}, "presence_penalty"),
        ({"min_p": 0.1}, "min_p"),
        ({"functions": [{}]}, "functions"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "messages[0].content"),
    ],
)
def test_what_would_change_it_and_cannot_is_refused(fields: dict[str, Any], param: str) -> None:
    error = refused(**fields)
    assert (error.status, error.code, error.param) == (400, "unsupported_parameter", param)


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"temperature": 2.1}, "temperature"),
        ({"temperature": "hot"}, "temperature"),
        ({"top_p": -0.1}, "top_p"),
        ({"top_k": -1}, "top_k"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop"),
        ({"stop": [""]}, "stop"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_completion_tokens": -1}, "max_completion_tokens"),
        ({"response_format": {"type": "yaml"}}, "response_format"),
        ({"response_format": {"type": "json_schema"}}, "response_format"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages[0].content"),
    ],
)
def test_what_is_wrong_is_named(fields: dict[str, Any], param: str) -> None:
    error = refused(**fields)
    assert (error.status, error.code, error.param) == (400, "invalid_value", param)


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b'"x"', b"\xff", b"[" * 100_000])
def test_no_json_object(raw: bytes) -> None:
    with pytest.raises(RefusalError):
        read_body(raw, model="toy", calls_tools=False)


def test_missing_messages() -> None:
    with pytest.raises(RefusalError, match="`messages` is missing") as caught:
        read_body(b"{}", model="toy", calls_tools=False)
    assert caught.value.param == "messages"


def test_another_model() -> None:
    assert read(model="toy").body["model"] == "toy"
    assert refused(model="gpt-4").status == 404


def test_messages_in_the_runtimes_words() -> None:
    """`developer` is its `system`, text parts are joined, tool calls and their results pass."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "name": "x"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "content": "1", "tool_call_id": "c1"},
    ]
    assert read(messages=messages).body["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "a\nb"},
        {"role": "assistant", "content": "", "tool_calls": [call]},
        {"role": "tool", "content": "1", "tool_call_id": "c1"},
    ]


def test_an_answer_to_be_continued() -> None:
    """The runtime can't write on in a message, so it is asked to in words."""
    messages = [*HI, {"role": "assistant", "content": "Hello, I"}]
    assert read(messages=messages).body["messages"] == [*messages, {"role": "user", "content": CONTINUE}]


def test_a_schema_is_unwrapped() -> None:
    """In OpenAI's wrapper the runtime would accept and not enforce it."""
    schema = {"type": "object", "properties": {}}
    wrapped = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    assert read(response_format=wrapped).body["response_format"] == {"type": "json_schema", "json_schema": schema}


def test_tools_only_for_models_that_can() -> None:
    """One that can't answers in words, unless a call is required."""
    assert read(calls_tools=True, tools=TOOLS).body["tools"] == TOOLS
    assert "tools" not in read(tools=TOOLS).body
    assert "tools" not in read(tools=TOOLS, tool_choice="none").body
    assert refused(tools=TOOLS, tool_choice="required").param == "tool_choice"
    assert refused(tools=TOOLS, tool_choice={"type": "function", "function": {"name": "f"}}).param == "tool_choice"


def test_errors_of_the_runtime_lose_their_words() -> None:
    """They may quote the prompt; the log gets the place in the source."""
    words = "chat_session.cc:1298 std::unique_ptr<fl::X> fl::{anonymous}::F(const fl::Request&) cannot read 'secret'"
    assert place_in_source(words) == "chat_session.cc:1298"
    assert place_in_source("secret") == "an unknown place"
    assert [runtime_refusal(code).status for code in (3, 4, 1, 2, 6, None)] == [400, 400, 500, 500, 500, 500]
