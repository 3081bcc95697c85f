"""The text of a `homeward.toml` taken apart into statements and sections, each of which can be changed by itself."""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from homeward.config.show import written, written_key

Keys = tuple[str, ...]
Leaves = dict[Keys, Any]
"""Values by their whole paths; tables are no values."""


class Statement:
    """A blank line, a comment, a header, or a key with its value, which may take several lines."""

    def __init__(self, text: str) -> None:
        self.text = text
        begin = text.lstrip()[:1]
        self.is_blank = begin == ""
        self.is_comment = begin == "#"
        self.is_header = begin == "["
        self.key = "" if begin in {"", "#", "["} else key_of(text)

    @property
    def path(self) -> Keys:
        """What it is called, below where it stands."""
        return path_of(tomllib.loads(f"{self.key} = 0"))

    def leaves(self) -> Leaves:
        """What it says, below where it stands."""
        return leaves(tomllib.loads(self.text)) if self.key else {}

    def with_value(self, value: object) -> Iterator["Statement"]:
        """The same key with another value. Comments from within the old one stand above it."""
        *within, behind = remarks(self.text)
        yield from (Statement(f"{remark}\n") for remark in within)
        yield Statement(f"{self.key} = {written(value)}{'  ' if behind else ''}{behind}\n")


class Section:
    """A header, the comments directly above it, and everything up to its last value.

    What stands between two of those, and before the first one, is a section without a header.
    """

    def __init__(self, statements: Sequence[Statement]) -> None:
        self.statements = list(statements)
        header = next((each.text for each in statements if each.is_header), "")
        self.keys = path_of(tomllib.loads(header))
        self.is_element = header.lstrip().startswith("[[")
        """Whether it is one of an array of tables."""

    def __str__(self) -> str:
        return "".join(statement.text for statement in self.statements)

    @property
    def has_values(self) -> bool:
        """Whether it says anything."""
        return any(statement.key for statement in self.statements)

    def comments(self) -> list[Statement]:
        """Those on lines of their own."""
        return [statement for statement in self.statements if statement.is_comment]


def sections_of(text: str) -> list[Section]:
    """A valid text taken apart; the first section is the one before any header."""
    result: list[Section] = []
    pending: list[Statement] = []
    for statement in statements_of(text):
        if statement.is_header:
            first = len(pending)
            while first and pending[first - 1].is_comment:
                first -= 1
            result += parted(pending[:first])
            pending = pending[first:]
        pending.append(statement)
    return result + parted(pending)


def parted(statements: Sequence[Statement]) -> list[Section]:
    """Everything up to the last value, and what is left."""
    last = max((number for number, each in enumerate(statements, 1) if each.key or each.is_header), default=0)
    return [Section(statements[:last]), Section(statements[last:])]


def statements_of(text: str) -> Iterator[Statement]:
    """All of them: what is not whole yet is no valid TOML, and what is whole always is."""
    pending = ""
    for line in re.findall(r"[^\n]*\n|[^\n]+$", text):
        pending += line
        if parsed(pending) is not None:
            yield Statement(pending)
            pending = ""


def pair(path: Keys, value: object) -> Statement:
    """A key with its value."""
    return Statement(f"{'.'.join(map(written_key, path))} = {written(value)}\n")


def leaves(values: Mapping[str, Any]) -> Leaves:
    """The values in a table, and in the tables in it."""
    found: Leaves = {}
    for key, value in values.items():
        inner = leaves(value) if isinstance(value, dict) else {(): value}
        found |= {(key, *path): each for path, each in inner.items()}
    return found


def path_of(content: Any) -> Keys:
    """The one path in what a header, or a key without its value, says."""
    path: Keys = ()
    while content and isinstance(content, (dict, list)):
        if isinstance(content, list):
            content = content[0]
        else:
            ((key, content),) = content.items()
            path += (key,)
    return path


def key_of(text: str) -> str:
    """The key as it is written, which may have signs of equality in it."""
    keys = (text[: match.start()].strip() for match in re.finditer("=", text))
    return next(key for key in keys if parsed(f"{key} = 0") is not None)


def remarks(text: str) -> list[str]:
    """The comments in a statement; the last one is the one behind its value, empty where there is none."""
    content = tomllib.loads(text)
    found: dict[int, str] = {}
    for match in re.finditer("#", text):
        line, end = text.count("\n", 0, match.start()), text.index("\n", match.start())
        if line not in found and parsed(text[: match.start()] + text[end:]) == content:
            found[line] = text[match.start() : end]
    behind = found.pop(text.count("\n") - 1, "")
    return [*found.values(), behind]


def parsed(text: str) -> dict[str, Any] | None:
    """What a text says; None where it is no valid TOML."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
