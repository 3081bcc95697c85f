"""The deadline for the first token, as it is learned."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeward.backends.pace import Pace

MOST = 60.0

answers = st.lists(st.tuples(st.floats(0.001, 30), st.integers(0, 100_000)), min_size=5, max_size=60)


def learned(*seen: tuple[float, int]) -> Pace:
    pace = Pace()
    for seconds, tokens in seen:
        pace.observe(seconds, tokens)
    return pace


def test_nothing_is_concluded_from_four_answers() -> None:
    """Before that it is the longest deadline."""
    assert learned(*[(1.0, 100)] * 4).deadline_seconds(100, MOST) == MOST
    assert learned(*[(1.0, 100)] * 5).deadline_seconds(100, MOST) == pytest.approx(3)


def test_a_fast_one_still_has_two_seconds() -> None:
    """Networks hesitate."""
    assert learned(*[(0.01, 100)] * 50).deadline_seconds(100, MOST) == 2


def test_the_slowest_in_twenty_counts() -> None:
    """Two outliers in fifty are outliers, three are how it is."""
    assert learned(*[(1.0, 100)] * 48, *[(9.0, 100)] * 2).deadline_seconds(100, MOST) < 4
    assert learned(*[(1.0, 100)] * 47, *[(9.0, 100)] * 3).deadline_seconds(100, MOST) == pytest.approx(27)


def test_only_the_last_fifty_count() -> None:
    """It may have become faster."""
    assert learned(*[(10.0, 100)] * 50, *[(1.0, 100)] * 50).deadline_seconds(100, MOST) == pytest.approx(3)


def test_reading_a_prompt_takes_its_time() -> None:
    """One second, and one more per 1000 tokens: the deadline is three times that for any length seen."""
    random = Random(3)
    pace = learned(*[(1 + n / 1000, n) for n in (random.randrange(8000) for _ in range(40))], (9.0, 8000))
    for tokens in (0, 500, 4000, 8000):
        assert pace.deadline_seconds(tokens, MOST) == pytest.approx(3 * (1 + tokens / 1000))


def test_a_longer_prompt_than_ever_gets_time_in_proportion() -> None:
    """Short prompts alone don't tell what a long one takes: an engine that reads 100 tokens a second needs it."""
    pace = learned(*[(1.0, 100)] * 20)
    assert pace.deadline_seconds(1000, MOST) >= 3 * 1000 / 120
    assert pace.deadline_seconds(100_000, MOST) == MOST


def test_a_shorter_prompt_than_ever_gets_no_less() -> None:
    """A cloud's first token takes as long for one word as for a page."""
    assert learned(*[(4.0, 4000)] * 20).deadline_seconds(10, MOST) == pytest.approx(12)


def test_reading_never_takes_less_than_no_time() -> None:
    """Where long prompts were the slower ones by more than in proportion, a short one still has time."""
    pace = learned(*[((n - 1000) / 1000, n) for n in range(2000, 8000, 200)])
    assert pace.deadline_seconds(1000, MOST) > 2.2


def test_each_deadline_that_passes_doubles_the_next_until_an_answer() -> None:
    """One that has become slower is learned anew."""
    pace = learned(*[(1.0, 100)] * 5)
    pace.was_late()
    pace.was_late()
    assert pace.deadline_seconds(100, MOST) == pytest.approx(12)
    for _ in range(9):
        pace.was_late()
    assert pace.deadline_seconds(100, MOST) == MOST
    pace.observe(1.0, 100)
    assert pace.deadline_seconds(100, MOST) == pytest.approx(3)


@given(seen=answers, tokens=st.integers(0, 200_000), more=st.integers(0, 200_000))
def test_a_longer_prompt_never_gets_less(seen: list[tuple[float, int]], tokens: int, more: int) -> None:
    """Also where longer prompts happened to be answered sooner."""
    pace = learned(*seen)
    assert pace.deadline_seconds(tokens, MOST) <= pace.deadline_seconds(tokens + more, MOST) * (1 + 1e-9)


@given(seen=answers, tokens=st.integers(0, 200_000), most=st.floats(0.5, 600))
def test_it_is_always_a_sensible_time(seen: list[tuple[float, int]], tokens: int, most: float) -> None:
    """From 2 s to the longest, whatever was seen; for most of what was seen, no less than it took."""
    pace = learned(*seen)
    deadline = pace.deadline_seconds(tokens, most)
    assert math.isfinite(deadline)
    assert min(2.0, most) <= deadline <= most
    late = sum(pace.deadline_seconds(n, math.inf) < seconds for seconds, n in seen[-50:])
    assert late <= 0.05 * len(seen[-50:])
