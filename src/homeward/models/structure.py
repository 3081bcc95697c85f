"""Whether a model's files are there and fit together, as far as their headers say: the weights are not read."""

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from homeward.engines.genai import CONFIG, read_genai_folder
from homeward.engines.gguf import read_model_file
from homeward.engines.model_files import BadJsonError, download_marks, folder_files, inside, read_json
from homeward.models.model import Model
from homeward.models.onnx_file import CutOffError, MalformedError, external_data
from homeward.models.problem import Problem, ProblemKind
from homeward.protocol.errors import EngineStartError

_NEEDED = (CONFIG, "tokenizer.json", "tokenizer_config.json")
_ENOUGH_TO_TELL = 64


class Structure(msgspec.Struct, frozen=True, kw_only=True):
    """What belongs to a model, and what is wrong with it."""

    files: tuple[str, ...]
    """All its files that are there, relative to its folder."""
    problems: tuple[Problem, ...]
    """At most one for each file."""


class _JsonObject(msgspec.Struct):
    """Its fields are skipped, but must be sound."""


def check_structure(model: Model) -> Structure:
    """Look at the headers of all files. Raises OSError: the model's folder cannot be read."""
    return _gguf_structure(model.path) if model.engine == "llama" else _FolderCheck(model.path).structure()


def _gguf_structure(first: Path) -> Structure:
    paths = [first.with_name(name) for name in _part_names(first)]
    problems = (_gguf_problem(path) for path in paths)
    return Structure(
        files=tuple(path.name for path in paths if path.is_file()),
        problems=tuple(problem for problem in problems if problem is not None),
    )


def _part_names(first: Path) -> Iterator[str]:
    parts = re.search(r"-00001-of-(\d{5})$", first.stem)
    if parts is None:
        yield first.name
        return
    for number in range(1, int(parts[1]) + 1):
        yield first.name.replace("-00001-of-", f"-{number:05d}-of-")


def _gguf_problem(path: Path) -> Problem | None:
    if not path.is_file():
        return Problem(path.name, "missing", f"The file {path.name} is missing.")
    try:
        read_model_file(path)
    except EngineStartError as error:
        is_cut = any(words in error.message for words in ("is cut off", "ends in the middle"))
        return Problem(path.name, "cut" if is_cut else _kind_of_damage(path), error.message)
    return None


class _FolderCheck:
    """The check of a folder for ONNX Runtime GenAI. The first problem of a file counts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, Path] = {}
        self._problems: dict[str, Problem] = {}

    def structure(self) -> Structure:
        named, complaint = self._config()
        self._list(named)
        for name in (*_NEEDED, *named):
            path = self._folder / name
            if not path.is_file():
                self._report(name, "missing", f"The file {name} is missing.")
            elif name.endswith(".json"):
                self._check_json(name, path)
            elif name.endswith(".onnx"):
                self._check_onnx(name, path)
        if complaint:
            self._report(CONFIG, "unreadable", complaint)
        return Structure(files=tuple(sorted(self._files)), problems=tuple(self._problems.values()))

    def _config(self) -> tuple[tuple[str, ...], str]:
        """The files that the configuration names, or what is wrong with it."""
        try:
            return read_genai_folder(self._folder).files, ""
        except EngineStartError as error:
            return (), error.message

    def _list(self, named: tuple[str, ...]) -> None:
        for path in folder_files(self._folder, named):
            self._files[path.relative_to(self._folder).as_posix()] = path
        for mark in download_marks(self._folder):
            self._report(mark.name, "cut", "The download of this model has not been finished.")

    def _check_json(self, name: str, path: Path) -> None:
        try:
            read_json(path, _JsonObject)
        except OSError as error:
            self._report_unreadable(name, error)
        except BadJsonError as error:
            self._report(name, _kind_of_damage(path), f"The file {name} is damaged: {error}.")

    def _check_onnx(self, name: str, path: Path) -> None:
        try:
            external = external_data(path)
        except OSError as error:
            self._report_unreadable(name, error)
        except CutOffError as error:
            self._report(name, "cut", f"The file {name} is cut off: {error}.")
        except MalformedError as error:
            self._report(name, _kind_of_damage(path), f"The file {name} is damaged: {error}.")
        else:
            for location, size in external.items():
                self._check_data(name, location, size)

    def _check_data(self, name: str, location: str, size: int) -> None:
        data = inside((self._folder / name).parent, location)
        if data is None:
            self._report(name, "foreign", f"The file {name} asks for data outside of its folder, at “{location}”.")
            return
        data_name = data.relative_to(self._folder).as_posix()
        if not data.is_file():
            self._report(data_name, "missing", f"The file {data_name} is missing, where {name} has its weights.")
            return
        self._files[data_name] = data
        there = data.stat().st_size
        if there < size:
            self._report(data_name, "cut", f"The file {data_name} is cut off: {there} of {size} bytes are there.")

    def _report_unreadable(self, name: str, error: OSError) -> None:
        self._report(name, "unreadable", f"The file {name} cannot be read: {error.strerror}.")

    def _report(self, name: str, kind: ProblemKind, sentence: str) -> None:
        self._problems.setdefault(name, Problem(name, kind, sentence))


def _kind_of_damage(path: Path) -> ProblemKind:
    """What has become of a file whose content makes no sense, by its beginning."""
    try:
        with path.open("rb") as file:
            start = file.read(_ENOUGH_TO_TELL)
    except OSError:
        return "unreadable"
    if not start:
        return "cut"
    if not start.strip(b"\0"):
        return "zeros"
    is_page_or_pointer = start.lstrip().startswith((b"<", b"version https://git-lfs"))
    return "foreign" if is_page_or_pointer else "unreadable"
