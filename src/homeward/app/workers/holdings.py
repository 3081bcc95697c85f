"""What one worker holds of what is shared: turns, permits, reservations, engines. When it dies, all of it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any

import structlog

from homeward.app.workers.messages import (
    Ahead,
    AskPermit,
    EndTurn,
    Examine,
    Failed,
    Failure,
    FindReceipt,
    Found,
    FromWorker,
    GaveUp,
    Granted,
    KeepReceipt,
    Lease,
    Leased,
    Leaving,
    Refused,
    Release,
    Reserve,
    Settle,
    Succeeded,
    Suspect,
    TakeTurn,
    Up,
)
from homeward.app.workers.shared import Shared, Tell
from homeward.backends import Permit, Turn
from homeward.observability.spend import Reservation
from homeward.protocol.errors import HomewardError, OverloadedError

log = structlog.get_logger(__name__)


class Holdings:
    """Does what a worker asks for; `tell` brings it the answers."""

    def __init__(self, shared: Shared, tell: Tell, serves: Callable[[bool], None]) -> None:
        """`serves` is called when the worker can serve connections, and when it no longer does."""
        self._shared = shared
        self._tell = tell
        self._turns: dict[int, Turn] = {}
        self._permits: dict[int, tuple[str, Permit]] = {}
        self._reservations: dict[int, Reservation] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        """What waits or holds an engine, by the number of what was asked for."""
        self._deeds: dict[type[FromWorker], Callable[[Any], None]] = {
            Up: lambda _: serves(True),
            Leaving: lambda _: serves(False),
            TakeTurn: self._take_turn,
            EndTurn: self._end_turn,
            AskPermit: self._ask_permit,
            Succeeded: self._succeeded,
            Failed: self._failed,
            GaveUp: self._gave_up,
            Reserve: self._reserve,
            Settle: self._settle,
            Lease: lambda asked: self._begin(asked.id, partial(self._lend, asked)),
            Release: lambda asked: self._cancel(asked.id),
            Suspect: self._suspect,
            Examine: lambda asked: self._begin(asked.id, partial(self._examine, asked)),
            KeepReceipt: lambda asked: shared.receipts.keep(asked.receipt),
            FindReceipt: lambda asked: self._begin(asked.id, partial(self._find, asked)),
        }

    def hear(self, message: FromWorker) -> None:
        """Do what the worker asks for."""
        self._deeds[type(message)](message)

    async def end(self) -> None:
        """Give all of it back: the worker is gone. What it had reserved counts as the most that it can have cost."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        for turn in self._turns.values():
            turn.end()
        for name, permit in self._permits.values():
            permit.given_up()
            self._shared.health_used(name)
        for reservation in self._reservations.values():
            reservation.settle(None)
        self._shared.spend_used()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Lines

    def _take_turn(self, asked: TakeTurn) -> None:
        try:
            turn = self._turns[asked.id] = self._shared.lines[asked.line].turn(background=asked.background)
        except OverloadedError as error:
            self._tell(Refused(asked.id, Failure.of(error)))
            return
        if turn.has_come:
            self._tell(Granted(asked.id))
        else:
            self._begin(asked.id, partial(self._stand, asked.id, turn))

    async def _stand(self, number: int, turn: Turn) -> None:
        async for ahead in turn.ahead():
            self._tell(Ahead(number, ahead))
        self._tell(Granted(number))

    def _end_turn(self, ended: EndTurn) -> None:
        self._cancel(ended.id)
        if turn := self._turns.pop(ended.id, None):
            turn.end()

    # Health

    def _ask_permit(self, asked: AskPermit) -> None:
        permit = self._shared.healths[asked.backend].permit_now()
        if permit is not None:
            self._permits[asked.id] = asked.backend, permit
        self._tell(Granted(asked.id, permit is not None))
        self._shared.health_used(asked.backend)

    def _succeeded(self, ended: Succeeded) -> None:
        self._permit(ended).succeeded(None, 0)  # how soon, each worker learns for itself
        self._shared.health_used(ended.backend)

    def _failed(self, ended: Failed) -> None:
        self._permit(ended).failed(ended.failure.error())
        self._shared.health_used(ended.backend)

    def _gave_up(self, ended: GaveUp) -> None:
        self._permit(ended).given_up()
        self._shared.health_used(ended.backend)

    def _permit(self, ended: Succeeded | Failed | GaveUp) -> Permit:
        """The one that was asked for; else as one that was given before the backend fell."""
        _, permit = self._permits.pop(ended.id, ("", None))
        return permit or Permit(self._shared.healths[ended.backend])

    # The sum

    def _reserve(self, asked: Reserve) -> None:
        reservation = self._shared.spend.reserve_now(asked.at_most, limit=asked.limit)
        if reservation is not None:
            self._reservations[asked.id] = reservation
            self._shared.spend_used()
        self._tell(Granted(asked.id, reservation is not None))

    def _settle(self, settled: Settle) -> None:
        if reservation := self._reservations.pop(settled.id, None):
            reservation.settle(settled.cost)
            self._shared.spend_used()

    # Engines and receipts

    async def _lend(self, asked: Lease) -> None:
        self._shared.follow(asked.model)
        async with self._shared.pool.lease(asked.model) as address:
            self._tell(Leased(asked.id, address))
            await asyncio.Event().wait()  # until it is released, or the worker dies: that cancels this

    def _suspect(self, asked: Suspect) -> None:
        with suppress(HomewardError):  # it may have been removed
            self._shared.pool.engine(asked.model).suspect()

    async def _examine(self, asked: Examine) -> None:
        await self._shared.pool.engine(asked.model).examine()
        self._tell(Granted(asked.id))

    async def _find(self, asked: FindReceipt) -> None:
        self._tell(Found(asked.id, await self._shared.receipts.get_receipt(asked.receipt_id)))

    # What takes its time

    def _begin(self, number: int, work: Callable[[], Awaitable[None]]) -> None:
        task = self._tasks[number] = asyncio.create_task(self._done(number, work))
        task.add_done_callback(lambda done: self._tasks.pop(number) if self._tasks.get(number) is done else None)

    def _cancel(self, number: int) -> None:
        if task := self._tasks.get(number):
            task.cancel()

    async def _done(self, number: int, work: Callable[[], Awaitable[None]]) -> None:
        """To its end; an error goes to whoever asked."""
        try:
            await work()
        except HomewardError as error:
            self._tell(Refused(number, Failure.of(error)))
        except Exception:
            log.exception("work_for_worker_stopped")
            self._tell(Refused(number, Failure.of(HomewardError("Something went wrong inside Homeward."))))
