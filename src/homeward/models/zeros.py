"""Parts of a file that were never written, and read as zeros.

Downloads reserve a file's whole size first and then fill it piece by piece; one that breaks off leaves a file of the
right size (microsoft/Foundry-Local#909). Zeros alone prove nothing: of sound models, tokens that were never trained
have rows of zeros, up to 250 of them in a row (Llama 3), which are 2.0 MB for a model of 8 B parameters in 16 bits.
So a file is called empty in parts only

- where a whole piece of 2 MiB is zeros, at a multiple of 2 MiB: the pieces in which Foundry Local downloads
  (kChunkSize in its src/download/blob_downloader.cc), and other programs in multiples of it;
- or where its last 1 MiB is zeros: rows of tokens at the end of a file are mostly quantised, and less than that;
- or where the file system itself says that at least 1 MiB was never written.

The starter model's longest run of zeros is shorter than 64 bytes.
"""

import os
from collections.abc import Iterator
from pathlib import Path

PIECE_BYTES = 2 << 20
_LONGEST_END_BYTES = 1 << 20
_LONGEST_HOLE_BYTES = 1 << 20
_PROBE_BYTES = 1 << 16

_EMPTY_PIECE = bytes(PIECE_BYTES)


class ZeroScan:
    """Looks for empty parts in a file that passes by in pieces."""

    def __init__(self) -> None:
        self._has_empty_piece = False
        self._zeros_at_end = 0

    def feed(self, piece: bytes) -> None:
        """The next `PIECE_BYTES` of the file, or what is left of it."""
        if piece == _EMPTY_PIECE[: len(piece)]:
            self._has_empty_piece |= len(piece) == PIECE_BYTES
            self._zeros_at_end += len(piece)
        else:
            self._zeros_at_end = len(piece) - len(piece.rstrip(b"\0"))

    @property
    def found(self) -> bool:
        """Whether what has passed by is empty in parts."""
        return self._has_empty_piece or self._zeros_at_end >= _LONGEST_END_BYTES


def has_hole(path: Path) -> bool:
    """Whether the system says that a large part of the file was never written. Raises OSError.

    File systems may also call zeros that were written a hole, and some have done so for data that had just been
    written (openzfs/zfs#15526): so the hole must read as zeros, too.
    """
    if not hasattr(os, "SEEK_HOLE"):
        return False
    with path.open("rb", buffering=0) as file:
        return any(
            end - start >= _LONGEST_HOLE_BYTES and not os.pread(file.fileno(), _PROBE_BYTES, start).strip(b"\0")
            for start, end in _holes(file.fileno())
        )


def _holes(descriptor: int) -> Iterator[tuple[int, int]]:
    size = os.fstat(descriptor).st_size
    end = 0
    while end < size:
        start = os.lseek(descriptor, end, os.SEEK_HOLE)
        try:
            end = os.lseek(descriptor, start, os.SEEK_DATA)
        except OSError:  # there is no more data
            end = size
        yield start, end
