"""Conditions of rules."""

from collections.abc import Mapping
from typing import Literal

import pytest

from homeward.config.policy import Rule, When
from homeward.protocol.place import Place
from homeward.routing import BackendView, Facts, Snapshot, unknown_targets
from homeward.routing.rules import matches

State = Literal["ready", "loading", "resting", "failed"]
FRIDAY, SATURDAY, SUNDAY, MONDAY = 4, 5, 6, 0
FOUND = frozenset({"email", "phone"})


def holds(when: Mapping[str, object], facts: Facts, *backends: BackendView) -> bool:
    """Whether a condition, as it is written in the file, holds."""
    return matches(When.model_validate(when), facts, Snapshot(backends))


@pytest.mark.parametrize(
    ("when", "facts", "expected"),
    [
        ({}, Facts(), True),
        ({"task": ["code", "maths"]}, Facts(task="maths"), True),
        ({"task": ["code", "maths"]}, Facts(task="chat"), False),
        ({"task": ["code", "maths"]}, Facts(), False),
        ({"complexity": ["hard"]}, Facts(complexity="hard"), True),
        ({"complexity": ["hard"]}, Facts(complexity="easy"), False),
        ({"complexity": ["easy", "medium", "hard"]}, Facts(), False),
        ({"tokens_over": 100}, Facts(tokens=101), True),
        ({"tokens_over": 100}, Facts(tokens=100), False),
        ({"findings": True}, Facts(findings=FOUND), True),
        ({"findings": True}, Facts(may_leave="allow"), False),
        ({"findings": False}, Facts(may_leave="allow"), True),
        ({"findings": False}, Facts(findings=FOUND, may_leave="allow"), False),
        ({"findings": ["phone", "card"]}, Facts(findings=FOUND), True),
        ({"findings": ["card"]}, Facts(findings=FOUND), False),
        ({"attachments": True}, Facts(attachments=True), True),
        ({"attachments": True}, Facts(), False),
        ({"attachments": False}, Facts(), True),
        ({"attachments": False}, Facts(attachments=True), False),
        ({"spent_over": 5}, Facts(spent=5.01), True),
        ({"spent_over": 5}, Facts(spent=5), False),
        ({"days": ["mon", "sun"]}, Facts(weekday=SUNDAY), True),
        ({"days": ["mon", "sun"]}, Facts(weekday=MONDAY), True),
        ({"days": ["mon", "sun"]}, Facts(weekday=FRIDAY), False),
    ],
)
def test_conditions(when: Mapping[str, object], facts: Facts, expected: bool) -> None:
    """Each by itself; what is not known never holds."""
    assert holds(when, facts) is expected


@pytest.mark.parametrize("findings", [True, False, ["email"]])
def test_a_text_that_could_not_be_checked_has_neither_findings_nor_none(findings: object) -> None:
    """Nothing was found, and yet it may not simply leave: so it is not known."""
    assert not holds({"findings": findings}, Facts(may_leave="home"))


def test_all_conditions_must_hold() -> None:
    """Not only one of them."""
    when = {"task": ["code"], "tokens_over": 10}
    assert holds(when, Facts(task="code", tokens=11))
    assert not holds(when, Facts(task="code", tokens=10))
    assert not holds(when, Facts(task="chat", tokens=11))


@pytest.mark.parametrize(
    ("hours", "time", "expected"),
    [
        ("09:30-17:00", "09:29", False),
        ("09:30-17:00", "09:30", True),
        ("09:30-17:00", "16:59", True),
        ("09:30-17:00", "17:00", False),
        ("22:00-06:00", "21:59", False),
        ("22:00-06:00", "22:00", True),
        ("22:00-06:00", "00:00", True),
        ("22:00-06:00", "05:59", True),
        ("22:00-06:00", "06:00", False),
        ("18:00-00:00", "23:59", True),
        ("18:00-00:00", "00:00", False),
    ],
)
def test_hours(hours: str, time: str, expected: bool) -> None:
    """With their beginning, without their end, over midnight or not."""
    hour, minute = time.split(":")
    assert holds({"hours": hours}, Facts(minute=int(hour) * 60 + int(minute))) is expected


@pytest.mark.parametrize(
    ("weekday", "hour", "expected"),
    [
        (FRIDAY, 5, False),
        (FRIDAY, 21, False),
        (FRIDAY, 22, True),
        (SATURDAY, 5, True),
        (SATURDAY, 6, False),
        (SATURDAY, 22, False),
    ],
)
def test_a_night_belongs_to_the_day_on_which_it_begins(weekday: int, hour: int, expected: bool) -> None:
    """Friday's night ends on Saturday morning."""
    assert holds({"hours": "22:00-06:00", "days": ["fri"]}, Facts(weekday=weekday, minute=hour * 60)) is expected


def test_sundays_night_ends_on_monday() -> None:
    """The week is a circle."""
    assert holds({"hours": "22:00-06:00", "days": ["sun"]}, Facts(weekday=MONDAY, minute=0))


def test_hours_of_one_day_belong_to_that_day() -> None:
    """Nothing is moved to the day before."""
    when = {"hours": "01:00-06:00", "days": ["fri"]}
    assert holds(when, Facts(weekday=FRIDAY, minute=120))
    assert not holds(when, Facts(weekday=SATURDAY, minute=120))


@pytest.mark.parametrize(
    ("home", "cloud", "failed", "expected"),
    [
        ("failed", "ready", ["device"], True),
        ("resting", "ready", ["device"], True),
        ("loading", "ready", ["device"], False),
        ("ready", "failed", ["device"], False),
        ("failed", "ready", ["llama"], True),
        ("failed", "ready", ["device", "azure"], False),
        ("failed", "resting", ["device", "azure"], True),
        ("ready", "ready", ["network"], True),
    ],
)
def test_who_can_not_answer(home: State, cloud: State, failed: list[str], expected: bool) -> None:
    """Each one named must fail; who loads does not, and a place without any backend can't answer either."""
    backends = (
        BackendView(name="llama", place=Place.DEVICE, state=home),
        BackendView(name="azure", place=Place.CLOUD, state=cloud),
    )
    assert holds({"failed": failed}, Facts(), *backends) is expected


def test_a_place_answers_as_long_as_one_of_its_backends_does() -> None:
    """The other one may have failed."""
    backends = (
        BackendView(name="llama", place=Place.DEVICE, state="failed"),
        BackendView(name="foundry", place=Place.DEVICE),
    )
    assert not holds({"failed": ["device"]}, Facts(), *backends)


def test_unknown_targets_are_named_once_and_in_order() -> None:
    """Places and known backends are not among them."""
    rule = Rule(name="one", when=When(failed=("lama", "cloud", "azur")), use=("device", "azur", "llama", "browser"))
    assert unknown_targets(rule, {"llama", "azure"}) == ["azur", "browser", "lama"]
