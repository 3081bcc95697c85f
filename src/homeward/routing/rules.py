"""Whether a rule matches, and whom it names.

A condition on what is not known for certain does not hold, whichever way it is put.
"""

from collections.abc import Collection
from typing import get_args

from homeward.config.policy import Day, Rule, When
from homeward.protocol.place import PlaceName
from homeward.routing.plan import BackendView, Facts, Snapshot

PLACE_NAMES: frozenset[str] = frozenset(get_args(PlaceName))
DAYS: tuple[Day, ...] = get_args(Day)  # from Monday, as `Facts.weekday` counts


def names(target: str, view: BackendView) -> bool:
    """Whether a rule's target means this backend.

    A place's name always means the place: a cloud that somebody called `device` is not at home for it.
    """
    return target == (view.place if target in PLACE_NAMES else view.name)


def unknown_targets(rule: Rule, backends: Collection[str]) -> list[str]:
    """What a rule names in `use` or `failed` that is neither a place nor one of these backends."""
    named = dict.fromkeys((*rule.use, *rule.when.failed))
    return [target for target in named if target not in PLACE_NAMES and target not in backends]


def matches(when: When, facts: Facts, snapshot: Snapshot) -> bool:
    """Whether all conditions hold; without any, always."""
    return (
        (not when.task or facts.task in when.task)
        and (not when.complexity or facts.complexity in when.complexity)
        and (when.tokens_over is None or facts.tokens > when.tokens_over)
        and _found(when, facts)
        and (when.attachments is None or facts.attachments == when.attachments)
        and all(_cannot_answer(target, snapshot) for target in when.failed)
        and _in_time(when, facts)
        and (when.spent_over is None or facts.spent > when.spent_over)
    )


def _found(when: When, facts: Facts) -> bool:
    match when.findings:
        case None:
            return True
        case True:
            return bool(facts.findings)
        case False:
            # without findings everything may leave; where it may not, the text could not be looked at completely
            return not facts.findings and facts.may_leave == "allow"
        case kinds:
            return not facts.findings.isdisjoint(kinds)


def _cannot_answer(target: str, snapshot: Snapshot) -> bool:
    """Whether no backend of this name or place is ready or loading; so it is where there is none at all."""
    return all(view.state in {"resting", "failed"} for view in snapshot.backends if names(target, view))


def _in_time(when: When, facts: Facts) -> bool:
    """Hours without their end. Those that go over midnight belong to the day on which they begin."""
    weekday = facts.weekday
    if when.hours is not None:
        start, end = (_minute(time) for time in when.hours.split("-"))
        if start < end:
            if not start <= facts.minute < end:
                return False
        elif facts.minute < end:
            weekday -= 1  # Monday's -1 is Sunday
        elif facts.minute < start:
            return False
    return not when.days or DAYS[weekday] in when.days


def _minute(time: str) -> int:
    hours, minutes = time.split(":")
    return int(hours) * 60 + int(minutes)
