"""What an upstream's errors say, without their text: it may hold a key or the prompt."""

import re
from typing import Any, Final

import msgspec

from homeward.protocol.errors import (
    BackendDisconnectedError,
    BackendError,
    BackendProtocolError,
    BackendStatusError,
)

_TOO_LONG: Final = frozenset({"context_length_exceeded", "exceed_context_size_error"})  # OpenAI, llama.cpp
_WINDOW: Final = re.compile(r"maximum context length (?:is|of) (\d{1,9})")
_PROMPT: Final = re.compile(
    r"resulted in (\d{1,9}) |\((\d{1,9}) in the (?:messages|prompt)|(?:has|passed) (\d{1,9}) input"
)
_PLAIN: Final = re.compile(r"[A-Za-z_]{1,48}")


class ErrorReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an upstream's error object says, without its text."""

    words: str = ""
    """Its type and code where they are plain words; safe to log."""
    status: int | None = None
    """The HTTP status that it names as code; None for none."""
    too_long: bool = False
    """Whether prompt and answer do not fit the model's window."""
    prompt_tokens: int | None = None
    window_tokens: int | None = None
    """What prompt and answer share."""


def decode_error(body: bytes) -> ErrorReport:
    """What the body of a refusal says; empty where it is not JSON, as the page of a proxy."""
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return ErrorReport()
    return report((value.get("error") or value) if isinstance(value, dict) else value)


def error_inside(said: ErrorReport, source: str) -> BackendError:
    """The error for one that stands in a stream."""
    if said.status is not None:
        return BackendStatusError(
            f"{source} reported an error with status {said.status} inside its answer.",
            upstream_status=said.status,
            next_step="Try again, or choose another backend.",
            detail=said.words,
        )
    return BackendDisconnectedError(
        f"{source} ended its answer with an error.",
        next_step="Try again, or choose another backend.",
        detail=said.words,
    )


def report(error: object) -> ErrorReport:
    """What an error object says."""
    fields: dict[str, Any] = error if isinstance(error, dict) else {"message": error}
    words = [str(word) for key in ("type", "code") if _is_plain(word := fields.get(key))]
    message = fields.get("message")
    text = message if isinstance(message, str) else ""
    window = _WINDOW.search(text)
    code = fields.get("code")
    return ErrorReport(
        words=" ".join(words),
        status=code if type(code) is int and 400 <= code <= 599 else None,
        too_long=window is not None or not _TOO_LONG.isdisjoint(words),
        prompt_tokens=_count(fields.get("n_prompt_tokens"), _PROMPT.search(text)),
        window_tokens=_count(fields.get("n_ctx"), window),
    )


def _is_plain(word: object) -> bool:
    return isinstance(word, str) and _PLAIN.fullmatch(word) is not None


def _count(field: object, match: re.Match[str] | None) -> int | None:
    """A count from llama.cpp's field, or from the sentence in which OpenAI and vLLM hide it."""
    if type(field) is int:
        return field
    return int(next(filter(None, match.groups()))) if match is not None else None


def not_the_protocol(source: str, detail: str) -> BackendProtocolError:
    """What came is no answer in OpenAI's protocol; `detail` is for the log."""
    return BackendProtocolError(
        f"{source} sent something that is not OpenAI's protocol.",
        next_step="Check that its address is that of an OpenAI-compatible server.",
        detail=detail,
    )
