"""Settings as the text of a `homeward.toml`."""

import json
from pathlib import Path

from pydantic import BaseModel, SecretStr

from homeward.config.settings import Settings


def as_toml(settings: Settings) -> str:
    """Every setting in force, each under a comment that says what it means; can be read back."""
    lines = table(settings)
    for name in Settings.model_fields:
        value = getattr(settings, name)
        if isinstance(value, BaseModel):
            lines += ["", f"[{name}]", *table(value)]
    return "\n".join(lines) + "\n"


def table(model: BaseModel) -> list[str]:
    """The lines of one table; settings without a value, and secrets, are commented out."""
    lines: list[str] = []
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            continue
        lines.append(f"# {field.description}")
        unsaid = value is None or isinstance(value, SecretStr)
        lines.append(f"# {name} =" if unsaid else f"{name} = {written(value)}")
    return lines


def written(value: object) -> str:
    """A value in TOML; JSON's strings, numbers and truth values are TOML's as well."""
    return json.dumps(str(value) if isinstance(value, Path) else value, ensure_ascii=False)
