"""An upstream, connections to it, and a backend per kind of misbehaviour."""

from collections.abc import AsyncIterator

import pytest

from homeward.backends import Backend, BackendRow, Connections, Deadlines, fixed
from homeward.protocol.address import Address
from homeward.protocol.place import Place
from tests.backends.asking import KEY, PATIENT, MakeBackend
from tests.backends.fake_upstream import FakeUpstream, serving


@pytest.fixture
async def upstream() -> AsyncIterator[FakeUpstream]:
    async with serving() as upstream:
        yield upstream


@pytest.fixture
async def connections() -> AsyncIterator[Connections]:
    async with Connections() as connections:
        yield connections


@pytest.fixture
def backend_for(upstream: FakeUpstream, connections: Connections) -> MakeBackend:
    """A backend whose model selects the upstream's behaviour."""

    def make(model: str, *, deadlines: Deadlines = PATIENT, place: Place = Place.CLOUD) -> Backend:
        row = BackendRow(name="fake", place=place, deadlines=deadlines)
        return Backend(row, fixed(Address(url=upstream.base_url, api_key=KEY, model=model)), connections)

    return make
