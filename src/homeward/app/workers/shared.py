"""What must be one for all workers, and what is told of it.

Nothing here belongs to one worker; what one holds of it stands in `holdings`.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import aclosing

from homeward.app.answering import Answering
from homeward.app.embedding import ENGINE
from homeward.app.workers.messages import (
    Drain,
    EndNow,
    EngineChanged,
    FromKeeper,
    HealthChanged,
    ShelfChanged,
    SpendChanged,
)
from homeward.backends import Health, Line
from homeward.engines.engine import EngineState, EngineStatus
from homeward.gateway import Receipts
from homeward.observability.spend import Spend, month_of, utc_now
from homeward.protocol.errors import HomewardError

SPEND_SECONDS = 0.02
"""How old the sum may be that a plan is made with; a reservation is made with the sum itself."""

Tell = Callable[[FromKeeper], None]


class Shared:
    """Lines, healths, the sum, the engines and the receipts; whoever listens is told what changes."""

    def __init__(self, answering: Answering, spend: Spend, receipts: Receipts) -> None:
        self.pool = answering.pool
        self.spend = spend
        self.receipts = receipts
        self.lines: dict[str, Line] = {}
        self.healths: dict[str, Health] = {}
        for name, backend in answering.backends.items():
            assert isinstance(backend.line, Line)
            assert isinstance(backend.health, Health)
            self.lines[name], self.healths[name] = backend.line, backend.health
        assert isinstance(answering.embedder.line, Line)
        self.lines[ENGINE] = answering.embedder.line
        self.listeners: set[Tell] = set()
        self._health_told = {name: health.state for name, health in self.healths.items()}
        self._statuses: dict[str, EngineStatus] = {}
        self._following: dict[str, asyncio.Task[None]] = {}
        self._spend_due: asyncio.TimerHandle | None = None
        self._ending: Drain | EndNow | None = None

    def now(self) -> Iterator[FromKeeper]:
        """All that was told so far, for who comes later."""
        for name, state in self._health_told.items():
            yield HealthChanged(name, state)
        for model, status in self._statuses.items():
            yield EngineChanged(model, status)
        yield self._sum()
        if self._ending is not None:
            yield self._ending

    def tell(self, message: FromKeeper) -> None:
        """Tell all who listen."""
        for listener in self.listeners:
            listener(message)

    def end(self, how: Drain | EndNow) -> None:
        """Tell all who listen, and all who will, to end."""
        self._ending = how
        self.tell(how)

    def health_used(self, backend: str) -> None:
        """Tell of it if it has changed."""
        state = self.healths[backend].state
        if state != self._health_told[backend]:
            self._health_told[backend] = state
            self.tell(HealthChanged(backend, state))

    def spend_used(self) -> None:
        """Tell of it in a moment, together with what else changes until then."""
        if self._spend_due is None:
            self._spend_due = asyncio.get_running_loop().call_later(SPEND_SECONDS, self._tell_spend)

    def shelf_changed(self) -> None:
        """Tell that there are other models."""
        self.tell(ShelfChanged())

    def follow(self, model: str) -> None:
        """Tell of this model's engine from now on."""
        if model not in self._following:
            self._following[model] = asyncio.create_task(self._follow(model), name=f"follow {model}")

    async def close(self) -> None:
        """Tell nothing any more."""
        if self._spend_due is not None:
            self._spend_due.cancel()
        tasks = list(self._following.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _follow(self, model: str) -> None:
        try:
            async with aclosing(self.pool.engine(model).changes()) as changes:
                async for status in changes:
                    self._statuses[model] = status
                    self.tell(EngineChanged(model, status))
                    if status.state is EngineState.CLOSED:
                        break
        except HomewardError:
            pass  # there is no such model: whoever asked for it is told
        finally:
            self._statuses.pop(model, None)
            del self._following[model]

    def _sum(self) -> SpendChanged:
        return SpendChanged(month_of(utc_now()), self.spend.month())

    def _tell_spend(self) -> None:
        self._spend_due = None
        self.tell(self._sum())
