"""What a request meets at an engine of ours: a line before it, a fall under it, several models in it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from homeward.backends import Backend, BackendRow, Connections, Locate, fixed
from homeward.completion import Completer, Event, Said, Waiting
from homeward.observability.audit import Audit
from homeward.protocol.address import Address
from homeward.protocol.errors import EngineError
from homeward.protocol.place import Place
from homeward.routing import BackendView, Snapshot
from tests.backends.fake_upstream import TEXT, FakeUpstream
from tests.completion.conftest import REQUEST, SHORT, completer, read

MakeCompleter = Callable[..., Completer]


@pytest.fixture
async def engine(upstream: FakeUpstream, tmp_path: Path) -> AsyncIterator[MakeCompleter]:
    """A completer over one engine; `locate` says where it is, the row can be changed by name."""
    async with Connections() as connections:
        audit = Audit(tmp_path / "audit.jsonl")

        def make(locate: Locate | None = None, **row: object) -> Completer:
            plain = BackendRow(name="engine", place=Place.DEVICE, deadlines=SHORT, restarts=True)
            here = fixed(Address(url=upstream.base_url, model="ok"))
            backend = Backend(msgspec.structs.replace(plain, **row), locate or here, connections)
            view = BackendView(name="engine", place=Place.DEVICE, model="ok")
            made = completer({"engine": backend}, audit)
            made.snapshot = lambda *_: Snapshot((view,))
            return made

        yield make
        await audit.close()


class Standing:
    """An engine that is at these addresses, one after the other."""

    def __init__(self, *addresses: Address) -> None:
        self._addresses = list(addresses)
        self.asked = 0

    def __call__(self, _model: str) -> AbstractAsyncContextManager[Address]:
        return self._lease()

    @asynccontextmanager
    async def _lease(self) -> AsyncIterator[Address]:
        address = self._addresses[min(self.asked, len(self._addresses) - 1)]
        self.asked += 1
        yield address


async def ask(completer: Completer) -> tuple[str, list[Event]]:
    return await read(await completer.complete(REQUEST))


NOWHERE = Address(url="http://127.0.0.1:9/v1", model="ok")


@pytest.mark.parametrize("fall", ["nobody there", "rst-before-headers"])
async def test_an_engine_that_fell_is_asked_again(engine: MakeCompleter, upstream: FakeUpstream, fall: str) -> None:
    """Nothing had been said: the user notices only a delay, the receipt tells of both tries."""
    good = Address(url=upstream.base_url, model="ok")
    bad = NOWHERE if fall == "nobody there" else Address(url=upstream.base_url, model=fall)
    answer = await engine(Standing(bad, good)).complete(REQUEST)
    text, _ = await read(answer)
    assert text == TEXT
    assert [bool(each.error) for each in answer.receipt.attempts] == [True, False]
    assert answer.receipt.outcome == "complete"


async def test_it_is_not_asked_for_ever(engine: MakeCompleter) -> None:
    """The second fall may be the request's doing."""
    standing = Standing(NOWHERE)
    answer = await engine(standing).complete(REQUEST)
    await read(answer)
    assert standing.asked == 2
    assert answer.receipt.outcome == "failed"
    assert [each.error for each in answer.receipt.attempts] == ["upstream_unreachable"] * 2
    assert isinstance(answer.error, EngineError)  # whose status is 503: it stands up again


async def test_a_service_whose_name_is_unknown_is_not_asked_twice(engine: MakeCompleter) -> None:
    standing = Standing(Address(url="http://nobody.invalid/v1", model="ok"))
    await read(await engine(standing, restarts=False).complete(REQUEST))
    assert standing.asked == 1


async def test_what_was_said_is_never_said_again(engine: MakeCompleter, upstream: FakeUpstream) -> None:
    """A fall behind the first token interrupts the answer."""
    standing = Standing(Address(url=upstream.base_url, model="half-event-rst"))
    answer = await engine(standing).complete(REQUEST)
    text, _ = await read(answer)
    assert text
    assert standing.asked == 1
    assert answer.receipt.outcome == "interrupted"


async def test_the_line_is_told_and_kept(engine: MakeCompleter) -> None:
    """With one at a time, the second is told that it waits, and comes when the first is through."""
    completer = engine(at_a_time=1)
    async with aclosing((await completer.complete(REQUEST)).events()) as first:
        while not isinstance(await anext(first), Said):
            pass
        second = asyncio.create_task(read(await completer.complete(REQUEST)))
        third = asyncio.create_task(read(await completer.complete(REQUEST)))
        done, _ = await asyncio.wait({second, third}, timeout=0.2)
        assert not done
    text, events = await third
    assert text == (await second)[0] == TEXT
    queued = [event.ahead for event in events if isinstance(event, Waiting) and event.phase == "queued"]
    assert queued == [1, 0]


async def test_a_full_line_refuses(engine: MakeCompleter) -> None:
    completer = engine(at_a_time=1, waiting=0)
    async with aclosing((await completer.complete(REQUEST)).events()) as first:
        while not isinstance(await anext(first), Said):
            pass
        answer = await completer.complete(REQUEST)
        await read(answer)
    assert answer.receipt.error == "queue_full"
    assert (await ask(completer))[0] == TEXT


async def test_the_models_name_goes_to_the_engine(engine: MakeCompleter, upstream: FakeUpstream) -> None:
    """The view's where the user named none, else the user's; and the receipt says which one it was."""
    completer = engine()
    await ask(completer)
    answer = await completer.complete(msgspec.structs.replace(REQUEST, backend="engine", model="ok-slow"))
    await read(answer)
    assert [asked.body["model"] for asked in upstream.requests] == ["ok", "ok-slow"]
    assert answer.receipt.model == "ok-slow"
