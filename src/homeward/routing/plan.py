"""The values that go into a decision and come out of it."""

from typing import Literal

import msgspec

from homeward.protocol.place import Place


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about a request before it runs."""

    chosen_backend: str | None = None
    """The backend that the user named, if any."""
    chosen_model: str = ""
    """The model that the user named, as that backend knows it; empty for none."""


class BackendView(msgspec.Struct, frozen=True, kw_only=True):
    """One backend as it stands when the request arrives."""

    name: str
    place: Place
    model: str = ""
    """What it answers with where the user named no model; empty leaves that to the backend."""
    state: Literal["ready", "loading", "failed"] = "ready"
    """`loading` is not failed: the request waits for it."""
    reason: str = ""
    """Why it failed."""


class Snapshot(msgspec.Struct, frozen=True):
    """All configured backends, in the order of the configuration."""

    backends: tuple[BackendView, ...]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The user's rules."""

    places: tuple[Place, ...] = (Place.DEVICE,)
    """Where answers may be made, best first; a place that is not named is never used."""


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One backend to ask."""

    backend: str
    place: Place
    model: str = ""
    reason: str
    """The rule that put it here."""


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """One backend that is not asked, and why."""

    backend: str
    reason: str


class Plan(msgspec.Struct, frozen=True):
    """What will be tried, in order; no attempt is ever added while it is carried out."""

    attempts: tuple[Attempt, ...]
    dropped: tuple[Dropped, ...]
