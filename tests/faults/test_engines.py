"""F1 to F5, and the other faults that a real child process can have: killed, frozen, never ready."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from homeward.backends import Deadlines
from homeward.completion import Event, Waiting
from homeward.config import PolicySettings
from homeward.engines.engine import EngineState, wait_for
from homeward.engines.lifecycle import Rules
from homeward.engines.recipe import Recipe
from homeward.engines.restart import RestartPolicy
from tests.backends.exchange import TEXT
from tests.engines.asking import busy_slots
from tests.engines.conftest import fake_recipe
from tests.faults.house import (
    FREE_SECONDS,
    LONG_ANSWER,
    LONG_STORY,
    SHORT_ANSWER,
    House,
    MakeHouse,
    freeze,
    is_reading,
    kill,
    quick_to_suspect,
    sending,
)
from tests.faults.world import FOUND, World, is_text

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

OPT_IN = pytest.mark.opt_in
EVENT_SECONDS = 1.0
IN_A_ROW = 12
POLL_SECONDS = 0.05
"""From one look at the engine's slots to the next: it has to answer that beside its work."""
AT_LATEST_SECONDS = 1.0
"""How much later than its deadline an error may come."""


class TestKilledBeforeItSpoke:
    @pytest.mark.parametrize("when", ["before it is asked", "while it reads"])
    async def test_f01_the_next_permitted_one_answers(
        self, world: World, house_of: MakeHouse, when: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The whole answer, of one model, in two attempts; the engine is on its feet again by itself."""
        house = await house_of("ok")
        pid = await house.ready()
        client = await (await world.begin(sampling=SHORT_ANSWER)).read_until(is_reading)
        if when == "while it reads":
            sent = sending(monkeypatch)
            freeze(pid)
            client.read_on()
            await sent.wait()
        kill(pid)
        await (client.reader or client.read())
        assert (client.text, client.asked, client.code) == (TEXT, ["llama", "ok"], "")
        assert client.answer.receipt.attempts[0].error in {"upstream_disconnected", "upstream_unreachable"}
        await house.back(pid)
        assert house.engine.status.restarts == 1

    @pytest.mark.parametrize(
        "why",
        [
            "no consent",
            "findings",
            *(pytest.param(why, marks=OPT_IN) for why in ("local only", "conversation")),
        ],
    )
    async def test_f01_where_only_home_may_it_waits_for_home(self, world: World, house_of: MakeHouse, why: str) -> None:
        """Two attempts as well, both here; the cloud is well and hears nothing (F39)."""
        house = await house_of("ok", agreed=why != "no consent")
        if why == "local only":
            world.policy = PolicySettings(preset="local-only")
        pid = await house.ready()
        client = await world.begin(
            FOUND if why == "findings" else LONG_STORY,
            sampling=SHORT_ANSWER,
            stays_home=why == "conversation",
        )
        await client.read_until(is_reading)
        kill(pid)
        await client.read()
        assert (client.asked, client.code) == (["llama", "llama"], "")
        assert client.text
        await house.back(pid)
        assert world.cloud.connections == 0


class TestKilledWhileItSpoke:
    async def test_f02_what_was_said_is_kept_and_nothing_is_spliced(self, world: World, house_of: MakeHouse) -> None:
        """No other model goes on with the sentence; the next request is served."""
        house = await house_of("ok")
        pid = await house.ready()
        client = await (await world.begin(LONG_STORY, sampling=LONG_ANSWER)).read_until(is_text)
        kill(pid)
        await client.read()
        assert client.text
        assert (client.code, client.asked) == ("upstream_disconnected", ["llama"])
        assert world.cloud.connections == 0
        assert (await world.ask(sampling=SHORT_ANSWER)).asked == ["llama"]
        await house.back(pid)


class TestFrozen:
    @pytest.mark.parametrize("when", [pytest.param("before the first word", marks=OPT_IN), "behind it"])
    async def test_f03_it_is_noticed_and_replaced(
        self, world: World, house_of: MakeHouse, when: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A timeout at its deadline; then the frozen process is killed and another one answers."""
        deadline = "event_seconds" if when == "behind it" else "first_token_seconds"
        house = await house_of(recipe=quick_to_suspect, **{deadline: EVENT_SECONDS})
        pid = await house.ready()
        client = await world.begin(LONG_STORY, sampling=LONG_ANSWER)
        if when == "behind it":
            await client.read_until(is_text)
            freeze(pid)
        else:
            sent = sending(monkeypatch)
            await client.read_until(is_reading)
            freeze(pid)
            client.read_on()
            await sent.wait()
        async with asyncio.timeout(EVENT_SECONDS + AT_LATEST_SECONDS):
            await (client.reader or client.read())
        assert client.code == "upstream_timeout"
        assert bool(client.text) == (when == "behind it")
        new = await house.back(pid)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        backend = world.backends["llama"]
        backend.row = msgspec.structs.replace(backend.row, deadlines=Deadlines())  # the machine may be busy
        assert (await world.ask(sampling=SHORT_ANSWER)).code == ""
        assert await house.ready() == new

    async def test_f03_with_the_probes_of_the_program(self, world: World, house_of: MakeHouse) -> None:
        """The client does not wait for the verdict on the engine's health, which takes longer."""
        house = await house_of(event_seconds=EVENT_SECONDS)
        pid = await house.ready()
        client = await (await world.begin(LONG_STORY, sampling=LONG_ANSWER)).read_until(is_text)
        freeze(pid)
        async with asyncio.timeout(EVENT_SECONDS + AT_LATEST_SECONDS):
            await client.read()
        assert client.code == "upstream_timeout"

    async def test_f03_before_it_spoke_the_next_one_may(self, world: World, house_of: MakeHouse) -> None:
        """Its first word is late: the cloud answers, where the policy has one."""
        house = await house_of("ok", recipe=quick_to_suspect, first_token_seconds=EVENT_SECONDS)
        pid = await house.ready()
        freeze(pid)
        client = await world.ask(sampling=SHORT_ANSWER)
        assert (client.text, client.asked) == (TEXT, ["llama", "ok"])
        await house.back(pid)


def always(recipe: Recipe) -> Callable[[Recipe], Recipe]:
    """This one, whatever the model is."""
    return lambda _: recipe


STARTS = 5
QUICK = RestartPolicy(first_delay_seconds=0.02, longest_delay_seconds=0.1)


class TestNeverReady:
    async def test_f04_it_is_not_started_for_ever(self, world: World, house_of: MakeHouse, tmp_path: Path) -> None:
        """Five starts, then it is left alone; whoever asks learns why, and when to come again."""
        await self.give_up(world, house_of, tmp_path, QUICK)

    @OPT_IN
    async def test_f04_with_the_program_s_back_off(self, world: World, house_of: MakeHouse, tmp_path: Path) -> None:
        """The same with the waits that the program has: within a minute."""
        async with asyncio.timeout(60):
            await self.give_up(world, house_of, tmp_path, RestartPolicy())

    async def give_up(self, world: World, house_of: MakeHouse, folder: Path, restart: RestartPolicy) -> None:
        count = folder / "starts"
        fake = fake_recipe("--die", "3", "--count", str(count), rules=Rules(restart=restart))
        house = await house_of(recipe=always(fake))
        first = await world.ask()
        assert first.error is not None
        assert (first.code, first.error.status) == ("engine_start_failed", 503)
        status = await wait_for(house.engine, EngineState.FAILED)
        assert "exit code 3" in status.last_error
        second = (await world.ask()).error
        assert second is not None
        assert f"failed {STARTS} times" in second.next_step
        assert 1 <= (second.retry_after_seconds or 0) <= 120
        assert "the model is not to my taste" in second.detail
        assert count.read_text() == "x" * STARTS

    async def test_f04_the_next_permitted_one_answers(self, world: World, house_of: MakeHouse) -> None:
        """At once, and without the engine being asked to try more often."""
        await house_of("ok", recipe=always(fake_recipe("--die", "3")))
        client = await world.ask()
        assert (client.text, client.asked) == (TEXT, ["llama", "ok"])

    async def test_f04_what_it_printed_is_shown_without_its_key(self, world: World, house_of: MakeHouse) -> None:
        """It prints its key and control characters before it ends."""
        house = await house_of(recipe=always(fake_recipe("--leak")))
        error = (await world.ask()).error
        assert error is not None
        assert "key=[key] end" in error.detail
        await wait_for(house.engine, EngineState.FAILED)
        assert "\x1b" not in repr(world.log) + error.detail

    async def test_f05_signs_of_life_prolong_the_wait(self, world: World, house_of: MakeHouse) -> None:
        """It loads for longer than it may be silent, and is waited for; the client is told that it loads."""
        await house_of(recipe=always(slow_to_load(world, lines=8, apart_seconds=0.4, idle_seconds=2.0)))
        client = await world.ask()
        assert (client.text, client.asked) == (TEXT, ["llama"])
        assert [event.phase for event in client.events if isinstance(event, Waiting)] == ["loading", "reading"]

    async def test_f05_but_not_for_ever(self, world: World, house_of: MakeHouse) -> None:
        """The whole has a limit too."""
        endless = slow_to_load(world, lines=10_000, apart_seconds=0.1, idle_seconds=5.0)
        rules = Rules(restart=RestartPolicy(failures=1))
        await house_of(recipe=always(msgspec.structs.replace(endless, start_total_seconds=1.5, rules=rules)))
        client = await world.ask()
        assert client.code == "engine_start_failed"
        assert "not ready after 1.5 seconds" in str(client.error)

    async def test_f05_a_client_that_leaves_waits_no_longer(
        self, world: World, house_of: MakeHouse, tmp_path: Path
    ) -> None:
        """The start goes on for whoever comes next: there is one."""
        count = tmp_path / "starts"
        slow = slow_to_load(world, lines=5, apart_seconds=0.2, idle_seconds=5.0, more=("--count", str(count)))
        house = await house_of(recipe=always(slow))
        client = await world.begin()
        client.read_on()
        await wait_for(house.engine, EngineState.STARTING)
        await client.leave()
        assert house.engine.status.state is EngineState.STARTING
        assert (await world.ask()).text == TEXT
        assert count.read_text() == "x"


def slow_to_load(
    world: World, *, lines: int, apart_seconds: float, idle_seconds: float, more: tuple[str, ...] = ()
) -> Recipe:
    """A child that reports while it loads, and behind which the loopback upstream answers as `ok`."""
    flags = ("--progress", str(lines), str(apart_seconds), "--url", world.home.base_url.removesuffix("/v1"), *more)
    return fake_recipe(*flags, model="ok", health_path="/v1/models", start_idle_seconds=idle_seconds)


class TestLeaving:
    @pytest.mark.parametrize("when", [pytest.param("while it reads", marks=OPT_IN), "while it speaks"])
    async def test_f18_its_slot_is_free_again(
        self, world: World, house_of: MakeHouse, when: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Long before the answer would have been whole that nobody wants any more."""
        await self.leave_and_wait(world, await house_of(), when, monkeypatch, seconds=20)

    @OPT_IN
    @pytest.mark.parametrize("when", ["while it reads", "while it speaks"])
    async def test_f18_in_time(
        self, world: World, house_of: MakeHouse, when: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On a machine with nothing else to do, within 2 s."""
        await self.leave_and_wait(world, await house_of(), when, monkeypatch, seconds=FREE_SECONDS)

    async def leave_and_wait(
        self, world: World, house: House, when: str, monkeypatch: pytest.MonkeyPatch, *, seconds: float
    ) -> None:
        address = await house.engine.ensure_ready()
        sent = sending(monkeypatch)
        client = await world.begin(LONG_STORY * (40 if when == "while it reads" else 1), sampling=LONG_ANSWER)
        if when == "while it speaks":
            await client.read_until(is_text)
        else:
            client.read_on()
            await sent.wait()
            while not await busy_slots(address):  # noqa: ASYNC110 - the engine doesn't tell by itself
                await asyncio.sleep(POLL_SECONDS)
        assert await busy_slots(address) == 1
        await client.leave()
        async with asyncio.timeout(seconds):
            while await busy_slots(address):  # noqa: ASYNC110 - likewise
                await asyncio.sleep(POLL_SECONDS)

    async def test_f22_who_leaves_the_line_is_never_asked_for(
        self, world: World, house_of: MakeHouse, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One slot, held; the second leaves, the third has its place."""
        house = await house_of(llama={"slots": 1})
        await house.ready()
        first = await (await world.begin(LONG_STORY, sampling=LONG_ANSWER)).read_until(is_text)
        second = await (await world.begin(sampling=SHORT_ANSWER)).read_until(lambda event: isinstance(event, Waiting))
        third = await world.begin(sampling=SHORT_ANSWER)
        third.read_on()
        await third.begun.wait()
        sent = sending(monkeypatch)
        await second.leave()
        assert not sent.is_set()
        await first.leave()
        assert third.reader is not None
        assert (await third.reader).text
        assert first_queue(third.events) == [1]  # from then on it was the next one, and at once it was its turn

    async def test_f21_one_right_behind_the_other(self, world: World, house_of: MakeHouse) -> None:
        """A well engine answers each at its first try: none meets a connection that is just being closed."""
        house = await house_of(llama={"slots": 1})
        await house.ready()
        one_word = msgspec.structs.replace(SHORT_ANSWER, max_tokens=1)
        clients = [await world.begin(sampling=one_word) for _ in range(IN_A_ROW)]
        await asyncio.gather(*(client.read() for client in clients))
        assert [client.asked for client in clients] == [["llama"]] * IN_A_ROW
        assert {client.code for client in clients} == {""}

    @OPT_IN
    async def test_f21_fifty_times_its_capacity(self, world: World, house_of: MakeHouse) -> None:
        """Two slots and a line of 32: these are served, all others refused, and it is well afterwards."""
        house = await house_of()
        pid = await house.ready()
        clients = [await world.begin(sampling=SHORT_ANSWER) for _ in range(100)]
        await asyncio.gather(*(client.read() for client in clients))
        codes = [client.code for client in clients]
        assert (codes.count(""), codes.count("queue_full")) == (34, 66)
        assert await house.ready() == pid


class TestFatalRequest:
    async def test_f37_the_engine_falls_each_time(self, world: World, house_of: MakeHouse) -> None:
        """Tried once more, then given up; what comes after it is served."""
        house = await house_of()
        client = await world.begin(sampling=SHORT_ANSWER)
        for _ in range(2):
            await client.read_until(is_reading)
            kill(await house.ready())
        await client.read()
        assert client.asked == ["llama", "llama"]
        assert client.code == "engine_error"
        assert (await world.ask(sampling=SHORT_ANSWER)).code == ""

    @OPT_IN
    async def test_f39_findings_while_the_engine_falls_each_time(self, world: World, house_of: MakeHouse) -> None:
        """An error is all there is; the cloud is well and agreed to."""
        house = await house_of("ok")
        client = await world.begin(FOUND, sampling=SHORT_ANSWER, mode="cloud")
        for _ in range(2):
            await client.read_until(is_reading)
            kill(await house.ready())
        await client.read()
        assert client.error is not None
        assert client.error.status in {502, 503}
        assert world.cloud.connections == 0


def first_queue(events: list[Event]) -> list[int]:
    """What was told about the place in line."""
    return [event.ahead for event in events if isinstance(event, Waiting) and event.phase == "queued"]
