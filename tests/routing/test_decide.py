"""What is in a plan, and what can't be."""

from hypothesis import given
from hypothesis import strategies as st

from homeward.protocol.place import Place
from homeward.routing import BackendView, Facts, Policy, Snapshot, decide

places = st.sampled_from(list(Place))
views = st.builds(
    BackendView,
    name=st.text(min_size=1, max_size=4),
    place=places,
    state=st.sampled_from(["ready", "loading", "failed"]),
    reason=st.sampled_from(["", "why"]),
)
snapshots = st.lists(views, unique_by=lambda view: view.name, max_size=6).map(lambda all_: Snapshot(tuple(all_)))
policies = st.lists(places, unique=True, max_size=4).map(lambda order: Policy(places=tuple(order)))


@given(snapshots, policies, st.none() | st.text(max_size=4))
def test_only_allowed_places_are_asked(snapshot: Snapshot, policy: Policy, chosen: str | None) -> None:
    """No choice of the user's and no state of a backend brings in a place that policy leaves out."""
    plan = decide(Facts(chosen_backend=chosen), snapshot, policy)
    assert all(attempt.place in policy.places for attempt in plan.attempts)


@given(snapshots, policies, st.none() | st.text(max_size=4))
def test_each_backend_is_asked_or_dropped_with_a_reason(snapshot: Snapshot, policy: Policy, chosen: str | None) -> None:
    """Nothing is forgotten and nothing stands twice."""
    plan = decide(Facts(chosen_backend=chosen), snapshot, policy)
    named = [attempt.backend for attempt in plan.attempts] + [each.backend for each in plan.dropped]
    assert sorted(named) == sorted(view.name for view in snapshot.backends)
    assert all(each.reason for each in plan.dropped)


@given(snapshots, policies)
def test_places_come_in_the_policys_order(snapshot: Snapshot, policy: Policy) -> None:
    """Best place first; within a place, the configuration's order."""
    plan = decide(Facts(), snapshot, policy)
    order = [policy.places.index(attempt.place) for attempt in plan.attempts]
    assert order == sorted(order)
    listed = [view.name for view in snapshot.backends]
    for place in policy.places:
        names = [attempt.backend for attempt in plan.attempts if attempt.place is place]
        assert names == sorted(names, key=listed.index)


def test_loading_is_not_failed() -> None:
    """A backend that loads is waited for; one that failed is dropped with its reason."""
    loading = BackendView(name="a", place=Place.DEVICE, state="loading")
    failed = BackendView(name="b", place=Place.DEVICE, state="failed", reason="no memory")
    plan = decide(Facts(), Snapshot((loading, failed)), Policy())
    assert [attempt.backend for attempt in plan.attempts] == ["a"]
    assert [(each.backend, each.reason) for each in plan.dropped] == [("b", "no memory")]


def test_choice_drops_the_others() -> None:
    """The user's choice stands alone, and the plan says that it was a choice."""
    backends = tuple(BackendView(name=name, place=Place.DEVICE) for name in "ab")
    plan = decide(Facts(chosen_backend="b"), Snapshot(backends), Policy())
    assert [(attempt.backend, attempt.reason) for attempt in plan.attempts] == [("b", "chosen")]
    assert [(each.backend, each.reason) for each in plan.dropped] == [("a", "not_chosen")]
