"""F13 to F16: nobody there, or a status other than 200."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from homeward.backends import Backend, BackendRow, Connections, Deadlines, fixed
from homeward.backends.health import is_failure
from homeward.protocol.address import Address
from homeward.protocol.chat import ChatRequest, ImagePart, ImageUrl, Message, Sampling, TextPart
from homeward.protocol.errors import (
    BackendDisconnectedError,
    BackendProtocolError,
    BackendStatusError,
    BackendTimeoutError,
    BackendUnreachableError,
    ContextLengthError,
    HomewardError,
    ImagesError,
)
from homeward.protocol.place import Place
from tests.backends.asking import KEY, PROMPT, MakeBackend, Outcome, collect
from tests.backends.exchange import CANARY, TEXT
from tests.backends.fake_upstream import FakeUpstream
from tests.backends.faults import CANT_SEE


def told(error: HomewardError) -> str:
    return f"{error} {error.detail} {error!r}"


async def refused(backend: Backend, request: ChatRequest | None = None) -> BackendStatusError:
    outcome = await (collect(backend) if request is None else collect(backend, request))
    assert isinstance(outcome.error, BackendStatusError)
    assert CANARY not in told(outcome.error)
    assert "sk-" not in told(outcome.error)
    assert outcome.chunks == []
    return outcome.error


def backend_at(
    connections: Connections, url: str, *, api_key: str = "", headers: dict[str, str] | None = None
) -> Backend:
    row = BackendRow(name="fake", place=Place.CLOUD, headers=headers or {})
    return Backend(row, fixed(Address(url=url, model="ok", api_key=api_key)), connections)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (301, "sends us on to another address"),
        (400, "did not accept the request"),
        (401, "refused its key"),
        (403, "refused its key"),
        (404, "does not know the model or the address"),
        (413, "has no room"),
        (418, "did not accept the request"),
        (429, "is busy"),
        (500, "has a fault of its own"),
        (503, "has a fault of its own"),
    ],
)
async def test_status(upstream: FakeUpstream, backend_for: MakeBackend, status: int, words: str) -> None:
    """F15, F16: asked once, told in our words, with the status and what to do."""
    error = await refused(backend_for(f"status-{status}"))
    assert error.upstream_status == status
    assert error.message.startswith(f"The backend 'fake' {words}")
    assert f"(status {status})" in error.message
    assert error.next_step
    assert len(upstream.requests) == 1
    await upstream.quiet()


async def test_redirect_is_not_followed(upstream: FakeUpstream, backend_for: MakeBackend) -> None:
    """It could lead the words to a place that the policy does not allow."""
    assert (await refused(backend_for("redirect"))).upstream_status == 307
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("model", "seconds"),
    [
        ("429-after-20", 20.0),
        ("429-after-0.5", 0.5),
        ("429-ms-1500", 1.5),
        ("429-both", 2.5),
        ("429-after-1000000000", 120.0),
        ("429-ms-1000000000", 120.0),
        ("429-after-0", None),
        ("429-after--1", None),
        ("429-after-inf", None),
        ("429-after-nan", None),
        ("429-after-soon", None),
        ("429-after-past", None),
        ("429-ms-soon", None),
        ("429-plain", None),
    ],
)
async def test_retry_after(backend_for: MakeBackend, model: str, seconds: float | None) -> None:
    """F14: milliseconds before seconds, at most 120 s, nothing where it makes no sense."""
    assert (await refused(backend_for(model))).retry_after_seconds == seconds


async def test_retry_after_a_date(backend_for: MakeBackend) -> None:
    """A date is seconds from now."""
    seconds = (await refused(backend_for("429-after-date"))).retry_after_seconds
    assert seconds is not None
    assert 15 < seconds <= 20


@pytest.mark.parametrize("model", ["status-500-page", "status-500-silence", "status-500-endless"])
async def test_strange_bodies(upstream: FakeUpstream, backend_for: MakeBackend, model: str) -> None:
    """The status is enough, whatever comes as body, or does not."""
    assert (await refused(backend_for(model))).upstream_status == 500
    await upstream.quiet()


@pytest.mark.parametrize("model", ["context-length-openai", "context-length-llama", "context-length-vllm"])
async def test_too_long(backend_for: MakeBackend, model: str) -> None:
    """F16: the user hears how long the prompt is and how much room there is."""
    outcome = await collect(backend_for(model))
    assert isinstance(outcome.error, ContextLengthError)
    assert (outcome.error.prompt_tokens, outcome.error.available_tokens) == (5000, 4096)


PICTURE = ImagePart(ImageUrl("data:image/png;base64,iVBORw0KGgo="))


@pytest.mark.parametrize("server", CANT_SEE)
async def test_images_for_a_model_of_texts(upstream: FakeUpstream, backend_for: MakeBackend, server: str) -> None:
    """The request's fault and not the backend's, whatever status it gives; it is told in our words."""
    request = ChatRequest(messages=(Message("user", (TextPart("What is this?"), PICTURE)),))
    error = (await collect(backend_for(f"cant-see-{server}"), request)).error
    assert isinstance(error, ImagesError)
    assert error.param == "messages"
    assert error.message == "The backend 'fake' can't see images."
    assert not is_failure(error)
    assert (await collect(backend_for(f"cant-see-{server}"))).text == TEXT


async def test_room_for_the_answer_is_not_room_for_the_prompt(backend_for: MakeBackend) -> None:
    """What the answer was to have is taken off; where that is all, no number is blamed on the prompt."""
    for max_tokens, available in ((1000, 3096), (9000, None)):
        request = ChatRequest(messages=(Message("user", PROMPT),), sampling=Sampling(max_tokens=max_tokens))
        error = (await collect(backend_for("context-length-openai"), request)).error
        assert isinstance(error, ContextLengthError)
        assert error.available_tokens == available


async def test_too_long_without_numbers(backend_for: MakeBackend) -> None:
    """Then it is the same error, which says so in words."""
    error = (await collect(backend_for("context-length"))).error
    assert isinstance(error, ContextLengthError)
    assert (error.prompt_tokens, error.available_tokens) == (None, None)
    assert "no room for the conversation" in error.message
    assert CANARY not in told(error)


async def test_flaky(backend_for: MakeBackend) -> None:
    """Nothing is retried in here: each call is one request."""
    backend = backend_for("flaky-2")
    await refused(backend)
    await refused(backend)
    assert (await collect(backend)).text == TEXT


# Nobody there


def assert_unreachable(outcome: Outcome) -> None:
    assert isinstance(outcome.error, BackendUnreachableError)
    assert "'fake'" in outcome.error.message
    assert outcome.error.next_step
    assert outcome.stream is not None
    assert outcome.stream.bytes_sent == 0
    assert KEY not in told(outcome.error)


async def test_refused_connection(connections: Connections) -> None:
    """F13: a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert_unreachable(await collect(backend_at(connections, f"http://127.0.0.1:{port}/v1", api_key=KEY)))


async def test_unknown_host(connections: Connections) -> None:
    """F13: a name that does not resolve."""
    address = Address(url="http://homeward-test.invalid/v1", model="ok")
    backend = Backend(BackendRow(name="fake", place=Place.CLOUD), fixed(address), connections)
    assert_unreachable(await collect(backend))


async def test_no_tls_there(upstream: FakeUpstream, connections: Connections) -> None:
    """Who cannot prove its identity gets nothing, no byte of the request."""
    outcome = await collect(backend_at(connections, upstream.base_url.replace("http", "https"), api_key=KEY))
    assert_unreachable(outcome)
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("url", "api_key"),
    [
        ("ftp://127.0.0.1/v1", ""),
        ("127.0.0.1:8080/v1", ""),
        ("http:///v1", ""),
        ("http://127.0.0.1:99999/v1", ""),
        ("http://user:hunter2@127.0.0.1/v1", KEY),
        ("", ""),
    ],
)
async def test_address_that_is_none(connections: Connections, url: str, api_key: str) -> None:
    """A mistake in the configuration is named as such, without what stands in it."""
    outcome = await collect(backend_at(connections, url, api_key=api_key))
    assert_unreachable(outcome)
    assert outcome.error is not None
    assert "hunter2" not in told(outcome.error)
    assert "configuration" in outcome.error.next_step


@pytest.mark.parametrize("value", [KEY + "\n", KEY + "…", KEY + "\r\nX-Other: 1", "\0"])
async def test_key_or_header_that_is_none(upstream: FakeUpstream, connections: Connections, value: str) -> None:
    """A line break behind a key is found before anything goes out."""
    for backend in (
        backend_at(connections, upstream.base_url, api_key=value),
        backend_at(connections, upstream.base_url, headers={"X-Key": value}),
        backend_at(connections, upstream.base_url, headers={value: "x"}),
    ):
        outcome = await collect(backend)
        assert_unreachable(outcome)
        assert outcome.error is not None
        assert "configuration" in outcome.error.next_step
    assert upstream.requests == []


@asynccontextmanager
async def full_backlog() -> AsyncIterator[int]:
    """A port that lets nobody in."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        port: int = server.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        try:
            for client in waiting:
                client.setblocking(False)
                client.connect_ex(("127.0.0.1", port))
            await asyncio.sleep(0.05)
            yield port
        finally:
            for client in waiting:
                client.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse where Linux lets wait")
async def test_connect_deadline(connections: Connections) -> None:
    """Where nobody accepts, the connection's own deadline passes."""
    row = BackendRow(name="fake", place=Place.CLOUD, deadlines=Deadlines(connect_seconds=0.1))
    async with full_backlog() as port:
        address = Address(url=f"http://127.0.0.1:{port}/v1", model="ok")
        outcome = await collect(Backend(row, fixed(address), connections))
    assert isinstance(outcome.error, BackendTimeoutError)
    assert outcome.error.detail == "deadline connection, 0.1 s"


async def test_statuses_that_are_no_answer(backend_for: MakeBackend) -> None:
    """200 is the only good one."""
    assert (await refused(backend_for("status-202"))).upstream_status == 202
    assert (await refused(backend_for("status-206"))).upstream_status == 206


async def test_kinds_are_told_apart() -> None:
    """Who fails over or ejects on kinds finds no kind inside another."""
    kinds = [
        BackendDisconnectedError,
        BackendProtocolError,
        BackendStatusError,
        BackendTimeoutError,
        BackendUnreachableError,
    ]
    assert not any(issubclass(a, b) for a in kinds for b in kinds if a is not b)


@pytest.mark.parametrize(
    ("model", "words", "next_step"),
    [
        ("code-404-DeploymentNotFound", "knows no deployment of this name", "`model`"),
        ("code-404-MissingApiVersionParameter", "wants an api-version", "`api_version`"),
        ("code-403-AuthenticationTypeDisabled", "accepts no keys", "az login"),
        ("code-401-PermissionDenied", "does not allow it", "Cognitive Services OpenAI User"),
        ("code-404-model_not_found", "does not know the model", "model's name"),
        ("code-429-insufficient_quota", "has no credit left", "Add credit"),
        ("code-400-content_filter", "content filter", "Word the message differently"),
        ("code-511-any", "sign-in of this network", "sign in to the network"),
        ("wants-max_tokens", "does not know the field `max_completion_tokens`", '= "max_tokens"'),
    ],
)
async def test_what_the_code_says(backend_for: MakeBackend, model: str, words: str, next_step: str) -> None:
    """OpenAI's and Azure's own words for what is wrong name the setting that cures it."""
    row = BackendRow(name="fake", place=Place.CLOUD, max_tokens_field="max_completion_tokens")
    backend = backend_for(model)
    backend.row = row
    request = ChatRequest(messages=(Message("user", PROMPT),), sampling=Sampling(max_tokens=5))
    error = await refused(backend, request)
    assert words in error.message
    assert next_step in error.next_step


async def test_a_name_that_does_not_resolve_is_told_apart(connections: Connections) -> None:
    """F13: on that no other try is of use, while a port may open again."""
    unknown = (await collect(backend_at(connections, "http://homeward-test.invalid/v1"))).error
    closed = (await collect(backend_at(connections, "http://127.0.0.1:9/v1"))).error
    assert isinstance(unknown, BackendUnreachableError)
    assert isinstance(closed, BackendUnreachableError)
    assert (unknown.name_resolves, closed.name_resolves) == (False, True)
