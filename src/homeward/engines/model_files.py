"""The files of a model, and reading the small ones."""

import re
from collections.abc import Iterable
from pathlib import Path, PureWindowsPath
from typing import TypeVar

import msgspec

T = TypeVar("T")

_UNFINISHED = ("download.tmp", "*.dlstate", "*.download.state")
"""What Foundry Local keeps in a folder as long as it downloads (its source: src/download/blob_download_state.cc)."""


class BadJsonError(ValueError):
    """A file is not the JSON that it should be."""


def read_json(path: Path, kind: type[T]) -> T:
    """The content of a JSON file. Raises OSError, or BadJsonError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadJsonError(str(error)) from error


def inside(folder: Path, name: str) -> Path | None:
    """The file of this relative name in a folder; None for names that lead out of it, on whichever system."""
    leads_out = ".." in name.replace("\\", "/").split("/") or name[:1] in ("", "/", "\\") or "\0" in name
    return None if leads_out or PureWindowsPath(name).drive else folder / name


def folder_files(folder: Path, named: Iterable[str]) -> tuple[Path, ...]:
    """The files in a folder, and in those of its folders where a named file lies; hidden ones don't count.

    Raises OSError: a folder cannot be read.
    """
    folders = {folder, *(path.parent for name in named if (path := inside(folder, name)) is not None)}
    return tuple(
        sorted(
            path
            for place in folders
            if place.is_dir()
            for path in place.iterdir()
            if path.is_file() and not path.name.startswith(".")
        )
    )


def versioned(folder: Path) -> bool:
    """Whether it holds one version of a model, as in Foundry Local's cache, where the folder around it has the name."""
    return re.fullmatch(r"v\d+", folder.name) is not None


def download_marks(folder: Path) -> tuple[Path, ...]:
    """What tells that a model in this folder is not downloaded to its end; the runtime itself would not notice."""
    places = (folder, folder.parent) if versioned(folder) else (folder,)
    return tuple(mark for place in places for pattern in _UNFINISHED for mark in sorted(place.glob(pattern)))
