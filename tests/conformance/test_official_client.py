"""OpenAI's own client for Python, in what programs do with it; test_node.py has the one for JavaScript."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openai import APIError, APIStatusError, APITimeoutError, InternalServerError, OpenAI, RateLimitError
from openai.types.chat import ChatCompletionMessageParam
from pydantic import BaseModel

from tests.backends.exchange import TEXT, WORDS
from tests.backends.faults import CALLS
from tests.conformance.house import STARTER, House

pytestmark = pytest.mark.conformance

QUESTION: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Where is Paris? Answer as JSON."}]


class Weather(BaseModel):
    """The weather at a place."""

    city: str


class Time(BaseModel):
    """The time in a zone."""

    zone: str


class Place(BaseModel):
    city: str
    is_capital: bool


@pytest.fixture
def client(house: House) -> Iterator[OpenAI]:
    with house.client() as client:
        yield client


def test_a_stream_comes_in_pieces(client: OpenAI) -> None:
    stream = client.chat.completions.create(model="gpt-4o", messages=QUESTION, stream=True)
    assert [piece for chunk in stream if (piece := chunk.choices[0].delta.content)] == list(WORDS)


def test_the_helper_for_streams_tells_its_events(client: OpenAI) -> None:
    with client.chat.completions.stream(model="gpt-4o", messages=QUESTION) as stream:
        events = list(stream)
        completion = stream.get_final_completion()
    assert completion.choices[0].message.content == TEXT
    assert "".join(event.delta for event in events if event.type == "content.delta") == TEXT
    assert events[-1].type == "content.done"


def test_a_response_is_streamed_and_gone_on_from(client: OpenAI) -> None:
    with client.responses.stream(model="gpt-4o", input="Tell me a story.") as stream:
        first = stream.until_done().get_final_response()
    assert first.output_text == TEXT
    second = client.responses.create(model="gpt-4o", input="Go on.", previous_response_id=first.id)
    assert client.responses.retrieve(second.id).previous_response_id == first.id


def test_tools_are_parsed_and_their_results_taken(client: OpenAI) -> None:
    import openai

    tools = [openai.pydantic_function_tool(Weather, name="weather"), openai.pydantic_function_tool(Time, name="time")]
    with client.chat.completions.stream(model="tools/calls", messages=QUESTION, tools=tools) as stream:
        done = [event for event in stream if event.type == "tool_calls.function.arguments.done"]
        message = stream.get_final_completion().choices[0].message
    assert [event.parsed_arguments for event in done] == [Weather(city="Paris"), Time(zone="CET")]
    assert [(call.id, call.function.name, call.function.arguments) for call in message.tool_calls or ()] == CALLS
    asked: Any = [*QUESTION, message.model_dump(exclude_none=True)]
    asked += [{"role": "tool", "tool_call_id": call_id, "content": "fine"} for call_id, _, _ in CALLS]
    answer = client.chat.completions.create(model="body/body", messages=asked, tools=tools)
    passed_on = json.loads(answer.choices[0].message.content or "")["messages"]
    assert [each["role"] for each in passed_on] == ["user", "assistant", "tool", "tool"]
    assert [each["id"] for each in passed_on[1]["tool_calls"]] == [call_id for call_id, _, _ in CALLS]


def test_structured_output_is_enforced_on_this_device(client: OpenAI) -> None:
    """By llama.cpp's grammar: a model this small would hardly keep to a schema by itself."""
    answer = client.chat.completions.parse(
        model=STARTER, messages=QUESTION, response_format=Place, max_tokens=100, temperature=0
    )
    assert isinstance(answer.choices[0].message.parsed, Place)
    with client.chat.completions.stream(
        model=STARTER, messages=QUESTION, response_format=Place, max_tokens=100, temperature=0
    ) as stream:
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, Place)
    response = client.responses.parse(
        model=STARTER, input="Where is Paris?", text_format=Place, max_output_tokens=100, temperature=0
    )
    assert isinstance(response.output_parsed, Place)


def test_a_timeout_is_the_clients_and_the_cloud_is_left_alone_after_it(house: House) -> None:
    left = house.upstream.clients_left_early
    with house.client(timeout=1.0) as client, pytest.raises(APITimeoutError):
        client.chat.completions.create(model="silent/no-first-token-silence", messages=QUESTION)
    house.upstream_is_quiet()
    assert house.upstream.clients_left_early == left + 1


def test_whoever_leaves_a_stream_stops_the_answer(house: House, client: OpenAI) -> None:
    left = house.upstream.clients_left_early
    with client.chat.completions.create(model="endless/never-ends", messages=QUESTION, stream=True) as stream:
        next(iter(stream))
    house.upstream_is_quiet()
    assert house.upstream.clients_left_early == left + 1


def test_an_answer_that_breaks_off_raises(client: OpenAI) -> None:
    """It must never look whole."""
    stream = client.chat.completions.create(model="broken/half-event-rst", messages=QUESTION, stream=True)
    told: list[str] = []
    with pytest.raises(APIError, match="broken"):
        told.extend(chunk.choices[0].delta.content or "" for chunk in stream)
    assert told == ["", *WORDS[:2]]


@pytest.mark.parametrize(
    ("model", "error"), [("busy/429-after-1", RateLimitError), ("down/status-503", InternalServerError)]
)
def test_a_cloud_is_asked_at_most_twice_for_each_request(house: House, model: str, error: type[APIStatusError]) -> None:
    """The client tries three times; who keeps failing is left alone after a while, whoever asks for it."""
    with house.client(max_retries=2) as client, pytest.raises(error) as raised:
        client.chat.completions.create(model=model, messages=QUESTION)
    assert 3 <= house.upstream.calls[model.partition("/")[2]] <= 6
    if error is RateLimitError:
        assert 1 <= int(raised.value.response.headers["retry-after"]) <= 120
