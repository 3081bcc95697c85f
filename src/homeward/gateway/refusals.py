"""Errors in OpenAI's envelope."""

import math
from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from homeward.protocol.envelope import Envelope, envelope
from homeward.protocol.errors import BackendStatusError, HomewardError, InvalidRequestError

MOST_RETRY_AFTER = 120
"""Seconds; OpenAI's clients don't try again at all where they are told to wait for longer."""

CALLERS_FAULT = frozenset({400, 404, 413, 422})
"""Statuses by which a backend says that the request is wrong; its 401 and 403 are about our key, not the caller's."""


def refusal(
    status: int, message: str, code: str, param: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """A response that says no."""
    body = msgspec.json.encode(envelope(status, message, code, param))
    return Response(body, status_code=status, media_type="application/json", headers=dict(headers or {}))


def refused(error: HomewardError, headers: Mapping[str, str] | None = None) -> Response:
    """The same, for an error of ours."""
    status = status_of(error)
    more = {} if (seconds := retry_after(error, status)) is None else {"retry-after": str(seconds)}
    return refusal(status, str(error), error.code, param_of(error), {**(headers or {}), **more})


def error_event(error: HomewardError) -> bytes:
    """What ends a stream that can't go on; behind it there is no `[DONE]`, so that every client sees it."""
    return b"data: " + msgspec.json.encode(in_envelope(error)) + b"\n\n"


def in_envelope(error: HomewardError) -> Envelope:
    """An error of ours as OpenAI's."""
    return envelope(status_of(error), str(error), error.code, param_of(error))


def status_of(error: HomewardError) -> int:
    """What the client is told, as a status: a backend's own only where it is about the request."""
    if isinstance(error, BackendStatusError):
        if error.upstream_status in CALLERS_FAULT:
            return 400
        return 429 if error.upstream_status == 429 else error.status
    return error.status


def param_of(error: HomewardError) -> str | None:
    """Which field of the request is to blame."""
    return (error.param or None) if isinstance(error, InvalidRequestError) else None


def retry_after(error: HomewardError, status: int) -> int | None:
    """Seconds until another try makes sense; None where it does not, or not by waiting."""
    if error.retry_after_seconds is None and status not in (429, 503):
        return None
    return min(MOST_RETRY_AFTER, max(1, math.ceil(error.retry_after_seconds or 1)))
