"""What a client may call a model, and what it stands for."""

from collections.abc import Iterable, Mapping
from typing import Protocol

import msgspec

from homeward.protocol.chat import Mode
from homeward.protocol.errors import UnknownModelError
from homeward.protocol.place import PlaceName

POLICY = "homeward"
"""The policy decides."""
MODES: Mapping[str, Mode] = {
    POLICY: "auto",
    f"{POLICY}:device": "device",
    f"{POLICY}:cloud": "cloud",
}


class ListedModel(msgspec.Struct, frozen=True, kw_only=True):
    """One model that can be asked for by name."""

    backend: str
    model: str
    """As that backend knows it."""
    place: PlaceName
    created: int = 0
    """When it came here, in seconds since 1970; 0 where unknown."""
    context_tokens: int | None = None
    calls_tools: bool = False
    """Whether it can be offered tools."""
    sees_images: bool = False

    @property
    def name(self) -> str:
        """What clients call it."""
        return f"{self.backend}/{self.model}"


class Models(Protocol):
    """What there is to answer with; answers at once, from what is known."""

    def models(self) -> Iterable[ListedModel]:
        """All that can answer a chat, best first; the first one of this device is the one in use."""
        ...

    def find(self, name: str) -> tuple[str, str] | None:
        """Backend and model for a name that is no `backend/model`: an alias of a model on this device."""
        ...


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Who a request is for."""

    mode: Mode = "auto"
    backend: str | None = None
    """None leaves it to the policy."""
    model: str = ""


class Names:
    """Resolves the names that clients use."""

    def __init__(self, models: Models, aliases: Mapping[str, str]) -> None:
        """`aliases`: what a client calls a model, and which of ours is meant."""
        self.models = models
        self.aliases = aliases

    def ours(self, name: str) -> str:
        """Our name for what a client calls like this."""
        return self.aliases.get(name, name)

    def target(self, name: str) -> Target:
        """What a name stands for. Raises UnknownModelError: nothing is called like this."""
        ours = self.ours(name)
        if (mode := MODES.get(ours)) is not None:
            return Target(mode=mode)
        for listed in self.models.models():
            if listed.name == ours:
                return Target(backend=listed.backend, model=listed.model)
        if (found := self.models.find(ours)) is not None:
            return Target(backend=found[0], model=found[1])
        raise UnknownModelError(name)
