"""The budget of further calls, and the wait before one."""

from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeward.backends import RetryBudget, backoff_seconds


def calls_in_a_storm(requests: int, tries: Callable[[], int]) -> int:
    """Upstream calls of so many requests, each of which would like some more than its first."""
    budget = RetryBudget()
    calls = 0
    for _ in range(requests):
        budget.earn()
        calls += 1
        for _ in range(tries()):
            if not budget.spend():
                break
            calls += 1
    return calls


@pytest.mark.parametrize("requests", [100, 1000, 10_000])
def test_a_storm_is_not_made_worse(requests: int) -> None:
    """F15: at most 1.2 calls per request where all of them fail, and all would like four tries."""
    assert requests < calls_in_a_storm(requests, lambda: 3) <= 1.2 * requests


def test_a_few_failures_may_all_be_tried_again() -> None:
    """That is what it is there for."""
    assert calls_in_a_storm(10, lambda: 1) == 20


def test_what_is_not_spent_is_not_saved_for_ever() -> None:
    """After a quiet day a storm is no worse than after a quiet minute."""
    budget = RetryBudget()
    for _ in range(10_000):
        budget.earn()
    assert sum(budget.spend() for _ in range(100)) == 10


@given(asked=st.lists(st.integers(0, 5), min_size=1, max_size=300), seed=st.integers())
def test_never_more_than_was_earned(asked: list[int], seed: int) -> None:
    """Ten, and a tenth per request."""
    tries = iter(asked)
    calls = calls_in_a_storm(len(asked), lambda: next(tries))
    assert calls <= len(asked) + 10 + len(asked) / 10 + 1e-6


def test_backoff_grows_and_is_spread() -> None:
    """Requests that failed together don't come back together."""
    random = Random(1)
    for attempt, bound in [(1, 0.25), (2, 0.5), (3, 1.0), (4, 2.0), (5, 2.0), (5000, 2.0)]:
        waits = [backoff_seconds(attempt, random) for _ in range(1000)]
        assert 0 <= min(waits) < bound / 20
        assert bound * 0.95 < max(waits) <= bound


def test_a_time_that_was_asked_for_is_kept_to() -> None:
    """And spread behind it."""
    waits = {backoff_seconds(1, Random(seed), 20) for seed in range(50)}
    assert 20 <= min(waits) < max(waits) <= 20.25
