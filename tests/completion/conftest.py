"""A completer over loopback upstreams, each of which behaves as its name says."""

from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import msgspec
import pytest

from homeward.backends import Backend, BackendRow, Connections, Deadlines, fixed
from homeward.completion import Answer, Books, Completer, Event, Firewall, Rules, Said
from homeward.config import BudgetSettings, PolicySettings, PrivacySettings
from homeward.observability.audit import Audit
from homeward.observability.spend import Spend
from homeward.protocol.address import Address
from homeward.protocol.chat import ChatRequest, Message
from homeward.protocol.place import Place
from homeward.routing import BackendView, Snapshot
from tests.backends.fake_upstream import FakeUpstream, serving

SHORT = Deadlines(connect_seconds=1, first_token_seconds=2, event_seconds=2, total_seconds=10)
REQUEST = ChatRequest(messages=(Message("user", "Tell me a story."),))

MakeCompleter = Callable[..., Completer]


@pytest.fixture
async def upstream() -> AsyncIterator[FakeUpstream]:
    async with serving(pace=0.01) as upstream:
        yield upstream


@pytest.fixture
async def completer_of(upstream: FakeUpstream, tmp_path: Path) -> AsyncIterator[MakeCompleter]:
    """A completer whose backends, in this order, have these behaviours as models and as names.

    `place` is that of all of them; `cloud` names those that are in the cloud instead. `row` changes their rows.
    """
    async with Connections() as connections:
        audit = Audit(tmp_path / "audit.jsonl")

        def make(
            *behaviours: str,
            place: Place = Place.DEVICE,
            cloud: Iterable[str] = (),
            context_tokens: int | None = None,
            policy: PolicySettings | None = None,
            privacy: PrivacySettings | None = None,
            budget: BudgetSettings | None = None,
            **row: object,
        ) -> Completer:
            backends = {}
            for behaviour in behaviours:
                address = Address(url=upstream.base_url, model=behaviour, context_tokens=context_tokens)
                where = Place.CLOUD if behaviour in cloud else place
                plain = BackendRow(name=behaviour, place=where, deadlines=SHORT, host="127.0.0.1")
                backends[behaviour] = Backend(msgspec.structs.replace(plain, **row), fixed(address), connections)
            return completer(backends, audit, policy=policy, privacy=privacy, budget=budget)

        yield make
        await audit.close()


def completer(
    backends: dict[str, Backend],
    audit: Audit,
    *,
    policy: PolicySettings | None = None,
    privacy: PrivacySettings | None = None,
    budget: BudgetSettings | None = None,
) -> Completer:
    """A completer over these backends, to all of which the user has agreed."""
    rules = Rules(
        policy or PolicySettings(places=("device", "network", "cloud")),
        budget or BudgetSettings(),
        Firewall(privacy or PrivacySettings()),
    )

    def snapshot(*_: object) -> Snapshot:
        return Snapshot(tuple(view_of(backend) for backend in backends.values()))

    return Completer(backends, rules=rules, books=Books(audit, Spend()), snapshot=snapshot)


def view_of(backend: Backend) -> BackendView:
    """The backend as the decision sees it."""
    row, rests = backend.row, backend.health.rests_seconds()
    return BackendView(
        name=row.name,
        place=row.place,
        state="resting" if rests else "ready",
        reason=backend.health.why,
        rests_seconds=rests,
        busy=backend.health.busy,
        consented=True,
        context_tokens=row.context_tokens,
        input_price=row.input_price,
        output_price=row.output_price,
    )


async def read(answer: Answer) -> tuple[str, list[Event]]:
    """The text, and all events."""
    events = [event async for event in answer.events()]
    return "".join(event.text for event in events if isinstance(event, Said)), events
