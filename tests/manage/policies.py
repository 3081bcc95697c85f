"""A real governor over backends of which none is ever asked, with a file and an audit log of its own."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from homeward.app.consents import Consents
from homeward.app.governing import Governing
from homeward.backends import Backend, BackendRow, Connections, fixed
from homeward.completion import Books, Completer, Firewall, Rules
from homeward.config import load
from homeward.config.edit import ConfigFile
from homeward.observability.audit import FILE, Audit, AuditBegun, AuditEnded, Transfer
from homeward.observability.spend import Spend
from homeward.protocol.address import Address
from homeward.protocol.place import Place
from homeward.routing import BackendView, Snapshot

LLAMA = BackendRow(name="llama", place=Place.DEVICE, model="SmolLM2-135M-Instruct")
OFFICE = BackendRow(name="office", place=Place.NETWORK, model="qwen3:32b", host="gpu.office.lan")
AZURE = BackendRow(
    name="azure",
    place=Place.CLOUD,
    model="gpt-4.1-mini",
    host="my.openai.azure.com",
    context_tokens=128_000,
    input_price=0.4,
    output_price=1.6,
)
OPENAI = BackendRow(name="openai", place=Place.CLOUD, model="gpt-5-mini", host="api.openai.com")


class Home(msgspec.Struct):
    """A Homeward's rules."""

    governing: Governing
    completer: Completer
    consents: Consents
    folder: Path
    states: dict[str, dict[str, Any]]
    """By backend, what of its view is other than usual."""

    @property
    def file(self) -> Path:
        """The user's file."""
        return self.folder / "homeward.toml"

    @property
    def audit(self) -> Path:
        """The audit log."""
        return self.folder / FILE


@contextmanager
def home_of(
    folder: Path, *rows: BackendRow, text: str = "", locked: str = "", spent: tuple[Transfer, ...] = ()
) -> Iterator[Home]:
    """Rules as they stand in a file with this text, over these backends."""
    file = folder / "homeward.toml"
    if text:
        file.write_text(text, encoding="utf-8")
    settings = load({"data_dir": folder}, config=file if text else None, environment={})
    connections = Connections()
    backends = {
        row.name: Backend(row, fixed(Address(url="http://127.0.0.1:9", model=row.model)), connections) for row in rows
    }
    audit = Audit(folder / FILE)
    consents = Consents(folder / "consents.json", audit.note)
    states: dict[str, dict[str, Any]] = {}

    def snapshot(*_: object) -> Snapshot:
        return Snapshot(tuple(view_of(row, consents, states.get(row.name, {})) for row in rows))

    rules = Rules(settings.policy, settings.budget, Firewall(settings.privacy))
    completer = Completer(backends, rules=rules, books=Books(audit, Spend(spent)), snapshot=snapshot)
    governing = Governing(settings, completer, consents, ConfigFile(file, locked))
    yield Home(governing, completer, consents, folder, states)


def view_of(row: BackendRow, consents: Consents, other: dict[str, Any]) -> BackendView:
    """The backend as the decision sees it."""
    values: dict[str, Any] = {
        "name": row.name,
        "place": row.place,
        "model": row.model,
        "consented": consents.given(row.name, row.host),
        "context_tokens": row.context_tokens,
        "input_price": row.input_price,
        "output_price": row.output_price,
    }
    return BackendView(**{**values, **other})


def transfer(begun: AuditBegun, *, bytes_out: int, cost: float) -> Transfer:
    """What left, whole."""
    return Transfer(begun, AuditEnded(request=begun.request, attempt=begun.attempt, bytes_out=bytes_out, cost=cost))
