"""The decision itself."""

from homeward.routing.plan import Attempt, BackendView, Dropped, Facts, Plan, Policy, Snapshot


def decide(facts: Facts, snapshot: Snapshot, policy: Policy) -> Plan:
    """The plan for one request: the allowed backends by place, then by the configuration's order.

    A backend that policy excludes is in no plan, whatever the user chose and whatever fails.
    """
    attempts: list[tuple[int, Attempt]] = []
    dropped: list[Dropped] = []
    for backend in snapshot.backends:
        if reason := why_not(backend, facts, policy):
            dropped.append(Dropped(backend=backend.name, reason=reason))
        else:
            rule = "chosen" if facts.chosen_backend else "place_order"
            model = facts.chosen_model or backend.model
            attempt = Attempt(backend=backend.name, place=backend.place, model=model, reason=rule)
            attempts.append((policy.places.index(backend.place), attempt))
    attempts.sort(key=lambda ranked: ranked[0])  # stable: ties keep the configuration's order
    return Plan(attempts=tuple(attempt for _, attempt in attempts), dropped=tuple(dropped))


def why_not(backend: BackendView, facts: Facts, policy: Policy) -> str:
    """The first reason against a backend; empty for none."""
    if backend.place not in policy.places:
        return "place_not_allowed"
    if facts.chosen_backend not in (None, backend.name):
        return "not_chosen"
    if backend.state == "failed":
        return backend.reason or "failed"
    return ""
