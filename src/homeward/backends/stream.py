"""One answer as it comes: bytes into chunks, under four deadlines."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Self

import aiohttp

from homeward.backends.alarm import Alarm
from homeward.backends.connections import Connections
from homeward.backends.exchange import read_up_to, send
from homeward.backends.failures import FOREIGN, Phase, disconnected, timed_out, translate, web_page
from homeward.backends.refusal import BODY_LIMIT_BYTES, refusal
from homeward.backends.row import BackendRow
from homeward.protocol.address import Address
from homeward.protocol.chat import ChatRequest, Chunk
from homeward.protocol.errors import BackendError, HomewardError
from homeward.protocol.place import Place
from homeward.protocol.sse import LIMIT_BYTES, Event, EventSplitter
from homeward.protocol.upstream_errors import not_the_protocol
from homeward.protocol.wire import DONE, decode_chunk, decode_completion, encode_request

TAIL_SECONDS = 2.0
"""How long usage and [DONE] are waited for once the answer is whole."""

DRAIN_SECONDS = 0.05
"""How long the end of the message is waited for behind [DONE]: it is on its way, or it does not come."""

SHORT_TOKENS = 256
"""At most so long is an answer that is asked for in one piece."""

SLOWEST_TOKENS_PER_SECOND = 10.0
"""Of a cloud that is well. So much later than a first word such an answer may be."""

REFUSAL_SECONDS = 2.0
"""How long the body of a refusal is waited for; its status is what matters."""


class AnswerStream:
    """The chunks of one answer, which end normally only if the backend said that it is finished.

    Made by `Backend.open_stream`. The request goes out with the first `anext`; from then on `bytes_sent`
    holds, also for an answer that fails. The first chunk says something or has a finish reason; later
    ones may have the usage alone. An error, a cancellation included, closes the connection and ends the iteration.
    """

    def __init__(
        self,
        row: BackendRow,
        address: Address,
        connections: Connections,
        request: ChatRequest,
        first_token_seconds: float | None = None,
    ) -> None:
        self.address = address
        """Where the request goes, and under which model's name."""
        self.bytes_sent = 0
        """Bytes of the request's head and body that went out, to whatever place."""
        self.refused = False
        """Whether an HTTP status said that there will be no answer, so that it costs nothing."""
        self._row = row
        self._connections = connections
        self._answer_tokens = request.sampling.max_tokens
        self._as_stream = not fits_one_piece(row, request)
        self._body = encode_request(request, address.model, row.max_tokens_field, row.body, stream=self._as_stream)
        self._source = row.source
        self._splitter = EventSplitter(source=self._source)
        self._events: Iterator[Event] = iter(())
        self._response: aiohttp.ClientResponse | None = None
        self._loop = asyncio.get_running_loop()
        self._alarm = Alarm(self._loop, self._ring)
        now = self._loop.time()
        self._ends_at = now + row.deadlines.total_seconds
        self._first_token_seconds = first_token_seconds or row.deadlines.first_token_seconds
        if not self._as_stream:
            self._first_token_seconds += (request.sampling.max_tokens or 0) / SLOWEST_TOKENS_PER_SECOND
        self._begins_at = now + self._first_token_seconds
        self._in_one_piece = False
        self._begun = False
        self._finished = False
        self._over = False
        self._error: HomewardError | None = None

    @property
    def in_one_piece(self) -> bool:
        """Whether the answer came as one JSON body: it was asked for so, or the backend does not stream."""
        return self._in_one_piece

    @property
    def bytes_out(self) -> int:
        """Bytes of the request that left this machine."""
        return self.bytes_sent if self._row.leaves_device else 0

    def sending(self, head_bytes: int) -> None:
        """Called by the connections when the request goes out."""
        self.bytes_sent = head_bytes + len(self._body)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Chunk:
        """The next chunk. Raises `BackendError` in all its kinds, and `ContextLengthError`."""
        try:
            while True:
                if self._error is not None:
                    raise self._error  # noqa: TRY301 - also closes
                for event in self._events:
                    if (chunk := self._take(event)) is not None:
                        return chunk
                if self._over:
                    await self._drain()
                    raise StopAsyncIteration  # noqa: TRY301 - also closes
                self._events = iter(await self._read())
        except BaseException:
            self.close()
            raise

    def arrived(self) -> list[Chunk]:
        """The chunks that are here already, without waiting; an error among them is raised by the next `anext`."""
        chunks: list[Chunk] = []
        try:
            chunks.extend(chunk for event in self._events if (chunk := self._take(event)) is not None)
        except HomewardError as error:
            self._error = error
        return chunks

    def close(self) -> None:
        """Closes the connection, at once; one whose answer has been read to its end is kept for later."""
        self._over = True
        self._events = iter(())
        self._alarm.stop()
        if self._response is not None:
            self._response.release()

    def _take(self, event: Event) -> Chunk | None:
        """The chunk of one event; None for one that has nothing for the consumer."""
        if event.data[:1] != b"{" and not self._in_one_piece:
            word = event.data.strip()
            if not word:
                return None
            if word == DONE:
                self._end()
                return None
        decode = decode_completion if self._in_one_piece else decode_chunk
        chunk = decode(event, self._source)
        if chunk.finish_reason is not None:
            self._finished = True
        elif not (chunk.says_something or (chunk.usage is not None and self._begun)):
            return None
        self._begun = True
        return chunk

    async def _read(self) -> list[Event]:
        """The events that come next; none at the end."""
        try:
            content = (self._response or await self._open()).content
            self._alarm.set(self._deadline())
            if self._in_one_piece:
                self._over = True
                return [Event(await self._body_in_one_piece(content))]
            while data := await content.readany():
                if events := self._splitter.feed(data):
                    return events
        except FOREIGN as error:
            if not self._finished:
                raise self._failure(error) from None
        finally:
            self._alarm.pause()
        self._end()
        return []

    async def _drain(self) -> None:
        """Waits for the end of the body behind [DONE], without which the connection cannot be used again."""
        if self._response is not None and not self._response.content.at_eof():
            with suppress(*FOREIGN):
                async with asyncio.timeout(DRAIN_SECONDS):
                    while await self._response.content.readany():
                        pass

    def _ring(self) -> None:
        """A deadline passed while we waited: the wait ends, as for a connection that broke."""
        if self._response is not None:
            self._response.content.set_exception(TimeoutError())

    def _end(self) -> None:
        self._over = True
        self._events = iter(())
        if not self._finished:
            detail = "half an event at the end" if self._splitter.unfinished else "no finish reason"
            raise disconnected(self._source, detail)

    def _deadline(self) -> float:
        """Of the read that begins now, on the loop's clock."""
        if not self._begun:
            return min(self._begins_at, self._ends_at)
        seconds = self._row.deadlines.event_seconds
        if self._finished:
            seconds = min(seconds, TAIL_SECONDS)
        return min(self._loop.time() + seconds, self._ends_at)

    def _failure(self, error: Exception) -> BackendError:
        if not isinstance(error, TimeoutError):
            return translate(error, self._source)
        deadlines = self._row.deadlines
        phase: Phase
        if isinstance(error, aiohttp.ConnectionTimeoutError):
            phase, seconds = "connection", deadlines.connect_seconds
        elif self._loop.time() >= self._ends_at:
            phase, seconds = "total", deadlines.total_seconds
        elif not self._begun:
            phase, seconds = "first token", self._first_token_seconds
        else:
            phase, seconds = "event", deadlines.event_seconds
        return timed_out(self._source, phase, seconds)

    async def _open(self) -> aiohttp.ClientResponse:
        """Sends the request and takes the head of the answer."""
        async with asyncio.timeout_at(self._deadline()):
            response = self._response = await send(
                self._connections,
                self._row,
                self.address,
                "chat/completions",
                body=self._body,
                accept="text/event-stream" if self._as_stream else "application/json",
                counter=self,
            )
        if response.status != 200:
            self.refused = True
            raise await self._refusal(response)
        if "content-encoding" in response.headers:
            raise not_the_protocol(self._source, "compressed though not asked to")
        if response.content_type == "application/json":
            self._in_one_piece = True
        elif response.content_type == "text/html":
            raise web_page(self._source)
        elif response.content_type != "text/event-stream":
            raise not_the_protocol(self._source, "neither an event stream nor JSON")
        return response

    async def _body_in_one_piece(self, content: aiohttp.StreamReader) -> bytes:
        body = await read_up_to(LIMIT_BYTES + 1, content)
        if len(body) > LIMIT_BYTES:
            raise not_the_protocol(self._source, f"a body of more than {LIMIT_BYTES} bytes")
        return body

    async def _refusal(self, response: aiohttp.ClientResponse) -> HomewardError:
        body = b""
        with suppress(*FOREIGN):  # the status says enough where the body does not come
            async with asyncio.timeout(REFUSAL_SECONDS):
                body = await read_up_to(BODY_LIMIT_BYTES, response.content)
        return refusal(
            response.status,
            response.headers,
            body,
            source=self._source,
            answer_tokens=self._answer_tokens,
        )


def fits_one_piece(row: BackendRow, request: ChatRequest) -> bool:
    """Whether an answer is asked for as one JSON: a short one of a cloud, that nobody reads while it grows.

    A stream costs both sides dozens of events in place of one. But only a stream tells early that a backend hangs,
    and an engine of this device that its client has left.
    """
    tokens = request.sampling.max_tokens
    return request.in_one_piece and row.place is Place.CLOUD and tokens is not None and tokens <= SHORT_TOKENS
