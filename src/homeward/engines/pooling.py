"""How the vectors of a text's tokens become one: what a model file says of it, in llama.cpp's numbers."""

import struct
from pathlib import Path

from homeward.engines.gguf import ModelFile
from homeward.protocol.errors import EngineStartError

AS_THE_FILE_SAYS = -1
MEAN = 1
_NONE, _RANK = 0, 4

_HEAD_BYTES = 1 << 24
"""A model's own values stand at the beginning of its file, before the vocabulary."""


def pooling(path: Path, model: ModelFile) -> int:
    """The number that llama.cpp is to be given for this file: the mean where the file names none, as for chat models.

    Raises:
        EngineStartError: it ranks texts, and has no vectors for them.
    """
    stored = _stored(path, f"{model.architecture}.pooling_type")
    if stored == _RANK:
        raise EngineStartError(
            f"The file {path.name} is a model that ranks texts, not an embedding model.",
            next_step="Name an embedding model.",
            detail=str(path),
        )
    return MEAN if stored in (None, _NONE) else AS_THE_FILE_SAYS


def _stored(path: Path, key: str) -> int | None:
    """A number in the header; None where it is not there. In GGUF, a key is its length, its text, a type, a value."""
    name = struct.pack("<Q", len(key)) + key.encode()
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    at = head.find(name) + len(name)
    if at < len(name) or len(head) < at + 8:
        return None
    return int(struct.unpack_from("<4xI", head, at)[0])
