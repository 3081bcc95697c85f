"""An OpenAI-compatible upstream on loopback; the model's name selects how it misbehaves.

`async with serving(pace=0.02) as upstream`, then ask `upstream.base_url` for the model `half-event-rst`. What
it saw can be read from its counters; `await upstream.quiet()` returns once no answer is running. Raw sockets
and the standard library only, so that it can break the protocol in every way.
"""

import asyncio
import json
import re
import ssl
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.backends.exchange import CANARY, TEXT, USAGE, WORDS, Asked, Exchange
from tests.backends.faults import FAULTS, Fault, no_entry, other_paths, other_version, unknown

__all__ = ["CANARY", "TEXT", "USAGE", "WORDS", "FakeUpstream", "serving"]


@dataclass
class FakeUpstream:
    """What it saw, and how fast it answers."""

    pace: float = 0.02
    """Seconds per step of the slow behaviours."""
    calls: Counter[str] = field(default_factory=Counter)
    """Chat completions by model."""
    requests: list[Asked] = field(default_factory=list)
    connections: int = 0
    """Opened so far."""
    open_connections: int = 0
    running: int = 0
    """Requests being answered."""
    clients_left_early: int = 0
    client_left_at: float = 0.0
    """On the loop's clock."""
    bytes_written: int = 0
    base_url: str = ""
    wants: str = ""
    """A line that the head of each request must have; without it the answer is 401."""
    api_version: str = ""
    """What Azure's addresses by deployment want as query; other addresses are not known then."""
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def quiet(self, seconds: float = 2.0) -> None:
        """Waits until no answer is running; invariant I2 gives it 2 s."""
        await self.until(lambda: self.running == 0, seconds)

    async def until(self, holds: Callable[[], bool], seconds: float = 2.0) -> None:
        """Waits until `holds`, which is asked whenever a counter may have changed."""
        async with asyncio.timeout(seconds), self._changed:
            await self._changed.wait_for(holds)

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_connections += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                while await self._answer_one(reader, writer):
                    pass
        finally:
            self.open_connections -= 1
            writer.close()
            await self._notify()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection may be used again."""
        asked = await self._read(reader)
        calls = self.calls[str(asked.body.get("model"))]
        exchange = Exchange(asked, writer, pace=self.pace, call_number=calls, count=self._wrote)
        behaviour: Fault = other_paths
        if self.wants and f"\r\n{self.wants}\r\n" not in asked.head:
            behaviour = no_entry
        elif self.api_version and asked.query != f"api-version={self.api_version}":
            behaviour = other_version
        elif self.api_version and asked.path != f"/openai/deployments/{exchange.model}/chat/completions":
            behaviour = unknown
        elif exchange.asked.path.endswith("/chat/completions"):
            behaviour = next((f for name, f in FAULTS.items() if re.fullmatch(name, exchange.model)), unknown)
        await self._run(behaviour, exchange, reader)
        return exchange.keep_alive

    async def _read(self, reader: asyncio.StreamReader) -> Asked:
        head = await reader.readexactly(1)
        if not head.isalpha():
            raise ConnectionError("not HTTP: a TLS hello, say")
        head += await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length:\s*(\d+)", head)
        raw = await reader.readexactly(int(length[1])) if length else b""
        path, _, query = head.split(b" ", 2)[1].decode().partition("?")
        asked = Asked(
            path=path,
            query=query,
            head=head.decode("latin-1"),
            body=json.loads(raw) if raw else {},
            raw_bytes=len(head) + len(raw),
        )
        self.requests.append(asked)
        if asked.path.endswith("/chat/completions"):
            self.calls[str(asked.body.get("model"))] += 1
        return asked

    def _wrote(self, size: int) -> None:
        self.bytes_written += size

    async def _run(self, behaviour: Fault, exchange: Exchange, reader: asyncio.StreamReader) -> None:
        answer = asyncio.ensure_future(behaviour(exchange))
        client_left = asyncio.ensure_future(reader.read(1))
        self.running += 1
        await self._notify()
        try:
            await asyncio.wait({answer, client_left}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                self.clients_left_early += 1
                self.client_left_at = asyncio.get_running_loop().time()
                exchange.keep_alive = False
        finally:
            answer.cancel()
            client_left.cancel()
            outcome, _ = await asyncio.gather(answer, client_left, return_exceptions=True)
            self.running -= 1
            await self._notify()
        if isinstance(outcome, Exception) and not isinstance(outcome, OSError):
            raise outcome


@asynccontextmanager
async def serving(pace: float = 0.02, tls: ssl.SSLContext | None = None) -> AsyncIterator[FakeUpstream]:
    """An upstream on a free port of 127.0.0.1; connections still open at the end are cut."""
    upstream = FakeUpstream(pace=pace)
    tasks: set[asyncio.Task[None]] = set()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with suppress(asyncio.CancelledError):  # asyncio's server reports a cancelled handler as an error
            await upstream.handle(reader, writer)
        tasks.discard(task)

    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=512, ssl=tls)
    scheme = "https" if tls else "http"
    upstream.base_url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    try:
        yield upstream
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
