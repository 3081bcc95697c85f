"""How OpenAI's protocol says no."""

import msgspec

TYPES = {401: "authentication_error", 403: "permission_error", 404: "invalid_request_error", 429: "rate_limit_error"}


class ErrorBody(msgspec.Struct, frozen=True):
    """OpenAI's error object."""

    message: str
    type: str
    param: str | None
    code: str


class Envelope(msgspec.Struct, frozen=True):
    """What surrounds it."""

    error: ErrorBody


def envelope(status: int, message: str, code: str, param: str | None = None) -> Envelope:
    """OpenAI's error, of the type that belongs to its status."""
    kind = TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return Envelope(ErrorBody(message, kind, param, code))
