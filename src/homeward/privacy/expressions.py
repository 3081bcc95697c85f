"""Regular expressions in linear time: RE2, on UTF-8 bytes, each compiled when it is first needed."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Protocol, cast

import re2  # type: ignore[import-untyped]


class Match(Protocol):
    """What we use of a match; offsets are in bytes."""

    def span(self, group: int = 0) -> tuple[int, int]:
        """Where it is, or (-1, -1) for a group that took no part."""

    def group(self, group: int = 0) -> bytes:
        """What it is."""


class Expression(Protocol):
    """What we use of a compiled expression."""

    groups: int
    """How many it has."""

    def search(self, text: bytes, pos: int = 0) -> Match | None:
        """The first one that begins there or later; what stands before that place still counts as text before it."""

    def fullmatch(self, text: bytes) -> Match | None:
        """All of the text."""

    def finditer(self, text: bytes) -> Iterator[Match]:
        """All that don't overlap."""


class Together:
    """Several expressions that are looked for in one pass over a text; it says which, but not where."""

    def __init__(self, expressions: Sequence[str]) -> None:
        """Raises `re2.error` where one of them is not RE2's syntax."""
        self._all = re2.Set.SearchSet(_quiet())
        for expression in (*expressions, ""):
            self._all.Add(expression)
        self._all.Compile()
        self._always = len(expressions)

    def matching(self, text: bytes) -> list[int]:
        """The numbers of those that match somewhere. Raises `ValueError` where RE2's memory is not enough to tell."""
        numbers = cast(list[int], self._all.Match(text) or [])
        numbers.remove(self._always)  # without memory RE2 says that nothing matches, not even the empty expression
        return numbers


@cache
def compiled(expression: str) -> Expression:
    """Raises `ValueError` with RE2's reason where it is not RE2's syntax, or would need too much memory."""
    try:
        return cast(Expression, re2.compile(expression, _quiet()))
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        raise ValueError(reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)) from error


def _quiet() -> object:
    options = re2.Options()
    options.log_errors = False
    return options


def literal(text: str) -> str:
    """The expression that matches this text and nothing else."""
    return cast(str, re2.escape(text))
