"""The circuit breaker of a backend, against a small model of it and by examples."""

from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from homeward.backends import Health, Permit
from homeward.protocol.errors import (
    BackendDisconnectedError,
    BackendKeyError,
    BackendProtocolError,
    BackendStatusError,
    BackendTimeoutError,
    BackendUnreachableError,
    ContextLengthError,
    EngineStartError,
    HomewardError,
    InvalidRequestError,
)

UNREACHABLE = BackendUnreachableError("The backend 'x' cannot be reached.")


def status(number: int, retry_after: float | None = None) -> BackendStatusError:
    return BackendStatusError(f"Status {number}.", upstream_status=number, retry_after_seconds=retry_after)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock=clock, random=Random(1))


def ask(health: Health) -> Permit:
    permit = health.permit_now()
    assert permit is not None
    return permit


def fail(health: Health, times: int = 5, error: HomewardError = UNREACHABLE) -> None:
    for _ in range(times):
        ask(health).failed(error)


def test_five_failures_in_a_row_open_it(health: Health, clock: Clock) -> None:
    """F13: it is left alone for at least 30 s, and says why."""
    fail(health, 4)
    assert (health.rests_seconds(), health.why) == (0, "")
    fail(health, 1)
    assert 30 <= health.rests_seconds() <= 37.5
    assert health.why == UNREACHABLE.message
    clock.now += 29.9
    assert health.permit_now() is None


def test_a_success_between_failures_keeps_it_closed(health: Health) -> None:
    """They are counted in a row."""
    fail(health, 4)
    ask(health).succeeded(0.1, 10)
    fail(health, 4)
    assert health.rests_seconds() == 0


def test_exactly_one_probe(health: Health, clock: Clock) -> None:
    """F17: after the rest one request passes, the others still see it resting; success closes."""
    fail(health)
    clock.now += health.rests_seconds()
    probe = ask(health)
    assert health.permit_now() is None
    assert 0 < health.rests_seconds() <= 1
    assert health.why == UNREACHABLE.message
    probe.succeeded(0.1, 10)
    assert (health.rests_seconds(), health.why) == (0, "")
    assert None not in [health.permit_now() for _ in range(9)]


def test_a_failed_probe_doubles_the_rest(health: Health, clock: Clock) -> None:
    """From 30 s to 10 minutes; a success begins anew."""
    fail(health)
    for planned in (60, 120, 240, 480, 600, 600):
        clock.now += health.rests_seconds()
        fail(health, 1)
        assert planned <= health.rests_seconds() <= min(planned * 1.25, 600)
    clock.now += 600
    ask(health).succeeded(0.1, 10)
    fail(health)
    assert health.rests_seconds() <= 37.5


def test_a_probe_whose_client_left_is_free_again(health: Health, clock: Clock) -> None:
    """It says nothing about the backend, so the next request is the probe."""
    fail(health)
    clock.now += 40
    ask(health).given_up()
    ask(health).succeeded(0.1, 10)
    assert not health.is_open


def test_only_the_first_end_of_a_permit_counts(health: Health, clock: Clock) -> None:
    """So a `finally` that gives it up is always right."""
    fail(health)
    clock.now += 40
    probe = ask(health)
    probe.failed(UNREACHABLE)
    rest = health.rests_seconds()
    assert rest >= 60
    probe.given_up()
    probe.succeeded(0.1, 10)
    probe.failed(UNREACHABLE)
    assert health.rests_seconds() == rest


def test_one_request_is_one_failure(health: Health) -> None:
    """However often its end is told."""
    permit = ask(health)
    for _ in range(9):
        permit.failed(UNREACHABLE)
    assert not health.is_open


def test_requests_begun_before_it_fell_change_nothing(health: Health, clock: Clock) -> None:
    """Eight that ran together do not make eight failures, and a straggler's success does not close it."""
    together = [ask(health) for _ in range(8)]
    for permit in together[:5]:
        permit.failed(UNREACHABLE)
    rest = health.rests_seconds()
    together[5].failed(UNREACHABLE)
    together[6].succeeded(0.1, 10)
    assert health.rests_seconds() == rest
    clock.now += rest
    probe = ask(health)
    together[7].failed(UNREACHABLE)
    assert health.permit_now() is None
    probe.succeeded(0.1, 10)
    assert not health.is_open


@pytest.mark.parametrize("error", [status(429, 20), status(503, 20)])
def test_retry_after_is_kept_to(health: Health, clock: Clock, error: HomewardError) -> None:
    """F14: it is not called for the given time, and nothing is counted."""
    fail(health, 4)
    fail(health, 1, error)
    assert health.rests_seconds() == 20
    assert health.why == error.message
    clock.now += 20
    assert not health.is_open
    assert health.permit_now() is not None
    assert health.permit_now() is not None


def test_a_shorter_retry_after_does_not_shorten_a_longer_one(health: Health) -> None:
    """Two requests that ran together may be told different times."""
    first, second = ask(health), ask(health)
    first.failed(status(429, 100))
    second.failed(status(429, 1))
    assert health.rests_seconds() == 100


def test_a_429_without_a_time_has_it_rest_shortly(health: Health) -> None:
    """Senseless values come here as None."""
    fail(health, 1, status(429))
    assert health.rests_seconds() == 5


@pytest.mark.parametrize("error", [status(401), status(403), BackendKeyError("There is no key.")])
def test_a_refused_key_has_it_rest_for_a_minute(health: Health, error: HomewardError) -> None:
    """Each further request would only be refused as well."""
    fail(health, 1, error)
    assert health.rests_seconds() == 60
    assert health.why == error.message
    assert not health.is_open


def test_a_probe_that_is_told_to_wait_leaves_it_half_open(health: Health, clock: Clock) -> None:
    """It neither worked nor failed: after the wait there is one probe again."""
    fail(health)
    clock.now += 40
    fail(health, 1, status(503, 7))
    assert health.rests_seconds() == 7
    clock.now += 7
    ask(health)
    assert health.permit_now() is None


@pytest.mark.parametrize(
    ("error", "counts"),
    [
        (UNREACHABLE, True),
        (BackendTimeoutError("Too slow."), True),
        (BackendDisconnectedError("Gone."), True),
        (BackendProtocolError("A web page."), True),
        (status(500), True),
        (status(503), True),
        (status(408), True),
        (status(400), False),
        (status(404), False),
        (status(301), False),
        (ContextLengthError(prompt_tokens=None, available_tokens=None), False),
        (InvalidRequestError("Half a character."), False),
        (EngineStartError("No memory."), False),
    ],
)
def test_what_counts_as_a_failure(health: Health, error: HomewardError, counts: bool) -> None:
    """What speaks of the backend, not of the request."""
    fail(health, 5, error)
    assert health.is_open is counts


def test_one_that_stands_up_again_never_rests(clock: Clock) -> None:
    """Our own engines are restarted by their supervisor; their pace is learned all the same."""
    health = Health(rests=False, clock=clock)
    fail(health, 20)
    fail(health, 1, status(429, 50))
    assert (health.rests_seconds(), health.why, health.is_open) == (0, "", False)
    for _ in range(5):
        ask(health).succeeded(2.0, 100)
    assert health.first_token_seconds(100, 60) == pytest.approx(6)


def test_a_timeout_has_the_next_ones_wait_longer(health: Health) -> None:
    """A backend that has become slower is not given up for ever."""
    for _ in range(5):
        ask(health).succeeded(2.0, 100)
    for deadline in (12, 24):
        fail(health, 1, BackendTimeoutError("Too slow."))
        assert health.first_token_seconds(100, 60) == pytest.approx(deadline)


ERRORS = st.sampled_from([UNREACHABLE, status(500), status(404), status(401), status(429), status(429, 3.0)])


class Breaker(RuleBasedStateMachine):
    """Requests in any order, against the rules as the issue states them."""

    @initialize(seed=st.integers(0, 5))
    def begin(self, seed: int) -> None:
        self.clock = Clock()
        self.health = Health(clock=self.clock, random=Random(seed))
        self.running: list[tuple[Permit, bool]] = []
        """Each with whether it was given while the breaker was open: then it is a probe."""
        self.last = (self.clock.now, 0.0)
        self.told_to_rest_until = 0.0
        self.in_a_row = 0

    @rule(seconds=st.sampled_from([0.5, 5.0, 29.0, 38.0, 601.0]))
    def time_passes(self, seconds: float) -> None:
        before = self.health.rests_seconds()
        self.clock.now += seconds
        assert self.health.rests_seconds() <= before

    @rule()
    def a_request_comes(self) -> None:
        rests, is_open = self.health.rests_seconds(), self.health.is_open
        permit = self.health.permit_now()
        assert (permit is None) == (rests > 0)
        if permit is not None:
            assert self.clock.now >= self.told_to_rest_until
            self.running.append((permit, is_open))

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 30))
    def one_succeeds(self, which: int) -> None:
        permit, probe = self.running.pop(which % len(self.running))
        was_open = self.health.is_open
        permit.succeeded(0.1, 10)
        if probe or not was_open:
            assert not self.health.is_open
            self.in_a_row = 0

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 30), error=ERRORS)
    def one_fails(self, which: int, error: HomewardError) -> None:
        permit, probe = self.running.pop(which % len(self.running))
        was_open = self.health.is_open
        rests_until = self.clock.now + self.health.rests_seconds()
        permit.failed(error)
        if isinstance(error, BackendStatusError) and error.upstream_status in {401, 429}:
            self.told_to_rest_until = max(
                self.told_to_rest_until,
                self.clock.now + (60 if error.upstream_status == 401 else error.retry_after_seconds or 5),
            )
        elif error is not UNREACHABLE and getattr(error, "upstream_status", 0) < 500:
            return
        elif probe:
            assert self.health.rests_seconds() >= 60
        elif was_open:
            assert self.clock.now + self.health.rests_seconds() == rests_until
        else:
            self.in_a_row += 1
            assert self.health.is_open == (self.in_a_row == 5)
            assert not self.health.is_open or self.health.rests_seconds() >= 30

    @precondition(lambda self: self.running)
    @rule(which=st.integers(0, 30))
    def a_client_leaves(self, which: int) -> None:
        permit, probe = self.running.pop(which % len(self.running))
        was_open = self.health.is_open
        permit.given_up()
        assert self.health.is_open == was_open
        if probe:
            assert self.health.rests_seconds() == 0 or self.clock.now < self.told_to_rest_until

    @invariant()
    def never_two_probes(self) -> None:
        if self.health.is_open:
            assert sum(probe for _, probe in self.running) <= 1

    @invariant()
    def says_why_exactly_while_it_rests(self) -> None:
        assert bool(self.health.why) == (self.health.rests_seconds() > 0)


Breaker.TestCase.settings = settings(max_examples=200, stateful_step_count=40, deadline=None)
test_any_order = Breaker.TestCase


@pytest.mark.parametrize(("number", "busy"), [(429, True), (503, False), (401, False)])
def test_it_is_told_apart_why_it_rests(health: Health, clock: Clock, number: int, busy: bool) -> None:
    """One that has too much to do, and others."""
    assert not health.busy
    fail(health, 1, status(number, retry_after=7))
    assert (health.busy, health.state.busy) == (busy, busy)
    clock.now += 1000
    assert not health.busy
