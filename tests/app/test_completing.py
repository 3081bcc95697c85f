"""Rules that make no sense are found at the start, not at the first question."""

import pytest

from homeward.app.completing import check_rules, rules_of
from homeward.config import BudgetSettings, CloudSettings, PolicySettings, PrivacySettings, Rule, Settings, When
from homeward.protocol.errors import ConfigError

BACKENDS = ("llama", "azure")


def policy(when: When | None = None, *use: str) -> PolicySettings:
    return PolicySettings(rules=(Rule(name="mine", when=when or When(), use=use or ("device",)),))


@pytest.mark.parametrize(
    ("wrong", "privacy", "named"),
    [
        (policy(None, "azur"), PrivacySettings(), 'The rule "mine" names azur, '),
        (policy(When(failed=("lama",))), PrivacySettings(), 'The rule "mine" names lama, '),
        (policy(When(findings=("emails",))), PrivacySettings(), 'The rule "mine": .*emails'),
        (PolicySettings(), PrivacySettings(kinds={"emails": "mask"}), r"\[privacy\]: .*emails"),
        (PolicySettings(), PrivacySettings(patterns={"case": "(["}), r"\[privacy\]: .*case"),
        (PolicySettings(), PrivacySettings(deny=("",)), r"\[privacy\]: .*deny"),
    ],
)
def test_what_is_wrong_is_named(wrong: PolicySettings, privacy: PrivacySettings, named: str) -> None:
    """With where it stands, and what there is instead."""
    with pytest.raises(ConfigError, match=f"^{named}") as error:
        rules_of(wrong, privacy, BudgetSettings(), BACKENDS)
    assert error.value.next_step


def test_what_is_right_is_taken() -> None:
    """Places, backends, built-in kinds and the user's own."""
    privacy = PrivacySettings(kinds={"email": "mask", "custom:case": "allow"}, patterns={"case": r"C-\d{6}"})
    mine = policy(When(findings=("custom:case",), failed=("llama",)), "azure", "device")
    rules = rules_of(mine, privacy, BudgetSettings(month=5), BACKENDS)
    assert (rules.policy, rules.budget.month) == (mine, 5)


def test_a_rule_may_name_a_cloud_that_is_switched_off() -> None:
    """Switching it off must not be a mistake in the rules."""
    azure = CloudSettings(url="https://a.example", model="m", enabled=False)
    check_rules(Settings(clouds={"azure": azure}, policy=policy(None, "azure", "device")))
    with pytest.raises(ConfigError, match="azure"):
        check_rules(Settings(policy=policy(None, "azure", "device")))
