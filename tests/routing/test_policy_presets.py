"""What presets stand for."""

import pytest

from homeward.config.policy import BudgetSettings, Difficulty, PolicySettings, Preset, Rule, Task
from homeward.protocol.place import Place
from homeward.routing import BackendView, Facts, Snapshot, decide, effective

BACKENDS = Snapshot(
    (
        BackendView(name="llama", place=Place.DEVICE),
        BackendView(name="server", place=Place.NETWORK, consented=True),
        BackendView(name="azure", place=Place.CLOUD, consented=True),
    )
)
HOME_FIRST = ["device", "network", "cloud"]
CLOUD_FIRST = ["cloud", "network", "device"]


def places_for(policy: PolicySettings, task: Task | None = None, complexity: Difficulty | None = None) -> list[str]:
    """Where an answer would be made, in order."""
    facts = Facts(may_leave="allow", task=task, complexity=complexity)
    return [attempt.place for attempt in decide(facts, BACKENDS, policy, BudgetSettings()).attempts]


@pytest.mark.parametrize(
    ("preset", "places"),
    [
        ("local-only", ["device"]),
        ("local-first", HOME_FIRST),
        ("by-task", HOME_FIRST),
        ("cloud-first", CLOUD_FIRST),
    ],
)
def test_each_preset_has_its_order(preset: Preset, places: list[str]) -> None:
    """For a request of which nothing is known."""
    assert places_for(PolicySettings(preset=preset)) == places


@pytest.mark.parametrize(
    ("task", "places"),
    [
        ("code", ["device"]),
        ("creative", ["cloud", "device"]),
        ("data", ["device"]),
        ("knowledge", ["cloud", "device"]),
        ("summarise", HOME_FIRST),
        ("translate", HOME_FIRST),
        ("maths", HOME_FIRST),
        ("chat", HOME_FIRST),
        (None, HOME_FIRST),
    ],
)
def test_by_task_has_the_table_of_the_original(task: Task | None, places: list[str]) -> None:
    """Code and data stay home; writing and research go out; a task that is not certain changes nothing."""
    assert places_for(PolicySettings(preset="by-task"), task) == places


@pytest.mark.parametrize("preset", ["local-only", "local-first", "cloud-first"])
def test_tasks_mean_nothing_to_the_other_presets(preset: Preset) -> None:
    """Only to the user's own rules."""
    policy = PolicySettings(preset=preset)
    assert places_for(policy, "creative") == places_for(policy, "code") == places_for(policy)


@pytest.mark.parametrize(
    ("complex_from", "to_the_cloud"),
    [("easy", ["easy", "medium", "hard"]), ("medium", ["medium", "hard"]), ("hard", ["hard"]), ("never", [])],
)
def test_demanding_requests_go_to_the_cloud_first_where_the_user_wants_it(
    complex_from: str, to_the_cloud: list[str]
) -> None:
    """From the difficulty that was named; one that is not known never does."""
    policy = PolicySettings.model_validate({"complex_from": complex_from})
    went = [level for level in ("easy", "medium", "hard") if places_for(policy, None, level) == CLOUD_FIRST]
    assert went == to_the_cloud
    assert places_for(policy) == HOME_FIRST


def test_complex_from_belongs_to_local_first() -> None:
    """Other presets are not changed by it."""
    assert places_for(PolicySettings(preset="by-task", complex_from="easy"), None, "hard") == HOME_FIRST


def test_places_replace_those_of_the_preset() -> None:
    """The preset's rules stay, and name in vain what is left out."""
    policy = PolicySettings(preset="by-task", places=("network", "device"))
    assert places_for(policy) == ["network", "device"]
    assert places_for(policy, "creative") == ["device"]


def test_the_users_rules_stand_before_those_of_the_preset() -> None:
    """In the user's order."""
    mine = (Rule(name="mine", use=("network",)), Rule(name="other", use=("cloud",)))
    policy = PolicySettings(preset="by-task", rules=mine)
    assert effective(policy).rules[:2] == mine
    assert [rule.name for rule in effective(policy).rules[2:]] == [
        "code at home",
        "creative in the cloud",
        "data at home",
        "knowledge in the cloud",
    ]
    assert places_for(policy, "code") == ["network"]
