"""Keys as values: what one looks like, what is kept of it, and which one a request brought."""

import secrets
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest
from typing import Annotated, Final

import msgspec

from homeward.protocol.key_use import NO_LIMITS, KeyLimits, KeyScope, KeyUse

DEFAULT_SCOPES: Final[tuple[KeyScope, ...]] = ("models", "answers", "embeddings")
"""Nothing of what a program sends leaves this device unless its user says so."""

KEY_HEADERS = frozenset({b"authorization", b"x-api-key", b"api-key"})


class Key(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What is kept of a key. It can't be got back from that."""

    name: str
    """Its user's word for the program that has it."""
    digest: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    """SHA-256 in hexadecimal; a key is 256 random bits, so nothing slower is needed."""
    scopes: tuple[KeyScope, ...]
    created_at: datetime
    limits: KeyLimits = NO_LIMITS
    """Its own; what it leaves open, the settings say."""


class Ring(msgspec.Struct, frozen=True):
    """The keys in force."""

    known: tuple[tuple[bytes, KeyUse], ...] = ()
    """By their digests."""
    shut: bool = False
    """Whether which keys there are can't be told, so that none is right and none may be left out."""

    @property
    def asks(self) -> bool:
        """Whether a key is needed on any machine."""
        return self.shut or bool(self.known)

    def use_of(self, key: bytes) -> KeyUse | None:
        """Whose key this is; None for nobody's. How long that takes does not depend on what is wrong with it."""
        digest = sha256(key).digest()
        found = None
        for known, use in self.known:
            if compare_digest(known, digest):
                found = use
        return found


def new_key() -> str:
    """A key that nobody can guess: `hw-` and 43 characters that need no quotation marks anywhere."""
    return f"hw-{secrets.token_urlsafe(32)}"


def digest_of(key: str) -> str:
    """What is kept of it."""
    return sha256(key.encode()).hexdigest()


def ring_of(keys: Iterable[Key], usual: KeyLimits = NO_LIMITS) -> Ring:
    """These keys in force, with the usual limits where they have none of their own."""
    return Ring(tuple((bytes.fromhex(key.digest), use_of(key, usual)) for key in keys))


def use_of(key: Key, usual: KeyLimits) -> KeyUse:
    """What a key allows."""
    return KeyUse(key.name, frozenset(key.scopes), key.limits.or_else(usual))


def key_in(headers: Iterable[tuple[bytes, bytes]]) -> bytes | None:
    """The key that a request brought, in whichever header; None for none, and for two that differ."""
    found = None
    for name, value in headers:
        if name in KEY_HEADERS:
            key = value.strip()
            if name == b"authorization":
                method, _, key = key.partition(b" ")
                if method.lower() != b"bearer":
                    continue
                key = key.lstrip()
            if key and found is not None and key != found:
                return None
            found = key or found
    return found
