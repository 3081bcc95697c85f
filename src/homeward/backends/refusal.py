"""What an HTTP status other than 200 means."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from homeward.protocol.errors import BackendStatusError, ContextLengthError, HomewardError, ImagesError
from homeward.protocol.upstream_errors import ErrorReport, decode_error

BODY_LIMIT_BYTES = 64 * 1024
"""As much of a refusal's body as is read."""

RETRY_AFTER_CAP_SECONDS = 120.0

_KEY = ("refused its key", "Check its key in the configuration.")
_KNOWN = {
    401: _KEY,
    403: _KEY,
    404: (
        "does not know the model or the address",
        "Check the model's name, and that the address ends in /v1.",
    ),
    413: (
        "has no room for a request of this size",
        "Shorten the conversation, or choose another backend.",
    ),
    511: (
        "is hidden behind the sign-in of this network",
        "Open any page in a browser and sign in to the network, then try again.",
    ),
    429: ("is busy, or its quota is used up", "Wait a little, then try again."),
}
_CODES = {
    "DeploymentNotFound": (
        "knows no deployment of this name",
        "Set `model` to the deployment's name, which you chose in Azure; a new one needs some minutes.",
    ),
    "MissingApiVersionParameter": (
        "wants an api-version",
        "Give its address without a path, or set `api_version`.",
    ),
    "AuthenticationTypeDisabled": (
        "accepts no keys",
        'Set `auth = "entra"`, and sign in with `az login`.',
    ),
    "PermissionDenied": (
        "knows who asks, but does not allow it",
        "Give the account the role `Cognitive Services OpenAI User` on this resource, and wait some minutes.",
    ),
    "model_not_found": (
        "does not know the model, or the key may not use it",
        "Check the model's name, and what its key may use.",
    ),
    "insufficient_quota": (
        "has no credit left for its key",
        "Add credit there, or wait until its quota begins anew.",
    ),
    "content_filter": (
        "refused the text by its content filter",
        "Word the message differently, or choose another backend.",
    ),
}
"""By what OpenAI and Azure give as type or code."""
_PHRASES = (
    (
        re.compile(rb"'max_tokens' is not supported"),
        ("does not know the field `max_tokens`", 'Set `max_tokens_field = "max_completion_tokens"` for it.'),
    ),
    (
        re.compile(rb"'max_completion_tokens' is not supported|[Uu]nrecognized .{0,40}max_completion_tokens"),
        ("does not know the field `max_completion_tokens`", 'Set `max_tokens_field = "max_tokens"` for it.'),
    ),
    (
        re.compile(rb"(?i)api[ -]versions?\b"),
        ("does not offer this api-version, or not for this model", "Set `api_version` to a newer one, or remove it."),
    ),
)
"""By what stands in the text of a 400, for want of a code."""
_CANT_SEE = re.compile(
    rb"(?i)image input is not supported"  # llama.cpp, with status 500
    rb"|missing data required for image input"  # Ollama
    rb"|does not support image|image_url is only supported by|at most 0 image|is not a multimodal model"
)
"""How servers say that their model can't see; they agree neither on a status nor on a code."""
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
    `ContextLengthError`, with both numbers where the upstream says them and they are to blame; images for a model that
    can't see are an `ImagesError`.
    """
    report = decode_error(body)
    if report.too_long:
        return _too_long(report, answer_tokens or 0)
    if _CANT_SEE.search(body):
        return ImagesError(f"{source} can't see images.", detail=f"status {status} {report.words}".rstrip())
    sentence, next_step = _words(status, report, body)
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


def _too_long(report: ErrorReport, answer_tokens: int) -> ContextLengthError:
    if report.prompt_tokens is not None and report.window_tokens is not None:
        available = report.window_tokens - answer_tokens
        if 0 < available < report.prompt_tokens:
            return ContextLengthError(prompt_tokens=report.prompt_tokens, available_tokens=available)
    return ContextLengthError(prompt_tokens=None, available_tokens=None)


def _words(status: int, report: ErrorReport, body: bytes) -> tuple[str, str]:
    """What the backend did, and the next step."""
    for word in report.words.split():
        if word in _CODES:
            return _CODES[word]
    if status == 400:
        for phrase, words in _PHRASES:
            if phrase.search(body):
                return words
    return _KNOWN.get(status) or _RANGES.get(status // 100, _UNKNOWN)
