"""A client, what may answer it, and the invariants I1 to I5 that must hold after every fault."""

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

from structlog.typing import EventDict

from homeward.backends import Backend, BackendRow, Connections, Deadlines, Health, Line, Locate, fixed
from homeward.backends.clouds import cloud_row, locate_cloud
from homeward.backends.credentials import ApiKey
from homeward.completion import Answer, Books, Completer, Ended, Event, Firewall, Rules, Said
from homeward.config import BudgetSettings, PolicySettings, PrivacySettings
from homeward.config.clouds import CloudSettings
from homeward.observability.audit import Audit, read, transfers
from homeward.observability.spend import Spend
from homeward.protocol.address import Address
from homeward.protocol.chat import ChatRequest, Message
from homeward.protocol.errors import HomewardError
from homeward.protocol.place import Place
from homeward.routing import BackendView, Snapshot
from tests.backends.fake_upstream import FakeUpstream
from tests.completion.conftest import view_of
from tests.faults.behaviours import NEW_KEY

SECRET = "zebrafinch"
"""Stands in every prompt; must stand in no log and no error."""
PROMPT = f"Tell me the story of the {SECRET}."
FOUND = f"Write to kim.{SECRET}@example.com, please."
"""A prompt that holds a finding."""
KEY = "sk-own-key-1234"
NEVER_TOLD = (SECRET, KEY, NEW_KEY, "UPSTREAM-SECRET-MARKER", "sk-canary-0000")

DEADLINES = {"connect_seconds": 2.0, "first_token_seconds": 5.0, "event_seconds": 5.0, "total_seconds": 20.0}
"""None of these passes in a test that doesn't set it."""
LEFT_OVER_SECONDS = 2.0
"""Invariant I2: so long after the end nothing may be left."""


class Clock:
    """The monotonic clock, and what a test has it jump forward."""

    def __init__(self) -> None:
        self.jumped = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.jumped

    def jump(self, seconds: float) -> None:
        self.jumped += seconds


class Client:
    """Who reads one answer: what came, in which order, and whether it left before the end."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.events: list[Event] = []
        self.left = False
        self.begun = asyncio.Event()
        """Set by the first event."""
        self.reader: asyncio.Task[Client] | None = None
        self._stream = answer.events()

    async def read(self) -> "Client":
        """All that comes."""
        async for event in self._stream:
            self._take(event)
        return self

    async def read_until(self, reached: Callable[[Event], bool]) -> "Client":
        """Up to the first event of which this holds."""
        async for event in self._stream:
            self._take(event)
            if reached(event):
                return self
        raise AssertionError(f"it ended before: {self.events}")

    def _take(self, event: Event) -> None:
        self.events.append(event)
        self.begun.set()

    def read_on(self) -> "asyncio.Task[Client]":
        """The same as `read`, while the test does something else."""
        self.reader = asyncio.create_task(self.read())
        return self.reader

    async def leave(self) -> None:
        """Go away in the middle, as a browser does whose tab is closed."""
        self.left = True
        if self.reader is not None:
            self.reader.cancel()
            await asyncio.wait({self.reader})
        await self._stream.aclose()

    @property
    def text(self) -> str:
        """What was said."""
        return "".join(event.text for event in self.events if isinstance(event, Said))

    @property
    def error(self) -> HomewardError | None:
        """Of the last event; the answer must have ended."""
        last = self.events[-1]
        assert isinstance(last, Ended)
        return last.error

    @property
    def code(self) -> str:
        """Of the error; empty where the answer is whole."""
        return self.error.code if self.error else ""

    @property
    def asked(self) -> list[str]:
        """The backends that were asked, in order."""
        return [attempt.backend for attempt in self.answer.receipt.attempts]

    def check(self) -> None:
        """I1, exactly one of the endings, which the receipt tells likewise; I5 for what the user sees."""
        ends = [event for event in self.events if isinstance(event, Ended)]
        receipt = self.answer.receipt
        if self.left:
            assert ends == []
        else:
            assert ends == [self.events[-1]]
            outcome = "complete" if not self.code else "interrupted" if self.text else "failed"
            assert (receipt.outcome, receipt.error) == (outcome, self.code)
            assert (receipt.outcome == "complete") <= (receipt.finish_reason is not None)
        error = self.answer.error
        told = f"{receipt} {error} {error.detail if error else ''} {error!r}"
        assert not [word for word in NEVER_TOLD if word in told]
        assert not [word for word in NEVER_TOLD[2:] if word in self.text]
        assert error is None or error.message
        patience = {"queue_full", "backend_busy"}  # 429
        assert error is None or 500 <= error.status < 600 or error.blame == "caller" or error.code in patience


class World:
    """Upstreams on loopback as devices and clouds, and a completer over them."""

    def __init__(
        self, home: FakeUpstream, cloud: FakeUpstream, connections: Connections, folder: Path, log: list[EventDict]
    ) -> None:
        self.home = home
        """What devices ask."""
        self.cloud = cloud
        """What clouds ask."""
        self.connections = connections
        self.clock = Clock()
        self.log = log
        self.audit_path = folder / "audit.jsonl"
        self.audit = Audit(self.audit_path)
        self.spend = Spend()
        self.backends: dict[str, Backend] = {}
        self.clients: list[Client] = []
        self.policy = PolicySettings(places=("device", "network", "cloud"))
        self.privacy = PrivacySettings()
        self.budget = BudgetSettings()
        self.views: Callable[[], Iterator[BackendView]] = lambda: map(view_of, self.backends.values())
        self._completer: Completer | None = None

    # What may answer, in this order

    def add_device(self, behaviour: str, name: str = "", locate: Locate | None = None, **row: Any) -> Backend:
        """A backend of this machine; `row` changes its row, and its deadlines by their names."""
        deadlines = Deadlines(**{**DEADLINES, **_taken(row, DEADLINES)})
        plain = BackendRow(name=name or behaviour, place=Place.DEVICE, deadlines=deadlines, **row)
        here = fixed(Address(url=self.home.base_url, model=behaviour, api_key=KEY))
        return self.add(Backend(plain, locate or here, self.connections))

    def add_cloud(self, behaviour: str, name: str = "", *, key: str = KEY, **settings: Any) -> Backend:
        """A cloud as the configuration makes it; `settings` are those of `[clouds.NAME]`."""
        cloud = CloudSettings(**{"url": self.cloud.base_url, "model": behaviour, **DEADLINES, **settings})
        name = name or behaviour
        credential = ApiKey(name, key, "HOMEWARD_KEY")
        return self.add(Backend(cloud_row(name, cloud), locate_cloud(cloud, credential), self.connections))

    def add(self, backend: Backend) -> Backend:
        """One more, whose health goes by the clock of this world."""
        backend.health = Health(rests=not backend.row.restarts, clock=self.clock, random=Random(0))
        self.backends[backend.row.name] = backend
        return backend

    # Asking

    @property
    def completer(self) -> Completer:
        """Made when it is first wanted, from what this world has then."""
        if self._completer is None:
            rules = Rules(self.policy, self.budget, Firewall(self.privacy))
            self._completer = Completer(
                self.backends,
                rules=rules,
                books=Books(self.audit, self.spend),
                snapshot=lambda *_: Snapshot(tuple(self.views())),
            )
        return self._completer

    async def begin(self, text: str = PROMPT, **fields: Any) -> Client:
        """A client that has asked and reads nothing yet."""
        request = ChatRequest(messages=(Message("user", text),), **fields)
        return self.client(await self.completer.complete(request))

    async def ask(self, text: str = PROMPT, **fields: Any) -> Client:
        """A client that has read all."""
        return await (await self.begin(text, **fields)).read()

    def client(self, answer: Answer) -> Client:
        """Whoever reads this answer, whose ending is checked after the test."""
        self.clients.append(Client(answer))
        return self.clients[-1]

    # After every test

    async def check(self) -> None:
        """The invariants, once all clients have read to their end or left."""
        await self.home.quiet(LEFT_OVER_SECONDS)
        await self.cloud.quiet(LEFT_OVER_SECONDS)
        for client in self.clients:
            client.check()
        for backend in self.backends.values():
            assert line_of(backend).length == 0
            assert line_of(backend)._free == backend.row.at_a_time
            assert health_of(backend)._probe is None
        await self.audit.close()
        self._check_books()
        self._check_log()

    def _check_books(self) -> None:
        """What the cloud counted, what the receipts say and what the audit log says are the same bytes."""
        left = transfers(read(self.audit_path))
        assert [transfer for transfer in left if transfer.ended is None] == []
        counted = sum(asked.raw_bytes for asked in self.cloud.requests)
        assert counted == sum(client.answer.receipt.bytes_out for client in self.clients)
        assert counted == sum(transfer.ended.bytes_out for transfer in left if transfer.ended)
        assert self.spend._open == set()
        if self.audit_path.exists():
            assert not [word for word in NEVER_TOLD if word in self.audit_path.read_text(encoding="utf-8")]

    def _check_log(self) -> None:
        """I5; and nothing ended in an exception that nobody had foreseen."""
        assert not [word for word in NEVER_TOLD if word in repr(self.log)]
        assert [line for line in self.log if line.get("exc_info") or line["log_level"] in {"error", "critical"}] == []


def _taken(row: dict[str, Any], names: dict[str, float]) -> dict[str, Any]:
    return {name: row.pop(name) for name in names if name in row}


def health_of(backend: Backend) -> Health:
    """What every backend of a world has."""
    assert isinstance(backend.health, Health)
    return backend.health


def line_of(backend: Backend) -> Line:
    """What stands before every backend of a world."""
    assert isinstance(backend.line, Line)
    return backend.line


def is_text(event: Event) -> bool:
    """Whether it is a piece of the answer."""
    return isinstance(event, Said)


async def all_of(clients: list[Client]) -> None:
    """Have all of them read to their end, at once."""
    await asyncio.gather(*(client.read() for client in clients))
