"""The keeper's end and the workers' ends in one event loop, over real sockets: what no clock of a process can show."""

import asyncio
import pickle
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import msgspec
import pytest
from structlog.testing import capture_logs

from homeward.app.answering import Answering
from homeward.app.compose import Parts
from homeward.app.recent_receipts import RecentReceipts
from homeward.app.workers import crew, keeper
from homeward.app.workers.channel import Channel
from homeward.app.workers.crew import Crew
from homeward.app.workers.holdings import Holdings
from homeward.app.workers.link import Link
from homeward.app.workers.messages import (
    Drain,
    EndNow,
    EndTurn,
    Failure,
    FromKeeper,
    FromWorker,
    SpendChanged,
    Start,
    Up,
)
from homeward.app.workers.shared import Shared
from homeward.app.workers.stand_ins import SharedEngines, SharedHealth, SharedLine, SharedSpend
from homeward.backends import Connections, Health, Line
from homeward.config import CloudSettings, Settings
from homeward.engines.restart import RestartPolicy
from homeward.observability.spend import Spend, month_of, utc_now
from homeward.protocol.address import Address
from homeward.protocol.errors import (
    BackendStatusError,
    BackendUnreachableError,
    BrokenOffError,
    ConfigError,
    ContextLengthError,
    EngineStartError,
    HomewardError,
    OverloadedError,
    QueueFullError,
)

UP = "up"
FAILED = BackendStatusError("It fails.", upstream_status=500)
LONGER_THAN_A_REST_SECONDS = 38.0
START = Start(b"", 1)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no workers there")


class Clock:
    """The monotonic clock, and what a test has it jump forward."""

    def __init__(self) -> None:
        self.jumped = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.jumped


class Pool:
    """Engines that are there once the test says so; who holds one is counted."""

    def __init__(self) -> None:
        self.ready = asyncio.Event()
        self.asked = 0
        self.users = 0

    @asynccontextmanager
    async def lease(self, model: str) -> AsyncIterator[Address]:
        self.asked += 1
        await self.ready.wait()
        if model == "broken":
            raise EngineStartError("It is broken.", next_step="Take another one.", retry_after_seconds=7)
        self.users += 1
        try:
            yield Address(url="http://127.0.0.1:1/v1", api_key="k", model=model, context_tokens=512)
        finally:
            self.users -= 1


class World:
    """What is shared, by any number of workers."""

    def __init__(self, folder: Path, connections: Connections) -> None:
        self.clock = Clock()
        self.spend = Spend()
        cloud = CloudSettings(url="http://127.0.0.1:1/v1", model="m", auth="none")
        self.answering = Answering(Settings(data_dir=folder, clouds={UP: cloud}), connections)
        self.health = Health(clock=self.clock, random=Random(1))
        self.line = Line("It", at_a_time=1, waiting=1)
        self.answering.backends[UP].health = self.health
        self.answering.backends[UP].line = self.line
        self.shared = Shared(self.answering, self.spend, RecentReceipts())
        self.ends: list[Channel[FromWorker, FromKeeper]] = []

    async def worker(self) -> "Worker":
        """One more."""
        ours, its_end = socket.socketpair()
        gone = asyncio.Event()
        holdings = Holdings(self.shared, lambda message: channel.send(message), lambda _: None)  # noqa: PLW0108
        channel: Channel[FromWorker, FromKeeper] = Channel(FromWorker, holdings.hear, gone.set)
        await channel.open(ours)
        for message in (START, *self.shared.now()):
            channel.send(message)
        self.shared.listeners.add(channel.send)
        self.ends.append(channel)
        link = Link()
        assert await link.open(its_end) == START
        return Worker(self, link, holdings, gone)


class Worker:
    """One worker's end, and what the keeper has of it."""

    def __init__(self, world: World, link: Link, holdings: Holdings, gone: asyncio.Event) -> None:
        self.link = link
        self.line = SharedLine(link, UP)
        self.health = SharedHealth(link, UP, world.clock)
        self.spend = SharedSpend(link)
        self.engines = SharedEngines(link)
        self.holdings = holdings
        self._gone = gone

    async def die(self) -> None:
        """As a process that is killed."""
        self.link.close()
        await self._gone.wait()
        await self.holdings.end()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with Connections() as connections:
        world = World(tmp_path, connections)
        yield world
        for end in world.ends:
            end.close()
        await world.shared.close()


async def until(holds: Callable[[], bool]) -> None:
    """What was sent has come; it takes a few turns of the loop."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110 - sockets
            await asyncio.sleep(0)


async def has_come(worker: Worker, *, background: bool = False) -> None:
    """Stand in line until it is its turn; keep it."""
    turn = worker.line.turn(background=background)
    async for _ in turn.ahead():
        pass


class TestHealth:
    """One breaker for all."""

    async def fall(self, world: World, *workers: Worker) -> None:
        """Five failures, at one worker after the other; then the rest is over."""
        for number in range(5):
            permit = await workers[number % len(workers)].health.permit()
            assert permit is not None
            permit.failed(FAILED)
        await until(lambda: all(worker.health.rests_seconds() > 29 for worker in workers))
        assert {worker.health.why for worker in workers} == {"It fails."}
        assert [await worker.health.permit() for worker in workers] == [None] * len(workers)
        world.clock.jumped += LONGER_THAN_A_REST_SECONDS

    async def test_half_open_lets_one_through(self, world: World) -> None:
        """Of all that ask at the same time at both; when it succeeds, all may."""
        workers = [await world.worker(), await world.worker()]
        await self.fall(world, *workers)
        permits = await asyncio.gather(*(worker.health.permit() for worker in workers * 5))
        [permit] = filter(None, permits)
        await until(lambda: all(worker.health.rests_seconds() > 0 for worker in workers))
        permit.succeeded(0.1, 10)
        await until(lambda: not any(worker.health.rests_seconds() for worker in workers))
        assert None not in await asyncio.gather(*(worker.health.permit() for worker in workers * 5))
        assert world.health.state.openings == 0

    async def test_a_probe_that_fails_has_all_rest_longer(self, world: World) -> None:
        """Twice as long."""
        workers = [await world.worker(), await world.worker()]
        await self.fall(world, *workers)
        permit = await workers[1].health.permit()
        assert permit is not None
        permit.failed(FAILED)
        await until(lambda: all(worker.health.rests_seconds() > 59 for worker in workers))

    async def test_a_failure_that_began_before_is_not_counted_again(self, world: World) -> None:
        """As in one process."""
        worker = await world.worker()
        early = await worker.health.permit()
        assert early is not None
        await self.fall(world, worker)
        before = world.health.state
        early.failed(FAILED)
        await has_come(worker)  # what was said before has been heard
        assert world.health.state == before

    async def test_a_success_in_between_begins_anew(self, world: World) -> None:
        """At whichever worker."""
        first, second = await world.worker(), await world.worker()
        for _ in range(4):
            permit = await first.health.permit()
            assert permit is not None
            permit.failed(FAILED)
        await until(lambda: second.link.healths[UP].failures == 4)
        permit = await second.health.permit()
        assert permit is not None
        permit.succeeded(0.1, 10)
        await until(lambda: first.link.healths[UP].failures == 0)

    @pytest.mark.parametrize("way", ["leaves", "dies"])
    async def test_a_prober_that_is_gone_lets_the_next_one_probe(self, world: World, way: str) -> None:
        """The request, or its whole worker."""
        first, second = await world.worker(), await world.worker()
        await self.fall(world, first, second)
        permit = await first.health.permit()
        assert permit is not None
        assert await second.health.permit() is None
        if way == "leaves":
            permit.given_up()
        else:
            await first.die()
        await until(lambda: not second.health.rests_seconds())
        assert await second.health.permit() is not None

    async def test_who_leaves_before_the_answer_has_no_permit(self, world: World) -> None:
        """Else nobody would ever probe again."""
        first, second = await world.worker(), await world.worker()
        await self.fall(world, first, second)
        asking = asyncio.create_task(first.health.permit())
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait({asking})
        assert asking.cancelled()
        await has_come(first)
        await until(lambda: not second.health.rests_seconds())
        assert await second.health.permit() is not None


class TestLine:
    """One line for all."""

    async def test_first_come_first_served_and_the_background_last(self, world: World) -> None:
        """Whose worker it is makes no difference."""
        world.line._bound = 3
        first, second = await world.worker(), await world.worker()
        came: list[str] = []
        await has_come(first)

        async def stand(worker: Worker, name: str, *, background: bool = False) -> None:
            turn = worker.line.turn(background=background)
            async for _ in turn.ahead():
                pass
            came.append(name)
            turn.end()

        standing = []
        for number, (worker, name, background) in enumerate(
            [(second, "task", True), (first, "early", False), (second, "late", False)]
        ):
            standing.append(asyncio.create_task(stand(worker, name, background=background)))
            await until(lambda length=number + 1: world.line.length == length)  # type: ignore[misc]
        with pytest.raises(QueueFullError, match="3 requests wait"):
            await has_come(first)
        first.link.send(EndTurn(1))
        await asyncio.gather(*standing)
        assert came == ["early", "late", "task"]

    async def test_who_is_ahead_is_told_when_it_changes(self, world: World) -> None:
        """Also at another worker."""
        world.line._bound = 2
        first, second = await world.worker(), await world.worker()
        await has_come(first)
        before = first.line.turn()
        turn = second.line.turn()
        ahead = turn.ahead()
        assert await anext(ahead) == 1
        before.end()
        assert await anext(ahead) == 0
        first.link.send(EndTurn(1))
        assert [number async for number in ahead] == []
        turn.end()
        await until(lambda: world.line._free == 1)

    async def test_who_leaves_the_line_makes_room(self, world: World) -> None:
        """Without a trace."""
        worker = await world.worker()
        await has_come(worker)
        with capture_logs() as log:
            standing = asyncio.create_task(anext((turn := worker.line.turn()).ahead()))
            assert await standing == 0
            turn.end()
            await until(lambda: world.line.length == 0)
            await until(lambda: not worker.holdings._tasks)
            worker.link.send(EndTurn(1))
            await asyncio.wait_for(has_come(worker), 10)
        assert log == []

    async def test_what_a_dead_worker_held_is_free(self, world: World) -> None:
        """Its turn, and its places in line."""
        first, second = await world.worker(), await world.worker()
        await has_come(first)
        first.line.turn()
        await until(lambda: world.line.length == 1)
        await first.die()
        assert world.line.length == 0
        await asyncio.wait_for(has_come(second), 10)
        await second.die()
        assert world.line._free == 1


class TestSpend:
    """One sum for all."""

    async def test_nobody_passes_the_limit_together(self, world: World) -> None:
        """Ten at once, of which three fit."""
        workers = [await world.worker(), await world.worker()]
        made = await asyncio.gather(*(worker.spend.reserve(3, limit=10) for worker in workers * 5))
        reservations = list(filter(None, made))
        assert len(reservations) == 3
        reservations[0].settle(0.5)
        reservations[1].settle(None)
        await until(lambda: all(worker.spend.month() == 6.5 for worker in workers))

    async def test_who_leaves_before_the_answer_reserves_nothing(self, world: World) -> None:
        """Nothing was sent."""
        worker = await world.worker()
        asking = asyncio.create_task(worker.spend.reserve(3, limit=10))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait({asking})
        assert await worker.spend.reserve(10, limit=10) is not None

    async def test_what_a_dead_worker_reserved_counts_as_the_most(self, world: World) -> None:
        """Nobody can tell what it did cost."""
        worker = await world.worker()
        assert await worker.spend.reserve(3) is not None
        await worker.die()
        assert world.spend.month() == 3

    async def test_a_new_month_begins_without_being_told(self, world: World) -> None:
        """Else a budget that was spent would never be asked for again."""
        worker = await world.worker()
        year, month = month_of(utc_now())
        worker.link.spend = SpendChanged((year, month), 99.0)
        assert worker.spend.month() == 99
        worker.link.spend = SpendChanged((year - 1, month), 99.0)
        assert worker.spend.month() == 0


class TestEngines:
    """One pool for all."""

    @pytest.fixture
    async def pool(self, world: World) -> Pool:
        pool = Pool()
        world.shared.pool = pool  # type: ignore[assignment]
        world.shared.follow = lambda model: None  # type: ignore[method-assign] # noqa: ARG005
        return pool

    async def test_it_is_held_for_as_long_as_it_is_used(self, world: World, pool: Pool) -> None:
        """And then no longer."""
        worker = await world.worker()
        pool.ready.set()
        async with worker.engines.lease("toy") as address:
            assert (address.model, address.api_key, address.context_tokens) == ("toy", "k", 512)
            assert pool.users == 1
        await until(lambda: pool.users == 0)

    @pytest.mark.parametrize("way", ["leaves", "dies"])
    @pytest.mark.parametrize("is_ready", [False, True])
    async def test_who_is_gone_holds_none(self, world: World, pool: Pool, way: str, *, is_ready: bool) -> None:
        """Before it was there, or after."""
        worker = await world.worker()
        if is_ready:
            pool.ready.set()

        async def use() -> None:
            async with worker.engines.lease("toy"):
                await asyncio.Event().wait()

        using = asyncio.create_task(use())
        await until(lambda: pool.asked == 1 and pool.users == is_ready)
        if way == "dies":
            await worker.die()
        using.cancel()
        await asyncio.wait({using})
        pool.ready.set()
        await until(lambda: pool.users == 0)
        async with (await world.worker()).engines.lease("toy"):
            assert pool.users == 1

    async def test_why_there_is_none_is_told(self, world: World, pool: Pool) -> None:
        """As the pool says it."""
        worker = await world.worker()
        pool.ready.set()
        with pytest.raises(EngineStartError, match="It is broken") as told:
            async with worker.engines.lease("broken"):
                pass
        assert (told.value.next_step, told.value.retry_after_seconds) == ("Take another one.", 7)


@pytest.mark.parametrize("how", [Drain(), EndNow()])
async def test_who_begins_while_all_end_is_told(world: World, how: Drain | EndNow) -> None:
    """A worker that was being started when the signal came."""
    before = await world.worker()
    world.shared.end(how)
    after = await world.worker()
    for worker in (before, after):
        await worker.link.stopping.wait()
        await until(lambda link=worker.link: link.hurry.is_set() == isinstance(how, EndNow))  # type: ignore[misc]


async def test_nobody_waits_for_a_keeper_that_is_gone(world: World) -> None:
    """Those who wait are told, and those who ask later too; the worker is to end at once."""
    worker = await world.worker()
    await has_come(worker)
    waiting = asyncio.create_task(has_come(worker))
    await until(lambda: world.line.length == 1)
    world.ends[0].close()
    for asking in (waiting, has_come(worker), worker.spend.reserve(1)):
        with pytest.raises(OverloadedError, match="shutting down"):
            await asking
    assert worker.link.stopping.is_set()
    assert worker.link.hurry.is_set()


@pytest.mark.parametrize(
    "error",
    [
        BackendStatusError("No.", upstream_status=429, retry_after_seconds=3),
        BackendUnreachableError("No.", detail="d", name_resolves=False),
        BrokenOffError("shutdown", "No."),
        ContextLengthError(prompt_tokens=7, available_tokens=None),
        HomewardError("No.", next_step="Try."),
    ],
)
def test_an_error_is_the_same_behind_the_channel(error: HomewardError) -> None:
    """Its class, its words and all that it knows."""
    sent = msgspec.msgpack.decode(msgspec.msgpack.encode(Failure.of(error)), type=Failure).error()
    assert type(sent) is type(error)
    assert str(sent) == str(error)
    assert vars(sent) == vars(error)


def test_an_error_of_a_class_that_is_not_known_here_is_that_above_it() -> None:
    """A worker imports less than its keeper."""
    sent = Failure(("NewError", "EngineStartError", "EngineError", "HomewardError"), Failure.of(FAILED).fields)
    assert type(sent.error()) is EngineStartError


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
async def test_a_frame_may_come_in_pieces(size: int) -> None:
    """Of any size; also several at once."""
    heard: list[FromWorker] = []
    channel: Channel[FromWorker, FromKeeper] = Channel(FromWorker, heard.append, lambda: None)
    frames = b""
    for messages in ([Up(), EndTurn(1)], [EndTurn(70_000)], [EndTurn(3)] * 100):
        frame = msgspec.msgpack.encode(messages)
        frames += len(frame).to_bytes(4, "big") + frame
    for at in range(0, len(frames), size):
        channel.data_received(frames[at : at + size])
    assert heard == [Up(), EndTurn(1), EndTurn(70_000), *[EndTurn(3)] * 100]


async def test_workers_that_die_again_and_again_are_given_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """With words that say what to do."""
    monkeypatch.setattr(crew, "COMMAND", (sys.executable, "-c", "raise SystemExit(3)"))
    monkeypatch.setattr(crew, "POLICY", RestartPolicy(first_delay_seconds=0.01))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        working = Crew(world.shared, START, listening, 2)
        with pytest.raises(HomewardError, match="workers end again and again"):
            await working.work(asyncio.Event(), asyncio.Event(), 1.0)


def test_windows_has_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """It can't hand a connection to another process as we do."""
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(ConfigError, match="not possible on Windows"):
        keeper.run(Parts(world.answering.settings, page=False), lambda _: None)


def test_settings_travel_whole(tmp_path: Path) -> None:
    """Keys too, which they show nobody."""
    settings = Settings.model_validate({"data_dir": tmp_path, "gateway": {"api_key": "sk-canary"}})
    sent = pickle.loads(pickle.dumps(settings))
    assert sent == settings
    assert sent.gateway.api_key.get_secret_value() == "sk-canary"
