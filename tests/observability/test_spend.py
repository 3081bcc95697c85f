"""The month's spend, and the hard stop that parallel requests can't pass together."""

import math
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from homeward.observability.audit import AuditBegun, AuditEnded, Transfer
from homeward.observability.spend import Reservation, Spend
from homeward.protocol.place import Place

COSTS = st.floats(0, 2, allow_subnormal=False)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, *moment: int) -> None:
        self.moment = datetime(*moment, tzinfo=UTC)  # type: ignore[misc, arg-type]

    def __call__(self) -> datetime:
        return self.moment


def transfer(number: int, at: datetime, at_most: float | None, cost: float | None, *, ended: bool = True) -> Transfer:
    begun = AuditBegun(
        at=at,
        request=UUID(int=number),
        attempt=1,
        place=Place.CLOUD,
        backend="a",
        host="h",
        model="m",
        rule="r",
        at_most_cost=at_most,
    )
    end = AuditEnded(at=at, request=UUID(int=number), attempt=1, bytes_out=1, cost=cost) if ended else None
    return Transfer(begun, end)


def test_at_the_start_it_is_what_the_log_says_of_this_month() -> None:
    """What it cost; the most it can have cost where that is unknown or it never ended; nothing of other months."""
    clock = Clock(2026, 11, 22)
    log = [
        transfer(1, datetime(2026, 10, 31, 23, 59, 59, tzinfo=UTC), 1, 1),
        transfer(2, datetime(2026, 11, 1, tzinfo=UTC), 9, 1),
        transfer(3, clock(), 2, None),
        transfer(4, clock(), 4, None, ended=False),
        transfer(5, clock(), 9, 0),
        transfer(6, clock(), None, None),
        transfer(7, datetime(2025, 11, 22, tzinfo=UTC), 1, 1),
    ]
    assert Spend(log, now=clock).month() == 7


def test_months_are_those_of_utc() -> None:
    """A line from another zone counts where it belongs."""
    seoul = datetime.fromisoformat("2026-12-01T08:00:00+09:00")
    assert Spend([transfer(1, seoul, 1, 1)], now=Clock(2026, 11, 30)).month() == 1


def test_a_reservation_counts_until_it_is_settled() -> None:
    """Then what it did cost counts; a second word on it is passed over."""
    spend = Spend(now=Clock(2026, 11, 22))
    reservation = spend.reserve_now(3, limit=4)
    assert reservation is not None
    assert spend.month() == 3
    assert spend.would_exceed(4, 2)
    assert not spend.would_exceed(4, 1)
    assert not spend.would_exceed(None, 1e9)
    assert spend.reserve_now(2, limit=4) is None
    reservation.settle(0.5)
    reservation.settle(3)
    assert spend.month() == 0.5


def test_a_cost_that_cannot_be_told_counts_as_the_most() -> None:
    spend = Spend(now=Clock(2026, 11, 22))
    reservation = spend.reserve_now(3)
    assert reservation is not None
    reservation.settle(None)
    assert spend.month() == 3


def test_a_request_over_the_turn_of_the_month_counts_for_the_old_one() -> None:
    """As it does when the sum is made anew from the log."""
    clock = Clock(2026, 12, 31, 23, 59, 59)
    spend = Spend([transfer(1, clock(), 5, 5)], now=clock)
    reservation = spend.reserve_now(1)
    assert reservation is not None
    clock.moment += timedelta(seconds=1)
    assert spend.month() == 0
    reservation.settle(1)
    assert spend.month() == 0


def test_a_clock_that_is_set_back_forgets_nothing() -> None:
    """Neither at once nor when the month comes round again."""
    clock = Clock(2026, 12, 1)
    spend = Spend([transfer(1, clock(), 5, 5)], now=clock)
    clock.moment -= timedelta(hours=1)
    assert spend.month() == 5
    clock.moment += timedelta(hours=1)
    assert spend.month() == 5


@given(st.lists(st.tuples(COSTS, COSTS | st.none()), max_size=20))
def test_the_running_sum_is_that_of_the_log(requests: list[tuple[float, float | None]]) -> None:
    """A restart changes nothing."""
    clock = Clock(2026, 11, 22)
    spend = Spend(now=clock)
    for at_most, cost in requests:
        reservation = spend.reserve_now(at_most)
        assert reservation is not None
        reservation.settle(cost)
    log = [transfer(number, clock(), at_most, cost) for number, (at_most, cost) in enumerate(requests)]
    assert Spend(log, now=clock).month() == pytest.approx(spend.month())


class Budget(RuleBasedStateMachine):
    """Requests that come, run at the same time and end in any order, over the turns of months."""

    @initialize(limit=st.floats(0, 5))
    def start(self, limit: float) -> None:
        self.limit = limit
        self.clock = Clock(2026, 11, 20)
        self.spend = Spend(now=self.clock)
        self.open: list[tuple[Reservation, int]] = []
        self.paid: dict[int, list[float]] = {}

    def month(self) -> int:
        return self.clock().year * 12 + self.clock().month

    @rule(at_most=COSTS)
    def request(self, at_most: float) -> None:
        expected = self.spend.would_exceed(self.limit, at_most)
        reservation = self.spend.reserve_now(at_most, limit=self.limit)
        assert (reservation is None) == expected
        if reservation is not None:
            self.open.append((reservation, self.month()))

    @precondition(lambda self: bool(self.open))
    @rule(data=st.data(), part=st.floats(0, 1) | st.none())
    def end(self, data: st.DataObject, part: float | None) -> None:
        index = data.draw(st.integers(0, len(self.open) - 1))
        reservation, month = self.open.pop(index)
        cost = None if part is None else part * reservation.at_most
        reservation.settle(cost)
        self.paid.setdefault(month, []).append(reservation.at_most if cost is None else cost)

    @rule(days=st.integers(1, 20))
    def wait(self, days: int) -> None:
        self.clock.moment += timedelta(days=days)

    @invariant()
    def no_month_costs_more_than_its_limit(self) -> None:
        months = {*self.paid, self.month(), *(month for _, month in self.open)}
        for month in months:
            running = [reservation.at_most for reservation, begun in self.open if begun == month]
            total = math.fsum([*self.paid.get(month, []), *running])
            assert total <= self.limit * (1 + 1e-9)
            if month == self.month():
                assert self.spend.month() == pytest.approx(total)


TestBudget = Budget.TestCase
