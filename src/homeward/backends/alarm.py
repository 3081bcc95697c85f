"""A deadline that moves with every event."""

import asyncio
import math
from collections.abc import Callable


class Alarm:
    """Rings at a time that can be moved for next to nothing.

    `asyncio.timeout` arms and cancels a timer per event, which costs more than decoding the event. Here the
    timer stays armed while the time moves on; when it wakes too early it is armed for the rest.
    """

    __slots__ = ("_at", "_loop", "_ring", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, ring: Callable[[], None]) -> None:
        self._loop = loop
        self._ring = ring
        self._at = math.inf
        self._timer: asyncio.TimerHandle | None = None

    def set(self, at: float) -> None:
        """Rings at `at` on the loop's clock, in place of any other time."""
        self._at = at
        timer = self._timer
        if timer is not None:
            if timer.when() <= at:
                return
            timer.cancel()
        self._timer = self._loop.call_at(at, self._wake)

    def pause(self) -> None:
        """Does not ring until it is set again."""
        self._at = math.inf

    def stop(self) -> None:
        """Does not ring, and holds no timer."""
        self._at = math.inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake(self) -> None:
        self._timer = None
        if self._at <= self._loop.time():
            self._ring()
        elif self._at < math.inf:
            self.set(self._at)
