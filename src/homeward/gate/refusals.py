"""Saying no, as a value and as an answer. Nothing of the request is repeated in it."""

from collections.abc import Iterable

import msgspec
from starlette.types import Send

from homeward.gate.policy import is_api
from homeward.protocol.envelope import envelope


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request is not served."""

    status: int
    code: str
    """Stable, for programs."""
    message: str
    """A sentence that says whose fault it is, or what to do."""
    headers: tuple[tuple[bytes, bytes], ...] = ()


_CLOSE = ((b"connection", b"close"),)

WRONG_HOST = Refusal(
    status=421,
    code="wrong_host",
    message="This program is not served under that host name.",
    headers=_CLOSE,
)
WRONG_API_HOST = Refusal(
    status=421,
    code="wrong_host",
    message="Homeward is not served under that host name. Add it to `hosts` in [gateway] of homeward.toml.",
    headers=_CLOSE,
)
FOREIGN_PAGE = Refusal(
    status=403, code="foreign_origin", message="Other pages may not use this program.", headers=_CLOSE
)
NO_ORIGIN = Refusal(
    status=403, code="foreign_origin", message="A websocket of a browser needs an Origin.", headers=_CLOSE
)
OTHER_MACHINE = Refusal(
    status=403, code="other_machine", message="This is served on its own machine only.", headers=_CLOSE
)
NO_POLLING = Refusal(
    status=400, code="invalid_request", message="Only the websocket transport is served.", headers=_CLOSE
)
NOT_FOUND = Refusal(status=404, code="not_found", message="Not found.", headers=_CLOSE)

WRONG_KEY = Refusal(
    status=401,
    code="invalid_api_key",
    message="This needs an API key, and there was none, a wrong one, or two different ones. "
    "Make one with: homeward keys add NAME",
    headers=((b"www-authenticate", b"Bearer"),),
)


def too_large(limit_bytes: int) -> Refusal:
    """More than this was sent."""
    return Refusal(
        status=413,
        code="request_too_large",
        message=f"The request is too large: at most {limit_bytes:,} bytes are taken.",
    )


def lacks_scope(scope: str) -> Refusal:
    """The key is right, but not for this."""
    return Refusal(
        status=403,
        code="insufficient_scope",
        message=f"This key may not be used for this: it lacks the scope `{scope}`. "
        f"Make one that has it with: homeward keys add NAME --scope {scope}",
    )


def over_limit(limit: str, retry_after_seconds: int, headers: Iterable[tuple[bytes, bytes]]) -> Refusal:
    """The key is right, but is used too much; `limit` says how much is allowed."""
    return Refusal(
        status=429,
        code="rate_limit_exceeded",
        message=f"This key has sent as many requests as it may: {limit}. Try again in {retry_after_seconds} s.",
        headers=((b"retry-after", b"%d" % retry_after_seconds), *headers),
    )


async def refuse(refusal: Refusal, path: str, send: Send) -> None:
    """Answer with it: in OpenAI's envelope where programs ask, else as a plain sentence."""
    if is_api(path):
        said = envelope(refusal.status, refusal.message, refusal.code)
        media_type, body = b"application/json", msgspec.json.encode(said)
    else:
        media_type, body = b"text/plain; charset=utf-8", refusal.message.encode()
    headers = [(b"content-type", media_type), (b"content-length", str(len(body)).encode()), *refusal.headers]
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
