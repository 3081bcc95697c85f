"""Conversations, kept: users, threads, steps, elements, feedback and receipts, in SQLite or PostgreSQL.

It knows neither the chat page nor HTTP; `chat` translates between the page's dictionaries and the values in
`rows`. Importing it opens nothing.
"""

from homeward.history.errors import RefusedError
from homeward.history.export import to_markdown
from homeward.history.incoming import as_id
from homeward.history.opening import migrate
from homeward.history.responses import Responses
from homeward.history.rows import (
    ALTERNATIVE,
    ROLES,
    AnyId,
    Element,
    Feedback,
    Page,
    Step,
    StepStatus,
    Thread,
    ThreadSummary,
    Turn,
    User,
)
from homeward.history.store import History

__all__ = [
    "ALTERNATIVE",
    "ROLES",
    "AnyId",
    "Element",
    "Feedback",
    "History",
    "Page",
    "RefusedError",
    "Responses",
    "Step",
    "StepStatus",
    "Thread",
    "ThreadSummary",
    "Turn",
    "User",
    "as_id",
    "migrate",
    "to_markdown",
]
