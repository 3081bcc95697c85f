"""What the policy page shows, as values. The user's settings stand in it as they stand in `homeward.toml`."""

from typing import Any, Literal

import msgspec

from homeward.protocol.receipt import DroppedRecord, FactsRecord
from homeward.routing import Attempt, Question


class Answerer(msgspec.Struct, frozen=True, kw_only=True):
    """One backend, as the user has to know it."""

    name: str
    place: Literal["device", "network", "cloud", "browser"]
    host: str = ""
    """The machine that words go to; empty on this device."""
    model: str = ""
    state: Literal["ready", "loading", "resting", "failed"]
    reason: str = ""
    """Why it can't answer now, as a sentence."""
    consented: bool = False
    """Whether the user agreed that words go there; of no meaning on this device."""
    input_price: float | None = None
    """Of a million tokens; None where unknown."""
    output_price: float | None = None


class Departed(msgspec.Struct, frozen=True):
    """What left this machine in this month (UTC)."""

    requests: int
    bytes_out: int


class PolicyState(msgspec.Struct, frozen=True, kw_only=True):
    """The rules in force, and what they are about."""

    policy: dict[str, Any]
    """`PolicySettings`."""
    privacy: dict[str, Any]
    """`PrivacySettings`."""
    budget: dict[str, Any]
    """`BudgetSettings`."""
    spent: float
    """In this month (UTC), in the budget's currency."""
    left: Departed
    backends: tuple[Answerer, ...]
    orders: dict[str, tuple[str, ...]]
    """The order of places that each preset has, where the policy says nothing else."""
    editable: bool
    locked: str = ""
    """Why nothing can be changed, as a sentence."""
    file: str
    """Where the rules are saved."""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen to a prompt, and why."""

    sentences: tuple[str, ...]
    facts: FactsRecord
    rule: str
    """What decided: `chosen`, `mode`, `place_order`, or a rule's name."""
    attempts: tuple[Attempt, ...]
    dropped: tuple[DroppedRecord, ...]
    """With the reason as a sentence."""
    question: Question | None
