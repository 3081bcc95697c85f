"""OpenAI's published shapes, as its client has them, without the lenience that it reads answers with."""

from collections.abc import Iterator
from typing import Any

from openai import BaseModel
from pydantic import TypeAdapter

OURS = frozenset({"homeward", "reasoning_content", "info"})
"""Fields that OpenAI does not have: the receipt, what a model thought aloud, what Open WebUI reads of a model."""


def checked(kind: Any, value: Any, further: frozenset[str] = OURS) -> Any:
    """The value as one of OpenAI's: of the right types without conversion, and without further fields but these."""
    read = TypeAdapter(kind).validate_python(value, strict=True)
    unknown = [path for path in surplus(read, "$") if path.rpartition(".")[2] not in further]
    assert not unknown, unknown
    return read


def surplus(value: Any, path: str) -> Iterator[str]:
    """Paths of the fields that OpenAI's models don't have."""
    if isinstance(value, BaseModel):
        yield from (f"{path}.{name}" for name in value.model_extra or ())
        for name in type(value).model_fields:
            yield from surplus(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from surplus(each, f"{path}[{number}]")
