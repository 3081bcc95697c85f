"""The lines of the audit log, and how they are read."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import msgspec

from homeward.protocol.errors import AuditError
from homeward.protocol.place import Place

_VERSION = 1
"""Of a line's meaning. New fields need no new version: readers pass over what they don't know."""

Detail = str | int | float | bool | None
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


def _now() -> datetime:
    return datetime.now(UTC)


class AuditBegun(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="begun"):
    """An attempt that is about to leave this machine."""

    v: int = _VERSION
    at: Moment = msgspec.field(default_factory=_now)
    request: UUID
    """The receipt's id."""
    attempt: int
    """Which attempt of the request, from 1."""
    place: Place
    backend: str
    host: str
    """Name or address of the other machine; never a path or a key."""
    model: str
    rule: str
    """Why this backend: what the receipt gives as reason."""
    findings: dict[str, int] = {}
    """How many there were in the request, by kind."""
    masked: bool = False
    """Whether they were replaced by placeholders before it left."""
    may_leave: str = "allow"
    """What the user's choices made of the findings."""
    approved: bool = False
    """Whether the user was asked, and agreed."""
    at_most_cost: float | None = None
    """In the budget's currency; None where the prices are not known."""


class AuditEnded(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="ended"):
    """How an attempt ended, however that was."""

    v: int = _VERSION
    at: Moment = msgspec.field(default_factory=_now)
    request: UUID
    attempt: int
    bytes_out: int
    """Bytes of the request that left this machine."""
    cost: float | None = None
    """In the budget's currency, 0 where nothing was sent; None where it can't be told."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    error: str = ""
    """Code of the error that ended it; empty where the answer is whole."""


class AuditNote(msgspec.Struct, frozen=True, kw_only=True, tag_field="event", tag="note"):
    """Something else that decides about what may leave."""

    v: int = _VERSION
    at: Moment = msgspec.field(default_factory=_now)
    about: str
    """`consent`, `policy_changed`, …"""
    details: dict[str, Detail] = {}


class Unreadable(msgspec.Struct, frozen=True):
    """A line that says nothing to us."""

    number: int
    """From 1."""
    why: Literal["damaged", "newer"]
    """Cut off or altered; or written by a newer Homeward."""


Line = AuditBegun | AuditEnded | AuditNote
_decoder: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


class Transfer(msgspec.Struct, frozen=True):
    """One attempt that left, both lines together."""

    begun: AuditBegun
    ended: AuditEnded | None
    """None while it runs, or where the program died in between."""


def encode(line: Line) -> bytes:
    """The line as it stands in the file."""
    return msgspec.json.encode(line) + b"\n"


def read(path: Path) -> Iterator[Line | Unreadable]:
    """Every line, in the order of the file; nothing where there is no file. Raises AuditError: it can't be read."""
    return (decode(text, number) for number, text in read_raw(path))


def read_raw(path: Path) -> Iterator[tuple[int, bytes]]:
    """The same as they stand in the file, with their numbers; empty ones are left out."""
    try:
        with path.open("rb") as file:
            yield from ((number, text) for number, text in enumerate(file, 1) if text.strip())
    except FileNotFoundError:
        return
    except OSError as error:
        raise AuditError(
            "The audit log can't be read.",
            next_step="Look at the rights of audit.jsonl in the data folder.",
            detail=str(error),
        ) from error


class _Head(msgspec.Struct):
    v: int


def decode(text: bytes, number: int) -> Line | Unreadable:
    """The line of this number."""
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        try:
            newer = msgspec.json.decode(text, type=_Head).v > _VERSION
        except (msgspec.DecodeError, UnicodeDecodeError):
            newer = False
        return Unreadable(number, "newer" if newer else "damaged")


def transfers(lines: Iterable[Line | Unreadable], *, since: datetime | None = None) -> list[Transfer]:
    """What left, each begun attempt with its end, in the order in which they began; `since` looks at when they did."""
    lines = list(lines)
    ends = {(line.request, line.attempt): line for line in lines if isinstance(line, AuditEnded)}
    return [
        Transfer(line, ends.get((line.request, line.attempt)))
        for line in lines
        if isinstance(line, AuditBegun) and (since is None or line.at >= since)
    ]
