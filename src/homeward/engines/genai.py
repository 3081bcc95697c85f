"""What ONNX Runtime GenAI's configuration says of a model: genai_config.json.

Read as GenAI itself reads it (github.com/microsoft/onnxruntime-genai, src/config.cpp): strict JSON; files are named by
`filename` and its kin, in pipelines too; the names of execution providers count without regard to case, with or
without the ending `ExecutionProvider`; and `provider_options` is a list of objects, one for each provider:

    []    [{"cuda": {"enable_cuda_graph": "0"}}]    [{"OpenVINO": {"device_type": "NPU"}}]    [{"qnn": {…}}]
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec

from homeward.engines.model_files import BadJsonError, folder_files, inside, read_json
from homeward.protocol.errors import EngineStartError

CONFIG = "genai_config.json"

Device = Literal["cpu", "gpu", "npu"]

_F32_BYTES = 4
_RUNTIME_BYTES = 140_000_000
"""Interpreter, SDK and ONNX Runtime with nothing loaded (measured: 96 MB), and room to work."""

_NAMES_OF_FILES = ("filename", "config_filename", "adapter_filename")
_DEVICES: dict[str, Device] = {
    "cpu": "cpu",
    "qnn": "npu",
    "openvino": "npu",
    "ryzenai": "npu",
    "vitisai": "npu",
}
"""All other providers (cuda, dml, webgpu, nvtensorrtrtx, amdgpu …) are for graphics cards."""


class _Model(msgspec.Struct):
    decoder: dict[str, Any]
    context_length: int
    type: str = ""
    vision: dict[str, Any] | None = None
    encoder: dict[str, Any] | None = None
    bot_token_id: int | None = None
    eot_token_id: int | None = None


class _Config(msgspec.Struct):
    model: _Model


class GenAiFolder(msgspec.Struct, frozen=True, kw_only=True):
    """What matters of a configuration. Numbers that it does not give are 0."""

    path: Path
    kind: str
    """GenAI's name for the kind of model: phi3, qwen2, whisper …"""
    device: Device
    context_tokens: int
    files: tuple[str, ...]
    """All files that it names; none leads out of the folder."""
    sees: bool
    """It takes images."""
    translates: bool
    """It has an encoder: it turns speech or text into other text, and holds no conversation."""
    calls_tools: bool
    """It says which tokens stand before and after a tool call. Without them Foundry Local reads no tool calls."""
    providers: tuple[str, ...] = ()
    """Execution providers that the decoder asks for, as it spells them; none means the processor."""
    layers: int = 0
    kv_heads: int = 0
    head_size: int = 0

    @property
    def missing_files(self) -> tuple[str, ...]:
        """Files that it names and that are not there."""
        return tuple(name for name in self.files if not (self.path / name).is_file())

    @property
    def size_bytes(self) -> int:
        """Of all its files."""
        return sum(path.stat().st_size for path in folder_files(self.path, self.files))

    def memory_bytes(self, context_tokens: int, parallel: int) -> int:
        """An estimate of what it needs, with so many answers at a time that may each fill so many tokens.

        Weights (the runtime rearranges them for the processor, and keeps what it read until that is done), keys and
        values of 4 bytes per token of context, and the runtime itself.
        """
        per_token = 2 * self.layers * self.kv_heads * self.head_size * _F32_BYTES
        return self.size_bytes * 2 + per_token * context_tokens * parallel + _RUNTIME_BYTES


def read_genai_folder(folder: Path) -> GenAiFolder:
    """Read the configuration of a model folder.

    Raises EngineStartError: it is missing, damaged, contradictory, or not that of a language model.
    """
    path = folder / CONFIG
    try:
        raw = read_json(path, dict[str, Any])
        config = msgspec.convert(raw, _Config)
    except FileNotFoundError as error:
        if not folder.exists():
            raise EngineStartError(
                f"The model folder {folder.name} does not exist.",
                next_step="Put it back, or choose another model.",
                detail=str(folder),
            ) from error
        raise EngineStartError(
            f"The folder {folder.name} has no {CONFIG}.",
            next_step="Get the model in the format for ONNX Runtime GenAI.",
            detail=str(path),
        ) from error
    except OSError as error:
        raise EngineStartError(
            f"The file {CONFIG} in {folder.name} cannot be read: {error.strerror}.",
            next_step="Check its permissions.",
            detail=str(path),
        ) from error
    except (BadJsonError, msgspec.ValidationError) as error:
        raise _damaged(folder, str(error)) from error
    model = config.model
    files = tuple(dict.fromkeys(_files(raw["model"])))
    if model.context_length <= 0:
        raise _damaged(folder, "it gives no context length")
    if not files:
        raise _damaged(folder, "it names no model file")
    for name in files:
        if inside(folder, name) is None:
            raise _damaged(folder, f"it names “{name}”, which lies outside of the folder")
    return GenAiFolder(
        path=folder,
        kind=model.type,
        device=_device(model.decoder),
        context_tokens=model.context_length,
        files=files,
        sees=model.vision is not None,
        translates=model.encoder is not None,
        calls_tools=model.bot_token_id is not None and model.eot_token_id is not None,
        providers=tuple(dict.fromkeys(name for name, _ in _providers(model.decoder))),
        layers=_count(model.decoder, "num_hidden_layers"),
        kv_heads=_count(model.decoder, "num_key_value_heads"),
        head_size=_count(model.decoder, "head_size"),
    )


def _count(decoder: dict[str, Any], name: str) -> int:
    value = decoder.get(name)
    return value if isinstance(value, int) and value > 0 else 0


def _files(part: object) -> Iterator[str]:
    for key, content in _pairs(part):
        if key in _NAMES_OF_FILES and isinstance(content, str) and content:
            yield content


def _device(decoder: object) -> Device:
    """The most particular device that a part of the decoder asks for."""
    asked = {_provider_device(name, options) for name, options in _providers(decoder)}
    return "npu" if "npu" in asked else "gpu" if "gpu" in asked else "cpu"


def _providers(decoder: object) -> Iterator[tuple[str, object]]:
    for key, providers in _pairs(decoder):
        if key == "provider_options" and isinstance(providers, list):
            for provider in providers:
                if isinstance(provider, dict):
                    yield from provider.items()


def _provider_device(name: str, options: object) -> Device:
    """An explicit choice in the options goes first: OpenVINO's device_type may be `NPU`, `GPU.0` or `AUTO:GPU,CPU`."""
    for key, content in _pairs(options):
        if key in ("device_type", "hardware_device_type") and isinstance(content, str):
            for device in ("npu", "gpu", "cpu"):
                if device in content.lower():
                    return device
    return _DEVICES.get(name.lower().removesuffix("executionprovider"), "gpu")


def _pairs(part: object) -> Iterator[tuple[str, object]]:
    """All keys and values, at whatever depth."""
    left = [part]
    while left:
        content = left.pop()
        if isinstance(content, dict):
            yield from content.items()
            left.extend(content.values())
        elif isinstance(content, list):
            left.extend(content)


def _damaged(folder: Path, why: str) -> EngineStartError:
    return EngineStartError(
        f"The file {CONFIG} in {folder.name} is damaged: {why}.",
        next_step="Get the model again.",
        detail=str(folder),
    )
