"""Back-off and the limit of failures."""

from hypothesis import given
from hypothesis import strategies as st

from homeward.engines.restart import Again, GiveUp, RestartPolicy, after_failure, count_failure

POLICY = RestartPolicy(failures=1_000_000)
JITTER = st.floats(0, 1)


def test_the_first_waits_double_from_half_a_second() -> None:
    """Without jitter: 0.5, 1, 2, 4 seconds; the fifth failure is the last."""
    verdicts = [after_failure(n, 0.5, RestartPolicy()) for n in range(1, 6)]
    assert verdicts == [Again(0.5), Again(1.0), Again(2.0), Again(4.0), GiveUp(60.0)]


@given(failures=st.integers(1, 100_000), jitter=JITTER)
def test_a_wait_is_never_longer_than_the_longest_nor_shorter_than_the_first(failures: int, jitter: float) -> None:
    """Jitter moves a wait by at most a quarter and never past the cap; large counts do no harm."""
    verdict = after_failure(failures, jitter, POLICY)
    assert isinstance(verdict, Again)
    assert 0.75 * POLICY.first_delay_seconds <= verdict.delay_seconds <= POLICY.longest_delay_seconds


@given(failures=st.integers(1, 1000), jitter=JITTER)
def test_a_further_failure_never_shortens_the_wait(failures: int, jitter: float) -> None:
    """With the same jitter the waits only grow."""
    shorter, longer = (after_failure(n, jitter, POLICY) for n in (failures, failures + 1))
    assert isinstance(shorter, Again)
    assert isinstance(longer, Again)
    assert shorter.delay_seconds <= longer.delay_seconds


@given(failures=st.integers(1, 1000), limit=st.integers(1, 1000), jitter=JITTER)
def test_it_gives_up_exactly_at_the_limit(failures: int, limit: int, jitter: float) -> None:
    """Not before, and always from then on."""
    verdict = after_failure(failures, jitter, RestartPolicy(failures=limit))
    assert isinstance(verdict, GiveUp) == (failures >= limit)


@given(earlier=st.integers(0, 1000), served=st.floats(0, 1e9))
def test_only_steady_service_forgets_failures(earlier: int, served: float) -> None:
    """A child that served for a minute starts the count anew; this failure itself always counts."""
    failures = count_failure(earlier, served, RestartPolicy())
    assert failures == (1 if served >= 60 else earlier + 1)


@given(gaps=st.lists(st.floats(0, 12), min_size=4, max_size=4))
def test_five_failures_within_a_minute_always_end_it(gaps: list[float]) -> None:
    """Fault F4, whatever of that minute was loading and what was service."""
    failures = count_failure(0, 0, RestartPolicy())
    for served in gaps:
        failures = count_failure(failures, served, RestartPolicy())
    assert isinstance(after_failure(failures, 0.5, RestartPolicy()), GiveUp)
