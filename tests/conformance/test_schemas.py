"""Every body and every event is one of OpenAI's, field by field; and streams keep what clients rely on."""

import json
from typing import Any

import pytest
from openai._streaming import SSEDecoder
from openai.types import Completion, CreateEmbeddingResponse, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from openai.types.shared import ErrorObject

from tests.backends.exchange import TEXT
from tests.conformance.house import STARTER, House
from tests.conformance.strict import OURS, checked

pytestmark = pytest.mark.conformance

QUESTION = [{"role": "user", "content": "Tell me a story."}]
TOOL = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}}}
WISH = {"homeward": {"receipt": True}}
ANSWERERS = ["steady/ok", "tools/calls", "likely/logprobs", "thinker/thinking-reasoning_content", STARTER]
MORE_OF_RESPONSES = OURS | {"store", "name", "bytes"}
"""Whether it is kept, a function's name at the end of its call, the bytes of a token: the client's types lack them."""
ALL_PARAMETERS: dict[str, Any] = {
    "audio": {"format": "wav", "voice": "alloy"},
    "frequency_penalty": -2,
    "function_call": "none",
    "functions": [{"name": "weather", "parameters": {"type": "object"}}],
    "logit_bias": {"5": 0},
    "logprobs": True,
    "max_completion_tokens": 0,
    "max_tokens": 0,
    "metadata": {"a": "b"},
    "modalities": ["text"],
    "n": 1,
    "parallel_tool_calls": True,
    "prediction": {"content": "string", "type": "content"},
    "presence_penalty": -2,
    "prompt_cache_key": "key",
    "prompt_cache_options": {"mode": "implicit", "ttl": "30m"},
    "prompt_cache_retention": "in_memory",
    "reasoning_effort": "none",
    "response_format": {"type": "text"},
    "safety_identifier": "somebody",
    "seed": -9007199254740991,
    "service_tier": "auto",
    "stop": "\n",
    "store": True,
    "stream_options": {"include_obfuscation": True, "include_usage": True},
    "temperature": 1,
    "tool_choice": "none",
    "tools": [TOOL],
    "top_logprobs": 0,
    "top_p": 1,
    "user": "somebody",
    "verbosity": "low",
}
"""All of OpenAI's but those that are refused: `moderation` and `web_search_options`."""
IGNORED = {
    "audio",
    "function_call",
    "functions",
    "max_completion_tokens",
    "metadata",
    "modalities",
    "n",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "response_format",
    "safety_identifier",
    "service_tier",
    "store",
    "user",
}
"""Those of them that no backend is sent; of some, what is asked for here is the default."""


def whole(house: House, path: str, **body: Any) -> Any:
    status, data = house.ask(path, **body)
    assert status == 200, data
    return json.loads(data)


def stream(house: House, path: str, **body: Any) -> bytes:
    status, data = house.ask(path, stream=True, **body)
    assert status == 200, data
    return data


def events(data: bytes) -> list[Any]:
    """As the official client cuts them out, without the last `[DONE]`, which must be there and nowhere else."""
    *told, done = [each.data for each in SSEDecoder().iter_bytes(iter([data]))]
    assert done == "[DONE]"
    return [json.loads(each) for each in told]


@pytest.mark.parametrize("model", ANSWERERS)
def test_chat_completions(house: House, model: str) -> None:
    asked: dict[str, Any] = {"model": model, "messages": QUESTION, "max_tokens": 16, "tools": [TOOL], **WISH}
    body = whole(house, "chat/completions", **asked)
    assert checked(ChatCompletion, body).model == model
    assert "refusal" in body["choices"][0]["message"]
    assert "logprobs" in body["choices"][0]
    chunks = events(stream(house, "chat/completions", **asked, stream_options={"include_usage": True}))
    for chunk in chunks:
        checked(ChatCompletionChunk, chunk)
    assert chunks[-1]["homeward"]["place"] == body["homeward"]["place"]


@pytest.mark.parametrize("model", ANSWERERS)
def test_what_every_stream_keeps(house: House, model: str) -> None:
    """Of one answer, by one role, ended once; counts only where they were asked for; calls numbered without a gap."""
    asked: dict[str, Any] = {"model": model, "messages": QUESTION, "max_tokens": 16, "tools": [TOOL]}
    counted = events(stream(house, "chat/completions", **asked, stream_options={"include_usage": True}))
    plain = events(stream(house, "chat/completions", **asked))
    assert [each["usage"] for each in counted[:-1]] == [None] * (len(counted) - 1)
    assert [bool(each["choices"]) for each in counted] == [True] * (len(counted) - 1) + [False]
    assert all("usage" not in each for each in plain)
    for chunks in (counted[:-1], plain):
        assert len({(each["id"], each["created"], each["model"]) for each in chunks}) == 1
        choices = [choice for each in chunks for choice in each["choices"]]
        assert ["role" in each["delta"] for each in choices] == [True] + [False] * (len(choices) - 1)
        assert [each["finish_reason"] is not None for each in choices] == [False] * (len(choices) - 1) + [True]
        calls = [call["index"] for each in choices for call in each["delta"].get("tool_calls", ())]
        assert sorted(set(calls)) == list(range(len(set(calls))))


def said(chunks: list[Any]) -> str:
    return "".join(choice["delta"].get("content") or "" for each in chunks for choice in each["choices"])


@pytest.mark.parametrize("model", ["steady/ok", STARTER])
def test_a_stream_says_what_the_whole_answer_says(house: House, model: str) -> None:
    asked: dict[str, Any] = {"model": model, "messages": QUESTION, "max_tokens": 24, "temperature": 0}
    body = whole(house, "chat/completions", **asked)
    assert said(events(stream(house, "chat/completions", **asked))) == body["choices"][0]["message"]["content"] != ""


def test_where_the_bytes_are_cut_makes_no_difference(house: House) -> None:
    message = {"role": "user", "content": "Größe 😀\u2028\u0085 {data: }\r\n"}
    data = stream(house, "chat/completions", model="echo/echo", messages=[message])
    expected = events(data)
    assert said(expected) == message["content"]
    for cut in range(1, len(data)):
        told = [each.data for each in SSEDecoder().iter_bytes(iter([data[:cut], data[cut:]]))]
        assert [json.loads(each) for each in told[:-1]] == expected


@pytest.mark.parametrize("stream_it", [False, True])
def test_all_parameters_at_once(house: House, stream_it: bool) -> None:
    """What cannot change the answer is ignored, and goes nowhere."""
    asked: dict[str, Any] = {"model": "body/body", "messages": QUESTION, **ALL_PARAMETERS}
    if stream_it:
        chunks = events(stream(house, "chat/completions", **asked))
        for chunk in chunks:
            checked(ChatCompletionChunk, chunk)
        passed_on = json.loads(said(chunks))
    else:
        answer = checked(ChatCompletion, whole(house, "chat/completions", **asked))
        passed_on = json.loads(answer.choices[0].message.content)
    assert set(ALL_PARAMETERS) - set(passed_on) == (IGNORED if stream_it else IGNORED | {"stream_options"})
    assert passed_on["max_tokens"] == 1


def test_no_tokens_are_the_shortest_answer(house: House) -> None:
    body = whole(house, "chat/completions", model=STARTER, messages=QUESTION, max_tokens=0)
    assert checked(ChatCompletion, body).usage.completion_tokens == 1


@pytest.mark.parametrize("name", ["moderation", "web_search_options"])
def test_what_would_be_missing_from_the_answer_is_refused(house: House, name: str) -> None:
    status, data = house.ask("chat/completions", model="gpt-4o", messages=QUESTION, **{name: {"model": "m"}})
    assert (status, json.loads(data)["error"]["param"]) == (400, name)


def test_completions(house: House) -> None:
    asked: dict[str, Any] = {"model": "gpt-3.5-turbo-instruct", "prompt": "Once", "echo": True, **WISH}
    body = whole(house, "completions", **asked)
    assert checked(Completion, body).choices[0].text == f"Once{TEXT}"
    pieces = events(stream(house, "completions", **asked, stream_options={"include_usage": True}))
    for piece in pieces:
        # The last reason alone is one of OpenAI's three; the client's type for a piece has no null before it.
        ended = [{**choice, "finish_reason": choice["finish_reason"] or "stop"} for choice in piece["choices"]]
        checked(Completion, {**piece, "choices": ended})
    assert "".join(choice["text"] for each in pieces for choice in each["choices"]) == f"Once{TEXT}"


@pytest.mark.parametrize("model", ANSWERERS)
def test_responses(house: House, model: str) -> None:
    tool = {"type": "function", **TOOL["function"]}  # type: ignore[dict-item]
    asked: dict[str, Any] = {
        "model": model,
        "input": "Tell me a story.",
        "max_output_tokens": 16,
        "tools": [tool],
        **WISH,
    }
    checked(Response, whole(house, "responses", **asked), MORE_OF_RESPONSES)
    told = [json.loads(each.data) for each in SSEDecoder().iter_bytes(iter([stream(house, "responses", **asked)]))]
    for each in told:
        checked(ResponseStreamEvent, each, MORE_OF_RESPONSES)
    assert [each["sequence_number"] for each in told] == list(range(len(told)))


def test_embeddings(house: House) -> None:
    asked: dict[str, Any] = {"model": "text-embedding-3-small", "input": ["a river", "a mountain"]}
    assert len(checked(CreateEmbeddingResponse, whole(house, "embeddings", **asked)).data) == 2


def test_models(house: House) -> None:
    page = json.loads(house.ask("models")[1])
    assert page["object"] == "list"
    assert {checked(Model, each).id for each in page["data"]} > {"homeward", "gpt-6-astra", STARTER}
    assert checked(Model, json.loads(house.ask("models/gpt-6-astra")[1])).id == "gpt-6-astra"


REFUSALS: list[tuple[str, dict[str, Any], int]] = [
    ("chat/completions", {"messages": QUESTION, "model": "nobody"}, 404),
    ("chat/completions", {"messages": QUESTION, "n": 2}, 400),
    ("chat/completions", {"messages": QUESTION, "model": "faulty/status-500"}, 502),
    ("completions", {"prompt": 5}, 400),
    ("responses", {"input": "Hi.", "background": True}, 400),
    ("embeddings", {"input": "", "model": "text-embedding-3-small"}, 400),
    ("embeddings", {"input": "x", "model": "nobody"}, 404),
    ("nothing/there", {"a": 1}, 404),
]


@pytest.mark.parametrize(("path", "body", "status"), REFUSALS)
def test_errors(house: House, path: str, body: dict[str, Any], status: int) -> None:
    """All four fields are there, whichever of them are null."""
    got, data = house.ask(path, **body)
    error = json.loads(data)["error"]
    checked(ErrorObject, error)
    assert (got, set(error)) == (status, {"message", "type", "param", "code"})
