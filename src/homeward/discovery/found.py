"""What a search finds, and why it doesn't find the rest: values only."""

from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import msgspec

Kind: TypeAlias = Literal[
    "foundry-server", "foundry-service", "ollama", "lm-studio", "llama-server", "vllm", "openai-compatible"
]
"""Which program it is. `foundry-service` is Foundry Local up to CLI 0.8, `foundry-server` everything since."""

TITLES: Final = MappingProxyType[Kind, str](
    {
        "foundry-server": "Foundry Local",
        "foundry-service": "Foundry Local",
        "ollama": "Ollama",
        "lm-studio": "LM Studio",
        "llama-server": "llama-server",
        "vllm": "vLLM",
        "openai-compatible": "the service",
    }
)
"""Names for people."""


class ServiceModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a service offers."""

    id: str
    """Exactly what the service wants in the `model` field."""
    alias: str = ""
    """The short name that the service itself gives it; empty where it tells none."""
    loaded: bool | None = None
    """Whether it is in memory; None where the service doesn't say."""
    context_tokens: int | None = None
    """Tokens that prompt and answer share, as loaded now; None where the service doesn't say."""


class FoundService(msgspec.Struct, frozen=True, kw_only=True):
    """A service that answers on this machine."""

    kind: Kind
    url: str
    """Base URL ending in `/v1`. Ports change: after a connection error, search again."""
    version: str = ""
    models: tuple[ServiceModel, ...] = ()
    elsewhere: tuple[str, ...] = ()
    """Ids of models that it passes on to another machine (Ollama's cloud); they are not among `models`."""
    source: str
    """How it was found, for people."""


class NotFound(msgspec.Struct, frozen=True, kw_only=True):
    """A service that was looked for in vain."""

    kind: Kind
    reason: str
    """A sentence for the user. `openai-compatible` stands for the address that the user gave."""


class Discovery(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of a search."""

    found: tuple[FoundService, ...]
    """Best evidence first: the user's address, then Foundry Local, then usual places; no address twice."""
    missing: tuple[NotFound, ...]
    """Why not; only for kinds of which none was found."""


class ModelNotFound(msgspec.Struct, frozen=True, kw_only=True):
    """A name that stands for no model of the service, or for several."""

    wanted: str
    reason: str
    """A sentence for the user."""
    candidates: tuple[str, ...]
    """Ids that could be asked for instead."""
