"""Every order of events, without processes and clocks: no decision is impossible, nobody waits in vain."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from homeward.engines.engine import EngineState
from homeward.engines.events import (
    Action,
    Answer,
    ChildEnded,
    ChildFailed,
    Clear,
    CloseWanted,
    Confirm,
    End,
    Event,
    Failure,
    Launch,
    Launched,
    LaunchFailed,
    LeaseReturned,
    LeasesGranted,
    ReadyWanted,
    Refuse,
    StopWanted,
    Tick,
    Watch,
)
from homeward.engines.lifecycle import Life, Rules, decide, wakes_at
from homeward.engines.restart import RestartPolicy

RULES = Rules(
    restart=RestartPolicy(failures=3, steady_seconds=60, cool_down_seconds=60),
    idle_seconds=100,
    drain_seconds=30,
)
FAILURE = Failure(message="It broke.")
HOPELESS = Failure(message="There is no file.", permanent=True)


class Owner(RuleBasedStateMachine):
    """Does what the supervisor does with the decisions, with a child that is three flags."""

    def __init__(self) -> None:
        super().__init__()
        self.life = Life()
        self.now = 0.0
        self.launching = self.ready = self.ending = False
        self.waiting: list[bool] = []  # callers without an answer; whether they want a lease
        self.ends_awaited = 0
        self.leases = 0

    @property
    def occupied(self) -> bool:
        return self.launching or self.ready or self.ending

    def tell(self, event: Event) -> tuple[Action, ...]:
        self.life, actions = decide(self.life, event, self.now, RULES)
        for action in actions:
            self.do(action)
        return actions

    def do(self, action: Action) -> None:
        match action:
            case Launch():
                assert not self.occupied, "two children"
                self.launching = True
            case Watch():
                assert self.ready
            case End():
                assert self.launching or self.ready, "nothing to end"
                assert not self.ending, "ended twice"
                self.ending = True
            case Clear():
                assert not self.launching
                self.ready = False
            case Answer():
                assert self.ready, "an address of nothing"
                granted = sum(self.waiting)
                self.leases += granted
                self.waiting.clear()
                self.life, _ = decide(self.life, LeasesGranted(granted), self.now, RULES)
            case Refuse():
                self.waiting.clear()
            case Confirm():
                self.ends_awaited = 0

    @rule(lease=st.booleans())
    def someone_needs_it(self, *, lease: bool) -> None:
        self.waiting.append(lease)
        self.tell(ReadyWanted())

    @precondition(lambda self: self.leases > 0)
    @rule()
    def a_lease_comes_back(self) -> None:
        self.leases -= 1
        self.tell(LeaseReturned())

    @rule()
    def someone_stops_it(self) -> None:
        self.ends_awaited += 1
        self.tell(StopWanted())

    @precondition(lambda self: self.life.state is not EngineState.CLOSED)
    @rule(really=st.integers(0, 9))
    def someone_closes_it(self, really: int) -> None:
        if really == 0:  # rarely: afterwards little more can happen
            self.ends_awaited += 1
            self.tell(CloseWanted())

    @precondition(lambda self: self.launching and not self.ending)
    @rule()
    def the_launch_succeeds(self) -> None:
        self.launching, self.ready = False, True
        self.tell(Launched())

    @precondition(lambda self: self.launching and not self.ending)
    @rule(failure=st.sampled_from([FAILURE, HOPELESS]), jitter=st.floats(0, 1))
    def the_launch_fails(self, failure: Failure, jitter: float) -> None:
        self.launching = False
        self.tell(LaunchFailed(failure, jitter))

    @precondition(lambda self: self.ready and not self.ending)
    @rule(jitter=st.floats(0, 1))
    def the_child_fails(self, jitter: float) -> None:
        self.tell(ChildFailed(FAILURE, jitter))

    @precondition(lambda self: self.ending)
    @rule()
    def the_child_is_gone(self) -> None:
        self.launching = self.ready = self.ending = False
        self.tell(ChildEnded())

    @rule(event=st.sampled_from([Launched(), LaunchFailed(FAILURE), ChildFailed(FAILURE)]))
    def a_report_comes_too_late(self, event: Event) -> None:
        if self.ending or not self.occupied:
            assert self.tell(event) == ()

    @rule(seconds=st.floats(0.01, 200))
    def time_passes(self, seconds: float) -> None:
        target = self.now + seconds
        for _ in range(100):
            wake = wakes_at(self.life, RULES)
            if wake is None or wake > target:
                break
            self.now = max(self.now, wake)
            before = self.life
            actions = self.tell(Tick())
            if before.state is EngineState.READY:
                assert before.leases == 0, "unloaded in use"
                assert actions == (End(),)
        else:
            raise AssertionError("it wakes without end")
        self.now = target

    @invariant()
    def it_knows_whether_there_is_a_child(self) -> None:
        assert self.life.occupied == self.occupied
        assert self.life.ending == self.ending
        assert self.life.leases == self.leases

    @invariant()
    def nobody_waits_in_vain(self) -> None:
        state, life = self.life.state, self.life
        if self.waiting:
            assert state is EngineState.STARTING or (state is EngineState.STOPPING and life.wanted)
        if self.ends_awaited:
            assert state is EngineState.STOPPING
        if state is EngineState.STARTING:
            assert self.launching != (life.due_at is not None), "stuck, or two things at once"
        if state is EngineState.STOPPING:
            assert self.ending != (life.due_at is not None), "stuck, or two things at once"

    @invariant()
    def the_state_is_what_it_says(self) -> None:
        state = self.life.state
        assert self.ready == (state is EngineState.READY or (state is EngineState.STOPPING and self.ready))
        if state in (EngineState.STOPPED, EngineState.FAILED, EngineState.CLOSED):
            assert not self.life.occupied
        if state is EngineState.FAILED:
            assert self.life.failure is not None
        if state is EngineState.STARTING:
            assert self.life.failures < RULES.restart.failures or self.launching


TestOwner = Owner.TestCase
TestOwner.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)


def _live(*events: Event, life: Life | None = None, at: float = 0.0, rules: Rules = RULES) -> Life:
    life = life or Life()
    for event in events:
        life, _ = decide(life, event, at, rules)
    return life


READY = _live(ReadyWanted(), Launched())


@pytest.mark.parametrize(
    ("life", "state", "actions"),
    [
        (Life(), EngineState.STARTING, (Launch(),)),
        (_live(ReadyWanted()), EngineState.STARTING, ()),
        (_live(ReadyWanted(), LaunchFailed(FAILURE)), EngineState.STARTING, ()),
        (READY, EngineState.READY, (Answer(),)),
        (_live(StopWanted(), life=READY), EngineState.STOPPING, ()),
        (_live(ReadyWanted(), LaunchFailed(HOPELESS)), EngineState.STARTING, (Launch(),)),
        (_live(CloseWanted()), EngineState.CLOSED, (Refuse(None),)),
        (_live(CloseWanted(), life=READY), EngineState.STOPPING, (Refuse(None),)),
    ],
    ids=["stopped", "starting", "back-off", "ready", "stopping", "hopeless", "closed", "closing"],
)
def test_what_a_need_does_in_each_state(life: Life, state: EngineState, actions: tuple[Action, ...]) -> None:
    """The contract's state table."""
    life, done = decide(life, ReadyWanted(), 0.0, RULES)
    assert (life.state, done) == (state, actions)


def test_a_need_while_it_rests_is_refused_with_the_time_that_is_left() -> None:
    """60 seconds of rest, 20 of them over."""
    life = Life()
    for _ in range(3):
        life = _live(ReadyWanted(), LaunchFailed(FAILURE), life=life)
        life = _live(Tick(), life=life, at=10.0)
    assert life.state is EngineState.FAILED
    _, actions = decide(life, ReadyWanted(), 20.0, RULES)
    [refusal] = actions
    assert isinstance(refusal, Refuse)
    assert refusal.retry_after_seconds == 40.0


def test_a_need_resets_the_idle_time() -> None:
    """Asked for at 90 of 100 seconds, it is kept until 190."""
    life = _live(ReadyWanted(), life=READY, at=90.0)
    assert wakes_at(life, RULES) == 190.0
    assert _live(Tick(), life=life, at=189.0).state is EngineState.READY
    assert _live(Tick(), life=life, at=190.0).state is EngineState.STOPPING


def test_a_later_stop_outweighs_a_need_that_waits_for_the_earlier_one() -> None:
    """Stop, need, stop: it stays stopped, and the one in need is told."""
    stopping = _live(StopWanted(), ReadyWanted(), life=READY)
    life, actions = decide(stopping, StopWanted(), 0.0, RULES)
    assert [type(action) for action in actions] == [Refuse]
    assert _live(ChildEnded(), life=life).state is EngineState.STOPPED


def test_a_minute_of_steady_service_forgets_failures() -> None:
    """Two failed starts, then a child that lives for a minute: its crash is a first failure again."""
    life = _live(ReadyWanted(), LaunchFailed(FAILURE))
    life = _live(Tick(), LaunchFailed(FAILURE), life=life, at=10.0)
    life = _live(Tick(), Launched(), life=life, at=20.0)
    assert _live(ChildFailed(FAILURE), life=life, at=79.0).failures == 3
    assert _live(ChildFailed(FAILURE), life=life, at=80.0).failures == 1
