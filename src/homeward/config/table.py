"""What all tables of `homeward.toml` have in common."""

from typing import Annotated, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo


class Table(BaseModel):
    """A table of `homeward.toml`: names that it doesn't know are an error, not ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=False)


def table_in(field: FieldInfo) -> type[BaseModel] | None:
    """The kind of table that a field is, or has a list of, or has by name; None where it is a plain value."""
    kinds = (field.annotation, *get_args(field.annotation))
    bare = (get_args(kind)[0] if get_origin(kind) is Annotated else kind for kind in kinds)
    return next((kind for kind in bare if isinstance(kind, type) and issubclass(kind, BaseModel)), None)
