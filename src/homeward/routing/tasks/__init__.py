"""What a prompt is about and how demanding it looks: facts for a decision, never a decision.

Pure: the same text always gives the same answer, any text gives one, and nothing leaves the machine.
"""

from homeward.routing.tasks.classify import (
    Assessment,
    Complexity,
    Evidence,
    TaskGuess,
    assess,
    classify,
    complexity,
)

__all__ = ["Assessment", "Complexity", "Evidence", "TaskGuess", "assess", "classify", "complexity"]
