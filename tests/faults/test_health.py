"""F13 to F17: when a backend is asked again, and when it is left alone."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from homeward.gateway.refusals import status_of
from homeward.protocol.errors import BackendStatusError, BusyError, NoBackendError
from tests.backends.exchange import TEXT
from tests.faults.world import World, all_of, health_of

pytestmark = pytest.mark.timeout(60)

FAILURES_BEFORE_REST = 5
FIRST_REST_SECONDS = 30.0
LONGER_THAN_A_REST_SECONDS = 38.0
"""A rest of 30 s has up to a quarter more as jitter."""
BUSY_REST_SECONDS = 5.0
STORM_REQUESTS = 200
CALLS_PER_REQUEST = 1.2


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@asynccontextmanager
async def counting_connects(port: int) -> AsyncIterator[list[int]]:
    """Somebody who listens there and hangs up; the list has an entry per connect."""
    connects: list[int] = []

    def met(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connects.append(port)
        writer.close()

    async with await asyncio.start_server(met, "127.0.0.1", port):
        yield connects


class TestUnreachable:
    async def test_f13_who_is_never_there_is_left_alone(self, world: World) -> None:
        """Five failures, and there is not one connect for at least 30 s; then one."""
        port = free_port()
        backend = world.add_cloud("ok", url=f"http://127.0.0.1:{port}/v1")
        tries = 0
        while not backend.health.rests_seconds():
            client = await world.ask()
            assert client.code == "upstream_unreachable"
            tries += len(client.asked)
        assert tries == FAILURES_BEFORE_REST
        assert backend.health.rests_seconds() > FIRST_REST_SECONDS - 1
        async with counting_connects(port) as connects:
            for seconds in (0.0, 10.0, 15.0):
                world.clock.jump(seconds)
                client = await world.ask()
                assert client.code == "no_backend"
                assert client.error is not None
                assert 0 < (client.error.retry_after_seconds or 0) <= LONGER_THAN_A_REST_SECONDS
            assert connects == []
        world.clock.jump(LONGER_THAN_A_REST_SECONDS)
        assert (await world.ask()).code == "upstream_unreachable"

    async def test_f13_a_name_that_does_not_resolve(self, world: World) -> None:
        """Another try at once is of no use."""
        world.add_cloud("ok", url="https://x.invalid/v1")
        client = await world.ask()
        assert (client.code, client.asked) == ("upstream_unreachable", ["ok"])
        assert client.answer.receipt.bytes_out == 0


RETRY_AFTER = [
    ("429-after-20", 20.0),
    ("429-ms-1500", 1.5),
    ("429-after-date", 20.0),
    ("429-after--1", BUSY_REST_SECONDS),
    ("429-after-inf", BUSY_REST_SECONDS),
    ("429-after-1000000000", 120.0),
    ("429-plain", BUSY_REST_SECONDS),
]


class TestBusy:
    @pytest.mark.parametrize(("behaviour", "seconds"), RETRY_AFTER)
    async def test_f14_it_is_left_alone_for_as_long_as_it_said(
        self, world: World, behaviour: str, seconds: float
    ) -> None:
        """At most 120 s, and 5 s where it said nothing sensible; others answer meanwhile."""
        backend = world.add_cloud(behaviour)
        world.add_cloud("ok")
        first = await world.ask()
        assert (first.text, first.asked) == (TEXT, [behaviour, "ok"])
        assert seconds - 1.2 < backend.health.rests_seconds() <= seconds  # a date has no fractions of a second
        second = await world.ask()
        assert second.asked == ["ok"]
        assert [each.reason for each in second.answer.receipt.dropped] == ["resting"]
        assert world.cloud.calls[behaviour] == 1
        world.clock.jump(seconds)
        await world.ask()
        assert world.cloud.calls[behaviour] == 2

    async def test_f14_and_nobody_else_may(self, world: World) -> None:
        """The client learns that it is busy, and for how long."""
        world.add_cloud("429-after-20")
        first = (await world.ask()).error
        assert isinstance(first, BackendStatusError)
        assert (first.upstream_status, first.retry_after_seconds) == (429, 20)
        world.clock.jump(15)
        second = (await world.ask()).error
        assert isinstance(second, BusyError)
        assert status_of(second) == 429
        assert 4 < (second.retry_after_seconds or 0) <= 5
        assert world.cloud.calls["429-after-20"] == 1

    async def test_f14_all_who_may_answer_are_busy(self, world: World) -> None:
        """The client waits for the first one that can be asked again."""
        world.add_cloud("429-after-20")
        world.add_cloud("429-plain")
        await world.ask()
        await world.ask()
        error = (await world.ask()).error
        assert isinstance(error, BusyError)
        assert 0 < (error.retry_after_seconds or 0) <= BUSY_REST_SECONDS

    async def test_f14_one_who_failed_is_not_busy(self, world: World) -> None:
        """Then it is no matter of how much was asked."""
        world.add_cloud("429-after-20")
        await world.ask()
        fallen = world.add_cloud("status-500")
        while not fallen.health.rests_seconds():
            await world.ask()
        error = (await world.ask()).error
        assert isinstance(error, NoBackendError)
        assert status_of(error) == 503

    async def test_f14_those_who_were_on_their_way_learn_it_too(self, world: World) -> None:
        """Their plan was made before it said that it is busy."""
        world.add_cloud("429-after-20")
        early, late = await world.begin(), await world.begin()
        await early.read()
        await late.read()
        assert isinstance(late.error, BusyError)
        assert world.cloud.calls["429-after-20"] == 1

    @pytest.mark.parametrize("behaviour", ["429-plain", "429-after-inf", "429-after-1000000000"])
    async def test_f14_a_long_pause_is_not(self, world: World, behaviour: str) -> None:
        """The client is told at once what it said, not that we leave it alone."""
        world.add_cloud(behaviour)
        error = (await world.ask()).error
        assert isinstance(error, BackendStatusError)
        assert (error.upstream_status, world.cloud.calls[behaviour]) == (429, 1)

    @pytest.mark.parametrize("behaviour", ["429-ms-300", "429-ms-1500"])
    async def test_f14_a_short_pause_is_waited_for(self, world: World, behaviour: str) -> None:
        """Once; then the client is told what it said, not that we leave it alone."""
        world.add_cloud(behaviour)
        error = (await world.ask()).error
        assert isinstance(error, BackendStatusError)
        assert error.upstream_status == 429
        assert world.cloud.calls[behaviour] == 2


class TestStorm:
    async def test_f15_a_storm_of_failures_is_not_made_worse(self, world: World) -> None:
        """Two backends that always fail: at most 1.2 calls for each request, all of which end in an error."""
        for name in ("first", "second"):
            world.add_cloud("status-500", name, at_a_time=STORM_REQUESTS)
        await self.ask_in_a_storm(world)

    async def test_f15_nor_where_nothing_rests(self, world: World) -> None:
        """The budget for further calls alone holds them down."""
        for name in ("first", "second"):
            health_of(world.add_cloud("status-500", name, at_a_time=STORM_REQUESTS))._rests = False
        calls = await self.ask_in_a_storm(world)
        assert calls > STORM_REQUESTS  # some were tried again: else this proves nothing

    async def ask_in_a_storm(self, world: World) -> int:
        clients = [await world.begin() for _ in range(STORM_REQUESTS)]
        await all_of(clients)
        assert {client.code for client in clients} <= {"upstream_status", "backend_resting"}
        calls = world.cloud.calls["status-500"]
        assert calls <= CALLS_PER_REQUEST * STORM_REQUESTS
        return calls


class TestRefused:
    @pytest.mark.parametrize("behaviour", ["status-400", "status-403", "status-404", "status-422", "context-length"])
    async def test_f16_a_refusal_is_passed_on_once(self, world: World, behaviour: str) -> None:
        """In our words, without another call."""
        world.add_cloud(behaviour)
        client = await world.ask()
        assert client.code in {"upstream_status", "context_length_exceeded"}
        assert world.cloud.calls[behaviour] == 1

    @pytest.mark.parametrize("behaviour", ["status-400", "status-422", "context-length"])
    async def test_f16_a_wrong_request_is_wrong_everywhere(self, world: World, behaviour: str) -> None:
        """Nobody else is asked."""
        world.add_cloud(behaviour)
        world.add_cloud("ok")
        await world.ask()
        assert world.cloud.calls["ok"] == 0

    async def test_f16_a_refused_key(self, world: World) -> None:
        """502 at the client, a warning in the log, and the key is not tried again for a while."""
        backend = world.add_cloud("status-401")
        client = await world.ask()
        assert client.error is not None
        assert client.error.status == 502
        assert "refused its key" in client.error.message
        assert [line["backend"] for line in world.log if line["event"] == "attempt_failed"] == ["status-401"]
        assert "refused its key" in backend.health.why
        assert (await world.ask()).code == "no_backend"
        assert world.cloud.calls["status-401"] == 1


class TestHalfOpen:
    async def test_f17_one_probe_and_it_is_well(self, world: World) -> None:
        """Ten requests at once when the rest is over: one of them finds out; from then on all may."""
        behaviour = f"fails-{FAILURES_BEFORE_REST}-then-pauses"
        backend = world.add_cloud(behaviour)
        await self.fall(world, behaviour)
        world.clock.jump(LONGER_THAN_A_REST_SECONDS)
        clients = [await world.begin() for _ in range(10)]
        await all_of(clients)
        assert world.cloud.calls[behaviour] == FAILURES_BEFORE_REST + 1
        assert sorted(client.code for client in clients) == ["", *["backend_resting"] * 9]
        assert not health_of(backend).is_open
        clients = [await world.begin() for _ in range(10)]
        await all_of(clients)
        assert {client.code for client in clients} == {""}

    async def test_f17_a_probe_that_fails_doubles_the_rest(self, world: World) -> None:
        """One call, and then twice as long none."""
        behaviour = f"flaky-{FAILURES_BEFORE_REST + 1}"
        backend = world.add_cloud(behaviour)
        await self.fall(world, behaviour)
        world.clock.jump(LONGER_THAN_A_REST_SECONDS)
        await world.ask()
        assert world.cloud.calls[behaviour] == FAILURES_BEFORE_REST + 1
        assert 2 * FIRST_REST_SECONDS - 1 < backend.health.rests_seconds() <= 2 * LONGER_THAN_A_REST_SECONDS

    async def test_f17_a_prober_who_leaves_lets_the_next_one_probe(self, world: World) -> None:
        """That says nothing about the backend."""
        backend = world.add_cloud("no-headers")
        for _ in range(FAILURES_BEFORE_REST):
            permit = health_of(backend).permit_now()
            assert permit is not None
            permit.failed(BackendStatusError("It fails.", upstream_status=500))
        world.clock.jump(LONGER_THAN_A_REST_SECONDS)
        prober = await world.begin()
        prober.read_on()
        await world.cloud.until(lambda: world.cloud.running > 0)
        assert await backend.health.permit() is None
        await prober.leave()
        assert not backend.health.rests_seconds()
        assert health_of(backend).is_open

    async def fall(self, world: World, behaviour: str) -> None:
        """Have it refused until it rests."""
        [backend] = world.backends.values()
        while not backend.health.rests_seconds():
            await world.ask()
        assert world.cloud.calls[behaviour] == FAILURES_BEFORE_REST
