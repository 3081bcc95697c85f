"""What happened to a request, written down for the user.

A receipt holds no text of the conversation, so it can be shown, exported and logged.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from homeward.protocol.chat import FinishReason, Mode
from homeward.protocol.place import Place

Outcome = Literal["complete", "stopped", "interrupted", "failed"]
"""How an answer ended: whole (or cut by its token limit: `finish_reason`), ended by the user, broken off in the
middle, or never begun."""


class AttemptRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One backend that was asked."""

    backend: str
    place: Place
    model: str = ""
    error: str = ""
    """Code of the error that ended it, `lost` where another one spoke first; empty where it answered."""
    seconds: float = 0.0
    bytes_out: int = 0
    """Bytes of it that left this machine."""
    cost: float | None = None
    """In the budget's currency; None where it cost nothing or can't be told."""
    hedged: bool = False
    """Whether it was asked while the one before it was late."""


class DroppedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One backend that was not asked, and why."""

    backend: str
    reason: str
    sentence: str = ""
    """More than the reason says, where the backend itself says it."""


class FactsRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What the decision knew about the request."""

    mode: Mode = "auto"
    task: str = ""
    """Empty where it could not be told with certainty."""
    task_guess: str = ""
    """The likeliest one all the same."""
    task_probability: float = 0.0
    complexity: str = ""
    """Empty where the text gives no evidence."""
    complexity_score: float = 0.5
    evidence: tuple[str, ...] = ()
    """What the complexity rests on."""
    tokens: int = 0
    findings: dict[str, int] = {}
    """How many there were, by kind."""
    checked: bool = True
    """False where the request could not be looked at completely."""
    may_leave: str = "allow"
    """What the user's choices made of the findings."""
    approved: bool = False
    stays_home: bool = False
    """Whether an earlier turn of the conversation kept it at home."""
    seconds: float = 0.0
    """What finding all this out took."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What happened: where the answer was made, why there, and what left the machine."""

    id: UUID
    created_at: datetime
    outcome: Outcome
    place: Place | None = None
    """None where nothing answered."""
    backend: str = ""
    model: str = ""
    reason: str = ""
    """Why this backend: the rule that chose it."""
    facts: FactsRecord | None = None
    attempts: tuple[AttemptRecord, ...] = ()
    dropped: tuple[DroppedRecord, ...] = ()
    finish_reason: FinishReason | None = None
    first_token_seconds: float | None = None
    """From the request's arrival to the first piece of text."""
    total_seconds: float = 0.0
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cached_tokens: int | None = None
    tokens_per_second: float | None = None
    """Of the text behind the first token."""
    left_out_messages: int = 0
    """Oldest messages that did not fit the model's window."""
    bytes_out: int = 0
    """Bytes of the request that left this machine, of all attempts together."""
    cost: float | None = None
    """Of all attempts together; None where it cost nothing or can't be told."""
    masked: int = 0
    """How many different findings were replaced by placeholders before it left."""
    error: str = ""
    """Code of the error that ended the answer; empty where none did."""
