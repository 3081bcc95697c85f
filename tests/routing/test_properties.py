"""What holds for every decision, whatever is known, configured and broken."""

from copy import deepcopy
from random import Random
from typing import Literal, TypeVar, get_args

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from homeward.config.policy import (
    BudgetSettings,
    Difficulty,
    May,
    PolicySettings,
    Preset,
    Rule,
    Task,
    When,
)
from homeward.protocol.place import Place, PlaceName
from homeward.routing import BackendView, Facts, Plan, Snapshot, decide, effective
from homeward.routing.rules import names

NAMES = ("openai", "device", "llama", "azure", "server")
"""Also one that a place has."""


T = TypeVar("T")


class Case(msgspec.Struct, frozen=True):
    """Everything that a decision depends on."""

    facts: Facts
    snapshot: Snapshot
    policy: PolicySettings
    budget: BudgetSettings

    def plan(self) -> Plan:
        return decide(self.facts, self.snapshot, self.policy, self.budget)

    def view(self, name: str) -> BackendView:
        return next(view for view in self.snapshot.backends if view.name == name)

    def use(self, rule: str) -> tuple[str, ...] | None:
        """What the rules of this name may ask, together; None where a plan rests on no rule."""
        uses = [each.use for each in effective(self.policy).rules if each.name == rule]
        return tuple(target for use in uses for target in use) if uses else None

    def with_backends(self, **fields: object) -> "Case":
        """The same with each backend changed."""
        backends = tuple(replace(view, **fields) for view in self.snapshot.backends)
        return replace(self, snapshot=Snapshot(backends))


def case_of(seed: int) -> Case:
    """A case by chance: evenly drawn, or else hypothesis dwells on extremes, where nobody is ever asked."""
    draw = Random(seed)

    def mostly(usual: T, *others: T) -> T:
        return draw.choice(others) if draw.random() < 0.2 else usual

    facts = Facts(
        mode=mostly("auto", "device", "cloud"),
        places=mostly(None, ("device",), ("device", "network"), ("cloud",)),
        chosen_backend=mostly(None, *NAMES),
        chosen_model=draw.choice(["", "big"]),
        task=draw.choice([None, *get_args(Task)]),
        complexity=draw.choice([None, *get_args(Difficulty)]),
        tokens=draw.choice([10, 1000, 100_000]),
        max_tokens=draw.choice([10, 100_000]),
        findings=draw.choice([frozenset(), frozenset({"email"}), frozenset({"card", "phone"})]),
        may_leave=mostly("allow", *get_args(May)),
        approved=draw.choice([True, False]),
        stays_home=mostly(False, True),
        attachments=draw.choice([True, False]),
        images=mostly(False, True),
        weekday=draw.randrange(7),
        minute=draw.randrange(24 * 60),
        spent=draw.choice([0.0, 0.5, 5.0]),
    )
    backends = tuple(
        BackendView(
            name=name,
            place=draw.choice([*Place, Place.DEVICE, Place.CLOUD, Place.CLOUD]),
            model=draw.choice(["", "own"]),
            state=mostly("ready", "loading", "resting", "failed"),
            reason=draw.choice(["", "It is so."]),
            rests_seconds=draw.choice([1.0, 20.0]),
            busy=draw.choice([True, False]),
            consented=mostly(True, False),
            sees_images=mostly(True, False),
            context_tokens=mostly(None, 500),
            input_price=mostly(5.0, 0.0, None),
            output_price=mostly(5.0, 0.0, None),
        )
        for name in draw.sample(NAMES, draw.randint(1, len(NAMES)))
    )
    rules = tuple(
        Rule(
            name=name,
            when=When(
                task=mostly((), ("code",), ("creative", "chat")),
                complexity=mostly((), ("hard",), ("easy", "medium")),
                tokens_over=mostly(None, 100),
                findings=mostly(None, True, False, ("email",)),
                attachments=mostly(None, True, False),
                failed=mostly((), ("device",), ("cloud",), ("llama",), ("azure", "network")),
                hours=mostly(None, "22:00-06:00", "09:00-17:00"),
                days=mostly((), ("mon", "tue", "wed")),
                spent_over=mostly(None, 0.4),
            ),
            use=tuple(draw.sample([*get_args(PlaceName), *NAMES, "nobody"], draw.randint(1, 4))),
        )
        for name in draw.choice([(), ("first",), ("first", "second")])
    )
    policy = PolicySettings(
        preset=draw.choice(get_args(Preset)),
        places=mostly(None, ("network", "device"), ("cloud",), ("device", "cloud", "network")),
        complex_from=draw.choice(["never", *get_args(Difficulty)]),
        rules=rules,
        hedge=draw.choice([True, False]),
    )
    return Case(facts, Snapshot(backends), policy, BudgetSettings(month=mostly(None, 0.0, 1.0)))


cases = st.integers(0, 2**62).map(case_of)
every_case = settings(max_examples=500, deadline=None)


@every_case
@given(cases)
def test_each_backend_is_asked_or_dropped_exactly_once(case: Case) -> None:
    """Nothing is forgotten and nothing stands twice."""
    plan = case.plan()
    asked, dropped = [each.backend for each in plan.attempts], [each.backend for each in plan.dropped]
    assert sorted(asked + dropped) == sorted(view.name for view in case.snapshot.backends)


@every_case
@given(cases)
def test_what_the_policy_excludes_is_in_no_plan(case: Case) -> None:
    """Neither a place that it leaves out, nor a backend that the rule in force does not name.

    The page that asks is no place of the policy: it is there where it was chosen, and only then.
    """
    plan = case.plan()
    use = case.use(plan.rule)
    for attempt in plan.attempts:
        view = case.view(attempt.backend)
        assert attempt.place is view.place
        allowed = view.place in (case.policy.places or effective(case.policy).places)
        assert allowed if view.place is not Place.BROWSER else case.facts.chosen_backend == view.name
        assert use is None or any(names(target, view) for target in use)
        assert attempt.reason == plan.rule


@every_case
@given(cases)
def test_what_stays_home_is_in_no_plan_for_elsewhere(case: Case) -> None:
    """Whatever was chosen, agreed to, configured or broken."""
    facts = case.facts
    assert facts.mode != "device" or {each.place for each in case.plan().attempts} <= {Place.DEVICE}
    at_home = facts.stays_home or facts.may_leave == "home" or (facts.may_leave == "ask" and not facts.approved)
    for attempt in case.plan().attempts:
        if attempt.place not in (Place.DEVICE, Place.BROWSER):
            assert not at_home
            assert case.view(attempt.backend).consented
            assert attempt.masked == (facts.may_leave == "mask")
        else:
            assert not attempt.masked


@every_case
@given(cases)
def test_the_budget_holds(case: Case) -> None:
    """For the dearest answer that any cloud in the plan could give."""
    month, facts = case.budget.month, case.facts
    for attempt in case.plan().attempts:
        if month is not None and attempt.place is Place.CLOUD:
            view = case.view(attempt.backend)
            assert view.input_price is not None
            assert view.output_price is not None
            millions = facts.tokens * view.input_price + facts.max_tokens * view.output_price
            assert facts.spent + millions / 1e6 <= month


@every_case
@given(cases, st.data(), st.sampled_from(["resting", "failed"]))
def test_a_failure_adds_nothing_that_the_policy_had_not_named_for_it(
    case: Case, data: st.DataObject, state: Literal["resting", "failed"]
) -> None:
    """While the same rule counts, a failed backend is missing from the plan and all else is as it was.

    Another rule counts only if it has a condition on failures; it names all who are asked then, within the policy's
    places.
    """
    broken = data.draw(st.sampled_from([view.name for view in case.snapshot.backends]))
    backends = tuple(replace(view, state=state) if view.name == broken else view for view in case.snapshot.backends)
    before, after = case.plan(), replace(case, snapshot=Snapshot(backends)).plan()
    if after.rule == before.rule:
        assert after.attempts == tuple(attempt for attempt in before.attempts if attempt.backend != broken)
        return
    rule = next(rule for rule in case.policy.rules if rule.name == after.rule)
    assert rule.when.failed
    for attempt in after.attempts:
        assert attempt.backend != broken
        assert attempt.place in effective(case.policy).places
        assert any(names(target, case.view(attempt.backend)) for target in rule.use)


@every_case
@given(cases)
def test_a_mode_or_a_choice_is_obeyed(case: Case) -> None:
    """Or nobody is asked; rules have no part in it."""
    plan, facts = case.plan(), case.facts
    asked = {attempt.backend for attempt in plan.attempts}
    if facts.mode == "device":
        assert {attempt.place for attempt in plan.attempts} <= {Place.DEVICE}
    if facts.chosen_backend is not None:
        assert asked <= {facts.chosen_backend}
    assert (plan.rule == "chosen") == (facts.chosen_backend is not None)
    assert (plan.rule == "mode") == (facts.chosen_backend is None and facts.mode != "auto")


@every_case
@given(cases)
def test_what_is_uncertain_decides_nothing(case: Case) -> None:
    """Without a task and a difficulty the plan is that of a policy without any rule about them."""
    unknown = replace(case, facts=replace(case.facts, task=None, complexity=None))
    kept = tuple(rule for rule in case.policy.rules if not rule.when.task and not rule.when.complexity)
    preset = "local-first" if case.policy.preset == "by-task" else case.policy.preset
    update = {"rules": kept, "preset": preset, "complex_from": "never"}
    assert unknown.plan() == replace(unknown, policy=case.policy.model_copy(update=update)).plan()


@every_case
@given(cases)
def test_without_a_rule_places_come_in_order(case: Case) -> None:
    """And within a place, backends come as they are configured."""
    plan = case.plan()
    order = ("cloud", "network", "device") if case.facts.mode == "cloud" else effective(case.policy).places
    if plan.rule in {"place_order", "mode"}:
        listed = [view.name for view in case.snapshot.backends]
        ranks = [(order.index(attempt.place.value), listed.index(attempt.backend)) for attempt in plan.attempts]
        assert ranks == sorted(ranks)


@every_case
@given(cases)
def test_a_question_is_asked_where_a_yes_brings_another_first_attempt_and_only_there(case: Case) -> None:
    """Who agrees to everything gets the backend that the question was about; who was not asked, no other first one."""
    plan = case.plan()
    agreed = replace(case.with_backends(consented=True), facts=replace(case.facts, approved=True)).plan()
    first = [each.attempts[0].backend if each.attempts else None for each in (plan, agreed)]
    if plan.question is None:
        assert first[0] == first[1]
        return
    view = case.view(plan.question.backend)
    assert plan.question.place is view.place
    assert first[0] != first[1] == view.name
    assert plan.question.about == ("findings" if view.consented else "consent")
    assert view.place is not Place.DEVICE
    assert case.facts.mode != "device"
    assert case.facts.may_leave != "home"
    assert not case.facts.stays_home


@every_case
@given(cases)
def test_a_second_answer_is_begun_only_where_the_user_wants_it(case: Case) -> None:
    """And where there is somebody to ask for it."""
    plan = case.plan()
    assert plan.hedge == (case.policy.hedge and len(plan.attempts) >= 2)


@every_case
@given(cases)
def test_when_to_try_again_is_said_where_nobody_can_be_asked(case: Case) -> None:
    """At the latest when the first one that nothing but its rest kept out may be asked."""
    plan = case.plan()
    awake = case.with_backends(state="ready").plan()
    resting = {each.backend for each in plan.dropped if each.reason == "resting"}
    waits = [case.view(name).rests_seconds for name in resting]
    assert plan.retry_after_seconds == (min(waits) if waits and not plan.attempts else None)
    if all(not rule.when.failed for rule in case.policy.rules):
        assert resting <= {attempt.backend for attempt in awake.attempts}


@every_case
@given(cases)
def test_why_nobody_is_asked_is_said_where_nobody_is(case: Case) -> None:
    """And what it says is true: the cure that it names brings somebody to ask, and for `policy` no other one does."""
    plan = case.plan()
    assert (plan.nobody is None) == bool(plan.attempts)
    if any(rule.when.failed for rule in case.policy.rules):
        return  # another state may bring another rule
    facts = case.facts
    awake = case.with_backends(state="ready")
    wishless = replace(case, facts=replace(facts, mode="auto", places=None, stays_home=False))
    cures = {
        "busy": awake,
        "for_now": awake,
        "cant_see": replace(awake, facts=replace(facts, images=False)).with_backends(context_tokens=None),
        "too_long": awake.with_backends(context_tokens=None),
        "wish": wishless,
    }
    if plan.nobody in cures:
        assert cures[plan.nobody].plan().attempts
    elif plan.nobody == "policy":
        assert not any(cure.plan().attempts for cure in cures.values())


@every_case
@given(cases)
def test_images_are_shown_to_nobody_who_cannot_see_them(case: Case) -> None:
    """Whatever was chosen."""
    for attempt in case.plan().attempts:
        assert case.view(attempt.backend).sees_images or not case.facts.images


@every_case
@given(cases, cases)
def test_a_plan_depends_on_nothing_else(case: Case, other: Case) -> None:
    """Not on identity, not on decisions before, and not on backends of places that are left out."""
    plan = case.plan()
    other.plan()
    assert deepcopy(case).plan() == plan
    allowed = effective(case.policy).places
    backends = tuple(view for view in case.snapshot.backends if view.place in (*allowed, "browser"))
    if all(not rule.when.failed for rule in case.policy.rules):
        assert replace(case, snapshot=Snapshot(backends)).plan().attempts == plan.attempts
