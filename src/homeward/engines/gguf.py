"""What a GGUF model file says of itself, read without trusting it.

GGUF (github.com/ggml-org/ggml/blob/master/docs/gguf.md): a magic number, then key-value pairs, then a table
of tensors, then their data. Every length in it is checked against what is left of the file before anything
is read, so a damaged or malicious header costs neither memory nor much time. Tensor data is never read.
"""

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from homeward.protocol.errors import EngineStartError

_MOST_PAIRS = 10_000
_MOST_ITEMS = 2_000_000
"""Strings in all arrays together; the largest vocabularies have some hundred thousand tokens and merges."""
_MOST_TENSORS = 200_000
_LONGEST_KEY = 65_535
_LONGEST_TEXT = 1 << 20
_LONGEST_NUMBER_LIST = 4096
"""Lists of numbers up to this length are kept: some files give heads per layer."""

_STRING, _ARRAY = 8, 9
_FORMATS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_BLOCK_BYTES = 1 << 18

# fmt: off
_BLOCKS = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34), 9: (32, 36),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210), 15: (256, 292),
    16: (256, 66), 17: (256, 74), 18: (256, 98), 19: (256, 50), 20: (32, 18), 21: (256, 110), 22: (256, 82),
    23: (256, 136), 24: (1, 1), 25: (1, 2), 26: (1, 4), 27: (1, 8), 28: (1, 8), 29: (256, 56), 30: (1, 2),
    34: (256, 54), 35: (256, 66), 39: (32, 17),
}
# fmt: on
"""Elements and bytes of a block, by tensor type (ggml's enum ggml_type). Other types are not checked."""

Value = int | float | str | tuple[int, ...] | None


class ModelFile(msgspec.Struct, frozen=True, kw_only=True):
    """What matters of a model file. Numbers that it does not give are 0."""

    architecture: str
    name: str = ""
    kind: str = "model"
    """`model`, or what else the file says it is: an adapter, a projector."""
    file_type: int | None = None
    """Number of the quantization mix (llama.cpp's llama_ftype)."""
    layers: int = 0
    heads: int = 0
    kv_heads: tuple[int, ...] = ()
    """Per layer."""
    embedding_length: int = 0
    feed_forward_length: int = 0
    key_length: int = 0
    value_length: int = 0
    context_length: int = 0
    """Tokens that the model was trained to look back on."""
    vocabulary: int = 0
    has_chat_template: bool = False
    license: str = ""
    """As the file names it; empty where it doesn't."""
    part: int = 0
    """Which part of a model that is split over several files this is, from 0."""
    parts: int = 1
    size_bytes: int = 0
    """Of this file."""


class _DamagedError(Exception):
    """The header contradicts itself or the file's size."""


def read_model_file(path: Path) -> ModelFile:
    """Read the header of a model file, and check that the file is whole.

    Raises:
        EngineStartError: there is no such file, it is not a GGUF file, or it is damaged or cut off.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _read(_Reader(file, size), path)
    except IsADirectoryError as error:
        raise _unusable(path, "is a folder", "Name the model file in it.") from error
    except FileNotFoundError as error:
        raise _unusable(path, "does not exist", "Check the model's path, or get the model again.") from error
    except OSError as error:
        raise _unusable(path, f"cannot be read: {error.strerror}", "Check its permissions.") from error
    except (_DamagedError, UnicodeDecodeError) as error:
        raise _unusable(path, f"is damaged: {error}", "Get the model again.") from error


def part_paths(path: Path, model: ModelFile) -> tuple[Path, ...]:
    """All files of a model, of which `path` is the first; most models have just one.

    Raises:
        EngineStartError: a part is missing, or `path` is not the first one.
    """
    if model.parts <= 1:
        return (path,)
    numbered = re.fullmatch(r"(.+)-(\d{5})-of-(\d{5})\.gguf", path.name)
    if numbered is None or model.part != 0:
        raise _unusable(path, "is not the first part of its model", "Name the part that ends in -00001-of-….")
    paths = tuple(path.with_name(f"{numbered[1]}-{n:05d}-of-{model.parts:05d}.gguf") for n in range(1, model.parts + 1))
    for other in paths:
        if not other.is_file():
            raise _unusable(other, "does not exist, but is a part of the model", "Get all its parts.")
    return paths


class _Reader:
    """Reads forward, never further than the file's end."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self.size = size
        self.position = 0

    def take(self, length: int) -> bytes:
        self._advance(length)
        data = self._file.read(length)
        if len(data) != length:
            raise _DamagedError("it ends in the middle of its header")
        return data

    def skip(self, length: int) -> None:
        self._advance(length)
        self._file.seek(length, 1)

    def number(self, code: str) -> int:
        return int(struct.unpack(f"<{code}", self.take(struct.calcsize(f"<{code}")))[0])

    def text(self, longest: int) -> str | None:
        """None, skipped, if it is longer."""
        length = self.number("Q")
        if length > longest:
            self.skip(length)
            return None
        return self.take(length).decode("utf-8", "replace")

    def skip_texts(self, count: int) -> None:
        """Skip so many texts; in blocks, for a vocabulary has hundreds of thousands."""
        length_at = struct.Struct("<Q").unpack_from
        while count:
            block = self._file.read(_BLOCK_BYTES)
            at = 0
            while count and at + 8 <= len(block):
                at += 8 + length_at(block, at)[0]
                count -= 1
            self._advance(at or 8)  # nothing fitted: that is the file's end
            self._file.seek(self.position)

    def _advance(self, length: int) -> None:
        self.position += length
        if self.position > self.size:
            raise _DamagedError("it ends in the middle of its header")


def _read(reader: _Reader, path: Path) -> ModelFile:
    _check_magic(reader, path)
    tensors, pairs = reader.number("Q"), reader.number("Q")
    if pairs > _MOST_PAIRS or tensors > _MOST_TENSORS:
        raise _DamagedError("its header is senselessly large")
    values, lengths = _pairs(reader, pairs)
    end = _data_end(reader, tensors, _whole(values, "general.alignment", 32))
    if end > reader.size:
        there = f"{reader.size / 1e6:.0f} of at least {end / 1e6:.0f} MB are there"
        raise _unusable(path, f"is cut off: {there}", "Get the model again.")
    return _model(values, lengths, reader.size)


def _check_magic(reader: _Reader, path: Path) -> None:
    start = reader.take(min(8, reader.size))
    if not start.startswith(b"GGUF") or len(start) < 8:
        what = "is empty" if not start else "is not a GGUF model file"
        if start.startswith(b"version "):
            what = "is only a pointer to a file in Git LFS"
        elif start.lstrip().startswith(b"<"):
            what = "is a web page, not a model file"
        raise _unusable(path, what, "Get the model again, as a .gguf file.")
    version = struct.unpack("<I", start[4:])[0]
    if version not in (2, 3):
        which = "for big-endian machines" if version & 0xFFFF == 0 else f"of GGUF version {version}"
        raise _unusable(path, f"is {which}", "Get the model as a GGUF file of version 3.")


def _pairs(reader: _Reader, count: int) -> tuple[dict[str, Value], dict[str, int]]:
    """All values (None for those not kept) and the lengths of all arrays."""
    values: dict[str, Value] = {}
    lengths: dict[str, int] = {}
    items = 0
    for _ in range(count):
        key = reader.text(_LONGEST_KEY)
        if key is None:
            raise _DamagedError("a key in its header is senselessly long")
        kind = reader.number("I")
        if kind == _ARRAY:
            element, length = reader.number("I"), reader.number("Q")
            lengths[key] = length
            items += length if element == _STRING else 0
            if items > _MOST_ITEMS:
                raise _DamagedError("its header is senselessly large")
            values[key] = _array(reader, element, length)
        else:
            values[key] = _scalar(reader, kind)
    return values, lengths


def _scalar(reader: _Reader, kind: int) -> Value:
    if kind == _STRING:
        return reader.text(_LONGEST_TEXT)
    if kind not in _FORMATS:
        raise _DamagedError(f"its header has a value of unknown type {kind}")
    code = _FORMATS[kind]
    if code in "fd":
        reader.skip(struct.calcsize(code))  # nothing that is asked for here is a fraction
        return None
    return reader.number(code)


def _array(reader: _Reader, element: int, length: int) -> Value:
    if element == _STRING:
        reader.skip_texts(length)
        return None
    if element not in _FORMATS:
        raise _DamagedError(f"its header has a list of unknown type {element}")
    code = _FORMATS[element]
    size = struct.calcsize(code)
    if length > _LONGEST_NUMBER_LIST or code in "fd":
        reader.skip(length * size)
        return None
    return struct.unpack(f"<{length}{code}", reader.take(length * size))


def _data_end(reader: _Reader, tensors: int, alignment: int) -> int:
    """Where the data of the last tensor ends, in bytes from the file's start."""
    if not 0 < alignment <= 1 << 20 or alignment & (alignment - 1):
        raise _DamagedError(f"its alignment is {alignment}")
    end = 0
    for _ in range(tensors):
        if reader.text(_LONGEST_KEY) is None:
            raise _DamagedError("a tensor's name is senselessly long")
        dimensions = reader.number("I")
        if dimensions > 4:
            raise _DamagedError(f"a tensor has {dimensions} dimensions")
        elements = 1
        for _ in range(dimensions):
            elements *= reader.number("Q")
        per_block, block_bytes = _BLOCKS.get(reader.number("I"), (1, 0))
        end = max(end, reader.number("Q") + elements // per_block * block_bytes)
    start = -(-reader.position // alignment) * alignment
    return start + end if tensors else reader.position


def _model(values: dict[str, Value], lengths: dict[str, int], size: int) -> ModelFile:
    architecture = _words(values, "general.architecture")
    if not architecture:
        raise _DamagedError("it does not name its architecture")
    of = f"{architecture}."
    layers = _whole(values, f"{of}block_count")
    embedding = _whole(values, f"{of}embedding_length")
    heads = max(_per_layer(values, f"{of}attention.head_count", layers), default=0)
    per_head = embedding // heads if heads else 0
    kv_heads = tuple(_per_layer(values, f"{of}attention.head_count_kv", layers, default=heads))
    file_type = values.get("general.file_type")
    return ModelFile(
        architecture=architecture,
        name=_words(values, "general.name"),
        kind=_words(values, "general.type") or "model",
        file_type=file_type if isinstance(file_type, int) else None,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        embedding_length=embedding,
        feed_forward_length=max(_per_layer(values, f"{of}feed_forward_length", layers), default=0),
        key_length=_whole(values, f"{of}attention.key_length", per_head),
        value_length=_whole(values, f"{of}attention.value_length", per_head),
        context_length=_whole(values, f"{of}context_length"),
        vocabulary=lengths.get("tokenizer.ggml.tokens", 0),
        has_chat_template="tokenizer.chat_template" in values,
        license=_words(values, "general.license"),
        part=_whole(values, "split.no"),
        parts=max(1, _whole(values, "split.count", 1)),
        size_bytes=size,
    )


def _words(values: dict[str, Value], key: str) -> str:
    value = values.get(key)
    return value if isinstance(value, str) else ""


def _whole(values: dict[str, Value], key: str, default: int = 0) -> int:
    value = values.get(key)
    if not isinstance(value, int):
        return default
    if not 0 <= value < 1 << 31:
        raise _DamagedError(f"{key} is {value}")
    return value


def _per_layer(values: dict[str, Value], key: str, layers: int, default: int = 0) -> Iterator[int]:
    if layers > _LONGEST_NUMBER_LIST:
        raise _DamagedError(f"it has {layers} layers")
    value = values.get(key)
    if isinstance(value, tuple):
        yield from (max(0, number) for number in value[:layers])
        return
    number = _whole(values, key, default)
    yield from (number for _ in range(layers))


def _unusable(path: Path, what: str, next_step: str) -> EngineStartError:
    return EngineStartError(f"The model file {path.name} {what}.", next_step=next_step, detail=str(path))
