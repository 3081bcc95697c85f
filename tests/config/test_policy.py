"""What a policy may say."""

import math
from pathlib import Path

import pytest
from pydantic import ValidationError

from homeward.config import load
from homeward.config.policy import NAMES_OF_PRESETS, NOT_RULES, BudgetSettings, PolicySettings, Rule, When
from homeward.protocol.errors import ConfigError
from homeward.routing.presets import BY_TASK, COMPLEX


@pytest.mark.parametrize("hours", ["22:00-06:00", "00:00-23:59", "09:30-17:00"])
def test_hours(hours: str) -> None:
    """From a time to a time, over midnight too."""
    assert When(hours=hours).hours == hours


@pytest.mark.parametrize(
    "hours", ["08:00-08:00", "24:00-06:00", "9:00-17:00", "09:60-17:00", "09:00", "", "09:00-17:00\n"]
)
def test_wrong_hours(hours: str) -> None:
    """What is no time, and a span without a length: it could mean always or never."""
    with pytest.raises(ValidationError):
        When(hours=hours)


def test_hours_without_a_length_are_explained() -> None:
    """With the way out."""
    with pytest.raises(ValidationError, match="leave it out for the whole day"):
        When(hours="08:00-08:00")


@pytest.mark.parametrize("name", [*sorted(NOT_RULES), "", "x" * 61])
def test_wrong_names(name: str) -> None:
    """Receipts use some themselves, where no rule decided."""
    with pytest.raises(ValidationError):
        Rule(name=name, use=("device",))


def test_the_names_of_presets_are_all_taken() -> None:
    """As the presets have them now, for which receipts use them."""
    for name in NAMES_OF_PRESETS:
        with pytest.raises(ValidationError, match=f'the name "{name}" for a rule of the presets'):
            PolicySettings(rules=(Rule(name=name, use=("device",)),))
    assert {rule.name for rule in (*BY_TASK, *COMPLEX.values())} == NAMES_OF_PRESETS


def test_two_rules_of_one_name() -> None:
    """A receipt could mean either."""
    rules = [Rule(name=name, use=("device",)) for name in ("a", "b", "a")]
    with pytest.raises(ValidationError, match='more than one rule is called "a"'):
        PolicySettings(rules=tuple(rules))
    assert PolicySettings(rules=tuple(rules[:2])).rules == tuple(rules[:2])


@pytest.mark.parametrize("findings", [True, False, ["email"], None])
def test_findings(findings: object) -> None:
    """Whether there are any, or their kinds."""
    said = When.model_validate({"findings": findings}).findings
    assert said == (tuple(findings) if isinstance(findings, list) else findings)


@pytest.mark.parametrize("findings", [[], "email", 3])
def test_wrong_findings(findings: object) -> None:
    """A list without kinds would never hold."""
    with pytest.raises(ValidationError):
        When.model_validate({"findings": findings})


@pytest.mark.parametrize("amount", [-1, math.nan, math.inf])
def test_wrong_amounts(amount: float) -> None:
    """A limit that no sum is above would be none."""
    with pytest.raises(ValidationError):
        BudgetSettings(month=amount)
    with pytest.raises(ValidationError):
        When(spent_over=amount)


@pytest.mark.parametrize(
    "table",
    [
        {"places": []},
        {"places": ["browser"]},
        {"preset": "cloud"},
        {"rules": [{"name": "nobody", "use": []}]},
        {"rules": [{"name": "typo", "use": ["device"], "when": {"tsk": ["code"]}}]},
        {"rules": [{"name": "typo", "use": ["device"], "when": {"task": ["coding"]}}]},
        {"rules": [{"name": "typo", "use": ["device"], "when": {"days": ["monday"]}}]},
    ],
)
def test_wrong_policies(table: dict[str, object]) -> None:
    """Misspelt or empty: an error, never ignored."""
    with pytest.raises(ValidationError):
        PolicySettings.model_validate(table)


RULE = '[[policy.rules]]\nname = "a"\nuse = ["device"]\n'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[policy.rules]\nname = "a"', "line 1: `policy.rules` is a list: write [[policy.rules]], with two brackets."),
        ('[policy]\nrules = ["a"]', "line 2: rule 1 is a table: write [[policy.rules]]."),
        (
            RULE + '[[policy.rules]]\nname = "b"\nuse = "device"',
            'line 6: `use` of rule 2: write a list: use = ["device"].',
        ),
        ('[[policy.rules]]\nname = "a"\nuse = []', "line 3: `use` of rule 1: name at least one."),
        ('[[policy.rules]]\nname = ""\nuse = ["device"]', "line 2: `name` of rule 1 is empty."),
        (
            RULE + 'when.hours = "9-17"',
            'line 4: `when.hours` of rule 1: write it like "09:00-17:30", with two digits each.',
        ),
        (RULE + 'when.findings = "email"', 'line 4: `when.findings` of rule 1: write a list: findings = ["email"].'),
        (RULE + "when.findings = []", "line 4: `when.findings` of rule 1: name at least one."),
        (RULE + 'when = "always"', "line 4: `when` of rule 1 is a table: write [policy.rules.when]."),
        (RULE + "when.tsk = 1", "line 4: there is no setting `when.tsk` of rule 1; perhaps `task`; there are task,"),
        (RULE + RULE.replace('"a"', '"complex"'), 'line 4: rule 2: receipts use the name "complex"'),
        (RULE + RULE, 'line 1: `policy.rules`: more than one rule is called "a"'),
    ],
)
def test_a_mistake_is_explained(tmp_path: Path, text: str, expected: str) -> None:
    """Once, with its line, and in the words of the file."""
    path = tmp_path / "homeward.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(config=path, environment={})
    said = caught.value.message.splitlines()
    assert len(said) == 2
    assert said[1].startswith(f"{path}, {expected}")
