"""The models of this machine, in one small JSON file that the running program and commands in a terminal share.

Every access happens under a lock between processes, and a new list replaces the old one in a single step: whoever is
killed in between, or finds the disk full, leaves the old list as it was.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock, Timeout

from homeward.models.errors import ModelError, ShelfError
from homeward.models.model import Model, name_is_fine, name_key

FILE = "models.json"
LOCK = "models.lock"

_VERSION = 1
"""Of the file's format. Every change of what `Model` holds makes a new one: an older Homeward would drop the rest."""


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What is on the shelf."""

    models: tuple[Model, ...] = ()
    """In the order in which they were added."""
    in_use: str | None = None
    """Which model the user chose, as it was given to `use`; it may be on this shelf or not."""
    version: str = ""
    """As `Shelf.version` gave it at this moment."""
    set_aside: tuple[Path, ...] = ()
    """Lists that could not be understood, this time or earlier, and were kept beside for the user to look at."""

    def find(self, name: str) -> Model | None:
        """The model of this name, whatever the case of its letters."""
        return next((model for model in self.models if name_key(model.name) == name_key(name)), None)


class _Stored(msgspec.Struct, kw_only=True):
    version: int = _VERSION
    in_use: str | None = None
    models: tuple[Model, ...] = ()


class _Head(msgspec.Struct):
    version: int


class Shelf:
    """The shelf in a folder. Making one does nothing; the folder is made with the first model.

    All methods raise ShelfError where the file cannot be read or written, or comes from a newer Homeward.
    """

    def __init__(self, folder: Path, *, patience_seconds: float = 10.0) -> None:
        self._path = folder / FILE
        self._lock = folder / LOCK
        self._patience_seconds = patience_seconds

    def version(self) -> str:
        """Another one after every change, by whomever; empty where there is no file. Costs one look at the folder."""
        try:
            return _token(self._path.stat())
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise self._unusable(error) from error

    def read(self) -> Contents:
        """What is on the shelf."""
        if not self.version():
            return Contents(set_aside=self._set_aside())
        with self._locked():
            return self._load()

    def add(self, model: Model) -> None:
        """Put a new model on the shelf.

        Raises ModelError: its name is taken or can be none, or it is on the shelf already.
        """
        if not name_is_fine(model.name):
            raise ModelError(
                f"“{model.name}” cannot be the name of a model.",
                next_step="Use letters, digits and . _ - + : only, with a letter or a digit first.",
            )

        def with_it(contents: Contents) -> Contents:
            for other in contents.models:
                if _same_place(other.path, model.path):
                    raise ModelError(f"This model is there already, as {other.name}.", next_step="Use it by that name.")
            if (namesake := contents.find(model.name)) is not None:
                raise ModelError(
                    f"There is already a model called {namesake.name}.",
                    next_step="Give the new one another name, or remove the other one first.",
                )
            return msgspec.structs.replace(contents, models=(*contents.models, model))

        self._change(with_it)

    def put(self, model: Model) -> None:
        """Replace the model of the same name. Raises ModelError: there is none."""

        def with_it(contents: Contents) -> Contents:
            old = _get(contents, model.name)
            models = tuple(model if other is old else other for other in contents.models)
            return msgspec.structs.replace(contents, models=models)

        self._change(with_it)

    def remove(self, name: str) -> Model:
        """Take a model off the shelf; its files stay. Raises ModelError: there is none of this name."""

        def without_it(contents: Contents) -> Contents:
            gone = _get(contents, name)
            used = (contents.in_use or "").rpartition("/")[2]  # it may say with what, as in `llama/name`
            return msgspec.structs.replace(
                contents,
                models=tuple(other for other in contents.models if other is not gone),
                in_use=None if name_key(used) == name_key(gone.name) else contents.in_use,
            )

        return _get(self._change(without_it), name)

    def use(self, name: str | None) -> None:
        """Let this model answer from now on; None for whichever is best. It may be on this shelf or a service's."""
        self._change(lambda contents: msgspec.structs.replace(contents, in_use=name))

    def _change(self, change: Callable[[Contents], Contents]) -> Contents:
        """Store what `change` makes of the contents; returns those before it."""
        with self._locked():
            before = self._load()
            self._save(change(before))
            return before

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(self._lock, timeout=self._patience_seconds):
                yield
        except Timeout as error:
            raise ShelfError(
                "Another program holds the list of models.",
                next_step="Wait until it is done, or end it, then try again.",
                detail=str(self._lock),
            ) from error
        except OSError as error:
            raise self._unusable(error) from error

    def _load(self) -> Contents:
        try:
            with self._path.open("rb") as file:
                data, version = file.read(), _token(os.fstat(file.fileno()))
        except FileNotFoundError:
            return Contents(set_aside=self._set_aside())
        stored = self._decoded(data)
        if stored is None:
            self._path.replace(next(path for n in count(1) if not (path := self._broken(n)).exists()))
            return Contents(set_aside=self._set_aside())
        return Contents(models=stored.models, in_use=stored.in_use, version=version, set_aside=self._set_aside())

    def _decoded(self, data: bytes) -> _Stored | None:
        """None for what cannot be understood. Raises ShelfError: it comes from a newer Homeward."""
        try:
            version = msgspec.json.decode(data, type=_Head).version
            if version == _VERSION:
                return msgspec.json.decode(data, type=_Stored, dec_hook=_from_json)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            return None
        if version < _VERSION:
            return None
        raise ShelfError(
            f"The list of models was written by a newer Homeward (version {version}, this one knows {_VERSION}).",
            next_step="Update Homeward, or choose another data folder.",
            detail=str(self._path),
        )

    def _save(self, contents: Contents) -> None:
        stored = _Stored(in_use=contents.in_use, models=contents.models)
        data = msgspec.json.format(msgspec.json.encode(stored, enc_hook=str), indent=1)
        fresh = self._path.with_name(f"{FILE}.new")  # always the same: one who was killed leaves no more than one
        try:
            with fresh.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
        except OSError:
            fresh.unlink(missing_ok=True)
            raise

    def _broken(self, number: int) -> Path:
        return self._path.with_name(f"{FILE}.broken-{number}")

    def _set_aside(self) -> tuple[Path, ...]:
        return tuple(sorted(self._path.parent.glob(f"{FILE}.broken-*")))

    def _unusable(self, error: OSError) -> ShelfError:
        return ShelfError(
            f"The list of models in {self._path.parent} cannot be used: {error.strerror or error}.",
            next_step="Check that the disk has room, and that you may write to the folder.",
            detail=repr(error),
        )


def _token(stat: os.stat_result) -> str:
    return f"{stat.st_mtime_ns:x}-{stat.st_size:x}-{stat.st_ino:x}"


def _get(contents: Contents, name: str) -> Model:
    model = contents.find(name)
    if model is not None:
        return model
    names = ", ".join(other.name for other in contents.models)
    raise ModelError(
        f"There is no model called {name}.", next_step=f"There are: {names}." if names else "Add one first."
    )


def _same_place(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is gone
        return one == other


def _from_json(kind: type, value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(kind)
