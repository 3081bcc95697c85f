"""The line in front of a backend: how many requests it works on at a time, and who is next.

Kept on our side, so that a request whose turn has not come is not lost when an engine falls, and everyone can
be told how many stand before them.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from typing import Protocol

from homeward.protocol.errors import OverloadedError, QueueFullError

RETRY_AFTER_SECONDS = 5.0
WAITING_SECONDS = 120.0
"""Longer than anybody looks at a line."""


class Standing(Protocol):
    """One request's place in line, and then its turn."""

    def ahead(self) -> AsyncGenerator[int, None]:
        """How many stand before it, each time that this changes; ends when its turn has come.

        Raises:
            QueueFullError: too many waited already.
            OverloadedError: it has waited for too long.
        """
        ...

    def end(self) -> None:
        """Give the turn, or the place, to the next. A second call does nothing."""
        ...


class WaitingLine(Protocol):
    """What stands in front of a backend, as a request sees it: a `Line`, or what stands in for one elsewhere."""

    def turn(self, *, background: bool = False) -> Standing:
        """Stand in line; to be left by `end`, whether it was one's turn or not. Raises QueueFullError, as `ahead` may.

        Args:
            background: nobody waits for it, so everybody else goes first.
        """
        ...


class Line:
    """First come, first served, those in the background last; bounded. For one event loop."""

    def __init__(self, source: str, *, at_a_time: int, waiting: int, seconds: float = WAITING_SECONDS) -> None:
        """At most `at_a_time` requests are worked on, at most `waiting` wait, and none for longer than `seconds`."""
        self._source = source
        self.seconds = seconds
        self._free = at_a_time
        self._bound = waiting
        self._waiting: deque[Turn] = deque()
        self._in_background: deque[Turn] = deque()

    def turn(self, *, background: bool = False) -> "Turn":
        """Stand in line; to be left by `Turn.end`, whether it was one's turn or not.

        Args:
            background: nobody waits for it, so everybody else goes first.

        Raises:
            QueueFullError: too many wait already.
        """
        if self._free == 0 and self.length >= self._bound:
            raise self._too_much(QueueFullError, f"{self.length} requests wait for it already.")
        turn = Turn(self, background=background)
        self._queue_of(turn).append(turn)
        self._advance()
        return turn

    @property
    def length(self) -> int:
        """How many wait."""
        return len(self._waiting) + len(self._in_background)

    def ahead_of(self, turn: "Turn") -> int:
        """How many wait before this one."""
        return self._queue_of(turn).index(turn) + (len(self._waiting) if turn.background else 0)

    def _queue_of(self, turn: "Turn") -> "deque[Turn]":
        return self._in_background if turn.background else self._waiting

    def waited_too_long(self) -> OverloadedError:
        """For a request that has not been served in time."""
        return self._too_much(OverloadedError, "this request has waited for it long enough.")

    def _too_much(self, kind: type[OverloadedError], why: str) -> OverloadedError:
        return kind(
            f"{self._source} is busy, and {why}",
            next_step="Try again in a moment.",
            retry_after_seconds=RETRY_AFTER_SECONDS,
        )

    def leave(self, turn: "Turn") -> None:
        """Let the next one on; `Turn.end` calls it."""
        if turn.has_come:
            self._free += 1
        else:
            self._queue_of(turn).remove(turn)
        self._advance()

    def _advance(self) -> None:
        while self._free and (queue := self._waiting or self._in_background):
            self._free -= 1
            queue.popleft().come()
        for turn in (*self._waiting, *self._in_background):
            turn.moved.set()


class Turn:
    """One request's place in line, and then its turn."""

    def __init__(self, line: Line, *, background: bool) -> None:
        self._line = line
        self.background = background
        self.moved = asyncio.Event()
        self.has_come = False
        self._ended = False

    def come(self) -> None:
        """Called by the line when it is this one's turn."""
        self.has_come = True
        self.moved.set()

    async def ahead(self) -> AsyncGenerator[int, None]:
        """How many stand before it, each time that this changes; ends when its turn has come.

        Raises OverloadedError: it has waited for too long.
        """
        told = -1
        deadline = asyncio.get_running_loop().time() + self._line.seconds
        while not self.has_come:
            self.moved.clear()
            ahead = self._line.ahead_of(self)
            if ahead != told:
                told = ahead
                yield ahead
            else:
                try:
                    async with asyncio.timeout_at(deadline):
                        await self.moved.wait()
                except TimeoutError:
                    raise self._line.waited_too_long() from None

    def end(self) -> None:
        """Give the turn, or the place, to the next. A second call does nothing."""
        if not self._ended:
            self._ended = True
            self._line.leave(self)
