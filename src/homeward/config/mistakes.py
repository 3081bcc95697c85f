"""What is wrong with settings, as sentences: where each mistake stands, and what may stand there.

A key may have been written into the wrong line, so of clouds and services no value is repeated.
"""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from homeward.config.settings import PREFIX, Settings
from homeward.config.show import written
from homeward.config.table import table_in
from homeward.protocol.errors import ConfigError

Keys = tuple[int | str, ...]
"""The path of a setting; a number is a place in a list, from 0."""

PRIVATE = frozenset({"clouds", "service", "database_url"})
"""What stands in them is not repeated."""
RULES: Keys = ("policy", "rules")


def explain(
    error: ValidationError, path: Path | None, content: Mapping[str, Any], variables: Mapping[str, Any]
) -> ConfigError:
    """Each wrong value with its source and what it may be, in a line each."""
    problems = [(keys_of(each), each) for each in error.errors() if not is_needless(each)]
    lines = [f"{source(keys, path, content, variables)}: {sentence(keys, each)}" for keys, each in problems]
    return ConfigError(
        "\n".join(["The configuration is wrong.", *dict.fromkeys(lines)]),
        next_step="Correct it, then check with `homeward config check`.",
    )


def is_needless(problem: ErrorDetails) -> bool:
    """Whether it only says that a list is no truth value, of a setting that may be either: the list's own says more."""
    return problem["loc"][-1:] == ("bool",) and problem["type"].startswith("bool_")


def keys_of(problem: ErrorDetails) -> Keys:
    """Which setting is wrong; where no cloud has a name, it is all of them."""
    keys = tuple(key for key in problem["loc"] if not is_union_branch(str(key)))
    return keys[:1] if keys[0] == "clouds" and is_no_table(problem) else keys


def is_union_branch(key: str) -> bool:
    """Pydantic appends the branch of a union that it tried (`path`, `literal[…]`) to the location."""
    return key in {"path", "bool"} or "[" in key


def is_no_table(problem: ErrorDetails) -> bool:
    """Whether something else stands where a table must."""
    return problem["type"] in {"model_type", "dict_type"}


def source(keys: Keys, path: Path | None, content: Mapping[str, Any], variables: Mapping[str, Any]) -> str:
    """Where a value came from: variable, file and line, or option."""
    names = [str(key) for key in keys]
    if holds(variables, names):
        return PREFIX + "_".join(names).upper()
    if path is not None and (len(names) > 1 or holds(content, names)):  # options are no deeper than this
        return f"{path}, line {line_of(path.read_text(encoding='utf-8'), names)}"
    return "--" + "-".join(names).replace("_", "-")


def holds(layer: Mapping[str, Any], keys: list[str]) -> bool:
    """Whether a layer has a value under these keys."""
    value: Any = layer
    for key in keys:
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[key]
    return True


def line_of(text: str, keys: list[str]) -> int:
    """The line, from 1, in which a key stands, or the innermost table around it that has a line."""
    table: list[str] = []
    rows: dict[tuple[str, ...], int] = {}
    longest, found = 0, 1
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*(\[\[?)\s*([\w.\s\"-]+?)\s*\]", line):
            path = tuple(part.strip(' "') for part in header[2].split("."))
            if header[1] == "[[":
                rows[path] = rows.get(path, -1) + 1
            here = table = numbered(path, rows)
            if header[1] == "[[" and here[:-1] == keys:
                here = keys  # the first one stands for the whole list
        elif match := re.match(r"\s*([\w.\"-]+)\s*=", line):
            here = [*table, *(part.strip('"') for part in match[1].split("."))]
        else:
            continue
        if len(here) > longest and here == keys[: len(here)]:
            longest, found = len(here), number
    return found


def numbered(path: tuple[str, ...], rows: Mapping[tuple[str, ...], int]) -> list[str]:
    """A table's path with the number of the row behind the name of each list of tables."""
    result: list[str] = []
    for end, part in enumerate(path, 1):
        result.append(part)
        if path[:end] in rows:
            result.append(str(rows[path[:end]]))
    return result


def sentence(keys: Keys, problem: ErrorDetails) -> str:
    """What is wrong, and what the value may be."""
    name, value = called(keys), problem["input"]
    match problem["type"]:
        case "extra_forbidden":
            return f"there is no setting {name}; {instead(keys)}."
        case "value_error":
            return f"{name}: {problem['ctx']['error']}."
        case "missing":
            return f"{name} is missing."
        case "string_too_short":
            return f"{name} is empty."
        case "too_short":
            return f"{name}: name at least one."
        case "tuple_type" if keys == RULES:
            return f"{name} is a list: write [[policy.rules]], with two brackets."
        case "tuple_type":
            return f"{name}: write a list: {keys[-1]} = [{written(value) if isinstance(value, str) else '…'}]."
        case "model_type" | "dict_type":
            return table_sentence(keys)
    reason = problem["msg"].lower()
    if keys[0] in PRIVATE or isinstance(value, Mapping | list):
        return f"{name}: {reason}."
    return f"{name} is {value!r}: {reason}."


def called(keys: Keys) -> str:
    """What a setting is called; rules are counted from 1."""
    if keys[:2] == RULES and len(keys) > 2:
        rule, within = f"rule {int(keys[2]) + 1}", dotted(keys[3:])
        return f"`{within}` of {rule}" if within else rule
    return f"`{dotted(keys)}`"


def dotted(keys: Keys) -> str:
    """The names in a path."""
    return ".".join(key for key in keys if isinstance(key, str))


def table_sentence(keys: Keys) -> str:
    """How a table is written."""
    if keys[0] == "clouds":
        return "each cloud has a name: write [clouds.azure]."
    head = f"[{dotted(keys)}]"
    return f"{called(keys)} is a table: write {f'[{head}]' if isinstance(keys[-1], int) else head}."


def instead(keys: Keys) -> str:
    """What a name that there is not may have meant, and the names that its table has."""
    table: type[BaseModel] = Settings
    for key in keys[:-1]:
        field = table.model_fields.get(str(key))
        table = (field and table_in(field)) or table
    near = closest(str(keys[-1]), table.model_fields)
    perhaps = f"perhaps `{near}`; " if near else ""
    return f"{perhaps}there are {', '.join(table.model_fields)}"


def closest(name: str, names: Iterable[str]) -> str:
    """The name that was meant, most likely; empty where none is like it."""
    return next(iter(get_close_matches(name, list(names), n=1)), "")
