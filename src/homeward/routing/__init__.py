"""Which backends are asked for an answer, in which order, and why the others are not.

Pure: facts, snapshot and policy in, plan out. Nothing here reads a clock, a file or a network.
"""

from homeward.routing.decide import decide
from homeward.routing.plan import Attempt, BackendView, Dropped, Facts, Plan, Policy, Snapshot

__all__ = ["Attempt", "BackendView", "Dropped", "Facts", "Plan", "Policy", "Snapshot", "decide"]
