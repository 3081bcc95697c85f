"""What lies at a path: models, and everything that is none."""

import contextlib
import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tools.make_toy_onnx import write_model

from homeward.engines.starter import starter_model_path
from homeward.models.errors import ModelError
from homeward.models.inspect import inspect
from homeward.models.model import name_is_fine
from tests.engines.gguf_files import TINY, gguf

CONFIG, TOKENIZER_CONFIG = "genai_config.json", "tokenizer_config.json"
CARD = "---\nlanguage: en\nlicense: {}\n---\n# A model\nlicense: none of this\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model for ONNX Runtime GenAI."""
    return write_model(tmp_path / "toy")


def change(path: Path, edit: Callable[[Any], None]) -> None:
    """Edit a JSON file."""
    content = json.loads(path.read_text(encoding="utf-8"))
    edit(content)
    path.write_text(json.dumps(content), encoding="utf-8")


def refusal(path: Path) -> str:
    """The sentence and the next step of the refusal."""
    with pytest.raises(ModelError) as caught:
        inspect(path)
    assert caught.value.next_step
    return str(caught.value)


def test_the_starter_model() -> None:
    """A real GGUF file."""
    path = starter_model_path()
    assert path is not None
    model = inspect(path)
    assert (model.name, model.engine, model.source) == (path.stem, "llama", "own")
    assert (model.path, model.folder) == (path, path.parent)
    assert (model.size_bytes, model.context_tokens, model.device) == (path.stat().st_size, 8192, "cpu")
    assert model.license == "apache-2.0"
    assert datetime.now(UTC) - model.added_at < timedelta(minutes=1)


def test_a_model_in_parts_is_its_first_part(tmp_path: Path) -> None:
    """The parts count as one model; the others stand for nothing."""
    first, second = (tmp_path / f"big-0000{number}-of-00002.gguf" for number in (1, 2))
    for number, path in enumerate((first, second)):
        path.write_bytes(gguf({**TINY, "split.count": 2, "split.no": number}))
    for path in (first, tmp_path):
        model = inspect(path)
        assert (model.name, model.path) == ("big", first)
        assert model.size_bytes == first.stat().st_size + second.stat().st_size
    assert "not the first part" in refusal(second)
    second.unlink()
    assert "big-00002-of-00002.gguf does not exist" in refusal(first)


def test_a_genai_folder(folder: Path) -> None:
    """All that its files say."""
    model = inspect(folder)
    assert (model.name, model.engine, model.path, model.folder) == ("toy", "foundry", folder, folder)
    assert (model.context_tokens, model.device, model.task) == (2048, "cpu", "chat-completion")
    assert model.size_bytes == sum(path.stat().st_size for path in folder.iterdir())
    assert not model.calls_tools


def test_a_folder_in_the_runtimes_own_cache_is_named_after_the_model(folder: Path) -> None:
    """There, each version has a folder."""
    version = folder.with_name("Phi-4-mini-instruct-generic-cpu-5") / "v5"
    version.parent.mkdir()
    folder.rename(version)
    assert inspect(version).name == "Phi-4-mini-instruct-generic-cpu-5"


def test_tools_are_called_where_the_configuration_names_the_markers(tmp_path: Path) -> None:
    """The runtime goes by these ids and by nothing else."""
    folder = write_model(tmp_path / "toy", tools=True)
    assert inspect(folder).calls_tools
    change(folder / CONFIG, lambda config: config["model"].pop("eot_token_id"))
    assert not inspect(folder).calls_tools


@pytest.mark.parametrize(
    ("providers", "device"),
    [
        ([], "cpu"),
        ([{"cpu": {}}], "cpu"),
        ([{"CPUExecutionProvider": {}}], "cpu"),
        ([{"cuda": {"enable_cuda_graph": "0"}}], "gpu"),
        ([{"WebGPU": {}}], "gpu"),
        ([{"dml": {}}], "gpu"),
        ([{"NvTensorRtRtx": {"enable_cuda_graph": "1"}}], "gpu"),
        ([{"qnn": {"backend_path": "QnnHtp.dll"}}], "npu"),
        ([{"VitisAI": {}}], "npu"),
        ([{"OpenVINO": {"device_type": "NPU"}}], "npu"),
        ([{"OpenVINO": {"device_type": "GPU.0"}}], "gpu"),
        ([{"OpenVINO": {"device_type": "CPU"}}], "cpu"),
        ([{"OpenVINO": {"device_filtering_options": {"hardware_device_type": "gpu"}}}], "gpu"),
        ([{"cpu": {}}, {"cuda": {}}], "gpu"),
    ],
)
def test_the_device_is_the_providers(folder: Path, providers: list[object], device: str) -> None:
    """As GenAI spells them now, and as it did earlier; also for one stage of a pipeline."""
    options = {"provider_options": providers}
    change(folder / CONFIG, lambda config: config["model"]["decoder"].update(session_options=options))
    assert inspect(folder).device == device
    stages = [
        {"embeddings": {"filename": "model.onnx"}},
        {"context": {"filename": "model.onnx", "session_options": options}},
    ]
    change(folder / CONFIG, lambda config: config["model"].update(decoder={"pipeline": stages}))
    assert inspect(folder).device == device


@pytest.mark.parametrize(
    ("name", "text", "license_name"),
    [
        ("README.md", CARD.format("apache-2.0"), "apache-2.0"),
        ("README.md", CARD.format("'mit'"), "mit"),
        ("README.md", CARD.format("other\nlicense_name: llama3.2"), "llama3.2"),
        ("README.md", "# A model\nlicense: mit\n", ""),
        ("README.md", CARD.format("[a, b]"), ""),
        (
            "LICENSE",
            "\n\n                                 Apache License\n                   Version 2.0",
            "apache-2.0",
        ),
        ("LICENSE.txt", "MIT License\n\nCopyright", "mit"),
        ("LICENSE", "LLAMA 3.2 COMMUNITY LICENSE AGREEMENT\n", "LLAMA 3.2 COMMUNITY LICENSE AGREEMENT"),
        ("LICENSE", "", ""),
        ("NOTICE", "MIT License", ""),
    ],
)
def test_the_licence_is_the_cards_or_the_titles(folder: Path, name: str, text: str, license_name: str) -> None:
    """Empty where nothing says it."""
    (folder / name).write_text(text, encoding="utf-8")
    assert inspect(folder).license == license_name


def test_the_card_goes_before_the_licences_text(folder: Path) -> None:
    """It is meant for programs."""
    (folder / "LICENSE").write_text("MIT License")
    (folder / "README.md").write_text(CARD.format("apache-2.0"))
    assert inspect(folder).license == "apache-2.0"


def test_a_model_that_sees_is_one_for_conversations_too(folder: Path) -> None:
    """The runtime has a word of its own for these."""
    change(folder / CONFIG, lambda config: config["model"].update(vision={"filename": "model.onnx"}))
    assert inspect(folder).task == "vision-language-chat"


def test_a_folder_around_one_model_is_that_model(folder: Path) -> None:
    """Of either kind; what is hidden, reads images or is a later part does not count."""
    assert inspect(folder.parent).path == folder
    downloads = folder.with_name("downloads")
    downloads.mkdir()
    (downloads / "model.gguf").write_bytes(gguf())
    (downloads / "._model.gguf").write_bytes(b"macOS leaves these")
    (downloads / "mmproj.gguf").write_bytes(gguf({**TINY, "general.architecture": "clip"}))
    assert inspect(downloads).path == downloads / "model.gguf"
    (downloads / "second.gguf").write_bytes(b"broken ones count: they are told of")
    assert "several models in it: model.gguf, second.gguf. Name one of them" in refusal(downloads)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("model.safetensors", b"x", "needs converting"),
        ("pytorch_model.bin", b"PK\x03\x04", "needs converting"),
        ("model.PT", b"x", "needs converting"),
        ("model.onnx", b"x", "Name its folder"),
        ("model.onnx.data", b"x", "Name its folder"),
        (CONFIG, b"{}", "Name its folder"),
        ("model.zip", b"PK\x03\x04", "zip archive"),
        ("model", b"PK\x03\x04", "Unpack it"),
        ("model.tar.gz", b"\x1f\x8b\x08", "gzip archive"),
        ("model.7z", b"7z\xbc\xaf\x27\x1c", "7z archive"),
        ("notes.txt", b"hello", f"Name a .gguf file, or a folder that has a {CONFIG}"),
        ("empty", b"", "is not a model"),
        ("model.gguf", b"", "is empty"),
        ("model.gguf", b"<!DOCTYPE html>", "web page"),
        ("model.gguf", gguf()[:-1], "cut off"),
        ("model.dat", gguf()[:-1], "cut off"),
        ("mmproj.gguf", gguf({**TINY, "general.architecture": "clip"}), "an image reader, not a language model"),
        ("lora.gguf", gguf({**TINY, "general.type": "adapter"}), "of the kind “adapter”"),
    ],
)
def test_a_file_that_is_no_model_is_told_what_it_is(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    """With what to name instead."""
    (tmp_path / name).write_bytes(content)
    said = refusal(tmp_path / name)
    assert words in said
    assert name in said


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "has no model in it"),
        (["notes.txt"], "has no model in it"),
        (["config.json", "model.safetensors", "tokenizer.json"], "needs converting"),
        (["config.json", "pytorch_model.bin"], "needs converting"),
        (["model.onnx", "config.json"], f"no {CONFIG}"),
        (["model.onnx", "model.safetensors"], f"no {CONFIG}"),
    ],
)
def test_a_folder_that_is_no_model_is_told_what_it_is(tmp_path: Path, names: list[str], words: str) -> None:
    """With what to get instead."""
    for name in names:
        (tmp_path / name).write_bytes(b"{}")
    assert words in refusal(tmp_path)


def test_a_path_to_nothing(tmp_path: Path) -> None:
    """Also one that could not be."""
    assert "There is nothing at" in refusal(tmp_path / "missing.gguf")
    assert "File name too long" in refusal(tmp_path / ("x" * 300))
    assert "There is nothing at" in refusal(tmp_path / "a\0b")


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_a_name_that_is_no_text(tmp_path: Path) -> None:
    """It could be neither shown nor stored."""
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.gguf"))
    path.write_bytes(gguf())
    assert "not valid text" in refusal(path)


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json", TOKENIZER_CONFIG])
def test_a_folder_that_lacks_a_file(folder: Path, name: str) -> None:
    """The file is named."""
    (folder / name).unlink()
    assert f"has no {name}" in refusal(folder)


def test_a_model_without_a_chat_template_holds_no_conversations(folder: Path) -> None:
    """The runtime would refuse every question ("Empty chat template"); the template may be a file of its own."""
    template: list[str] = []
    change(folder / TOKENIZER_CONFIG, lambda config: template.append(config.pop("chat_template")))
    assert "no chat template" in refusal(folder)
    (folder / "chat_template.jinja").write_text(template[0])
    assert inspect(folder).name == "toy"


def test_several_templates_are_one_too_many(folder: Path) -> None:
    """The runtime takes one text ("type must be string, but is array")."""
    several = [{"name": "default", "template": "x"}]
    change(folder / TOKENIZER_CONFIG, lambda config: config.update(chat_template=several))
    assert f"{TOKENIZER_CONFIG} cannot be used" in refusal(folder)


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ({"context_length": 0}, "no context length"),
        ({"context_length": "many"}, "is damaged"),
        ({"decoder": {}}, "names no model file"),
        ({"decoder": {"filename": "../model.onnx"}}, "outside of the folder"),
        ({"decoder": {"filename": "/etc/passwd"}}, "outside of the folder"),
        ({"decoder": {"filename": "C:\\model.onnx"}}, "outside of the folder"),
        ({"decoder": {"filename": "a\\..\\..\\model.onnx"}}, "outside of the folder"),
        ({"decoder": {"pipeline": [{"x": {"filename": "x.onnx"}}]}}, "has no x.onnx"),
        ({"vision": {"config_filename": "processor.json"}}, "has no processor.json"),
        ({"type": "whisper", "encoder": {"filename": "model.onnx"}}, "kind “whisper”, not a language model"),
    ],
)
def test_a_configuration_that_leads_nowhere(folder: Path, model: dict[str, object], words: str) -> None:
    """Each with its reason."""
    change(folder / CONFIG, lambda config: config["model"].update(model))
    assert words in refusal(folder)


@pytest.mark.parametrize(
    "content", [b"", bytes(100), b"{", b"[]", b"{}", b'{"model": 1}', b"\xef\xbb\xbf{}", b"[" * 100_000, b"\xff"]
)
def test_a_configuration_that_is_none(folder: Path, content: bytes) -> None:
    """Strict JSON is asked for: the runtime takes neither a byte order mark nor comments."""
    (folder / CONFIG).write_bytes(content)
    assert f"The file {CONFIG} in toy is damaged" in refusal(folder)


@pytest.mark.parametrize("mark", ["download.tmp", "model.onnx.dlstate"])
def test_a_download_that_was_not_finished(folder: Path, mark: str) -> None:
    """The runtime would take it, and fail later."""
    (folder / mark).touch()
    assert "not downloaded to its end" in refusal(folder)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(
    where=st.sampled_from(["model", "decoder", "session_options"]),
    key=st.sampled_from(["decoder", "type", "filename", "provider_options", "pipeline", "vision", "bot_token_id"]),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["model.onnx", "..", "device_type"]),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["cuda", "filename", "device_type"]), inner),
        max_leaves=5,
    ),
)
def test_a_configuration_of_any_shape_is_a_model_or_a_refusal(
    tmp_path: Path, where: str, key: str, value: object
) -> None:
    """Whoever wrote it."""
    folder = tmp_path / "toy"
    write_model(folder)

    def edit(config: Any) -> None:
        decoder = config["model"]["decoder"]
        {"model": config["model"], "decoder": decoder, "session_options": decoder["session_options"]}[where][key] = (
            value
        )

    change(folder / CONFIG, edit)
    with contextlib.suppress(ModelError):
        assert inspect(folder).engine == "foundry"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(stem=st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_every_file_gets_a_name_that_can_be_one(tmp_path: Path, stem: str) -> None:
    """Whatever its own is."""
    path = tmp_path / f"m{stem}.gguf"
    path.write_bytes(gguf())
    assert name_is_fine(inspect(path).name)
