"""What an HTTP status other than 200 means."""

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from homeward.protocol.errors import BackendStatusError, ContextLengthError, HomewardError
from homeward.protocol.wire import decode_error

BODY_LIMIT_BYTES = 64 * 1024
"""As much of a refusal's body as is read."""

RETRY_AFTER_CAP_SECONDS = 120.0

_TOO_LONG = (
    "has no room for the conversation and the answer asked for",
    "Shorten the conversation or the answer, or choose a model with a larger context window.",
)
_KEY = ("refused its key", "Check its key in the configuration.")
_KNOWN = {
    401: _KEY,
    403: _KEY,
    404: (
        "does not know the model or the address",
        "Check the model's name, and that the address ends in /v1.",
    ),
    413: _TOO_LONG,
    429: ("is busy, or its quota is used up", "Wait a little, then try again."),
}
_RANGES = {
    3: (
        "sends us on to another address, which is not followed",
        "Put its final address into the configuration.",
    ),
    5: ("has a fault of its own", "Try again, or choose another backend."),
}
_UNKNOWN = ("did not accept the request", "Check its model and its settings in the configuration.")


def refusal(
    status: int, headers: Mapping[str, str], body: bytes, *, source: str, answer_tokens: int | None
) -> HomewardError:
    """The error that a refused request ends in; its text is ours, never the upstream's.

    `answer_tokens` is what the request kept free for the answer. A prompt that is too long is a
    `ContextLengthError` where the upstream says how long it is, and else a `BackendStatusError` that says so.
    """
    report = decode_error(body)
    sentence, next_step = _words(status)
    if report.too_long:
        if report.prompt_tokens is not None and report.window_tokens is not None:
            available = report.window_tokens - (answer_tokens or 0)
            if 0 < available < report.prompt_tokens:
                return ContextLengthError(prompt_tokens=report.prompt_tokens, available_tokens=available)
        sentence, next_step = _TOO_LONG
    return BackendStatusError(
        f"{source} {sentence} (status {status}).",
        upstream_status=status,
        next_step=next_step,
        detail=f"status {status} {report.words}".rstrip(),
        retry_after_seconds=retry_after_seconds(headers),
    )


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """Seconds to leave the backend alone, at most 120; None where nothing is said, or nothing sensible.

    Milliseconds go before seconds, and these before a date, as in OpenAI's client.
    """
    seconds = _number(headers.get("retry-after-ms", "")) / 1000
    if not _sensible(seconds):
        text = headers.get("retry-after", "")
        seconds = _number(text)
        if math.isnan(seconds):
            seconds = _seconds_until(text)
    return min(seconds, RETRY_AFTER_CAP_SECONDS) if _sensible(seconds) else None


def _sensible(seconds: float) -> bool:
    return math.isfinite(seconds) and seconds > 0


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _seconds_until(date: str) -> float:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return math.nan
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()


def _words(status: int) -> tuple[str, str]:
    """What the backend did, and the next step."""
    return _KNOWN.get(status) or _RANGES.get(status // 100, _UNKNOWN)
