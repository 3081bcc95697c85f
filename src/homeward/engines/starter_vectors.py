"""Makes the starter's vectors fit for comparison.

Those of a chat model nearly all point the same way: a few of their numbers are large for every text and say nothing
about it. So each number is measured from its mean and in its standard deviation, and the directions in which texts
differ most, whatever they are about, are taken out (Mu and Viswanath, "All-but-the-Top", 2018). What that takes was
learned once, from this project's own examples, by `python -m bench.embeddings --fit`, and belongs to this one model.
"""

import functools
import sys
from array import array
from collections.abc import Mapping
from operator import mul
from pathlib import Path

import msgspec

from homeward.protocol.embeddings import Vector, unit

FILE = Path(__file__).with_name("starter_vectors.bin")


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What the numbers belong to and where they come from."""

    dimensions: int
    model: str
    """SHA-256 of the model file."""
    inputs: Mapping[str, str]
    """SHA-256 of every file that was read, by name."""


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers, each row as long as a vector of the model."""

    header: Header
    means: Vector
    factors: Vector
    """One divided by the standard deviations."""
    directions: tuple[Vector, ...]
    """Of length 1, at right angles to each other."""

    def __call__(self, vector: Vector) -> Vector:
        """A vector of length 1 in place of the model's own. Takes some milliseconds."""
        numbers = [
            (number - mean) * factor for number, mean, factor in zip(vector, self.means, self.factors, strict=True)
        ]
        for direction in self.directions:
            share = sum(map(mul, numbers, direction))
            numbers = [number - share * part for number, part in zip(numbers, direction, strict=True)]
        return unit(numbers)


def adjusted(vector: Vector) -> Vector:
    """The starter's vector, made fit for comparison."""
    return adjustment()(vector)


@functools.cache
def adjustment() -> Adjustment:
    """The one that comes with the program, read once."""
    return unpack(FILE.read_bytes())


def pack(adjustment: Adjustment) -> bytes:
    """As a file: a line of JSON (`Header`), then the rows as 32-bit numbers, little endian."""
    rows = array("f")
    for row in (adjustment.means, adjustment.factors, *adjustment.directions):
        rows.extend(row)
    if sys.byteorder == "big":
        rows.byteswap()
    return msgspec.json.encode(adjustment.header) + b"\n" + rows.tobytes()


def unpack(content: bytes) -> Adjustment:
    """The same, read back.

    Raises:
        msgspec.ValidationError: the header is not one.
    """
    first_line, _, body = content.partition(b"\n")
    header = msgspec.json.decode(first_line, type=Header)
    rows = array("f", body)
    if sys.byteorder == "big":
        rows.byteswap()
    means, factors, *directions = (rows[at : at + header.dimensions] for at in range(0, len(rows), header.dimensions))
    return Adjustment(header=header, means=means, factors=factors, directions=tuple(directions))
