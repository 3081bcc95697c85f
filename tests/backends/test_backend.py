"""What a backend offers besides answers, and what it shows of itself."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeward.backends import Backend, BackendRow, Connections, Deadlines, fixed
from homeward.protocol.address import Address
from homeward.protocol.chat import ChatRequest, Message
from homeward.protocol.errors import (
    BackendProtocolError,
    BackendStatusError,
    BackendTimeoutError,
    BackendUnreachableError,
    InvalidRequestError,
)
from homeward.protocol.place import Place
from tests.backends.asking import KEY, collect
from tests.backends.exchange import CANARY, MODELS
from tests.backends.fake_upstream import FakeUpstream, serving

MESSAGES = (Message("system", "Be brief."), Message("user", "How many words are these?"))


def backend_at(connections: Connections, url: str, *, place: Place = Place.DEVICE, counts: bool = True) -> Backend:
    row = BackendRow(name="home", place=place, counts_tokens=counts)
    return Backend(row, fixed(Address(url=url, api_key=KEY, model="ok")), connections)


async def test_probe(upstream: FakeUpstream, connections: Connections) -> None:
    """A probe is a GET for the models, with the key and without a word of the user."""
    assert await backend_at(connections, upstream.base_url).probe() == MODELS
    (asked,) = upstream.requests
    assert asked.head.startswith("GET /v1/models HTTP/1.1\r\n")
    assert f"Authorization: Bearer {KEY}" in asked.head
    assert asked.body == {}


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/nowhere/v1", BackendStatusError),
        ("/strange/v1", BackendProtocolError),
        ("/silent/v1", BackendTimeoutError),
    ],
)
async def test_probe_of_a_bad_one(
    upstream: FakeUpstream, connections: Connections, path: str, kind: type[Exception]
) -> None:
    """It fails in the same kinds as an answer, within 2 s."""
    backend = backend_at(connections, upstream.base_url.replace("/v1", path))
    async with asyncio.timeout(4):
        with pytest.raises(kind) as info:
            await backend.probe()
    assert CANARY not in str(info.value)
    assert info.value.__cause__ is None
    await upstream.until(lambda: upstream.open_connections == 0)


async def test_probe_of_none(connections: Connections) -> None:
    """Nobody listens on port 9."""
    with pytest.raises(BackendUnreachableError):
        await backend_at(connections, "http://127.0.0.1:9/v1").probe()


async def test_count_tokens(upstream: FakeUpstream, connections: Connections) -> None:
    """One question, with the model's name; the fake one counts words."""
    assert await backend_at(connections, upstream.base_url).count_tokens(MESSAGES) == 7
    (asked,) = upstream.requests
    assert asked.path == "/v1/chat/completions/input_tokens"
    assert asked.body["model"] == "ok"
    assert [message["content"] for message in asked.body["messages"]] == [message.content for message in MESSAGES]


@pytest.mark.parametrize("place", [Place.NETWORK, Place.CLOUD, Place.BROWSER])
async def test_counting_sends_nothing_off_the_device(
    upstream: FakeUpstream, connections: Connections, place: Place
) -> None:
    """Counting comes before the decision who may read the messages."""
    assert await backend_at(connections, upstream.base_url, place=place).count_tokens(MESSAGES) is None
    assert upstream.connections == 0


async def test_unknown_counts(upstream: FakeUpstream, connections: Connections) -> None:
    """Where it cannot count, or where it fails, the count is unknown; that is no error."""
    assert await backend_at(connections, upstream.base_url, counts=False).count_tokens(MESSAGES) is None
    assert upstream.connections == 0
    for path in ("/nowhere/v1", "/strange/v1"):
        backend = backend_at(connections, upstream.base_url.replace("/v1", path))
        assert await backend.count_tokens(MESSAGES) is None
    assert await backend_at(connections, "http://127.0.0.1:9/v1").count_tokens(MESSAGES) is None


async def test_counting_half_a_character(upstream: FakeUpstream, connections: Connections) -> None:
    """Text that cannot be sent is the caller's error here too."""
    with pytest.raises(InvalidRequestError):
        await backend_at(connections, upstream.base_url).count_tokens([Message("user", "\ud800")])


async def test_headers_of_the_row(upstream: FakeUpstream, connections: Connections) -> None:
    """They go out with each request, and are not shown."""
    row = BackendRow(name="azure", place=Place.CLOUD, headers={"api-key": "secret-7"})
    backend = Backend(row, fixed(Address(url=upstream.base_url, model="ok")), connections)
    await collect(backend)
    await backend.probe()
    assert all("\r\napi-key: secret-7\r\n" in asked.head for asked in upstream.requests)
    assert all("authorization" not in asked.head.lower() for asked in upstream.requests)
    assert repr(backend) == "Backend(BackendRow(name='azure', place=<Place.CLOUD: 'cloud'>))"


def test_defaults() -> None:
    """The deadlines that DESIGN's faults list names."""
    deadlines = BackendRow(name="x", place=Place.DEVICE).deadlines
    assert deadlines == Deadlines(connect_seconds=5, first_token_seconds=120, event_seconds=30, total_seconds=1800)


_bytes = st.binary(max_size=60) | st.lists(
    st.sampled_from(
        [
            b"HTTP/1.1 200 OK\r\n",
            b"Content-Type: text/event-stream\r\n",
            b"Content-Type: application/json\r\n",
            b"Transfer-Encoding: chunked\r\n",
            b"Content-Length: 5\r\n",
            b"\r\n",
            b"5\r\n",
            b"data: ",
            b'{"choices": [{"delta": {"content": "x"}}]}',
            b'{"choices": [{"delta": {}, "finish_reason": "stop"}]}',
            b"\n\n",
            b"\x00\xff",
        ]
    ),
    max_size=12,
).map(b"".join)


@settings(max_examples=30, deadline=None)
@given(st.lists(_bytes, min_size=10, max_size=10))
def test_garbage(answers: list[bytes]) -> None:
    """Whatever bytes answer, only our own errors come out, and no connection stays."""
    asyncio.run(_ask_for(answers))


async def _ask_for(answers: list[bytes]) -> None:
    async with serving() as upstream, Connections() as connections:
        row = BackendRow(name="fake", place=Place.CLOUD)
        asking = []
        for model in ("garbage-body", "garbage-answer"):
            backend = Backend(row, fixed(Address(url=upstream.base_url, model=model)), connections)
            requests = [ChatRequest(messages=(Message("user", answer.hex()),)) for answer in answers]
            asking += [collect(backend, request) for request in requests]
        for outcome in await asyncio.gather(*asking):
            whole = any(chunk.finish_reason for chunk in outcome.chunks)
            assert whole or outcome.error is not None
        await upstream.until(lambda: upstream.open_connections == 0)
