"""One timer for a deadline that moves."""

import asyncio

from homeward.backends.alarm import Alarm


class Bell:
    def __init__(self) -> None:
        self.rung = asyncio.Event()
        self.loop = asyncio.get_running_loop()
        self.alarm = Alarm(self.loop, self.ring)
        self.rung_at = 0.0

    def ring(self) -> None:
        assert not self.rung.is_set(), "rang twice"
        self.rung_at = self.loop.time()
        self.rung.set()

    async def rings_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self.rung.wait(), seconds)
        except TimeoutError:
            return False
        return True


async def test_rings_in_time() -> None:
    """Once, and not early."""
    bell = Bell()
    at = bell.loop.time() + 0.05
    bell.alarm.set(at)
    assert await bell.rings_within(1)
    assert bell.rung_at >= at - 0.001


async def test_moved_on() -> None:
    """The last time counts, not the one for which the timer was armed."""
    bell = Bell()
    start = bell.loop.time()
    for step in range(5):
        bell.alarm.set(start + 0.02 + step * 0.02)
    assert await bell.rings_within(1)
    assert bell.rung_at >= start + 0.099


async def test_moved_back() -> None:
    """An earlier time counts as well."""
    bell = Bell()
    bell.alarm.set(bell.loop.time() + 60)
    bell.alarm.set(bell.loop.time() + 0.02)
    assert await bell.rings_within(1)


async def test_paused_and_set_again() -> None:
    """Paused it is silent; set again it rings."""
    bell = Bell()
    bell.alarm.set(bell.loop.time() + 0.02)
    bell.alarm.pause()
    assert not await bell.rings_within(0.08)
    bell.alarm.set(bell.loop.time() + 0.02)
    assert await bell.rings_within(1)


async def test_stopped() -> None:
    """Stopped it is silent and holds nothing."""
    bell = Bell()
    bell.alarm.set(bell.loop.time() + 0.02)
    bell.alarm.stop()
    bell.alarm.stop()
    assert not await bell.rings_within(0.06)
