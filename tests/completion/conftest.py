"""A completer over loopback upstreams, each of which behaves as its name says."""

from collections.abc import AsyncIterator, Callable

import pytest

from homeward.backends import Backend, BackendRow, Connections, Deadlines, fixed
from homeward.completion import Completer
from homeward.protocol.address import Address
from homeward.protocol.place import Place
from homeward.routing import BackendView, Policy, Snapshot
from tests.backends.fake_upstream import FakeUpstream, serving

SHORT = Deadlines(connect_seconds=1, first_token_seconds=2, event_seconds=2, total_seconds=10)

MakeCompleter = Callable[..., Completer]


@pytest.fixture
async def upstream() -> AsyncIterator[FakeUpstream]:
    async with serving(pace=0.01) as upstream:
        yield upstream


@pytest.fixture
async def completer_of(upstream: FakeUpstream) -> AsyncIterator[MakeCompleter]:
    """A completer whose backends, in this order, have these behaviours as models and as names."""
    async with Connections() as connections:

        def make(*behaviours: str, place: Place = Place.DEVICE, context_tokens: int | None = None) -> Completer:
            backends = {}
            for behaviour in behaviours:
                address = Address(url=upstream.base_url, model=behaviour, context_tokens=context_tokens)
                row = BackendRow(name=behaviour, place=place, deadlines=SHORT)
                backends[behaviour] = Backend(row, fixed(address), connections)
            views = tuple(BackendView(name=name, place=place) for name in behaviours)
            return Completer(backends, policy=Policy(places=(place,)), snapshot=lambda: Snapshot(views))

        yield make
