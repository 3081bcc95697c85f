"""How much a request may send."""

import re

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from homeward.gate.refusals import refuse, too_large

LENGTH = re.compile(rb"[0-9]{1,18}")


class TooLargeError(HTTPException):
    """More came than is allowed. Starlette's own kind, which apps hand on or turn into an answer, never into a 500."""

    def __init__(self) -> None:
        super().__init__(413)


class CountedBody:
    """One request's body, counted as it streams in; once it is too large, the app's answer is held back."""

    __slots__ = ("_left", "_receive", "_send", "begun")

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive = receive
        self._send = send
        self._left = limit
        self.begun = False
        """Whether an answer is on its way."""

    @property
    def too_large(self) -> bool:
        """Whether more came than is allowed."""
        return self._left < 0

    async def receive(self) -> Message:
        """The next piece. Raises TooLargeError."""
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        if self.too_large:
            raise TooLargeError
        return message

    async def send(self, message: Message) -> None:
        """Hand a piece of the answer on."""
        if self.begun or not self.too_large:
            self.begun = True
            await self._send(message)


async def serve_counted(app: ASGIApp, scope: Scope, receive: Receive, send: Send, limit: int) -> None:
    """Serve a request whose length nobody vouches for, up to so many bytes."""
    body = CountedBody(receive, send, limit)
    try:
        await app(scope, body.receive, body.send)
    except TooLargeError:
        if body.begun:
            raise
    if body.too_large and not body.begun:
        await refuse(too_large(limit), scope["path"], send)


def declared_length(content_length: bytes | None, transfer_encoding: bytes | None) -> int | None:
    """How long a body is where the server vouches for it, as it never hands on more than was declared; else None."""
    if content_length is None or transfer_encoding is not None or not LENGTH.fullmatch(content_length):
        return None
    return int(content_length)
