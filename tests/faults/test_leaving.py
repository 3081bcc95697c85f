"""F18, F19, F21 and F22: clients that go away, and more of them than can be served."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from homeward.completion import Waiting
from homeward.protocol.address import Address
from homeward.protocol.errors import OverloadedError
from tests.backends.exchange import TEXT
from tests.backends.fake_upstream import FakeUpstream
from tests.faults.world import Client, World, is_text, line_of

pytestmark = pytest.mark.timeout(60)

CLOSED_SECONDS = 0.5
"""An upstream whose client left is closed within this time."""
SLOTS, WAITING = 4, 16
STORM = 50 * SLOTS


class TestLeaving:
    @pytest.mark.parametrize("place", ["device", "cloud"])
    async def test_f18_a_client_that_leaves_in_the_middle(self, world: World, place: str) -> None:
        """The upstream is closed at once, and what had left is in the receipt."""
        upstream, _ = add(world, "never-ends", place)
        client = await (await world.begin()).read_until(is_text)
        await client.leave()
        await upstream.until(lambda: upstream.clients_left_early == 1, CLOSED_SECONDS)
        assert client.answer.receipt.outcome == "stopped"
        assert bool(client.answer.receipt.bytes_out) == (place == "cloud")

    @pytest.mark.parametrize("place", ["device", "cloud"])
    async def test_f19_a_client_that_waits_for_the_whole_answer(self, world: World, place: str) -> None:
        """It is gone before there is any; the work for it ends likewise, and no other one begins it anew."""
        upstream, _ = add(world, "no-first-token-silence", place)
        add(world, "ok", place)
        client = await world.begin()
        client.read_on()
        await upstream.until(lambda: upstream.running == 1)
        await client.leave()
        await upstream.until(lambda: upstream.clients_left_early == 1, CLOSED_SECONDS)
        assert client.answer.receipt.outcome == "stopped"
        assert upstream.calls == {"no-first-token-silence": 1}

    async def test_f19_one_that_leaves_between_two_tries(self, world: World) -> None:
        """Nothing is asked for somebody who is gone."""
        world.add_cloud("429-ms-1500")
        client = await world.begin()
        client.read_on()
        await world.cloud.until(lambda: world.cloud.calls["429-ms-1500"] == 1 and world.cloud.running == 0)
        await client.leave()
        assert world.cloud.calls["429-ms-1500"] == 1

    async def test_f19_one_that_leaves_while_the_model_loads(self, world: World) -> None:
        """The wait ends with it."""
        ended = asyncio.Event()

        @contextlib.asynccontextmanager
        async def loading(_model: str) -> AsyncIterator[Address]:
            try:
                await asyncio.Event().wait()
                yield Address(url="", model="")
            finally:
                ended.set()

        world.add_device("ok", locate=loading, restarts=True)
        client = await world.begin()
        client.read_on()
        await client.begun.wait()  # told that it loads
        await client.leave()
        assert ended.is_set()
        assert world.home.connections == 0


class TestTooMany:
    async def test_f21_fifty_times_its_capacity(self, world: World) -> None:
        """As many as there are slots and places in line are served; all others are refused before one is through."""
        world.add_device("ok-slow", at_a_time=SLOTS, waiting=WAITING)
        clients = [await world.begin() for _ in range(STORM)]
        tasks = [client.read_on() for client in clients]
        most = asyncio.create_task(most_at_once(world.home))
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        await world.home.until(lambda: world.home.running == SLOTS)
        refused = [client for client, task in zip(clients, tasks, strict=True) if task.done()]
        assert len(refused) == STORM - SLOTS - WAITING
        for client in refused:
            assert isinstance(client.error, OverloadedError)
            assert 1 <= (client.error.retry_after_seconds or 0) <= 120
        await asyncio.gather(*tasks)
        served = [client for client in clients if not client.code]
        assert len(served) == SLOTS + WAITING == world.home.calls["ok-slow"]
        assert {client.text for client in served} == {TEXT * 4}
        assert first_places(served) == [*range(WAITING)]
        most.cancel()
        assert await asyncio.gather(most, return_exceptions=True)
        assert world.home.clients_left_early == 0

    async def test_f21_never_more_at_once_than_there_are_slots(self, world: World) -> None:
        """However they come and go."""
        world.add_device("ok-slow", at_a_time=SLOTS, waiting=WAITING)
        most = asyncio.create_task(most_at_once(world.home))
        clients = [await world.begin() for _ in range(SLOTS + WAITING)]
        tasks = [client.read_on() for client in clients]
        await world.home.until(lambda: world.home.running == SLOTS)
        for client in clients[::3]:
            await client.leave()
        await asyncio.wait(tasks)
        await world.home.quiet()
        most.cancel()
        assert await most == SLOTS

    async def test_f21_a_full_home_is_no_reason_to_go_elsewhere_against_the_policy(self, world: World) -> None:
        """Who must stay home is refused there, and asked for patience."""
        world.add_device("ok-slow", at_a_time=1, waiting=0)
        world.add_cloud("ok")
        first = await (await world.begin()).read_until(is_text)
        second = await world.ask(stays_home=True)
        assert second.code == "queue_full"
        assert world.cloud.connections == 0
        await first.leave()

    @pytest.mark.opt_in
    async def test_f21_its_limits_in_time(self, world: World) -> None:
        """On a machine with nothing else to do: refused in 100 ms, served no slower than half as long again."""
        world.add_device("ok-slow", at_a_time=SLOTS, waiting=WAITING)
        alone = [await self.timed(await world.begin()) for _ in range(5)]
        clients = [await world.begin() for _ in range(STORM)]
        took = await asyncio.gather(*(self.timed(client) for client in clients))
        refused = [seconds for seconds, client in zip(took, clients, strict=True) if client.code]
        served = [seconds for seconds, client in zip(took, clients, strict=True) if not client.code]
        assert max(refused) < 0.1
        assert max(served) < 1.5 * sorted(alone)[2]

    async def timed(self, client: Client) -> float:
        """Seconds from its turn to its end; where its turn never came, from its arrival."""
        began = time.monotonic()
        async for event in client.answer.events():
            client.events.append(event)
            if isinstance(event, Waiting) and event.phase == "loading":
                began = time.monotonic()
        return time.monotonic() - began

    async def test_f22_a_client_that_leaves_the_line(self, world: World) -> None:
        """Its place is the next one's, and it is never sent."""
        backend = world.add_device("never-ends", at_a_time=1, waiting=1)
        first = await (await world.begin()).read_until(is_text)
        second = await (await world.begin()).read_until(lambda event: isinstance(event, Waiting))
        assert (await world.ask()).code == "queue_full"
        await second.leave()
        assert line_of(backend).length == 0
        third = await (await world.begin()).read_until(lambda event: isinstance(event, Waiting))
        await first.leave()
        await third.read_until(is_text)
        await third.leave()
        assert world.home.calls["never-ends"] == 2
        assert second.asked == ["never-ends"]
        assert second.answer.receipt.outcome == "stopped"


def add(world: World, behaviour: str, place: str) -> tuple[FakeUpstream, object]:
    """A backend in this place, and what it asks."""
    if place == "cloud":
        return world.cloud, world.add_cloud(behaviour)
    return world.home, world.add_device(behaviour)


def first_places(clients: list[Client]) -> list[int]:
    """How many stood before each one that had to wait, when it came."""
    told = [[e.ahead for e in client.events if isinstance(e, Waiting) and e.phase == "queued"] for client in clients]
    return sorted(ahead[0] for ahead in told if ahead)


async def most_at_once(upstream: FakeUpstream) -> int:
    """Requests that were answered at the same time, at most; tells when it is cancelled."""
    most = 0
    with contextlib.suppress(asyncio.CancelledError):
        async with upstream._changed:
            while True:
                most = max(most, upstream.running)
                await upstream._changed.wait()
    return most
