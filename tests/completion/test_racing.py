"""Two backends at once: who speaks first goes on, and the other one is ended."""

import asyncio
from collections.abc import AsyncGenerator

import pytest

from homeward.completion.events import Event, Said, Waiting
from homeward.completion.racing import race
from homeward.config import PolicySettings
from homeward.protocol.chat import Chunk
from homeward.protocol.place import Place
from tests.backends.fake_upstream import TEXT, FakeUpstream
from tests.completion.conftest import REQUEST, MakeCompleter, read

HEDGED_ANYWHERE = PolicySettings(hedge=True)
HEDGED = PolicySettings(places=("device",), hedge=True)


def words(text: str) -> Said:
    return Said((Chunk(text=text),))


class Runner:
    """Events that wait for their word."""

    def __init__(self, name: str, *, silent: bool = False) -> None:
        self.name = name
        self.silent = silent
        self.speak = asyncio.Event()
        self.begun = asyncio.Event()
        self.ended = asyncio.Event()

    async def events(self) -> AsyncGenerator[Event, None]:
        try:
            self.begun.set()
            yield Waiting("reading", self.name)
            await self.speak.wait()
            if not self.silent:
                yield words(self.name)
                yield words("!")
        finally:
            self.ended.set()


async def run(first: Runner, second: Runner, late_seconds: float, won: list[int]) -> list[Event]:
    return [event async for event in race(first.events(), late_seconds, second.events, won.append)]


async def test_one_that_is_in_time_runs_alone() -> None:
    """The other one is never begun."""
    first, second, won = Runner("a"), Runner("b"), list[int]()
    first.speak.set()
    assert await run(first, second, 10, won) == [Waiting("reading", "a"), words("a"), words("!")]
    assert (won, second.begun.is_set()) == ([0], False)


async def test_when_the_first_is_late_the_second_may_win() -> None:
    """Then the first is ended before the second's words come."""
    first, second, won = Runner("a"), Runner("b"), list[int]()
    second.speak.set()
    assert await run(first, second, 0, won) == [Waiting("reading", "a"), words("b"), words("!")]
    assert (won, first.ended.is_set()) == ([1], True)


async def test_the_first_may_still_win() -> None:
    """And the second is ended."""
    first, second, won = Runner("a"), Runner("b"), list[int]()
    task = asyncio.create_task(run(first, second, 0, won))
    await second.begun.wait()
    first.speak.set()
    assert [event for event in await task if isinstance(event, Said)] == [words("a"), words("!")]
    assert (won, second.ended.is_set()) == ([0], True)


@pytest.mark.parametrize("loser", [0, 1])
async def test_where_one_fails_the_other_goes_on(loser: int) -> None:
    """Whichever it is."""
    runners = [Runner("a", silent=loser == 0), Runner("b", silent=loser == 1)]
    won = list[int]()
    task = asyncio.create_task(run(runners[0], runners[1], 0, won))
    await runners[1].begun.wait()
    runners[loser].speak.set()
    await runners[loser].ended.wait()
    runners[1 - loser].speak.set()
    assert [event for event in await task if isinstance(event, Said)] == [words("ab"[1 - loser]), words("!")]
    assert won == [1 - loser]


async def test_a_failure_in_time_ends_it() -> None:
    """The next attempt is then asked in the ordinary way."""
    first, second, won = Runner("a", silent=True), Runner("b"), list[int]()
    first.speak.set()
    assert await run(first, second, 10, won) == [Waiting("reading", "a")]
    assert (won, second.begun.is_set()) == ([], False)


async def test_waiting_in_line_is_not_late() -> None:
    """The clock begins when the first one reads: a busy or loading model is not a failed one."""

    async def queued() -> AsyncGenerator[Event, None]:
        yield Waiting("queued", "a", 1)
        await asyncio.sleep(0.02)
        yield Waiting("loading", "a")
        await asyncio.sleep(0.02)
        yield words("a")

    second, won = Runner("b"), list[int]()
    events = [event async for event in race(queued(), 0, second.events, won.append)]
    assert events[-1] == words("a")
    assert (won, second.begun.is_set()) == ([0], False)


async def test_the_one_that_spoke_is_the_one_on_the_receipt(completer_of: MakeCompleter) -> None:
    """Although the other one ended whole, and empty, before it."""
    completer = completer_of("zero-tokens-late", "half-event-rst", cloud=["half-event-rst"], policy=HEDGED_ANYWHERE)
    completer.backends["zero-tokens-late"].health.first_token_seconds = lambda *_: 0.0  # type: ignore[method-assign]
    answer = await completer.complete(REQUEST)
    text, _ = await read(answer)
    assert text
    assert (answer.receipt.place, answer.receipt.outcome) == (Place.CLOUD, "interrupted")


async def test_leaving_ends_both() -> None:
    """Nobody goes on for a client that is gone."""
    first, second = Runner("a"), Runner("b")
    task = asyncio.create_task(run(first, second, 0, []))
    await second.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert first.ended.is_set()
    assert second.ended.is_set()


async def test_a_hedged_answer_names_both(completer_of: MakeCompleter, upstream: FakeUpstream) -> None:
    """The receipt says which one was late, and what each of them got."""
    completer = completer_of("no-headers", "ok", policy=HEDGED)
    completer.backends["no-headers"].health.first_token_seconds = lambda *_: 0.05  # type: ignore[method-assign]
    answer = await completer.complete(REQUEST)
    text, _ = await read(answer)
    assert text == TEXT
    assert [(each.backend, each.error, each.hedged) for each in answer.receipt.attempts] == [
        ("no-headers", "lost", False),
        ("ok", "", True),
    ]
    assert (answer.receipt.backend, answer.receipt.place) == ("ok", Place.DEVICE)
    await upstream.quiet()
