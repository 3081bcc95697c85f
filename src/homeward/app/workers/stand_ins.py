"""What stands in a worker for what its keeper has: each does what its namesake does, by asking the keeper.

What the keeper tells of without being asked (health, engines, the sum) is known here at once, so that a plan is made
without a question.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager

from homeward.app.workers.link import Link
from homeward.app.workers.messages import (
    Ahead,
    AskPermit,
    EndTurn,
    Examine,
    Failed,
    Failure,
    FindReceipt,
    Found,
    GaveUp,
    Granted,
    KeepReceipt,
    Lease,
    Leased,
    Refused,
    Release,
    Reserve,
    Settle,
    Succeeded,
    Suspect,
    TakeTurn,
    Told,
)
from homeward.backends import Permit
from homeward.backends.pace import Pace
from homeward.engines.engine import EngineStatus
from homeward.observability.spend import Reservation, month_of, utc_now
from homeward.protocol.address import Address
from homeward.protocol.errors import BackendTimeoutError, HomewardError
from homeward.protocol.receipt import Receipt


class SharedLine:
    """A `Line`, in which the requests of all workers stand."""

    def __init__(self, link: Link, name: str) -> None:
        self._link = link
        self._name = name

    def turn(self, *, background: bool = False) -> "SharedTurn":
        """Stand in line."""
        return SharedTurn(self._link, self._name, background=background)


class SharedTurn:
    """A `Turn` in it."""

    def __init__(self, link: Link, line: str, *, background: bool) -> None:
        self._link = link
        self._news: asyncio.Queue[Told] = asyncio.Queue()
        self._number: int | None = link.listen(self._news.put_nowait)
        link.send(TakeTurn(self._number, line, background))

    async def ahead(self) -> AsyncGenerator[int, None]:
        """How many stand before it, each time that this changes; ends when its turn has come.

        Raises OverloadedError: too many waited already, or it has waited for too long.
        """
        while not isinstance(news := await self._news.get(), Granted):
            if isinstance(news, Ahead):
                yield news.number
            elif isinstance(news, Refused):
                raise news.failure.error()

    def end(self) -> None:
        """Give the turn, or the place, to the next. A second call does nothing."""
        number, self._number = self._number, None
        if number is not None:
            self._link.forget(number)
            self._link.send(EndTurn(number))


class SharedHealth:
    """A `Health` that all workers' requests have made. Its `Pace` alone is of this worker's requests."""

    def __init__(self, link: Link, name: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._link = link
        self._name = name
        self._clock = clock
        self._pace = Pace()
        self._asked_for: dict[Permit, int] = {}

    @property
    def busy(self) -> bool:
        """Whether it rests because it has too much to do."""
        return self._link.healths[self._name].busy and self.rests_seconds() > 0

    @property
    def why(self) -> str:
        """Why it rests, as a sentence; empty where it may be asked."""
        return self._link.healths[self._name].why if self.rests_seconds() else ""

    def rests_seconds(self) -> float:
        """How long it still has to be left alone; 0 where it may be asked."""
        return self._link.healths[self._name].rests_seconds(self._clock())

    def first_token_seconds(self, prompt_tokens: int, most: float) -> float:
        """How long to wait for the first token of an answer to so long a prompt, `most` at most."""
        return self._pace.deadline_seconds(prompt_tokens, most)

    async def permit(self) -> Permit | None:
        """Leave to ask it once; None while it rests. The keeper is asked only where one at a time may find out."""
        if self.rests_seconds():
            return None
        permit = Permit(self)
        if self._link.healths[self._name].openings:
            number = self._link.number()
            try:
                if not (await self._link.ask(AskPermit(number, self._name), Granted)).granted:
                    return None
            except BaseException:
                self._link.send(GaveUp(number, self._name))
                raise
            self._asked_for[permit] = number
        return permit

    def succeeded(self, permit: Permit, first_token_seconds: float | None, prompt_tokens: int) -> None:
        """`Permit.succeeded` calls it."""
        if first_token_seconds is not None:
            self._pace.observe(first_token_seconds, prompt_tokens)
        state = self._link.healths[self._name]
        if state.failures or state.openings:  # else it changes nothing
            self._link.send(Succeeded(self._asked_for.pop(permit, 0), self._name))

    def failed(self, permit: Permit, error: HomewardError) -> None:
        """`Permit.failed` calls it."""
        if isinstance(error, BackendTimeoutError):
            self._pace.was_late()
        self._link.send(Failed(self._asked_for.pop(permit, 0), self._name, Failure.of(error)))

    def given_up(self, permit: Permit) -> None:
        """`Permit.given_up` calls it."""
        if number := self._asked_for.pop(permit, 0):
            self._link.send(GaveUp(number, self._name))


class SharedSpend:
    """A `Spend`, from which all workers reserve."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def month(self) -> float:
        """What this month has cost, with all that is still reserved, as it was a moment ago."""
        told = self._link.spend
        return 0.0 if month_of(utc_now()) > told.month else told.spent

    async def reserve(self, at_most: float, *, limit: float | None = None) -> Reservation | None:
        """Set aside what a request may cost; None where that could pass the limit, and so it must not be sent."""
        number = self._link.number()

        def settle(_: Reservation, cost: float) -> None:
            self._link.send(Settle(number, cost))

        reservation = Reservation(at_most, settle)
        try:
            answer = await self._link.ask(Reserve(number, at_most, limit), Granted)
        except BaseException:
            reservation.settle(0.0)
            raise
        return reservation if answer.granted else None


class SharedEngines:
    """An `EnginePool`, whose engines all workers use."""

    def __init__(self, link: Link) -> None:
        self._link = link

    @asynccontextmanager
    async def lease(self, model: str) -> AsyncIterator[Address]:
        """The address of the engine that runs a model, for as long as the block lasts. Raises HomewardError."""
        number = self._link.number()
        try:
            yield (await self._link.ask(Lease(number, model), Leased)).address
        finally:
            self._link.send(Release(number))

    def engine(self, model: str) -> "SharedEngine":
        """The engine that runs a model, started or not."""
        return SharedEngine(self._link, model)

    def status(self, model: str) -> EngineStatus | None:
        """The state of the engine that runs a model; None where nobody has asked for it yet."""
        return self._link.engines.get(model)


class SharedEngine:
    """One of them."""

    def __init__(self, link: Link, model: str) -> None:
        self._link = link
        self._model = model

    def suspect(self) -> None:
        """Have its health looked at; returns at once."""
        self._link.send(Suspect(self._model))

    async def examine(self) -> None:
        """The same, and wait for the verdict."""
        await self._link.ask(Examine(self._link.number(), self._model), Granted)


class SharedReceipts:
    """The receipts of all workers."""

    def __init__(self, link: Link) -> None:
        self._link = link

    def keep(self, receipt: Receipt) -> None:
        """Keep one; returns at once."""
        self._link.send(KeepReceipt(receipt))

    async def get_receipt(self, receipt_id: str) -> Receipt | None:
        """The receipt with this id. Raises HomewardError."""
        return (await self._link.ask(FindReceipt(self._link.number(), receipt_id), Found)).receipt
