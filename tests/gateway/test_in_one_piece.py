"""Short answers of clouds, for clients that don't read them as they grow, are asked for in one piece."""

from typing import Any

import pytest

from homeward.config import PolicySettings
from homeward.protocol.place import Place
from tests.backends.exchange import TEXT
from tests.backends.fake_upstream import FakeUpstream
from tests.completion.conftest import MakeCompleter
from tests.gateway.conftest import gateway_over


def streamed(upstream: FakeUpstream) -> list[bool]:
    """Of each request that came in, whether a stream was asked for."""
    return [request.body.get("stream", False) for request in upstream.requests]


async def test_a_short_one(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """One JSON from end to end, with its counts; nothing is said about a speed that nobody saw."""
    async with gateway_over(completer_of("ok", place=Place.CLOUD)) as gateway:
        status, body, _ = await gateway.post(max_tokens=256)
        assert (status, body["choices"][0]["message"]["content"]) == (200, TEXT)
        assert body["usage"]["total_tokens"] > 0
        assert streamed(upstream) == [False]
        assert "stream_options" not in upstream.requests[0].body
        assert gateway.receipt.outcome == "complete"
        assert gateway.receipt.first_token_seconds is None
        assert gateway.receipt.tokens_per_second is None
        assert gateway.receipt.bytes_out > 0


@pytest.mark.parametrize(
    ("place", "asked"),
    [
        (Place.CLOUD, {"max_tokens": 257}),
        (Place.CLOUD, {}),
        (Place.CLOUD, {"max_tokens": 64, "stream": True}),
        (Place.DEVICE, {"max_tokens": 64}),
        (Place.NETWORK, {"max_tokens": 64}),
    ],
)
async def test_others_are_streams(
    completer_of: MakeCompleter, upstream: FakeUpstream, place: Place, asked: dict[str, Any]
) -> None:
    """Long ones, those that are read as they grow, and what a machine of one's own makes."""
    async with gateway_over(completer_of("ok", place=place)) as gateway:
        if asked.get("stream"):
            await gateway.client.chat.completions.create(
                model="homeward", messages=[{"role": "user", "content": "Hello"}], max_tokens=64, stream=True
            )
            await upstream.quiet()
        else:
            status, body, _ = await gateway.post(**asked)
            assert (status, body["choices"][0]["message"]["content"]) == (200, TEXT)
        assert streamed(upstream) == [True]


async def test_one_that_streams_all_the_same(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """Some servers know nothing else."""
    async with gateway_over(completer_of("echo", place=Place.CLOUD)) as gateway:
        status, body, _ = await gateway.post(max_tokens=64)
        assert (status, body["choices"][0]["message"]["content"]) == (200, "Tell me a story.")
        assert streamed(upstream) == [False]
        assert gateway.receipt.first_token_seconds is not None


async def test_where_two_race(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """Who is first is told by the first word."""
    policy = PolicySettings(preset="cloud-first", hedge=True)
    async with gateway_over(completer_of("ok", "echo", place=Place.CLOUD, policy=policy)) as gateway:
        status, _, _ = await gateway.post(max_tokens=64)
        assert status == 200
        assert streamed(upstream) == [True]


async def test_one_that_hangs_is_left_in_time(completer_of: MakeCompleter) -> None:
    """The deadline of a first word, and the time that so many tokens may take; then the next one is asked."""
    async with gateway_over(completer_of("no-headers", "ok", place=Place.CLOUD)) as gateway:
        status, body, _ = await gateway.post(max_tokens=1)
        assert (status, body["choices"][0]["message"]["content"]) == (200, TEXT)
        assert [each.error for each in gateway.receipt.attempts] == ["upstream_timeout", ""]


async def test_its_time_says_nothing_about_first_words(completer_of: MakeCompleter) -> None:
    """What was learned from whole answers would be too patient with streams."""
    completer = completer_of("ok", place=Place.CLOUD)
    async with gateway_over(completer) as gateway:
        for _ in range(6):
            await gateway.post(max_tokens=64)
        assert completer.backends["ok"].health.first_token_seconds(10, most=77.0) == 77.0
        for _ in range(6):
            await gateway.post()
        assert completer.backends["ok"].health.first_token_seconds(10, most=77.0) < 77.0
