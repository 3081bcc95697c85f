"""What workers and their keeper say to each other.

A worker numbers what it asks for, and ends it by the same number, whether it got it or not: so one that asks and then
no longer wants it needs not know how far that has come. Answers to a number that has ended are passed over.
"""

import msgspec

from homeward.backends.health import HealthState
from homeward.engines.engine import EngineStatus
from homeward.protocol.address import Address
from homeward.protocol.errors import HomewardError
from homeward.protocol.receipt import Receipt

Plain = str | int | float | bool | None


class Message(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """One of them."""


class Failure(msgspec.Struct, frozen=True, array_like=True):
    """An error on its way to another process."""

    kinds: tuple[str, ...]
    """Its class and those above it, the nearest first."""
    fields: dict[str, Plain]

    @classmethod
    def of(cls, error: HomewardError) -> "Failure":
        """An error of ours as a value."""
        kinds = [kind.__name__ for kind in type(error).__mro__ if issubclass(kind, HomewardError)]
        fields = {name: value for name, value in vars(error).items() if isinstance(value, Plain)}
        return cls(tuple(kinds), fields)

    def error(self) -> HomewardError:
        """The error; of the nearest class that this process knows."""
        known = {kind.__name__: kind for kind in _kinds(HomewardError)}
        kind = next((known[name] for name in self.kinds if name in known), HomewardError)
        error = kind.__new__(kind)
        Exception.__init__(error, self.fields["message"])
        vars(error).update(self.fields)
        return error


def _kinds(root: type[HomewardError]) -> list[type[HomewardError]]:
    return [root, *(kind for below in root.__subclasses__() for kind in _kinds(below))]


# From a worker


class Up(Message, frozen=True):
    """It can serve connections."""


class Leaving(Message, frozen=True):
    """It serves no new connections any more."""


class TakeTurn(Message, frozen=True):
    """Stand in a line. Answered by `Ahead`s and then `Granted`, or by `Refused`."""

    id: int
    line: str
    background: bool


class EndTurn(Message, frozen=True):
    """Leave it."""

    id: int


class AskPermit(Message, frozen=True):
    """Ask whether a backend that has fallen may be tried. Answered by `Granted`."""

    id: int
    backend: str


class Succeeded(Message, frozen=True):
    """A backend answered; `id` is that of the permit, 0 for one that nobody had to be asked for."""

    id: int
    backend: str


class Failed(Message, frozen=True):
    """A backend failed; `id` as in `Succeeded`."""

    id: int
    backend: str
    failure: Failure


class GaveUp(Message, frozen=True):
    """A permit that was asked for is not needed any more."""

    id: int
    backend: str


class Reserve(Message, frozen=True):
    """Set aside what a request may cost. Answered by `Granted`."""

    id: int
    at_most: float
    limit: float | None


class Settle(Message, frozen=True):
    """What it did cost."""

    id: int
    cost: float


class Lease(Message, frozen=True):
    """Hold an engine. Answered by `Leased` or `Refused`."""

    id: int
    model: str


class Release(Message, frozen=True):
    """Let it go."""

    id: int


class Suspect(Message, frozen=True):
    """An engine misbehaved."""

    model: str


class Examine(Message, frozen=True):
    """The same; answered by `Granted` once there is a verdict."""

    id: int
    model: str


class KeepReceipt(Message, frozen=True):
    """Keep a receipt."""

    receipt: Receipt


class FindReceipt(Message, frozen=True):
    """Look for one. Answered by `Found` or `Refused`."""

    id: int
    receipt_id: str


Question = AskPermit | Reserve | Lease | Examine | FindReceipt
"""What has exactly one answer."""

FromWorker = (
    Up
    | Leaving
    | TakeTurn
    | EndTurn
    | AskPermit
    | Succeeded
    | Failed
    | GaveUp
    | Reserve
    | Settle
    | Lease
    | Release
    | Suspect
    | Examine
    | KeepReceipt
    | FindReceipt
)

# From the keeper


class Start(Message, frozen=True):
    """The first thing that a worker hears."""

    settings: bytes
    """Pickled: all of them, keys too."""
    port: int
    """Where clients come in."""


class Ahead(Message, frozen=True):
    """So many stand before it."""

    id: int
    number: int


class Granted(Message, frozen=True):
    """It may, or may not; or what was asked for is done."""

    id: int
    granted: bool = True


class Refused(Message, frozen=True):
    """It can't be had."""

    id: int
    failure: Failure


class Leased(Message, frozen=True):
    """Where the engine is."""

    id: int
    address: Address


class Found(Message, frozen=True):
    """The receipt, where there is one."""

    id: int
    receipt: Receipt | None


class HealthChanged(Message, frozen=True):
    """A backend's health now."""

    backend: str
    state: HealthState


class EngineChanged(Message, frozen=True):
    """An engine's state now."""

    model: str
    status: EngineStatus


class SpendChanged(Message, frozen=True):
    """What clouds have cost in a month, with all that is reserved."""

    month: tuple[int, int]
    spent: float


class ShelfChanged(Message, frozen=True):
    """The models on the shelf, or the one in use, are others now."""


class Drain(Message, frozen=True):
    """Let running answers finish, then end."""


class EndNow(Message, frozen=True):
    """End at once."""


Told = Ahead | Granted | Refused | Leased | Found
"""Answers to what a worker asked for."""

FromKeeper = (
    Start
    | Ahead
    | Granted
    | Refused
    | Leased
    | Found
    | HealthChanged
    | EngineChanged
    | SpendChanged
    | ShelfChanged
    | Drain
    | EndNow
)
