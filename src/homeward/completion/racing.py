"""Two backends at once: the second begins when the first is late, and the first one to speak goes on."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Any

from homeward.completion.events import Event, Said, Waiting

Events = AsyncGenerator[Event, None]


async def race(
    first: Events, late_seconds: float, second: Callable[[], Events | None], won: Callable[[int], None]
) -> Events:
    """The events of whichever speaks first; the other one is ended as if the user had stopped it.

    Args:
        first: begins at once.
        late_seconds: from when the first one reads until `second` is called, which gives None where nobody else may
            be asked; a line before it, and loading, are not its fault.
        second: gives the events of the other one.
        won: called with 0 or 1 before the first text; not at all where neither speaks.
    """
    racers = [first]
    pulls: dict[asyncio.Future[Event], int] = {asyncio.ensure_future(anext(first)): 0}
    late: asyncio.Future[None] | None = None
    winner: int | None = None
    try:
        while pulls and winner is None:
            waiting: set[asyncio.Future[Any]] = {*pulls} if late is None or late.done() else {*pulls, late}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            if late is not None and late.done() and len(racers) == 1 and (other := second()) is not None:
                racers.append(other)
                pulls[asyncio.ensure_future(anext(other))] = 1
            for pull in [pull for pull in pulls if pull.done()]:
                number = pulls.pop(pull)
                with suppress(StopAsyncIteration):
                    event = pull.result()
                    if isinstance(event, Said):
                        winner = number
                        won(number)
                        await ended(pulls, [racer for racer in racers if racer is not racers[number]])
                        yield event
                        break
                    if number == 0:
                        if late is None and isinstance(event, Waiting) and event.phase == "reading":
                            late = asyncio.ensure_future(asyncio.sleep(late_seconds))
                        yield event
                    pulls[asyncio.ensure_future(anext(racers[number]))] = number
        if winner is not None:
            async for event in racers[winner]:
                yield event
    finally:
        if late is not None:
            late.cancel()
        await ended(pulls, racers)


async def ended(pulls: dict[asyncio.Future[Event], int], racers: list[Events]) -> None:
    """End these, and wait until they have."""
    for pull in pulls:
        pull.cancel()
    await asyncio.gather(*pulls, return_exceptions=True)
    pulls.clear()
    for racer in racers:
        await racer.aclose()
