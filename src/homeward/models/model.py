"""A model on this machine, as a value."""

import re
import unicodedata
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from homeward.engines.genai import Device

Engine = Literal["llama", "foundry"]

_NAME = re.compile(r"\w[\w.+:-]{0,99}")


class FileRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a model as it is when it is whole."""

    path: str
    """Relative to the model's folder, with `/`."""
    size: int
    sha256: str
    """As hexadecimal digits."""


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """A model that an engine can run."""

    name: str
    """Unique on this machine, whatever the case of its letters; shown to people and typed by them."""
    engine: Engine
    """`llama` runs GGUF files, `foundry` folders for ONNX Runtime GenAI."""
    source: Literal["starter", "own", "catalogue"]
    path: Path
    """The GGUF file, of a model in parts the first; or the folder with genai_config.json. Absolute."""
    size_bytes: int
    """Of all its files."""
    context_tokens: int | None
    """What it was made for; None where it does not say."""
    license: str = ""
    """SPDX identifier or name; empty where unknown."""
    device: Device = "cpu"
    alias: str = ""
    """What the catalogue calls it, whatever the variant."""
    variant: str = ""
    """The catalogue's exact id, with its version."""
    task: str = "chat-completion"
    calls_tools: bool = False
    added_at: datetime
    manifest: tuple[FileRecord, ...] = ()
    """Its files when they were whole; empty where that was never established."""

    @property
    def folder(self) -> Path:
        """Where its files lie."""
        return self.path if self.engine == "foundry" else self.path.parent


def name_is_fine(name: str) -> bool:
    """Whether this can be a name: letters, digits and `. _ - + :`, a letter or digit first, at most 100 characters."""
    return _NAME.fullmatch(name) is not None


def name_key(name: str) -> str:
    """Equal for names that people would take for the same one."""
    return unicodedata.normalize("NFC", name).casefold()
