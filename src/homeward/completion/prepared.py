"""A request that was looked at and has a plan."""

from functools import cached_property

import msgspec

from homeward.backends import Asked
from homeward.completion.facts import Known
from homeward.completion.firewall import Firewall
from homeward.config import BudgetSettings, PolicySettings
from homeward.protocol.chat import ChatRequest
from homeward.routing import Plan, Snapshot, effective


class Rules(msgspec.Struct, frozen=True, dict=True):
    """What the user has laid down; replaced as a whole when it changes."""

    policy: PolicySettings
    budget: BudgetSettings
    firewall: Firewall

    @cached_property
    def need_assessment(self) -> bool:
        """Whether any rule looks at what a request is about, or how demanding it is."""
        return any(rule.when.task or rule.when.complexity for rule in effective(self.policy).rules)


class Prepared(msgspec.Struct, frozen=True):
    """A request that was looked at and has a plan; nothing was asked yet."""

    request: ChatRequest
    known: Known
    plan: Plan
    snapshot: Snapshot
    """The backends' state that it was made of."""
    rules: Rules
    tab: Asked | None = None
    """The page that asked, where its user chose that it answers itself."""
