"""Whether a model's files are whole: their structure, parts that were never written, and their hashes.

Each byte is read once (those of the headers twice), in pieces: the largest model needs no more memory than a small
one. The hashes take most of the time.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import msgspec

from homeward.engines.model_files import inside
from homeward.models.errors import DamagedModelError, VerificationCancelledError
from homeward.models.model import FileRecord, Model
from homeward.models.problem import Problem, ProblemKind
from homeward.models.structure import check_structure
from homeward.models.zeros import PIECE_BYTES, ZeroScan, has_hole

__all__ = ["Problem", "make_manifest", "verify"]

Progress = Callable[[float], None]
Cancelled = Callable[[], bool]


def verify(model: Model, progress: Progress | None = None, cancelled: Cancelled = lambda: False) -> tuple[Problem, ...]:
    """What is wrong with a model's files, at most one problem for each; empty for a model that is whole.

    Hashes are compared for the files in the model's manifest. A file that has the hash it should have is not suspected
    of being empty in parts.

    Args:
        model: its `path`, `engine` and `manifest` count.
        progress: called often, with the part that is done, from 0 to 1.
        cancelled: asked often; once it says yes, the check ends.

    Raises VerificationCancelledError: `cancelled` said yes.
    """
    check = _Check(model, progress, cancelled, hash_all=False)
    check.run()
    return tuple(check.problems.values())


def make_manifest(
    model: Model, progress: Progress | None = None, cancelled: Cancelled = lambda: False
) -> tuple[FileRecord, ...]:
    """Verify a model, and return what its files are, now that they are known to be whole. Arguments as for `verify`.

    Raises:
        DamagedModelError: they are not whole.
        VerificationCancelledError: `cancelled` said yes.
    """
    check = _Check(model, progress, cancelled, hash_all=True)
    check.run()
    if check.problems:
        raise DamagedModelError(model.name, tuple(check.problems.values()))
    return tuple(check.records)


class _Look(msgspec.Struct, frozen=True):
    """What the reading of a file has shown."""

    size: int
    sha256: str
    """Empty where it was not wanted."""
    is_empty: bool
    """In parts."""


class _Check:
    """One check of a model."""

    def __init__(self, model: Model, progress: Progress | None, cancelled: Cancelled, *, hash_all: bool) -> None:
        self._model = model
        self._progress = progress
        self._cancelled = cancelled
        self._hash_all = hash_all
        self._expected = {record.path: record for record in model.manifest}
        self._bytes_to_read = 0
        self._bytes_read = 0
        self.problems: dict[str, Problem] = {}
        self.records: list[FileRecord] = []

    def run(self) -> None:
        names = sorted({*self._structure_files(), *self._expected} - self.problems.keys())
        sizes = {name: size for name in names if (size := self._size(name)) is not None}
        self._bytes_to_read = sum(sizes.values())
        for name in sizes:
            self._check_content(name)
        if self._progress is not None:
            self._progress(1.0)

    def _structure_files(self) -> tuple[str, ...]:
        try:
            structure = check_structure(self._model)
        except OSError as error:
            self._report(".", "unreadable", f"The folder {self._model.folder.name} cannot be read: {error.strerror}.")
            return ()
        self.problems.update({problem.file: problem for problem in structure.problems})
        return structure.files

    def _size(self, name: str) -> int | None:
        """None where there is no use in reading the file."""
        path, expected = inside(self._model.folder, name), self._expected.get(name)
        if path is None:
            self._report(name, "foreign", f"The list of the model's files names “{name}”, outside of its folder.")
            return None
        try:
            size = path.stat().st_size
        except FileNotFoundError:
            self._report(name, "missing", f"The file {name} is missing.")
        except OSError as error:
            self._report(name, "unreadable", f"The file {name} cannot be read: {error.strerror}.")
        else:
            if expected is None or size == expected.size:
                return size
            if size < expected.size:
                self._report(name, "cut", f"The file {name} is cut off: {size} of {expected.size} bytes are there.")
            else:
                self._report(name, "changed", f"The file {name} has changed: it has {size - expected.size} bytes more.")
        return None

    def _check_content(self, name: str) -> None:
        path, expected = self._model.folder / name, self._expected.get(name)
        try:
            look = self._look(path, hashing=self._hash_all or expected is not None)
            is_empty = look.is_empty or has_hole(path)
        except OSError as error:
            self._report(name, "unreadable", f"The file {name} cannot be read: {error.strerror}.")
            return
        is_known = expected is not None and look.sha256 == expected.sha256
        if is_empty and not is_known:
            self._report(name, "zeros", f"The file {name} is empty in parts: it was never written completely.")
        elif expected is not None and not is_known:
            self._report(name, "changed", f"The file {name} has changed.")
        else:
            self.records.append(FileRecord(path=name, size=look.size, sha256=look.sha256))

    def _look(self, path: Path, *, hashing: bool) -> _Look:
        digest, scan, size = hashlib.sha256(), ZeroScan(), 0
        with path.open("rb") as file:
            while piece := file.read(PIECE_BYTES):
                if self._cancelled():
                    raise VerificationCancelledError(self._model.name)
                scan.feed(piece)
                if hashing:
                    digest.update(piece)
                size += len(piece)
                self._go_on(len(piece))
        return _Look(size, digest.hexdigest() if hashing else "", scan.found)

    def _go_on(self, count: int) -> None:
        self._bytes_read += count
        if self._progress is not None:
            self._progress(min(1.0, self._bytes_read / max(1, self._bytes_to_read)))

    def _report(self, name: str, kind: ProblemKind, sentence: str) -> None:
        self.problems[name] = Problem(name, kind, sentence)
