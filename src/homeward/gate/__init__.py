"""Who may talk to this program, from a browser or with a key, and what every answer carries."""

from homeward.gate.gate import ApiEntry, Gate
from homeward.gate.guard import KeyGuard

__all__ = ["ApiEntry", "Gate", "KeyGuard"]
