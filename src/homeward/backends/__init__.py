"""Everything that answers OpenAI's protocol, as one class over one HTTP client.

A backend is a row of data and a way to locate it; its health says whether it may be asked now. Which of them to
ask, and whether to try again or another one, is decided elsewhere: nothing in here retries, fails over, or knows
what a policy is.
"""

from homeward.backends.asked import Asked, Chunks
from homeward.backends.backend import Backend
from homeward.backends.connections import Connections
from homeward.backends.health import Health, Permit
from homeward.backends.line import Line, Turn
from homeward.backends.retries import RetryBudget, backoff_seconds
from homeward.backends.row import BackendRow, Deadlines, Locate, cost, fixed
from homeward.backends.stream import AnswerStream
from homeward.backends.tab import Tab, TabBackend, TabModel

__all__ = [
    "AnswerStream",
    "Asked",
    "Backend",
    "BackendRow",
    "Chunks",
    "Connections",
    "Deadlines",
    "Health",
    "Line",
    "Locate",
    "Permit",
    "RetryBudget",
    "Tab",
    "TabBackend",
    "TabModel",
    "Turn",
    "backoff_seconds",
    "cost",
    "fixed",
]
