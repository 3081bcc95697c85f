"""What the models page shows, as values. Sentences are English; the page knows most of them in Korean, too."""

from typing import Literal

import msgspec

from homeward.models.downloads import Progress
from homeward.models.model import Engine


class InUse(msgspec.Struct, frozen=True, kw_only=True):
    """What answers."""

    backend: str
    """An engine's name, or a service's kind."""
    model: str
    state: Literal["ready", "loading", "stopped", "failed", "absent", "service"]
    """`stopped` loads at the next question; `absent` has no file; a `service` loads as it likes."""
    sentence: str = ""
    """Why it can't answer; empty where it can."""
    memory_bytes: int = 0
    """What its process holds now."""
    expected_bytes: int = 0
    """What it will need, estimated; 0 where unknown."""


class EngineView(msgspec.Struct, frozen=True, kw_only=True):
    """A model runtime of Homeward's own."""

    name: Engine
    title: str
    available: bool
    sentence: str = ""
    """Why it is not available."""
    privacy: str
    """What this runtime sends about the machine."""


class ProviderView(msgspec.Struct, frozen=True, kw_only=True):
    """What Foundry Local can compute on, besides the processor."""

    name: str
    registered: bool
    """Its library is here and in use."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """This computer."""

    memory_bytes: int
    free_bytes: int
    """What a model could have now."""
    disk_free_bytes: int
    """Where models are kept."""
    cores: int
    engines: tuple[EngineView, ...]
    providers: tuple[ProviderView, ...] | None = None
    """None: nobody has looked yet. Empty: there is only the processor."""


class ModelView(msgspec.Struct, frozen=True, kw_only=True):
    """A model on this machine."""

    name: str
    title: str
    engine: Engine
    source: Literal["starter", "own", "catalogue"]
    path: str
    size_bytes: int
    context_tokens: int | None = None
    license: str = ""
    device: str
    """`cpu`, `gpu` or `npu`."""
    calls_tools: bool
    memory_bytes: int
    """What it needs, estimated."""
    fits: bool
    fits_sentence: str
    state: Literal["idle", "loading", "ready", "failed"]
    held_bytes: int = 0
    """What its process holds now."""
    sentence: str = ""
    """Why it failed."""
    in_use: bool
    removable: Literal["no", "list", "files"]
    """`list`: it is taken off the list only; `files`: what was downloaded is deleted."""
    check: Literal["never", "checking", "whole", "damaged"]
    checked: float = 0.0
    """While checking: how much of it, from 0 to 1."""
    problems: tuple[str, ...] = ()
    """What is damaged, as sentences."""


class ServiceModelView(msgspec.Struct, frozen=True, kw_only=True):
    """A model of a service."""

    name: str
    """What `Manager.use` takes, such as `ollama/llama3.2:3b`."""
    id: str
    loaded: bool | None = None
    """None where the service doesn't say."""
    context_tokens: int | None = None
    in_use: bool


class ServiceView(msgspec.Struct, frozen=True, kw_only=True):
    """A model service that runs on this machine beside Homeward."""

    kind: str
    title: str
    url: str
    version: str = ""
    models: tuple[ServiceModelView, ...] = ()


class MissingView(msgspec.Struct, frozen=True, kw_only=True):
    """A service that was looked for in vain."""

    title: str
    reason: str


class State(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at one instant."""

    in_use: InUse | None
    missing: str = ""
    """The name of a model that should answer and is not here."""
    machine: Machine
    models: tuple[ModelView, ...]
    services: tuple[ServiceView, ...] = ()
    not_found: tuple[MissingView, ...] = ()
    searching: bool = False
    searched: bool = False
    """There was a search for services."""
    downloads: tuple[Progress, ...] = ()
    ready_to_switch: str = ""
    """A model that has been downloaded, and could answer from now on."""
    notice: str = ""
    """A sentence that the user should see once."""


class OfferView(msgspec.Struct, frozen=True, kw_only=True):
    """One variant of a model in the catalogue."""

    variant: str
    alias: str
    title: str
    publisher: str
    license: str
    device: str
    provider: str = ""
    size_bytes: int
    """0 where the catalogue does not say."""
    context_tokens: int | None = None
    calls_tools: bool = False
    downloaded: bool = False
    memory_bytes: int
    fits: bool
    fits_sentence: str


class Catalogue(msgspec.Struct, frozen=True, kw_only=True):
    """What can be downloaded."""

    offers: tuple[OfferView, ...]
    sentence: str = ""
    """Why there is nothing."""
