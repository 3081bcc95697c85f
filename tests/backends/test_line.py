"""The line in front of a backend: its order, its bound, and what those in it are told."""

import asyncio

import pytest

from homeward.backends import Line, Turn
from homeward.protocol.errors import OverloadedError


async def told(turn: Turn) -> list[int]:
    return [ahead async for ahead in turn.ahead()]


async def test_first_come_first_served() -> None:
    """Each hears how many are before it, and is let on in its order."""
    line = Line("It", at_a_time=1, waiting=5)
    first, second, third = line.turn(), line.turn(), line.turn()
    assert await told(first) == []
    waiting = [asyncio.create_task(told(turn)) for turn in (second, third)]
    await asyncio.sleep(0)
    first.end()
    assert await waiting[0] == [0]
    second.end()
    assert await waiting[1] == [1, 0]
    assert line.length == 0


async def test_the_bound() -> None:
    """One too many is told at once, with the time to come back; a place that becomes free is given away."""
    line = Line("It", at_a_time=1, waiting=1)
    running, waiting = line.turn(), line.turn()
    with pytest.raises(OverloadedError, match="1 requests wait") as caught:
        line.turn()
    assert caught.value.retry_after_seconds
    running.end()
    assert waiting.has_come
    assert not line.turn().has_come


async def test_who_leaves_the_line_lets_others_up() -> None:
    """A cancelled wait costs no turn."""
    line = Line("It", at_a_time=1, waiting=5)
    running, gone, last = line.turn(), line.turn(), line.turn()
    waiting = asyncio.create_task(told(last))
    await asyncio.sleep(0)
    gone.end()
    gone.end()
    await asyncio.sleep(0)
    running.end()
    assert await waiting == [1, 0]
    last.end()
    assert line.turn().has_come


async def test_several_at_a_time() -> None:
    line = Line("It", at_a_time=2, waiting=5)
    turns = [line.turn() for _ in range(4)]
    assert [turn.has_come for turn in turns] == [True, True, False, False]
    turns[1].end()
    assert turns[2].has_come
    assert not turns[3].has_come


async def test_nobody_waits_for_ever() -> None:
    """Whoever has waited for too long is told so, and their place is free again."""
    line = Line("The backend", at_a_time=1, waiting=1, seconds=0.01)
    first, second = line.turn(), line.turn()
    with pytest.raises(OverloadedError, match="long enough") as error:
        async for _ in second.ahead():
            pass
    assert error.value.retry_after_seconds
    second.end()
    assert line.length == 0
    first.end()
