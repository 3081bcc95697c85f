"""`/v1/completions`."""

import json
from typing import Any

import pytest

from tests.backends.exchange import TEXT, USAGE
from tests.backends.fake_upstream import FakeUpstream
from tests.gateway.conftest import Gateway


async def test_an_answer(gateway: Gateway, upstream: FakeUpstream) -> None:
    """The prompt is asked like a chat's message."""
    answer = await gateway.client.completions.create(model="homeward", prompt="Once", max_tokens=5)
    assert (answer.choices[0].text, answer.choices[0].finish_reason, answer.model) == (TEXT, "stop", "ok/ok")
    assert answer.usage
    assert answer.usage.total_tokens == USAGE["total_tokens"]
    assert upstream.requests[-1].body["messages"] == [{"role": "user", "content": "Once"}]
    assert upstream.requests[-1].body["max_tokens"] == 5
    echoed = await gateway.client.completions.create(model="homeward", prompt=["Once: "], echo=True)
    assert echoed.choices[0].text == "Once: " + TEXT


async def test_a_stream(gateway: Gateway) -> None:
    """Pieces, an end, the counts where they were asked for."""
    stream = await gateway.client.completions.create(
        model="homeward", prompt="Once", stream=True, echo=True, stream_options={"include_usage": True}
    )
    chunks = [chunk async for chunk in stream]
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == "Once" + TEXT
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].usage


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"prompt": ["a", "b"]}, "prompt"),
        ({"prompt": [1, 2]}, "prompt"),
        ({"prompt": [[1, 2]]}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": "a", "suffix": "b"}, "suffix"),
        ({"prompt": "a", "best_of": 2}, "best_of"),
        ({"prompt": "a", "n": 2}, "n"),
        ({"prompt": "a", "logprobs": 1}, "logprobs"),
        ({"prompt": "a", "model": "gpt-3"}, "model"),
        ({"prompt": "a", "max_tokens": 10**400}, "max_tokens"),
    ],
)
async def test_what_is_refused_names_its_field(gateway: Gateway, wrong: dict[str, Any], param: str) -> None:
    """400, or 404 for a model."""
    status, body, _ = await gateway.post("completions", **wrong)
    assert (status, body["error"]["param"]) == (404 if param == "model" else 400, param), json.dumps(body)
