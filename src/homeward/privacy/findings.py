"""What was seen in a request: where and of which kind, never the words themselves."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property

import msgspec


class Kind(StrEnum):
    """The built-in kinds. Their words are stable: the configuration, the receipt and the metrics use them."""

    EMAIL = "email"
    PHONE = "phone"
    CARD = "card"
    IBAN = "iban"
    NATIONAL_ID = "national_id"
    IP = "ip"
    API_KEY = "api_key"
    PRIVATE_KEY = "private_key"
    PASSWORD = "password"  # noqa: S105  # the name of a kind
    DENY_LIST = "deny_list"
    UNREADABLE = "unreadable"
    """Encoded data that is not text, or is encoded more often than we decode."""
    IMAGE = "image"
    """A picture, whatever it shows; it is not looked at."""


def custom_kind(name: str) -> str:
    """The kind of what the user's own pattern of this name finds."""
    return f"custom:{name}"


class Part(msgspec.Struct, frozen=True):
    """One text of a request: a system prompt, a turn, a tool's result, a file's name."""

    name: str
    """What it is, for instance `messages[3]`; not a place for what the user wrote."""
    text: str
    continues: bool = False
    """Set where it goes on directly where the part before it ended, as the text parts of one message do."""


class Finding(msgspec.Struct, frozen=True, order=True):
    """One stretch of a part's text, in characters."""

    start: int
    end: int
    kind: str
    """A `Kind` or a `custom_kind`."""


class PartReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen in one part."""

    name: str
    findings: tuple[Finding, ...] = ()
    """In the order of the text. Those of one kind don't overlap; those of two kinds may."""
    complete: bool = True
    """False where we could not look at all of it, whatever the reason."""


class Report(msgspec.Struct, frozen=True, dict=True):
    """What was seen in a request, part by part."""

    parts: tuple[PartReport, ...]

    @property
    def complete(self) -> bool:
        """False where we could not look at everything: such a request has to be treated as if it held secrets."""
        return all(part.complete for part in self.parts)

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How many findings there are of each kind."""
        return Counter(str(finding.kind) for part in self.parts for finding in part.findings)
