"""Which backends are asked for an answer, in which order, and why the others are not.

Pure: facts, snapshot and policy in, plan out. Nothing here reads a clock, a file or a network.
"""

from homeward.routing.decide import decide
from homeward.routing.plan import Attempt, BackendView, Dropped, Facts, Plan, Question, Snapshot
from homeward.routing.presets import effective
from homeward.routing.rules import unknown_targets
from homeward.routing.words import explain

__all__ = [
    "Attempt",
    "BackendView",
    "Dropped",
    "Facts",
    "Plan",
    "Question",
    "Snapshot",
    "decide",
    "effective",
    "explain",
    "unknown_targets",
]
