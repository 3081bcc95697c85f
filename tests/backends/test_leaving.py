"""Who leaves early, reads slowly or shuts down: the upstream notices, and nothing is left behind."""

import asyncio
import gc
import socket
import tracemalloc
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from homeward.backends import Backend, BackendRow, Connections, fixed
from homeward.protocol.address import Address
from homeward.protocol.chat import ChatRequest, Message
from homeward.protocol.errors import (
    BackendDisconnectedError,
    BackendTimeoutError,
    EngineStartError,
    InvalidRequestError,
    OverloadedError,
)
from homeward.protocol.place import Place
from tests.backends.asking import EARLY, PATIENT, REQUEST, MakeBackend, collect
from tests.backends.exchange import TEXT
from tests.backends.fake_upstream import FakeUpstream


class Lease(AbstractAsyncContextManager[Address]):
    """An address that counts who holds it."""

    def __init__(self, address: Address) -> None:
        self.address = address
        self.held = 0
        self.taken = 0

    def __call__(self, _model: str) -> Self:
        return self

    async def __aenter__(self) -> Address:
        self.held += 1
        self.taken += 1
        return self.address

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.held -= 1


async def read_first(backend: Backend) -> str:
    """Leaves in the middle of the answer, by the front door."""
    async with backend.open_stream(REQUEST) as stream:
        async for chunk in stream:
            return chunk.text
    return ""


async def test_leaving_the_context_closes(upstream: FakeUpstream, backend_for: MakeBackend) -> None:
    """F18: the upstream knows within 500 ms."""
    assert await read_first(backend_for("never-ends")) == " and"
    left_at = asyncio.get_running_loop().time()
    await upstream.quiet()
    assert upstream.clients_left_early == 1
    assert upstream.client_left_at - left_at < 0.5
    assert upstream.open_connections == 0


@pytest.mark.parametrize("model", ["no-headers", "no-first-token-silence", "stall-after-token", "never-ends"])
async def test_cancelled(upstream: FakeUpstream, backend_for: MakeBackend, model: str) -> None:
    """F18, F19: cancelled in whatever it waits for, it lets go at once and stays cancelled."""
    task = asyncio.create_task(collect(backend_for(model)))
    await upstream.until(lambda: upstream.running == 1)
    await asyncio.sleep(0.05)
    task.cancel()
    left_at = asyncio.get_running_loop().time()
    with pytest.raises(asyncio.CancelledError):
        await task
    await upstream.until(lambda: upstream.running == 0 and upstream.open_connections == 0)
    assert upstream.clients_left_early == 1
    assert upstream.client_left_at - left_at < 0.5
    assert asyncio.all_tasks() - {asyncio.current_task()} <= upstream_tasks()


def upstream_tasks() -> set[asyncio.Task[Any]]:
    """Those of the fake upstream, which runs on the same loop."""
    return {task for task in asyncio.all_tasks() if "fake_upstream" in str(task.get_coro())}


async def test_nothing_is_sent_before_the_first_chunk_is_wanted(
    upstream: FakeUpstream, backend_for: MakeBackend
) -> None:
    """Who enters and leaves has asked nothing."""
    async with backend_for("ok").open_stream(REQUEST) as stream:
        assert stream.address.model == "ok"
    assert stream.bytes_sent == 0
    assert upstream.requests == []
    with pytest.raises(StopAsyncIteration):
        await anext(stream)


async def test_a_stream_that_ended_stays_ended(backend_for: MakeBackend) -> None:
    """After the end, after an error, and after leaving."""
    async with backend_for("ok").open_stream(REQUEST) as stream:
        assert "".join([chunk.text async for chunk in stream]) == TEXT
        assert [chunk async for chunk in stream] == []
    broken = await collect(backend_for("silent-end"))
    assert broken.stream is not None
    assert [chunk async for chunk in broken.stream] == []


async def test_the_consumers_error_passes(upstream: FakeUpstream, backend_for: MakeBackend) -> None:
    """An error of the consumer's own comes out as it is, and closes."""

    async def fail() -> None:
        async with backend_for("never-ends").open_stream(REQUEST) as stream:
            async for _ in stream:
                raise LookupError("the consumer's own")

    with pytest.raises(LookupError):
        await fail()
    await upstream.quiet()
    assert upstream.open_connections == 0


@pytest.mark.parametrize("model", ["ok", "half-event-rst", "no-headers", "status-500", "never-ends"])
async def test_the_lease_is_given_back(upstream: FakeUpstream, connections: Connections, model: str) -> None:
    """An engine is held for as long as it answers, and not longer, however that ends."""
    lease = Lease(Address(url=upstream.base_url, model=model))
    backend = Backend(BackendRow(name="home", place=Place.DEVICE, deadlines=EARLY), lease, connections)
    if model == "never-ends":
        await read_first(backend)
    else:
        await collect(backend)
    assert (lease.held, lease.taken) == (0, 1)


async def test_an_engine_that_does_not_start(connections: Connections) -> None:
    """What the engine raises passes as it is."""

    class Broken(Lease):
        async def __aenter__(self) -> Address:
            raise EngineStartError("The engine did not start.")

    lease = Broken(Address(url="http://127.0.0.1/v1", model="ok"))
    backend = Backend(BackendRow(name="home", place=Place.DEVICE), lease, connections)
    assert type((await collect(backend)).error) is EngineStartError


async def test_text_that_cannot_be_sent(upstream: FakeUpstream, backend_for: MakeBackend) -> None:
    """F33: half a surrogate pair is refused before anything goes out."""
    outcome = await collect(backend_for("ok"), ChatRequest(messages=(Message("user", "\ud800"),)))
    assert type(outcome.error) is InvalidRequestError
    assert upstream.requests == []


async def test_slow_consumer(upstream: FakeUpstream, backend_for: MakeBackend) -> None:
    """F24: who does not read holds the upstream back; what is kept here is some 64 kB."""
    async with backend_for("flood").open_stream(REQUEST) as stream:
        await anext(stream)
        await settled(lambda: upstream.bytes_written)
        written = upstream.bytes_written
        tracemalloc.start()
        try:
            await asyncio.sleep(0.2)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert upstream.bytes_written == written
        assert written < 20_000_000  # the kernel's buffers on both sides
        assert peak < 500_000
    await upstream.quiet()


async def settled(value: Callable[[], int]) -> None:
    """Waits until `value` has not changed for a while."""
    async with asyncio.timeout(5):
        last = -1
        while (now := value()) != last:
            last = now
            await asyncio.sleep(0.1)


def open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="open files are counted there")
async def test_large_request_that_nobody_reads(connections: Connections) -> None:
    """Given up, a request does not wait for the peer to take what was written."""
    request = ChatRequest(messages=(Message("user", "x" * 20_000_000),))
    row = BackendRow(name="stopped", place=Place.DEVICE, deadlines=EARLY)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = Address(url=f"http://127.0.0.1:{server.getsockname()[1]}/v1", model="ok")
        before = open_files()
        outcome = await collect(Backend(row, fixed(address), connections), request)
        assert isinstance(outcome.error, BackendTimeoutError)
        await asyncio.sleep(0.01)
        assert open_files() == before


async def test_early_refusal_of_a_large_request(upstream: FakeUpstream, backend_for: MakeBackend) -> None:
    """The answer counts, though not all of the request was taken."""
    request = ChatRequest(messages=(Message("user", "x" * 5_000_000),))
    outcome = await collect(backend_for("status-413"), request)
    assert outcome.error is not None
    assert "(status 413)" in outcome.error.message
    await upstream.quiet()


@pytest.mark.parametrize("model", ["ok", "status-500", "half-event-fin", "no-headers", "html-200", "json-200"])
async def test_bytes_sent(upstream: FakeUpstream, backend_for: MakeBackend, model: str) -> None:
    """The receipt's count is what came over the wire, also for an answer that failed."""
    outcome = await collect(backend_for(model, deadlines=EARLY if model == "no-headers" else PATIENT))
    assert outcome.stream is not None
    assert outcome.stream.bytes_sent == upstream.requests[0].raw_bytes
    assert outcome.stream.bytes_out == outcome.stream.bytes_sent


@pytest.mark.parametrize(
    ("place", "leaves"),
    [(Place.DEVICE, False), (Place.BROWSER, False), (Place.NETWORK, True), (Place.CLOUD, True)],
)
async def test_bytes_out(backend_for: MakeBackend, place: Place, leaves: bool) -> None:
    """Only what goes to another machine has left this one."""
    outcome = await collect(backend_for("ok", place=place))
    assert outcome.stream is not None
    assert outcome.stream.bytes_sent > 0
    assert (outcome.stream.bytes_out > 0) is leaves


async def test_shutting_down(upstream: FakeUpstream) -> None:
    """Closing the connections ends every answer at once, whatever it waits for; later ones are refused."""
    async with Connections() as connections:

        def backend(model: str) -> Backend:
            row = BackendRow(name="fake", place=Place.CLOUD)
            return Backend(row, fixed(Address(url=upstream.base_url, model=model)), connections)

        models = ["no-headers", "no-first-token-silence", "stall-after-token", "never-ends", "flood"]
        tasks = [asyncio.create_task(collect(backend(model))) for model in models]
        await upstream.until(lambda: upstream.running == len(models))
        await asyncio.sleep(0.1)
        async with backend("flood").open_stream(REQUEST) as unread:
            await anext(unread)
            await connections.__aexit__(None, None, None)
            outcomes = await asyncio.wait_for(asyncio.gather(*tasks), 1)
            with pytest.raises(BackendDisconnectedError):
                async for _ in unread:
                    pass
    assert all(isinstance(outcome.error, BackendDisconnectedError) for outcome in outcomes)
    assert isinstance((await collect(backend("ok"))).error, OverloadedError)
    await upstream.quiet()


async def test_connections_are_closed_at_the_end(upstream: FakeUpstream) -> None:
    """Idle ones too."""
    async with Connections() as connections:
        row = BackendRow(name="fake", place=Place.CLOUD)
        await collect(Backend(row, fixed(Address(url=upstream.base_url, model="ok")), connections))
        assert upstream.open_connections == 1
    await upstream.until(lambda: upstream.open_connections == 0)


async def test_a_stream_nobody_left(upstream: FakeUpstream, backend_for: MakeBackend) -> None:
    """Also a context that is dropped without being left is closed, by the garbage collector and asyncio."""
    context = backend_for("never-ends").open_stream(REQUEST)
    stream = await context.__aenter__()
    assert (await anext(stream)).text == " and"
    del context, stream
    gc.collect()
    await upstream.quiet()
