"""`[policy]`, `[privacy]` and `[budget]`: the user's rules, as they stand in `homeward.toml`.

They are values: `homeward.routing` decides by them, and nothing in between rewrites them.
"""

import re
from collections import Counter
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from homeward.config.table import Table
from homeward.protocol.place import PlaceName

Task = Literal["code", "creative", "data", "knowledge", "summarise", "translate", "maths", "chat"]
Difficulty = Literal["easy", "medium", "hard"]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Preset = Literal["local-first", "by-task", "local-only", "cloud-first"]
May = Literal["home", "ask", "mask", "allow"]
"""What may happen to a text that holds a finding: it stays on this device, the user is asked, it goes out with
placeholders, or it goes out as it is."""
NOT_RULES = frozenset({"chosen", "mode", "place_order"})
"""What receipts say where no rule decided; so no rule may have such a name."""
NAMES_OF_PRESETS = frozenset(
    {"complex", "code at home", "creative in the cloud", "data at home", "knowledge in the cloud"}
)
"""What receipts call the rules of the presets; so none of the user's may be called the same."""


def _is_a_span(hours: str) -> str:
    if not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d", hours):
        raise ValueError('write it like "09:00-17:30", with two digits each')
    start, _, end = hours.partition("-")
    if start == end:
        raise ValueError("it ends when it begins; leave it out for the whole day")
    return hours


def _is_free(name: str) -> str:
    if name in NOT_RULES:
        raise ValueError("receipts use this name where no rule decided")
    return name


Hours = Annotated[str, AfterValidator(_is_a_span)]
Kinds = Annotated[tuple[str, ...], Field(min_length=1)]


class When(Table):
    """`when` of a rule: all that is named must hold; a condition on what is not known for certain doesn't hold."""

    task: tuple[Task, ...] = Field((), description="The request is about one of these.")
    complexity: tuple[Difficulty, ...] = Field((), description="The request looks this demanding.")
    tokens_over: int | None = Field(None, ge=0, description="The conversation is longer than this.")
    findings: bool | Kinds | None = Field(
        None, description="Whether personal data or secrets were found; or the kinds, one of which was."
    )
    attachments: bool | None = Field(None, description="Whether images or files are attached.")
    failed: tuple[str, ...] = Field(
        (), description="None of these places or backends can answer now; one that is loading can."
    )
    hours: Hours | None = Field(
        None, description="The local time lies within, for instance `22:00-06:00`; its end is not part of it."
    )
    days: tuple[Day, ...] = Field(
        (), description="The local day is one of these; `hours` over midnight belong to the day on which they begin."
    )
    spent_over: float | None = Field(None, ge=0, allow_inf_nan=False, description="This month's spend is above.")


class Rule(Table):
    """`[[policy.rules]]`: the first one that matches says who may answer."""

    name: Annotated[str, AfterValidator(_is_free)] = Field(
        min_length=1, max_length=60, description="What receipts call it."
    )
    when: When = When()
    use: tuple[str, ...] = Field(
        min_length=1, description="Places or backends that may answer, best first; no other one is asked."
    )
    """The name of a place always means the place, also where a backend is called the same."""


def _is_no_preset(rule: Rule) -> Rule:
    if rule.name in NAMES_OF_PRESETS:
        raise ValueError(f'receipts use the name "{rule.name}" for a rule of the presets')
    return rule


def _have_names_of_their_own(rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    names = Counter(rule.name for rule in rules)
    if again := [name for name, count in names.items() if count > 1]:
        raise ValueError(f'more than one rule is called "{again[0]}", and receipts could not tell which one decided')
    return rules


UsersRule = Annotated[Rule, AfterValidator(_is_no_preset)]


class PolicySettings(Table):
    """`[policy]`: where answers may be made."""

    preset: Preset = Field("local-first", description="The rules to begin from.")
    places: tuple[PlaceName, ...] | None = Field(
        None,
        min_length=1,
        description="Where answers may be made, best first; left out: what the preset says. No rule adds to them.",
    )
    complex_from: Literal["easy", "medium", "hard", "never"] = Field(
        "never", description="With `local-first`: requests that look this demanding, or more, go to the cloud first."
    )
    rules: Annotated[tuple[UsersRule, ...], AfterValidator(_have_names_of_their_own)] = Field(
        (), description="Looked at in order, before those of the preset."
    )
    hedge: bool = Field(
        False, description="Ask the next backend as well where the first word is late; costs a second answer."
    )


class PrivacySettings(Table):
    """`[privacy]`: what may leave this device, kind by kind."""

    default: May = Field("home", description="For every kind of finding that is not named below.")
    kinds: dict[str, May] = Field({}, description='By kind, for instance `email = "mask"`.')
    deny: tuple[str, ...] = Field((), description="Words and names that count as findings wherever they stand.")
    patterns: dict[str, str] = Field({}, description="More of them as regular expressions (RE2), by a name.")


class BudgetSettings(Table):
    """`[budget]`: what clouds may cost."""

    month: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="No cloud is asked beyond this in a calendar month (UTC)."
    )
    currency: str = Field("USD", min_length=1, max_length=8, description="What prices and budget are in.")
