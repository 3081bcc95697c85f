"""What comes in, made fit for both databases: ids, texts and values.

PostgreSQL refuses U+0000 everywhere, and lone surrogates cannot be encoded at all; SQLite takes the first and
not the second. So that both behave alike, each such character is replaced with U+FFFD, the sign for a
character that cannot be shown, and the rest of the text is kept as it was typed.
"""

import math
import re
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from homeward.history.errors import RefusedError
from homeward.history.rows import AnyId, JsonObject

P = TypeVar("P")
S = TypeVar("S", bound=msgspec.Struct)

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LABEL_LIMIT = 255
"""Characters of a conversation's name or a user's identifier: lists show them, and indexes have a limit."""


def as_id(value: AnyId, what: str = "id") -> UUID:
    """The UUID that `value` is; raises `RefusedError` for anything else.

    A string must have the usual form of 36 characters: Python also reads braces and `urn:uuid:`, but then the
    id on the way out would not be the one that came in.
    """
    if isinstance(value, UUID):
        return value
    try:
        found = UUID(value)
    except (ValueError, TypeError, AttributeError):
        found = None
    if found is None or str(found) != value.lower():
        raise RefusedError(
            f"The {what} is not a UUID.", next_step="Send one like 7d444840-9dc0-11d1-b245-5ffdce74fad2."
        )
    return found


def storable_text(text: str) -> str:
    """`text` with U+FFFD in place of what a database cannot hold; fast where there is nothing to replace."""
    if "\x00" not in text:
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text
    return _UNSTORABLE.sub("\ufffd", text)


def label(text: str | None) -> str:
    """`text` as a name: storable, on one line, cut to a length that a list can show; empty for none."""
    if not text:
        return ""
    shown = " ".join(storable_text(text[: 4 * _LABEL_LIMIT]).split())
    return shown if len(shown) <= _LABEL_LIMIT else shown[: _LABEL_LIMIT - 1] + "…"


def identifier(text: str) -> str:
    """What a user signs in with; raises `RefusedError` for one that is empty or too long to be indexed."""
    if not 0 < len(text) <= _LABEL_LIMIT:
        raise RefusedError(f"A user's identifier has 1 to {_LABEL_LIMIT} characters.")
    return storable_text(text)


def storable(value: S) -> S:
    """A copy of `value` with storable texts, plain JSON, and each field of the type that it declares.

    Raises `RefusedError` for what does not fit: some of it comes from a browser, and the two databases would
    each take another part of it.
    """
    return _plain(value, type(value))


def storable_json(value: JsonObject | None) -> JsonObject:
    """A copy of `value` as plain JSON with storable texts; raises `RefusedError` for what JSON cannot say."""
    return _plain(value, JsonObject) if value else {}


def storable_words(value: list[str] | None) -> list[str]:
    """A copy of `value` with storable texts; raises `RefusedError` for anything but a list of texts."""
    return _plain(value, list[str]) if value else []


def _plain(value: object, shape: type[P]) -> P:
    try:
        return msgspec.convert(_cleaned(msgspec.to_builtins(value, str_keys=True)), shape)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise RefusedError(
            "The history cannot hold a value of this kind.", detail=f"{type(error).__name__}: {error}"
        ) from error


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            return storable_text(value)
        case dict():
            return {_cleaned(key): _cleaned(item) for key, item in value.items()}
        case list() | tuple():
            return [_cleaned(item) for item in value]
        case float() if not math.isfinite(value):
            return None  # as JSON has it
        case _:
            return value
