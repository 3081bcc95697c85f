"""The decision itself."""

from typing import Literal

import msgspec

from homeward.config.policy import BudgetSettings, PolicySettings
from homeward.protocol.place import Place
from homeward.routing.plan import Attempt, BackendView, Dropped, Facts, Nobody, Plan, Question, Reason, Snapshot
from homeward.routing.presets import Effective, Places, effective
from homeward.routing.rules import matches, names

_FOR_NOW: frozenset[Reason | None] = frozenset({"resting", "failed"})

AT_HOME = frozenset({Place.DEVICE, Place.BROWSER})
"""Words go to nobody there: they stay on this device, or with the page that shows them anyway."""

CLOUD_BEFORE_HOME: Places = ("cloud", "network", "device")
"""The order where the user asked for the cloud."""


class Bounds(msgspec.Struct, frozen=True):
    """What the user's rules make of one request."""

    targets: tuple[str, ...]
    """Places or backends that may answer, best first."""
    places: Places
    """Where answers may be made at all."""
    month: float | None
    """What clouds may cost."""


def decide(facts: Facts, snapshot: Snapshot, policy: PolicySettings, budget: BudgetSettings) -> Plan:
    """The plan for one request.

    What policy or privacy keeps from a backend is in no plan for it, whatever the user chose and whatever fails.
    """
    whole = effective(policy)
    rule, targets = _rule(facts, snapshot, whole)
    bounds = Bounds(targets, whole.places, budget.month)
    ranked = sorted(snapshot.backends, key=lambda view: _rank(view, targets))  # ties keep the configuration's order
    reasons = {view.name: why_not(view, facts, bounds) for view in ranked}
    attempts = tuple(_attempt(view, facts, rule) for view in ranked if reasons[view.name] is None)
    plan = Plan(
        attempts=attempts,
        dropped=tuple(_dropped(view, facts, reason) for view in snapshot.backends if (reason := reasons[view.name])),
        rule=rule,
        question=_question(ranked, facts, bounds),
        hedge=policy.hedge and len(attempts) > 1,
    )
    if attempts:
        return plan
    waiting = [view for view in ranked if reasons[view.name] in _FOR_NOW]
    resting = [view.rests_seconds for view in waiting if reasons[view.name] == "resting"]
    return msgspec.structs.replace(
        plan,
        retry_after_seconds=min(resting, default=None),
        nobody=_for_now(waiting) or _nobody(plan, facts, snapshot, policy, budget),
    )


def why_not(view: BackendView, facts: Facts, bounds: Bounds) -> Reason | None:
    """The most fundamental reason against a backend; None where it may be asked."""
    return (
        _not_allowed(view, facts, bounds)
        or (_not_private(facts) if view.place not in AT_HOME else None)
        or _not_affordable(view, facts, bounds.month)
        or _not_agreed(view)
        or _not_able(view, facts)
    )


def _not_allowed(view: BackendView, facts: Facts, bounds: Bounds) -> Reason | None:
    in_tab = view.place is Place.BROWSER  # no policy and no rule names it: it is there where the user chose it
    if not in_tab and view.place not in bounds.places:
        return "place_not_allowed"
    if facts.places is not None and view.place not in facts.places:
        return "not_in_request"
    if facts.chosen_backend != view.name and (in_tab or facts.chosen_backend is not None):
        return "not_chosen"
    if facts.mode == "device" and view.place is not Place.DEVICE:
        return "not_in_mode"
    if not in_tab and not any(names(target, view) for target in bounds.targets):
        return "not_in_rule"
    return None


def _not_private(facts: Facts) -> Reason | None:
    """Why the words must not go to a backend outside this device."""
    if facts.stays_home:
        return "thread_stays_home"
    if facts.may_leave == "home":
        return "findings"
    if facts.may_leave == "ask" and not facts.approved:
        return "findings_unasked"
    return None


def _not_affordable(view: BackendView, facts: Facts, month: float | None) -> Reason | None:
    if month is None or view.place is not Place.CLOUD:
        return None
    if view.input_price is None or view.output_price is None:
        return "price_unknown"
    worst = (facts.tokens * view.input_price + facts.max_tokens * view.output_price) / 1_000_000
    return "budget_spent" if facts.spent + worst > month else None


def _not_agreed(view: BackendView) -> Reason | None:
    """Behind what no agreement would change: else the user would be sent to agree to what is not asked all the same."""
    return "no_consent" if view.place not in AT_HOME and not view.consented else None


def _not_able(view: BackendView, facts: Facts) -> Reason | None:
    if facts.images and not view.sees_images:
        return "cant_see"
    too_long = view.context_tokens is not None and facts.tokens > view.context_tokens
    if too_long and view.place not in AT_HOME:  # at home, the oldest turns are left out instead
        return "too_long"
    match view.state:
        case "resting" | "failed" as state:
            return state
        case _:
            return None


def _rule(facts: Facts, snapshot: Snapshot, whole: Effective) -> tuple[str, tuple[str, ...]]:
    """What decides, and the places or backends that it names, best first."""
    if facts.chosen_backend is not None:
        return "chosen", whole.places
    if facts.mode == "device":
        return "mode", whole.places
    if facts.mode == "cloud":
        return "mode", CLOUD_BEFORE_HOME
    for rule in whole.rules:
        if matches(rule.when, facts, snapshot):
            return rule.name, rule.use
    return "place_order", whole.places


def _rank(view: BackendView, targets: tuple[str, ...]) -> int:
    return next((rank for rank, target in enumerate(targets) if names(target, view)), len(targets))


def _attempt(view: BackendView, facts: Facts, rule: str) -> Attempt:
    return Attempt(
        backend=view.name,
        place=view.place,
        model=_model(view, facts),
        reason=rule,
        masked=facts.may_leave == "mask" and view.place not in AT_HOME,
    )


def _dropped(view: BackendView, facts: Facts, reason: Reason) -> Dropped:
    sentence = view.reason if reason == view.state else ""
    return Dropped(backend=view.name, model=_model(view, facts), reason=reason, sentence=sentence)


def _model(view: BackendView, facts: Facts) -> str:
    """What it answers with; the model that the user named is that of the backend that he named."""
    return (facts.chosen_model if facts.chosen_backend == view.name else "") or view.model


def _for_now(waiting: list[BackendView]) -> Nobody | None:
    """Of those that nothing but their state keeps out, whether all are busy; None where there are none."""
    if not waiting:
        return None
    return "busy" if all(view.state == "resting" and view.busy for view in waiting) else "for_now"


def _nobody(
    plan: Plan, facts: Facts, snapshot: Snapshot, policy: PolicySettings, budget: BudgetSettings
) -> Literal["cant_see", "too_long", "wish", "policy"]:
    """What is to blame where waiting is of no use; the wishes of a request if it would be answered without them."""
    reasons = {each.reason for each in plan.dropped}
    if "cant_see" in reasons:
        return "cant_see"
    if "too_long" in reasons:
        return "too_long"
    wishless = msgspec.structs.replace(facts, mode="auto", places=None, stays_home=False)
    if wishless != facts and decide(wishless, snapshot, policy, budget).attempts:
        return "wish"
    return "policy"


def _question(ranked: list[BackendView], facts: Facts, bounds: Bounds) -> Question | None:
    """What the user could agree to so that a better backend than the plan's first one is asked."""
    agreed = msgspec.structs.replace(facts, approved=True)
    for view in ranked:
        if why_not(view, facts, bounds) is None:
            return None
        if why_not(msgspec.structs.replace(view, consented=True), agreed, bounds) is None:
            return Question(about="findings" if view.consented else "consent", backend=view.name, place=view.place)
    return None
