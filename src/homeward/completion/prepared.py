"""A request that was looked at and has a plan."""

import msgspec

from homeward.completion.facts import Known
from homeward.completion.firewall import Firewall
from homeward.config import BudgetSettings, PolicySettings
from homeward.protocol.chat import ChatRequest
from homeward.routing import Plan


class Rules(msgspec.Struct, frozen=True):
    """What the user has laid down; replaced as a whole when it changes."""

    policy: PolicySettings
    budget: BudgetSettings
    firewall: Firewall


class Prepared(msgspec.Struct, frozen=True):
    """A request that was looked at and has a plan; nothing was asked yet."""

    request: ChatRequest
    known: Known
    plan: Plan
    rules: Rules
