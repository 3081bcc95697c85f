"""The load: connections that each ask, wait for the whole answer, check it, and ask again, until the time is up.

Raw sockets, so that the load costs little beside what it measures. A wrong answer ends the benchmark: what is fast and
wrong is not fast. Streams are compared by their text: a gateway may cut and write the events as it likes.
"""

import asyncio
import itertools
import re
import time

import msgspec

from bench.gateway.reading import read
from bench.gateway.texts import answer, request_body, tag

PATIENCE_SECONDS = 60.0
"""How long answers may take that are on their way when the time is up."""


class Target(msgspec.Struct, frozen=True):
    """Where to ask, and what for."""

    port: int
    model: str
    key: str
    stream: bool = False


class Sample(msgspec.Struct):
    """What one run of the load saw. All times in seconds."""

    seconds: float
    """From the first request to the end of the last answer."""
    whole: list[float]
    """From each request to the end of its answer."""
    first: list[float]
    """From each request to the first bytes of its first event; where it is not a stream, of its body."""


class WrongAnswerError(Exception):
    """An answer was not the one that was asked for."""


_BETWEEN_CHUNKS = re.compile(rb"\r\n[0-9A-Fa-f]+\r\n")
"""What separates the pieces of a chunked body; no line of an answer looks like this."""
_numbers = itertools.count()


class _Run:
    """What the connections of one run share."""

    def __init__(self, target: Target, seconds: float) -> None:
        body = request_body(target.model, "", stream=target.stream)
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {target.key}\r\nContent-Length: {len(body) + len(tag(0))}\r\n\r\n"
        )
        self.target = target
        self._head = head.encode()
        self.until = time.perf_counter() + seconds
        self.whole: list[float] = []
        self.first: list[float] = []

    def request(self, its_tag: str) -> bytes:
        return self._head + request_body(self.target.model, its_tag, stream=self.target.stream)


class _Connection(asyncio.Protocol):
    """One connection: its future is done when its last answer is."""

    def __init__(self, run: _Run) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._run = run
        self._event = b"data:" if run.target.stream else b"{"
        self._answer = bytearray()
        self._body_begins = 0
        self._asked_at = self._first_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(
                WrongAnswerError(f"the connection was closed in {bytes(self._answer[:500])!r}: {exc}")
            )

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        self._answer += data
        if not self._body_begins and not self._read_head():
            return
        if not self._first_at and self._event in self._answer[self._body_begins :]:
            self._first_at = now
        if self._is_whole():
            try:
                self._check()
            except (WrongAnswerError, ValueError) as error:
                self._fail(error)
                return
            self._run.whole.append(now - self._asked_at)
            self._run.first.append(self._first_at - self._asked_at)
            if now < self._run.until:
                self._ask()
            else:
                self.done.set_result(None)
                self._transport.close()

    def _ask(self) -> None:
        self._tag = tag(next(_numbers))
        self._answer = bytearray()
        self._body_begins = 0
        self._length: int | None = None
        self._first_at = 0.0
        request = self._run.request(self._tag)
        self._asked_at = time.perf_counter()
        self._transport.write(request)

    def _read_head(self) -> bool:
        """Whether the head is there; what it says about the body is kept."""
        end = self._answer.find(b"\r\n\r\n")
        if end < 0:
            return False
        status, *fields = self._answer[:end].lower().split(b"\r\n")
        if b" 200 " not in status + b" ":
            self._fail(WrongAnswerError("its status is not 200"))
            return False
        self._body_begins = end + 4
        for field in fields:
            if field.startswith(b"content-length:"):
                self._length = int(field[15:])
        return True

    def _is_whole(self) -> bool:
        if self._length is not None:
            return len(self._answer) >= self._body_begins + self._length
        return self._answer.endswith(b"\r\n0\r\n\r\n")

    def _check(self) -> None:
        body = bytes(self._answer[self._body_begins - 2 :])
        if self._length is None:
            body = _BETWEEN_CHUNKS.sub(b"", body)
        if not read(body, stream=self._run.target.stream).is_whole(answer(self._tag)):
            raise WrongAnswerError("it is not the whole answer to what was asked")

    def _fail(self, error: Exception) -> None:
        message = f"{error}; asked with {self._tag}: {bytes(self._answer[-2000:])!r}"
        self.done.set_exception(WrongAnswerError(message))
        self._transport.abort()


async def load(target: Target, *, connections: int, seconds: float) -> Sample:
    """Ask for so long over so many connections.

    Raises:
        WrongAnswerError: an answer was wrong, cut, or did not come.
    """
    run = _Run(target, seconds)
    began = time.perf_counter()
    loop = asyncio.get_running_loop()
    clients = [
        (await loop.create_connection(lambda: _Connection(run), "127.0.0.1", target.port))[1]
        for _ in range(connections)
    ]
    try:
        async with asyncio.timeout(seconds + PATIENCE_SECONDS):
            await asyncio.gather(*(client.done for client in clients))
    except TimeoutError:
        raise WrongAnswerError(f"some answers did not come within {seconds + PATIENCE_SECONDS:.0f} seconds") from None
    return Sample(time.perf_counter() - began, run.whole, run.first)
