"""What happened to a request, written down for the user.

A receipt holds no text of the conversation, so it can be shown, exported and logged.
"""

from datetime import datetime
from typing import Literal
from uuid import UUID

import msgspec

from homeward.protocol.chat import FinishReason
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
    """Code of the error that ended it; empty where it answered."""
    seconds: float = 0.0


class DroppedRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One backend that was not asked, and why."""

    backend: str
    reason: str


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
    """Bytes of the request that left this machine."""
    error: str = ""
    """Code of the error that ended the answer; empty where none did."""
