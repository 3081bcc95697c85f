"""The trained numbers, and the sums that are made with them.

The file is one line of JSON (`Header`), then a byte for each row and lane: first the rows for words, then those for
cues. A feature's row is chosen by a checksum of its name. A lane is one label: each task, and demanding at the end.
"""

import functools
import math
from collections.abc import Collection, Mapping
from pathlib import Path
from zlib import crc32

import msgspec

from homeward.routing.tasks.features import Features

WEIGHTS_FILE = Path(__file__).with_name("weights.bin")
_LANE_BYTES = 3  # room for the sum of 65,000 features
_ZERO = 128  # the byte that stands for no weight


class Header(msgspec.Struct, frozen=True, kw_only=True):
    """What the numbers mean and where they come from."""

    tasks: tuple[str, ...]
    word_rows: int
    cue_rows: int
    word_scales: tuple[float, ...]
    """What one step of a byte is worth, by lane."""
    cue_scales: tuple[float, ...]
    biases: tuple[float, ...]
    task_temperature: float
    """Divides the tasks' scores, so that probabilities are as high as answers are right."""
    certain_from: float
    """A lower probability is called uncertain."""
    easy_to: float
    """Scores up to this are called easy."""
    hard_from: float
    """Scores from here on are called hard."""
    inputs: Mapping[str, str]
    """SHA-256 of every file that the training read, by name."""


class Weights(msgspec.Struct, frozen=True):
    """The numbers, ready for use."""

    header: Header
    words: bytes
    """The rows, each byte followed by room for a sum: read as one big number, rows add up in all lanes at once."""
    cues: bytes

    def scores(self, found: Features) -> list[float]:
        """The raw score of every lane; higher means more likely."""
        header = self.header
        words = _lane_means(found.words, self.words, len(header.biases))
        cues = _lane_means(found.cues, self.cues, len(header.biases))
        return [
            bias + word * word_scale + cue * cue_scale
            for bias, word, word_scale, cue, cue_scale in zip(
                header.biases, words, header.word_scales, cues, header.cue_scales, strict=True
            )
        ]


def row_of(name: str, rows: int) -> int:
    """Where the weights of a feature stand."""
    return crc32(name.encode("utf-8", "surrogatepass")) % rows


@functools.cache
def weights() -> Weights:
    """The weights that come with the program, read once."""
    return unpack(WEIGHTS_FILE.read_bytes())


def unpack(content: bytes) -> Weights:
    """Weights from a file's content.

    Raises:
        msgspec.ValidationError: the header is not one.
    """
    first_line, _, body = content.partition(b"\n")
    header = msgspec.json.decode(first_line, type=Header)
    spread = bytearray(len(body) * _LANE_BYTES)
    spread[::_LANE_BYTES] = body
    first_cue = header.word_rows * len(header.biases) * _LANE_BYTES
    return Weights(header, bytes(spread[:first_cue]), bytes(spread[first_cue:]))


def _lane_means(names: Collection[str], table: bytes, lanes: int) -> list[float]:
    """For every lane the sum over the named rows, divided by the root of their number."""
    size = lanes * _LANE_BYTES
    rows = {row_of(name, len(table) // size) for name in names}
    if not rows:
        return [0.0] * lanes
    total = sum(int.from_bytes(table[row * size : row * size + size], "little") for row in rows)
    sums = total.to_bytes(size, "little")
    return [
        (int.from_bytes(sums[at : at + _LANE_BYTES], "little") - _ZERO * len(rows)) / math.sqrt(len(rows))
        for at in range(0, size, _LANE_BYTES)
    ]
