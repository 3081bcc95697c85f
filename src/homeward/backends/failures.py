"""Foreign errors become ours here and nowhere else.

They are never kept as cause: aiohttp's errors hold the URL, the headers with the key, and bytes of the
upstream. What may be logged of them, the class and the system's error number, goes into `detail`.
"""

from typing import Literal

import aiohttp

from homeward.protocol.errors import (
    BackendDisconnectedError,
    BackendError,
    BackendProtocolError,
    BackendTimeoutError,
    BackendUnreachableError,
)
from homeward.protocol.upstream_errors import not_the_protocol

Phase = Literal["connection", "first token", "event", "total", "reply"]

FOREIGN = (aiohttp.ClientError, OSError)
"""What the HTTP client raises."""


def translate(error: Exception, source: str) -> BackendError:
    """The error of ours that says what `error`, one of `FOREIGN` but no timeout, means."""
    detail = _detail(error)
    match error:
        case aiohttp.ClientConnectorDNSError():
            return BackendUnreachableError(
                f"{source} cannot be found: its host name does not resolve.",
                next_step="Check the host name in its address, and the network.",
                detail=detail,
                name_resolves=False,
            )
        case aiohttp.ClientSSLError() | aiohttp.ServerFingerprintMismatch():
            return BackendUnreachableError(
                f"{source} could not prove its identity, so nothing was sent to it.",
                next_step="Check its address and its certificate.",
                detail=detail,
            )
        case aiohttp.ClientConnectorError():
            return BackendUnreachableError(
                f"{source} cannot be reached.",
                next_step="Check that it is running and that its address is right.",
                detail=detail,
            )
        case aiohttp.ClientResponseError():
            return not_the_protocol(source, detail)
        case aiohttp.NonHttpUrlClientError():
            return unusable(source)
        case _:
            return disconnected(source, detail)


def unusable(source: str) -> BackendUnreachableError:
    """Its address or a header cannot be sent; nothing was."""
    return BackendUnreachableError(
        f"{source} cannot be asked: its address, its key or a header of it has a mistake.",
        next_step="Check them in the configuration; a key is easily copied with a line break behind it.",
    )


def timed_out(source: str, phase: Phase, seconds: float) -> BackendTimeoutError:
    """The deadline for `phase` passed."""
    waited_for = {
        "connection": "accept a connection",
        "first token": "begin its answer",
        "event": "go on with its answer",
        "total": "finish its answer",
        "reply": "reply",
    }[phase]
    return BackendTimeoutError(
        f"{source} did not {waited_for} within {seconds:g} s.",
        next_step="Try again, or choose another backend.",
        detail=f"deadline {phase}, {seconds:g} s",
    )


def disconnected(source: str, detail: str) -> BackendDisconnectedError:
    """The connection or the stream ended before the answer did."""
    return BackendDisconnectedError(
        f"{source} ended the connection before its answer was finished.",
        next_step="Try again.",
        detail=detail,
    )


def web_page(source: str) -> BackendProtocolError:
    """What came is a page for people: a network that wants a sign-in first, or the wrong address."""
    return BackendProtocolError(
        f"{source} sent a web page in place of an answer.",
        next_step="Check its address. In a café or a hotel, sign in to the network first.",
        detail="text/html",
    )


def _detail(error: Exception) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return type(error).__name__ if number is None else f"{type(error).__name__}, errno {number}"
