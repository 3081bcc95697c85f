"""What each preset stands for: an order of places, and rules behind the user's own."""

from collections.abc import Mapping
from typing import get_args

import msgspec

from homeward.config.policy import Difficulty, PolicySettings, Preset, Rule, When
from homeward.protocol.place import PlaceName

Places = tuple[PlaceName, ...]


class Effective(msgspec.Struct, frozen=True):
    """A policy with its preset written out."""

    places: Places
    """Where answers may be made, best first; no rule adds to them."""
    rules: tuple[Rule, ...]
    """The user's before the preset's; the first one that matches counts."""


PLACES: Mapping[Preset, Places] = {
    "local-only": ("device",),
    "local-first": ("device", "network", "cloud"),
    "by-task": ("device", "network", "cloud"),
    "cloud-first": ("cloud", "network", "device"),
}

BY_TASK = (
    Rule(name="code at home", when=When(task=("code",)), use=("device",)),
    Rule(name="creative in the cloud", when=When(task=("creative",)), use=("cloud", "device")),
    Rule(name="data at home", when=When(task=("data",)), use=("device",)),
    Rule(name="knowledge in the cloud", when=When(task=("knowledge",)), use=("cloud", "device")),
)

_DIFFICULTIES: tuple[Difficulty, ...] = get_args(Difficulty)  # from the easiest to the hardest

COMPLEX: Mapping[Difficulty, Rule] = {
    least: Rule(name="complex", when=When(complexity=_DIFFICULTIES[rank:]), use=("cloud", "network", "device"))
    for rank, least in enumerate(_DIFFICULTIES)
}
"""By the difficulty that it begins at."""


def effective(policy: PolicySettings) -> Effective:
    """The places and rules that a policy amounts to."""
    return Effective(policy.places or PLACES[policy.preset], policy.rules + _rules_of_preset(policy))


def _rules_of_preset(policy: PolicySettings) -> tuple[Rule, ...]:
    if policy.preset == "by-task":
        return BY_TASK
    if policy.preset == "local-first" and policy.complex_from != "never":
        return (COMPLEX[policy.complex_from],)
    return ()
