"""What an engine does next: a pure function of its life so far and an event.

Nothing here waits, starts or kills; `supervisor` carries the actions out and reports back with further
events. So every order of events can be tried without a process or a clock
(`tests/engines/test_lifecycle.py`).

The states are those of `EngineState`. Within `starting` a child is being launched, or `due_at` says when
that will be tried next. Within `stopping` the leases run out until `due_at`, or the child is being ended.
"""

from typing import assert_never

import msgspec

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
from homeward.engines.restart import GiveUp, RestartPolicy, after_failure, count_failure


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What the decisions go by."""

    restart: RestartPolicy = RestartPolicy()
    idle_seconds: float = 0.0
    """Unused for this long, the child is ended; 0 never."""
    drain_seconds: float = 30.0
    """For how long a stop waits for leases."""


class Life(msgspec.Struct, frozen=True, kw_only=True):
    """An engine's life so far. Instants are seconds of the event loop's clock."""

    state: EngineState = EngineState.STOPPED
    occupied: bool = False
    """A child is being launched, runs, or is being ended."""
    ending: bool = False
    """The child is being ended."""
    wanted: bool = False
    """Somebody waits for the end of this stop in order to start anew."""
    closing: bool = False
    """This stop is for good."""
    leases: int = 0
    failures: int = 0
    restarts: int = 0
    ready_at: float = 0.0
    used_at: float = 0.0
    """When it was last asked for or given back."""
    due_at: float | None = None
    """Starting: next launch. Stopping: end of patience with leases. Failed: when it may be tried again."""
    failure: Failure | None = None


Decision = tuple[Life, tuple[Action, ...]]

_STOPPED_EARLY = Failure(message="The engine was stopped before it was ready.", next_step="Try again.")


def wakes_at(life: Life, rules: Rules) -> float | None:
    """The instant at which the supervisor has to report a `Tick` if nothing else happens; None for none."""
    match life.state:
        case EngineState.STARTING | EngineState.STOPPING:
            return life.due_at
        case EngineState.READY if rules.idle_seconds > 0 and life.leases == 0:
            return life.used_at + rules.idle_seconds
        case _:
            return None


# One line per event.
def decide(life: Life, event: Event, now: float, rules: Rules) -> Decision:  # noqa: C901
    """The life after the event, and what is to be done. Events that come too late change nothing."""
    match event:
        case ReadyWanted():
            return _on_ready_wanted(life, now)
        case LeasesGranted():
            return _with(life, leases=life.leases + event.count), ()
        case LeaseReturned():
            return _on_lease_returned(_with(life, leases=life.leases - 1, used_at=now))
        case StopWanted():
            return _on_stop_wanted(life, now, rules)
        case CloseWanted():
            return _on_close_wanted(life)
        case Launched():
            return _on_launched(life, now)
        case LaunchFailed():
            return _on_launch_failed(life, event, now, rules)
        case ChildFailed():
            return _on_child_failed(life, event, now, rules)
        case ChildEnded():
            return _on_child_ended(life)
        case Tick():
            return _on_tick(life, now, rules)
        case _:
            assert_never(event)


def _with(life: Life, **changes: object) -> Life:
    return msgspec.structs.replace(life, **changes)


def _on_ready_wanted(life: Life, now: float) -> Decision:
    life = _with(life, used_at=now)
    match life.state:
        case EngineState.STOPPED:
            return _launching(life)
        case EngineState.STARTING:
            return life, ()
        case EngineState.READY:
            return life, (Answer(),)
        case EngineState.STOPPING if not life.closing:
            return _with(life, wanted=True), ()
        case EngineState.FAILED if life.due_at is None or now >= life.due_at:
            return _launching(_with(life, restarts=life.restarts + 1))
        case EngineState.FAILED:
            return life, (Refuse(life.failure, retry_after_seconds=(life.due_at or now) - now),)
        case _:
            return life, (Refuse(None),)


def _on_lease_returned(life: Life) -> Decision:
    if life.state is EngineState.STOPPING and life.leases == 0 and not life.ending:
        return _ending(life)
    return life, ()


def _on_stop_wanted(life: Life, now: float, rules: Rules) -> Decision:
    match life.state:
        case EngineState.STARTING if _is_launching(life):
            ending, actions = _ending(_with(life, failures=0))
            return ending, (Refuse(_STOPPED_EARLY), *actions)
        case EngineState.STARTING:
            return _stopped(life), (Refuse(_STOPPED_EARLY), Confirm())
        case EngineState.READY if life.leases:
            return _with(life, state=EngineState.STOPPING, due_at=now + rules.drain_seconds), ()
        case EngineState.READY:
            return _ending(life)
        case EngineState.STOPPING if life.wanted:  # the later word counts
            return _with(life, wanted=False), (Refuse(_STOPPED_EARLY),)
        case EngineState.STOPPING:
            return life, ()
        case EngineState.FAILED:
            return _stopped(life), (Confirm(),)
        case _:
            return life, (Confirm(),)


def _on_close_wanted(life: Life) -> Decision:
    if not life.occupied:
        return _with(life, state=EngineState.CLOSED, due_at=None), (Refuse(None), Confirm())
    closing = _with(life, closing=True, wanted=False)
    if life.ending:
        return closing, (Refuse(None),)
    ending, actions = _ending(closing)
    return ending, (Refuse(None), *actions)


def _on_launched(life: Life, now: float) -> Decision:
    if not _is_launching(life):
        return life, ()
    ready = _with(life, state=EngineState.READY, ready_at=now, used_at=now, due_at=None, failure=None)
    return ready, (Watch(), Answer())


def _on_launch_failed(life: Life, event: LaunchFailed, now: float, rules: Rules) -> Decision:
    if not _is_launching(life):
        return life, ()
    life = _with(life, occupied=False, failure=event.failure)
    if event.failure.permanent:
        return _with(life, state=EngineState.FAILED, due_at=None), (Refuse(event.failure),)
    life = _with(life, failures=count_failure(life.failures, 0.0, rules.restart))
    life = _waiting(life, event.jitter, now, rules)
    return life, (Refuse(life.failure, retry_after_seconds=(life.due_at or now) - now),)


def _on_child_failed(life: Life, event: ChildFailed, now: float, rules: Rules) -> Decision:
    if life.state is EngineState.STOPPING and not life.ending:  # it fell while its leases ran out
        return _ending(life)
    if life.state is not EngineState.READY:
        return life, ()
    failures = count_failure(life.failures, now - life.ready_at, rules.restart)
    life = _with(life, occupied=False, failures=failures, failure=event.failure)
    return _waiting(life, event.jitter, now, rules), (Clear(),)


def _on_child_ended(life: Life) -> Decision:
    if not life.ending:
        return life, ()
    if life.closing:
        closed = _with(life, state=EngineState.CLOSED, occupied=False, ending=False, due_at=None)
        return closed, (Confirm(),)
    if life.wanted:
        launching, actions = _launching(_with(_stopped(life), wanted=False))
        return launching, (Confirm(), *actions)
    return _stopped(life), (Confirm(),)


def _on_tick(life: Life, now: float, rules: Rules) -> Decision:
    wake = wakes_at(life, rules)
    if wake is None or now < wake:
        return life, ()
    if life.state is EngineState.STARTING:
        return _launching(_with(life, restarts=life.restarts + 1))
    return _ending(life)


def _is_launching(life: Life) -> bool:
    return life.state is EngineState.STARTING and life.occupied


def _launching(life: Life) -> Decision:
    return _with(life, state=EngineState.STARTING, occupied=True, due_at=None), (Launch(),)


def _ending(life: Life) -> Decision:
    return _with(life, state=EngineState.STOPPING, ending=True, due_at=None), (End(),)


def _stopped(life: Life) -> Life:
    return _with(
        life,
        state=EngineState.STOPPED,
        occupied=False,
        ending=False,
        wanted=False,
        failures=0,
        due_at=None,
        failure=None,
    )


def _waiting(life: Life, jitter: float, now: float, rules: Rules) -> Life:
    """Behind a failure, which has been counted: wait for the next launch, or give up for a while."""
    verdict = after_failure(life.failures, jitter, rules.restart)
    if isinstance(verdict, GiveUp):
        next_step = f"It failed {life.failures} times and rests for {verdict.cool_down_seconds:g} seconds."
        failure = msgspec.structs.replace(life.failure or _STOPPED_EARLY, next_step=next_step)
        return _with(life, state=EngineState.FAILED, failure=failure, due_at=now + verdict.cool_down_seconds)
    return _with(life, state=EngineState.STARTING, due_at=now + verdict.delay_seconds)
