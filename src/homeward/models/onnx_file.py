"""Which data an .onnx file expects in files beside itself, read without trusting it.

ONNX is protobuf (github.com/onnx/onnx/blob/main/onnx/onnx.proto): fields of a number, a wire type and a content, where
a content may be a message of further fields. Only messages that can lead to a tensor are entered. All else is skipped,
the weights first of all, so that a model of gigabytes is read in a moment. Every length is checked against the message
around it before anything is read.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Literal

_NUMBER, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5
"""Wire types. A content of `_LENGTH` is a text, bytes, or a message."""
_EXTERNAL = 1
"""TensorProto.DataLocation."""
_DEEPEST = 100
"""Graphs in attributes of nodes of graphs; protobuf's own readers allow no more."""
_MOST_NUMBERS = 2_000_000
"""A graph of ten thousand nodes has about half a million. So many take some seconds."""
_BLOCK_BYTES = 1 << 13
_LONGEST_TEXT = 1 << 16
_MOST_ELEMENTS = 1 << 60
"""Keeps products small, and is more than any file holds."""

_Kind = Literal["model", "graph", "node", "attribute", "function", "sparse", "tensor"]

_CHILDREN: Mapping[_Kind, Mapping[int, _Kind]] = {
    "model": {7: "graph", 25: "function"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "function": {7: "node", 11: "attribute"},
    "sparse": {1: "tensor", 2: "tensor"},
}
"""Which fields of a message are messages that are entered."""

_TYPES_BY_BITS: Mapping[int, tuple[int, ...]] = {
    2: (25, 26),
    4: (21, 22, 23),
    8: (2, 3, 9, 17, 18, 19, 20, 24),
    16: (4, 5, 10, 16),
    32: (1, 6, 12),
    64: (7, 11, 13, 14),
    128: (15,),
}
"""TensorProto.DataType by the size of an element; texts have none."""

_REQUIRED = {7, 8}
"""Of a model's fields: the graph and, written after it, the versions of its operators."""


class CutOffError(ValueError):
    """The file ends before its content does."""


class MalformedError(ValueError):
    """The file contradicts itself, or is no ONNX at all."""


def external_data(path: Path) -> Mapping[str, int]:
    """How many bytes the files beside it must have, by location: as it stands there, not to be trusted.

    Raises:
        OSError: the file cannot be read.
        CutOffError: its end is missing.
        MalformedError: it is no sound ONNX file.
    """
    with path.open("rb") as file:
        return _Walk(file, path.stat().st_size).whole_file()


class _Walk:
    """One way through a file, forward only."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self._file = file
        self._size = size
        self._at = 0
        self._block = b""
        self._block_at = 0
        self._numbers = 0
        self._external: dict[str, int] = {}

    def whole_file(self) -> Mapping[str, int]:
        if not self._enter("model", self._size, 0) >= _REQUIRED:
            raise CutOffError("it ends too early")
        return self._external

    def _enter(self, kind: _Kind, end: int, depth: int) -> set[int]:
        """Go through a message; returns the numbers of its fields."""
        if depth > _DEEPEST:
            raise MalformedError("its messages are nested too deep")
        seen = set()
        for number, wire, content in self._fields(end):
            seen.add(number)
            child = _CHILDREN[kind].get(number) if wire == _LENGTH else None
            if child == "tensor":
                self._tensor(content)
            elif child is not None:
                self._enter(child, content, depth + 1)
        return seen

    def _tensor(self, end: int) -> None:
        elements, data_type, external, where = 1, 0, False, dict[str, str]()
        for number, wire, content in self._fields(end):
            match number, wire:
                case 1, 0:
                    elements = min(elements * content, _MOST_ELEMENTS)
                case 1, 2:  # the same, packed into one field
                    while self._at < content:
                        elements = min(elements * self._number(content), _MOST_ELEMENTS)
                case 2, 0:
                    data_type = content
                case 13, 2:
                    key, text = self._entry(content)
                    where[key] = text
                case 14, 0:
                    external = content == _EXTERNAL
        if external:
            if not where.get("location"):
                raise MalformedError("a tensor does not say where its data is")
            length = _size(where["length"]) if "length" in where else -(-elements * _bits(data_type) // 8)
            needed = _size(where.get("offset", "0")) + length
            self._external[where["location"]] = max(needed, self._external.get(where["location"], 0))

    def _entry(self, end: int) -> tuple[str, str]:
        texts = {1: "", 2: ""}
        for number, wire, content in self._fields(end):
            if wire == _LENGTH and number in texts:
                texts[number] = self._text(content)
        return texts[1], texts[2]

    def _fields(self, end: int) -> Iterator[tuple[int, int, int]]:
        """Number, wire type and content of each field: the value of a number, of a length where the content ends.

        What the caller leaves of a content is skipped.
        """
        while self._at < end:
            tag = self._number(end)
            number, wire = tag >> 3, tag & 7
            if number == 0:
                raise MalformedError("it has a field without a number")
            if wire == _NUMBER:
                yield number, wire, self._number(end)
            elif wire == _LENGTH:
                length = self._number(end)
                stop = self._at + length
                self._check(stop, end)
                yield number, wire, stop
                self._at = stop
            elif wire in (_EIGHT_BYTES, _FOUR_BYTES):
                stop = self._at + (8 if wire == _EIGHT_BYTES else 4)
                self._check(stop, end)
                self._at = stop
            else:
                raise MalformedError(f"it has a field of the unknown kind {wire}")

    def _number(self, end: int) -> int:
        """Seven bits in each byte, the lowest first; the eighth says that more follow."""
        self._numbers += 1
        if self._numbers > _MOST_NUMBERS:
            raise MalformedError("it has senselessly many fields")
        value = 0
        for shift in range(0, 70, 7):
            self._check(self._at + 1, end)
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise MalformedError("it has a number that does not end")

    def _byte(self) -> int:
        index = self._at - self._block_at
        if index >= len(self._block):
            self._block, self._block_at, index = self._read(_BLOCK_BYTES), self._at, 0
        self._at += 1
        return self._block[index]

    def _text(self, end: int) -> str:
        length = end - self._at
        if length > _LONGEST_TEXT:
            raise MalformedError("it has a senselessly long name")
        text = self._read(length).decode("utf-8", "replace") if length else ""
        self._at = end
        return text

    def _read(self, length: int) -> bytes:
        self._file.seek(self._at)
        data = self._file.read(length)
        if not data:
            raise CutOffError("it has just become shorter")
        return data

    def _check(self, stop: int, end: int) -> None:
        """Only the outermost message ends where the file does: any other one was whole when it was entered."""
        if stop > end:
            if end == self._size:
                raise CutOffError("it ends in the middle of a field")
            raise MalformedError("a field is longer than the message that it is in")


def _size(digits: str) -> int:
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 20):
        raise MalformedError("it has a size or position that is no number")
    return int(digits)


def _bits(data_type: int) -> int:
    return next((bits for bits, types in _TYPES_BY_BITS.items() if data_type in types), 0)
