"""What the store takes and gives back: plain values that know neither the database nor the page.

One rule for everything that is saved again under its id: **an empty field keeps what is stored**. None, `""`,
`{}` and `[]` say "nothing new", so a late or partial write cannot erase what an earlier one brought.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from homeward.protocol.chat import Role
from homeward.protocol.receipt import Receipt

AnyId = UUID | str
"""An id as it comes in. A string must be a UUID in its usual form of 36 characters."""

JsonObject = dict[str, Any]

Moment = Annotated[datetime, Meta(tz=True)]
"""A time that says its zone; UTC on the way out."""
_Word = Annotated[str, Meta(min_length=1)]
_Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]

StepStatus = Literal["streaming", "complete", "stopped", "interrupted", "failed"]
"""How far an answer has come: still growing, whole, ended by the user, broken off, or never begun."""

ROLES: tuple[Role, ...] = ("system", "user", "assistant")
"""Kinds of steps that are messages of the conversation; every other kind is work in between."""

ALTERNATIVE = "alternative"
"""The kind of a step that holds another answer to the same question. It is a child of the work (`run`) that the answer
is a child of, stays and goes with it, and is in no prompt."""


class User(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who owns conversations."""

    id: UUID
    identifier: str
    """The name that the user signs in with; unique."""
    display_name: str | None = None
    metadata: JsonObject = {}
    created_at: Moment


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One message of a conversation, or one piece of work in it.

    On the way in, an empty field keeps what is stored. On the way out, `status` and `created_at` are set.
    """

    id: UUID
    thread_id: UUID
    kind: _Word
    """`user`, `assistant` and `system` are messages; any other word (`run`, `tool` …) is work in between."""
    parent_id: UUID | None = None
    """In a thread on the way out: a step that stands before it, or None."""
    name: str = ""
    """Author of a message, name of a tool."""
    text: str = ""
    """What a message says, or what a piece of work gave."""
    input: str = ""
    """What a piece of work was given; empty for messages."""
    status: StepStatus | None = None
    """None on the way in: as stored, and `complete` for a new step."""
    is_error: bool | None = None
    """The text was written by the program to tell of an error; it is no part of the model's prompt."""
    wait_for_answer: bool | None = None
    created_at: Moment | None = None
    """None on the way in: now. Never changed by a later save."""
    started_at: Moment | None = None
    ended_at: Moment | None = None
    metadata: JsonObject = {}
    """Replaced as a whole by a later save. `{"favorite": true}` makes the step a favourite of its owner."""
    tags: list[str] = []
    modes: JsonObject = {}
    command: str | None = None
    generation: JsonObject = {}
    show_input: bool | str | None = None
    default_open: bool | None = None
    auto_collapse: bool | None = None
    language: str | None = None
    icon: str | None = None
    extra: JsonObject = {}
    """Whatever else belongs to the step and has no column of its own."""


class Element(msgspec.Struct, frozen=True, kw_only=True):
    """Something shown with a step: an image, a file, a card. Only the row; the bytes are `object_key`'s."""

    id: UUID
    thread_id: UUID
    step_id: UUID | None = None
    """The step that it is shown with; that step may be stored later."""
    kind: _Word
    """`image`, `text`, `pdf`, `file`, `custom` and so on."""
    name: str = ""
    display: str | None = None
    mime: str | None = None
    url: str | None = None
    object_key: str | None = None
    size: str | None = None
    page: _Int32 | None = None
    language: str | None = None
    props: JsonObject = {}
    auto_play: bool | None = None
    player_config: JsonObject = {}
    extra: JsonObject = {}


class Feedback(msgspec.Struct, frozen=True, kw_only=True):
    """A thumb up (1) or down (0) for one step; each step has at most one."""

    id: UUID
    step_id: UUID
    value: int
    comment: str | None = None
    created_at: Moment


class ThreadSummary(msgspec.Struct, frozen=True, kw_only=True):
    """One conversation without its contents, as lists show it."""

    id: UUID
    user_id: UUID | None
    """None while nobody owns it: a stub that a step has created."""
    user_identifier: str | None
    name: str | None
    tags: list[str]
    metadata: JsonObject
    created_at: Moment
    updated_at: Moment
    """The last real activity: a new step, a new text, another status. A rename does not count."""


class Thread(ThreadSummary, frozen=True, kw_only=True):
    """One conversation with all that belongs to it."""

    steps: tuple[Step, ...]
    """In the order in which they were first saved, parents before their children."""
    elements: tuple[Element, ...]
    """In the order in which they were first saved."""
    feedback: dict[UUID, Feedback]
    """By step."""
    receipts: dict[UUID, tuple[Receipt, ...]]
    """By step, the oldest first: an answer that was continued has one for each time."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page of a list of conversations, the latest first."""

    threads: tuple[ThreadSummary, ...]
    next_cursor: str | None
    """Where the next page begins; None on the last one."""


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """One message as the model's prompt needs it."""

    step_id: UUID
    role: Role
    text: str
    status: StepStatus
