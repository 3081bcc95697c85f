"""What a program's key allows it to do with `/v1`."""

from typing import Annotated, Final, Literal, get_args

import msgspec

KeyScope = Literal["models", "answers", "embeddings", "cloud"]
"""A part of the API: the list of models and receipts, answers of models, embeddings, and asking a cloud for answers."""

SCOPES: Final[tuple[KeyScope, ...]] = get_args(KeyScope)


AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]


class KeyLimits(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """How much a key may be used; None for as much as its program likes."""

    requests_per_minute: AtLeastOne | None = None
    """In any 60 seconds."""
    at_once: AtLeastOne | None = None
    """Requests that are being answered at the same time."""

    def or_else(self, usual: "KeyLimits") -> "KeyLimits":
        """These, and the usual ones where these say nothing."""
        return KeyLimits(
            requests_per_minute=self.requests_per_minute or usual.requests_per_minute,
            at_once=self.at_once or usual.at_once,
        )


NO_LIMITS: Final = KeyLimits()


class KeyUse(msgspec.Struct, frozen=True):
    """Whose key came with a request, and its scopes. Routes find it as `request.state.key`."""

    name: str
    """What the user called the key; empty where none is needed."""
    scopes: frozenset[KeyScope]
    """Without `cloud`, the request must stay on this device."""
    limits: KeyLimits = NO_LIMITS


NO_KEY_NEEDED: Final = KeyUse("", frozenset(SCOPES))
