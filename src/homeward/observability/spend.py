"""What clouds have cost in this calendar month (UTC), and what running requests may still cost.

The sum is kept in memory, and made anew from the audit log at the start. A request reserves the most that it can cost
before it is sent, so requests at the same time can't pass the budget together.
"""

import math
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Protocol

from homeward.observability.audit import Transfer

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class Reservation:
    """What one running request may cost; it counts for the month in which it was made."""

    def __init__(self, at_most: float, settle: Callable[["Reservation", float], None]) -> None:
        self.at_most = at_most
        self._settle = settle
        self._open = True

    def settle(self, cost: float | None) -> None:
        """Replace it by what it did cost: 0 where nothing was sent; None, it can't be told, counts as the most.

        Only the first call counts.
        """
        if self._open:
            self._open = False
            self._settle(self, self.at_most if cost is None else cost)


class Budgeting(Protocol):
    """This month's sum as a request sees it: a `Spend`, or what stands in for one elsewhere."""

    def month(self) -> float:
        """What this month has cost, with all that is still reserved."""
        ...

    async def reserve(self, at_most: float, *, limit: float | None = None) -> Reservation | None:
        """Set aside what a request may cost; None where that could pass the limit, and so it must not be sent."""
        ...


class Spend:
    """The running sum, in the budget's currency. For one event loop; no method waits."""

    def __init__(self, transfers: Iterable[Transfer] = (), *, now: Clock = utc_now) -> None:
        """`transfers` are those of the audit log, of any time."""
        self._now = now
        self._month = month_of(now())
        self._settled = math.fsum(cost_of(each) for each in transfers if month_of(each.begun.at) == self._month)
        self._open: set[Reservation] = set()

    def month(self) -> float:
        """What this month has cost, with all that is still reserved."""
        self._turn()
        return math.fsum([self._settled, *(reservation.at_most for reservation in self._open)])

    def would_exceed(self, limit: float | None, at_most: float) -> bool:
        """Whether one more request of this cost could pass the limit."""
        return limit is not None and self.month() + at_most > limit

    async def reserve(self, at_most: float, *, limit: float | None = None) -> Reservation | None:
        """Set aside what a request may cost; None where that could pass the limit, and so it must not be sent."""
        return self.reserve_now(at_most, limit=limit)

    def reserve_now(self, at_most: float, *, limit: float | None = None) -> Reservation | None:
        """The same, for who can't wait: here nothing has to be waited for."""
        if self.would_exceed(limit, at_most):
            return None
        reservation = Reservation(at_most, self._settle)
        self._open.add(reservation)
        return reservation

    def _settle(self, reservation: Reservation, cost: float) -> None:
        self._turn()
        if reservation in self._open:  # else it belongs to an earlier month
            self._open.remove(reservation)
            self._settled += cost

    def _turn(self) -> None:
        month = month_of(self._now())
        if month > self._month:  # a clock that is set back forgets nothing
            self._month = month
            self._settled = 0.0
            self._open = set()


def cost_of(transfer: Transfer) -> float:
    """What counts against the budget: the cost, or the most it can have been where that is not known."""
    if transfer.ended is not None and transfer.ended.cost is not None:
        return transfer.ended.cost
    return transfer.begun.at_most_cost or 0.0


def month_of(moment: datetime) -> tuple[int, int]:
    """Year and month, UTC."""
    moment = moment.astimezone(UTC)
    return moment.year, moment.month
