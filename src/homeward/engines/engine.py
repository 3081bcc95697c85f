"""What the rest of Homeward knows of an engine: make sure it is ready, use it, let it go.

Callers never read the state to decide what to do: between the look and the deed it may have changed. They say
what they need, and the engine's one owner puts it in order.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from homeward.protocol.address import Address
from homeward.protocol.errors import EngineClosedError


class EngineState(StrEnum):
    """Where an engine is in its life. For people and metrics to read, not to decide by."""

    STOPPED = "stopped"
    """No child runs. The first need starts one."""
    STARTING = "starting"
    """A child is loading, or the next start waits out its back-off (then `pid` is None)."""
    READY = "ready"
    """The child answers."""
    STOPPING = "stopping"
    """Its last users finish, or the child is being ended."""
    FAILED = "failed"
    """It failed so often that it is left alone for a while, or its model cannot be used as it is."""
    CLOSED = "closed"
    """For good."""


class EngineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """An engine at one instant."""

    name: str
    state: EngineState
    since: datetime
    """When it came into this state (UTC)."""
    restarts: int = 0
    """Starts that a failure made necessary, since Homeward itself started."""
    last_error: str = ""
    """Why the last start or child failed, as a sentence for the user; empty once it is ready again."""
    pid: int | None = None
    """The child's process id, while there is a child."""


class Engine(Protocol):
    """A local model runtime, started when it is needed.

    What `ensure_ready` and `lease` do in each state:

    =========  ========================================================================================
    state      what happens
    =========  ========================================================================================
    stopped    start the child and wait until it answers
    starting   wait for the start that is under way (or due after its back-off): callers share it
    ready      return at once
    stopping   wait until it has ended, then start anew
    failed     raise `EngineStartError` with `retry_after_seconds`; once that time is over, try again
    closed     raise `EngineClosedError`
    =========  ========================================================================================

    A start that fails is told at once to all who wait for it. A caller that is cancelled leaves the start
    to the others.
    """

    @property
    def status(self) -> EngineStatus:
        """The engine at this instant."""
        ...

    def changes(self) -> AsyncGenerator[EngineStatus, None]:
        """The status now, and then each new one, none left out; ends behind `closed`."""
        ...

    def lease(self) -> AbstractAsyncContextManager[Address]:
        """The address, for as long as the block lasts; the engine counts as in use.

        While it is in use it is not unloaded for idleness, and `stop` waits for it. It can still crash.

        Raises:
            EngineStartError: it did not get ready.
            EngineClosedError: it was closed.
        """
        ...

    async def ensure_ready(self) -> Address:
        """The address, once the engine answers; starts it if need be. Each start has its own port and key.

        Raises:
            EngineStartError: it did not get ready.
            EngineClosedError: it was closed.
        """
        ...

    def suspect(self) -> None:
        """Tell that it misbehaved (silence, a broken stream): its health is probed; if bad, it is restarted.

        Returns at once, and does nothing unless the engine is ready.
        """
        ...

    async def examine(self) -> None:
        """The same, and wait for the verdict: it answered, or it is no longer ready, so that a lease waits."""
        ...

    async def stop(self) -> None:
        """End the child and wait until it is gone. A start is aborted; leases may finish first, for a while.

        Forgets failures: the next need starts it afresh.
        """
        ...

    async def close(self) -> None:
        """End the child at once and for good, and wait until it is gone."""
        ...


async def wait_for(engine: Engine, *states: EngineState) -> EngineStatus:
    """The first status, from now on, whose state is one of these.

    Raises:
        EngineClosedError: it was closed before it came to one of them.
    """
    async with aclosing(engine.changes()) as changes:
        async for status in changes:
            if status.state in states:
                return status
    raise EngineClosedError(f"The engine “{engine.status.name}” was shut down.")
