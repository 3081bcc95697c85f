"""What lies at a path: a model, or something else that a sentence can be said about."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from homeward.engines.genai import CONFIG, GenAiFolder, read_genai_folder
from homeward.engines.gguf import ModelFile, part_paths, read_model_file
from homeward.engines.model_files import BadJsonError, download_marks, read_json, versioned
from homeward.models.errors import ModelError
from homeward.models.license import folder_license
from homeward.models.model import Model
from homeward.protocol.errors import EngineStartError

_EXPECTED = f"Name a .gguf file, or a folder that has a {CONFIG}."
_CONVERTED = "Get this model as a .gguf file, or as a folder for ONNX Runtime GenAI."
_FOR_TRAINING = (".safetensors", ".pt", ".pth", ".bin", ".ckpt", ".h5", ".msgpack")
_ARCHIVES = {
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!": "a rar archive",
    b"BZh": "a bzip2 archive",
    b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive",
}
_TOKENIZER, _TOKENIZER_CONFIG, _TEMPLATE = "tokenizer.json", "tokenizer_config.json", "chat_template.jinja"


class _TokenizerConfig(msgspec.Struct):
    chat_template: str | None = None


class _Token(msgspec.Struct):
    id: int
    content: str


class _Tokenizer(msgspec.Struct):
    added_tokens: list[_Token] = []


def inspect(path: Path) -> Model:
    """The model at a path: a GGUF file, a folder for ONNX Runtime GenAI, or a folder with just one of these in it.

    It is only looked at, not verified. The name is a proposal, and the model is not on any shelf.

    Raises ModelError: there is no model that can be used, with what there is instead.
    """
    path = path.expanduser().absolute()
    try:
        str(path).encode()
        if path.is_dir():
            return _in_folder(path)
        if path.is_file():
            return _in_file(path)
    except UnicodeEncodeError as error:
        raise ModelError(
            "The name of this file or folder is not valid text.", next_step="Rename it.", detail=repr(path)
        ) from error
    except EngineStartError as error:
        raise ModelError(error.message, next_step=error.next_step, detail=error.detail) from error
    except OSError as error:
        raise ModelError(
            f"{path.name} cannot be read: {error.strerror}.",
            next_step="Check its name and its permissions.",
            detail=str(path),
        ) from error
    raise ModelError(f"There is nothing at {path}.", next_step=f"Check the path. {_EXPECTED}", detail=str(path))


def _in_file(path: Path) -> Model:
    suffix = path.suffix.lower()
    with path.open("rb") as file:
        start = file.read(8)
    if suffix == ".gguf" or start.startswith(b"GGUF"):
        return _gguf_model(path)
    if path.name.lower().endswith((".onnx", ".onnx.data", ".onnx_data")) or path.name == CONFIG:
        raise _no_model(path, "is a part of a model", f"Name its folder, {path.parent}.")
    if suffix in _FOR_TRAINING:
        raise _no_model(path, "has weights in a format that needs converting first", _CONVERTED)
    for magic, archive in _ARCHIVES.items():
        if start.startswith(magic):
            raise _no_model(path, f"is {archive}", "Unpack it, then name the model that was in it.")
    raise _no_model(path, "is not a model", _EXPECTED)


def _in_folder(folder: Path) -> Model:
    if (folder / CONFIG).is_file():
        return _genai_model(folder)
    content = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    files = [path for path in content if path.is_file()]
    found = [path for path in files if path.suffix.lower() == ".gguf" and _is_first_language_model(path)]
    found += [path for path in content if (path / CONFIG).is_file()]
    if len(found) == 1:
        return inspect(found[0])
    if found:
        names = ", ".join(path.name for path in found[:5]) + (" …" if len(found) > 5 else "")
        raise _no_model(folder, f"has several models in it: {names}", "Name one of them.")
    if _any_ends(files, (".onnx",)):
        raise _no_model(
            folder,
            f"has an ONNX model, but no {CONFIG}: it was made for other programs",
            "Get this model in the format for ONNX Runtime GenAI, or as a .gguf file.",
        )
    if _any_ends(files, _FOR_TRAINING):
        raise _no_model(folder, "has weights in a format that needs converting first", _CONVERTED)
    raise _no_model(folder, "has no model in it", _EXPECTED)


def _gguf_model(path: Path) -> Model:
    header = read_model_file(path)
    if not _is_language_model(header):
        what = "an image reader" if header.architecture == "clip" else f"of the kind “{header.kind}”"
        raise _no_model(path, f"is {what}, not a language model", "Name the model itself.")
    return Model(
        name=_name(re.sub(r"-\d{5}-of-\d{5}$", "", path.stem)),
        engine="llama",
        source="own",
        path=path,
        size_bytes=_size(part_paths(path, header)),
        context_tokens=header.context_length or None,
        license=header.license,
        added_at=datetime.now(UTC),
    )


def _genai_model(folder: Path) -> Model:
    config = read_genai_folder(folder)
    if config.translates:
        raise _no_model(folder, f"has a model of the kind “{config.kind}”, not a language model", "Name another model.")
    _check_all_there(folder, config)
    _check_template(folder)
    if download_marks(folder):
        raise _no_model(folder, "is not downloaded to its end", "Go on with the download, or wait for its end.")
    return Model(
        name=_name((folder.parent if versioned(folder) else folder).name),
        engine="foundry",
        source="own",
        path=folder,
        size_bytes=config.size_bytes,
        context_tokens=config.context_tokens,
        license=folder_license(folder),
        device=config.device,
        task="vision-language-chat" if config.sees else "chat-completion",
        calls_tools=config.calls_tools,
        added_at=datetime.now(UTC),
    )


def _check_all_there(folder: Path, config: GenAiFolder) -> None:
    for name in (*config.files, _TOKENIZER, _TOKENIZER_CONFIG):
        if not (folder / name).is_file():
            raise _no_model(folder, f"is not whole: it has no {name}", "Get the model again, with all its files.")


def _check_template(folder: Path) -> None:
    """Foundry Local asks for just this: one template, as a text, here or there."""
    try:
        config = read_json(folder / _TOKENIZER_CONFIG, _TokenizerConfig)
    except BadJsonError as error:
        raise _no_model(
            folder, f"is damaged: {_TOKENIZER_CONFIG} cannot be used ({error})", "Get the model again."
        ) from error
    if config.chat_template is None and not (folder / _TEMPLATE).is_file():
        raise _no_model(
            folder,
            "has a model that continues texts, but holds no conversations: it has no chat template",
            "Get the variant for conversations; it is mostly called “instruct” or “chat”.",
        )


def _is_first_language_model(path: Path) -> bool:
    """Also of a file that is damaged: whoever looks at it will say so."""
    if re.search(r"-(?!00001)\d{5}-of-\d{5}$", path.stem):
        return False
    try:
        return _is_language_model(read_model_file(path))
    except EngineStartError:
        return True


def _is_language_model(header: ModelFile) -> bool:
    return header.architecture != "clip" and header.kind in ("model", "merge", "finetune", "base")


def _any_ends(files: Iterable[Path], endings: tuple[str, ...]) -> bool:
    return any(path.name.lower().endswith(endings) for path in files)


def _size(files: Iterable[Path]) -> int:
    return sum(path.stat().st_size for path in files)


def _name(text: str) -> str:
    """A name that people recognise, of letters that a name may have."""
    fitting = re.sub(r"[^\w.+:-]+", "-", unicodedata.normalize("NFC", text))
    return fitting.strip(".+:-")[:100] or "model"


def _no_model(path: Path, what: str, next_step: str) -> ModelError:
    kind = "folder" if path.is_dir() else "file"
    return ModelError(f"The {kind} {path.name} {what}.", next_step=next_step, detail=str(path))
