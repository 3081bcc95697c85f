"""Carrying an answer to whoever asked, for as long as they are there."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import lru_cache
from urllib.parse import quote

from starlette.types import Message, Receive, Send

from homeward.gateway.refusals import refused
from homeward.protocol.errors import BrokenOffError, HomewardError
from homeward.protocol.receipt import Receipt

HEAD_SECONDS = 5.0
"""So long the status and the headers wait for the first piece, so that they can be true about it."""

BEAT_SECONDS = 10.0
"""How often a stream that is silent says that it lives."""

UNREAD_SECONDS = 60.0
"""So long a client may take nothing while 64 kB and more wait for it; then it is cut off, for it keeps a model from
others. A reader of 1 kB/s, far slower than any line that a chat is read over, makes room in time."""

BEAT = b": still working\n\n"
JSON_TYPE = "application/json"
SSE = (b"content-type", b"text/event-stream; charset=utf-8")
Headers = list[tuple[bytes, bytes]]


@asynccontextmanager
async def while_client_stays(receive: Receive) -> AsyncIterator[None]:
    """Ends what is inside, silently, when the client leaves. To be entered once the request's body has been read."""
    working = asyncio.current_task()
    assert working
    left = False

    async def watch() -> None:
        nonlocal left
        while (await receive())["type"] != "http.disconnect":
            pass
        left = True
        working.cancel()

    watcher = asyncio.ensure_future(watch())
    try:
        yield
    except asyncio.CancelledError:
        if not left or working.uncancel():
            raise
    finally:
        watcher.cancel()


async def send_whole(send: Send, status: int, headers: Headers, body: bytes) -> None:
    """A response in one piece."""
    sized = [each for each in headers if each[0] != b"content-length"]
    sized.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": sized})
    await send({"type": "http.response.body", "body": body})


async def send_refusal(send: Send, error: HomewardError, headers: Headers | None = None) -> None:
    """An error of ours, in OpenAI's envelope."""
    response = refused(error)
    await send_whole(send, response.status_code, [*response.raw_headers, *(headers or [])], bytes(response.body))


class EventStream:
    """A response that grows. Its head goes out with the first piece, or when that has been waited for long enough."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = False
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._beating: asyncio.Task[None] | None = None
        self._spoke_at = self._loop.time()
        self._reader = Reader(send)

    async def begin(self, headers: Headers) -> None:
        """Send the head; from now on silence is filled."""
        self.begun = True
        self._spoke_at = self._loop.time()
        await self._send({"type": "http.response.start", "status": 200, "headers": [SSE, *headers]})

    async def write(self, data: bytes) -> None:
        """Some events; waits while the client does not read. Raises BrokenOffError: it reads nothing at all."""
        self._spoke_at = self._loop.time()
        await self._reader.give({"type": "http.response.body", "body": data, "more_body": True})

    async def end(self, data: bytes) -> None:
        """The last ones. Raises BrokenOffError like `write`."""
        try:
            await self._reader.give({"type": "http.response.body", "body": data})
        finally:
            self.close()

    def beat_after(self, seconds: float, headers: Callable[[], Headers]) -> None:
        """From then on, say that the stream lives whenever it is silent; with `headers` where it had no head yet."""
        self._timer = self._loop.call_later(seconds, self._start_beating, headers)

    def close(self) -> None:
        """No more beats, and nobody is waited for any more."""
        self._reader.close()
        if self._timer is not None:
            self._timer.cancel()
        if self._beating is not None:
            self._beating.cancel()

    def _start_beating(self, headers: Callable[[], Headers]) -> None:
        self._beating = asyncio.ensure_future(self._beat(headers))

    async def _beat(self, headers: Callable[[], Headers]) -> None:
        if not self.begun:
            await self.begin(headers())
            await self._beat_once()
        while True:
            silent = self._loop.time() - self._spoke_at
            if silent >= BEAT_SECONDS:
                await self._beat_once()
                silent = 0.0
            await asyncio.sleep(BEAT_SECONDS - silent)

    async def _beat_once(self) -> None:
        self._spoke_at = self._loop.time()
        await self._send({"type": "http.response.body", "body": BEAT, "more_body": True})


class Reader:
    """Whoever reads a stream; given up on once nothing was taken for `UNREAD_SECONDS`. For one task.

    A timer looks after the whole stream: a deadline for each piece would cost more than the piece.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._giver = asyncio.current_task()
        self._giving_since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._given_up = False

    async def give(self, message: Message) -> None:
        """Waits until there is room for it. Raises BrokenOffError."""
        self._giving_since = self._loop.time()
        if self._timer is None:
            self._timer = self._loop.call_later(UNREAD_SECONDS, self._look)
        try:
            await self._send(message)
        except asyncio.CancelledError:
            assert self._giver
            if not self._given_up or self._giver.uncancel():
                raise
            raise BrokenOffError("unread", f"The client has read nothing for {UNREAD_SECONDS:g} s.") from None
        finally:
            self._giving_since = None

    def close(self) -> None:
        """Don't look any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        waited = 0.0 if self._giving_since is None else self._loop.time() - self._giving_since
        if waited < UNREAD_SECONDS:
            self._timer = self._loop.call_later(UNREAD_SECONDS - waited, self._look)
        elif self._giver is not None:
            self._given_up = True
            self._giver.cancel()


def receipt_headers(receipt: Receipt) -> Headers:
    """What a response says about its answer, as far as it is known when they go out."""
    headers = [(b"x-request-id", str(receipt.id).encode())]
    if receipt.place is not None:
        headers += [
            (b"x-homeward-place", receipt.place.value.encode()),
            (b"x-homeward-model", quoted(f"{receipt.backend}/{receipt.model}")),
            (b"x-homeward-reason", quoted(receipt.reason)),
        ]
    headers.append((b"x-homeward-attempts", str(len(receipt.attempts)).encode()))
    return headers


@lru_cache(maxsize=256)
def quoted(text: str) -> bytes:
    """Text as it may stand in a header; there are few different ones."""
    return quote(text).encode()
