"""What a program's key allows it to do with `/v1`."""

from typing import Final, Literal, get_args

import msgspec

KeyScope = Literal["models", "answers", "embeddings", "cloud"]
"""A part of the API: the list of models and receipts, answers of models, embeddings, and asking a cloud for answers."""

SCOPES: Final[tuple[KeyScope, ...]] = get_args(KeyScope)


class KeyUse(msgspec.Struct, frozen=True):
    """Whose key came with a request, and its scopes. Routes find it as `request.state.key`."""

    name: str
    """What the user called the key; empty where none is needed."""
    scopes: frozenset[KeyScope]
    """Without `cloud`, the request must stay on this device."""


NO_KEY_NEEDED: Final = KeyUse("", frozenset(SCOPES))
