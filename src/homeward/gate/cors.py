"""What a browser is told, so that a page of another origin that the user named can use the API."""

import re
from collections.abc import Awaitable

from starlette.types import Message, Send

ASKED_METHOD = b"access-control-request-method"
ASKED_HEADERS = b"access-control-request-headers"

ALLOWED_HEADERS = re.compile(
    rb"authorization|content-type|x-api-key|api-key|(x-homeward|openai|x-stainless)-[a-z0-9-]+", re.IGNORECASE
)
SHOWN_HEADERS = re.compile(rb"x-homeward-[a-z0-9-]+|x-ratelimit-[a-z-]+|x-request-id|retry-after")
"""Of an answer; browsers know no pattern here, so each answer names its own."""


async def answer_preflight(origin: bytes, asked_headers: bytes, send: Send) -> None:
    """Say what a page may send. Neither cookies nor what Chrome calls private network access are allowed."""
    allowed = [name for name in asked_headers.replace(b" ", b"").split(b",") if ALLOWED_HEADERS.fullmatch(name)]
    headers = [
        (b"access-control-allow-origin", origin),
        (b"access-control-allow-methods", b"GET, POST, DELETE"),
        (b"access-control-allow-headers", b", ".join(allowed)),
        (b"access-control-max-age", b"600"),
        (b"vary", b"origin"),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def readable_by(origin: bytes, send: Send) -> Send:
    """`send` that lets the pages of this origin read the answer."""

    def send_readable(message: Message) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            headers = list(message.get("headers", ()))
            shown = b", ".join(name for name, _ in headers if SHOWN_HEADERS.fullmatch(name))
            message["headers"] = [
                *headers,
                (b"access-control-allow-origin", origin),
                (b"access-control-expose-headers", shown),
                (b"vary", b"origin"),
            ]
        return send(message)

    return send_readable
