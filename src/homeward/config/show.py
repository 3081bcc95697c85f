"""Settings as the text of a `homeward.toml`."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel, SecretStr

from homeward.config.settings import Settings
from homeward.config.table import table_in

BARE = re.compile(r"[A-Za-z0-9_-]+")


def as_toml(settings: Settings) -> str:
    """Every setting in force, each under a comment that says what it means; can be read back, but for secrets."""
    return "\n".join(table(settings, "")) + "\n"


def table(model: BaseModel, name: str) -> Iterator[str]:
    """The lines of one table without its head, then the tables in it: plain values must stand before those."""
    inner: list[tuple[str, str, BaseModel]] = []
    for key, field in type(model).model_fields.items():
        value = getattr(model, key)
        if table_in(field):  # also where there is none yet
            inner += tables_of(value, f"{name}.{key}" if name else key)
        else:
            yield from setting(key, value, field.description)
    for head, path, each in inner:
        yield from ("", head)
        yield from table(each, path)


def tables_of(value: object, path: str) -> Iterator[tuple[str, str, BaseModel]]:
    """The tables that a value is written as: head, path and content of each."""
    if isinstance(value, BaseModel):
        yield f"[{path}]", path, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from tables_of(each, f"{path}.{written_key(key)}")
    elif isinstance(value, tuple):
        for each in value:
            yield f"[[{path}]]", path, each


def setting(name: str, value: object, description: str | None) -> Iterator[str]:
    """The lines of one setting; it is commented out where it has no value, and where that is a secret."""
    yield f"# {description}"
    unsaid = value is None or isinstance(value, SecretStr)
    yield f"# {name} =" if unsaid else f"{name} = {written(value)}"


def written(value: object) -> str:
    """A value in TOML; JSON's strings, numbers and truth values are TOML's as well, but for one character."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written_key(key)} = {written(each)}" for key, each in value.items()) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(written, value)) + "]"
    text = json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)
    return text.replace("\x7f", "\\u007f")


def written_key(key: str) -> str:
    """A key in TOML."""
    return key if BARE.fullmatch(key) else written(key)
