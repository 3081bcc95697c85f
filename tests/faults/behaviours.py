"""What the loopback cloud can do beside the faults of `tests.backends.faults`."""

import asyncio

from tests.backends.exchange import Exchange
from tests.backends.faults import fault, ok

NEW_KEY = "sk-own-key-5678"


@fault("wants-the-new-key")
async def wants_the_new_key(x: Exchange) -> None:
    """Refuses every other one."""
    if f"Authorization: Bearer {NEW_KEY}\r\n" not in x.asked.head:
        return await x.refuse(401, code="invalid_api_key")
    return await ok(x)


@fault(r"fails-(\d+)-then-pauses")
async def fails_then_pauses(x: Exchange) -> None:
    """fails-5-then-pauses: five refusals; the answers behind them are slow, so that others come meanwhile."""
    if x.call_number <= int(x.model.split("-")[1]):
        return await x.refuse(500)
    await x.head()
    await x.first_words()
    return await x.finish()


@fault(r"late-(\d+)(-rst)?")
async def late(x: Exchange) -> None:
    """late-30: says nothing for 30 steps, then all; late-30-rst: then resets the connection."""
    _, steps, *rst = x.model.split("-")
    await asyncio.sleep(int(steps) * x.pace)
    if rst:
        return x.reset()
    return await ok(x)
