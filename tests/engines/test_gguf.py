"""Reading model files that may be anything."""

import contextlib
import struct
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from homeward.engines.gguf import ModelFile, part_paths, read_model_file
from homeward.engines.starter import starter_model_path
from homeward.protocol.errors import EngineStartError

from .gguf_files import ARRAY, STRING, TINY, gguf, text

WHOLE = gguf()


@pytest.fixture
def model_file(tmp_path: Path) -> Path:
    return tmp_path / "model.gguf"


def _error(path: Path) -> EngineStartError:
    with pytest.raises(EngineStartError) as caught:
        read_model_file(path)
    assert path.name in caught.value.message
    assert caught.value.next_step
    return caught.value


def _header(pairs: int, rest: bytes, tensors: int = 0) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, tensors, pairs) + rest


def test_a_whole_file_says_what_it_is(model_file: Path) -> None:
    """All that matters for running it."""
    model_file.write_bytes(WHOLE)
    assert read_model_file(model_file) == ModelFile(
        architecture="llama",
        name="Tiny",
        file_type=1,
        layers=4,
        heads=8,
        kv_heads=(2, 2, 2, 2),
        embedding_length=64,
        feed_forward_length=128,
        key_length=8,
        value_length=8,
        context_length=2048,
        vocabulary=4,
        has_chat_template=True,
        size_bytes=len(WHOLE),
    )


def test_numbers_per_layer_are_understood(model_file: Path) -> None:
    """Some models give heads, and feed-forward lengths, as lists."""
    values = {
        **TINY,
        "llama.attention.head_count": [8, 0, 4, 8],
        "llama.attention.head_count_kv": [2, 0, 1, 2],
        "llama.feed_forward_length": [10, 20, 30, 20],
        "llama.attention.key_length": 32,
    }
    model_file.write_bytes(gguf(values))
    model = read_model_file(model_file)
    assert (model.heads, model.kv_heads, model.feed_forward_length) == (8, (2, 0, 1, 2), 30)
    assert (model.key_length, model.value_length) == (32, 8)


def test_without_kv_heads_all_heads_count(model_file: Path) -> None:
    """A model without grouped attention gives only one number."""
    values = {key: content for key, content in TINY.items() if not key.endswith("head_count_kv")}
    model_file.write_bytes(gguf(values))
    assert read_model_file(model_file).kv_heads == (8, 8, 8, 8)


def test_the_starter_model() -> None:
    """SmolLM2-135M-Instruct, as its authors describe it."""
    path = starter_model_path()
    assert path is not None
    model = read_model_file(path)
    assert (model.architecture, model.layers, model.heads, set(model.kv_heads)) == ("llama", 30, 9, {3})
    assert (model.embedding_length, model.key_length, model.context_length) == (576, 64, 8192)
    assert (model.vocabulary, model.has_chat_template, model.parts) == (49152, True, 1)
    assert "smollm2" in model.name.lower()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"GG", "is not a GGUF model file"),
        (b"PK\x03\x04 something else", "is not a GGUF model file"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "pointer to a file in Git LFS"),
        (b"<!DOCTYPE html><html>Sign in</html>", "is a web page"),
        (gguf(version=1), "GGUF version 1"),
        (gguf(version=0x03000000), "big-endian"),
        (WHOLE[:200], "ends in the middle of its header"),
        (gguf(data=False), "is cut off"),
        (WHOLE[:-1], "is cut off"),
        (gguf({"general.name": "x"}), "does not name its architecture"),
        (gguf({**TINY, "general.alignment": 7}), "alignment is 7"),
        (_header(1 << 62, b""), "senselessly large"),
        (_header(0, b"", tensors=1 << 62), "senselessly large"),
        (_header(1, struct.pack("<Q", 1 << 62)), "in the middle of its header|senselessly long"),
        (_header(1, text("a") + struct.pack("<IIQ", ARRAY, STRING, 1 << 40)), "senselessly large"),
        (_header(1, text("a") + struct.pack("<IIQ", ARRAY, 10, 1 << 61)), "in the middle of its header"),
        (_header(1, text("a") + struct.pack("<IIQ", ARRAY, ARRAY, 1)), "unknown type 9"),
        (_header(1, text("a") + struct.pack("<I", 99)), "unknown type 99"),
        (_header(0, text("t") + struct.pack("<I", 1 << 30), tensors=1), "dimensions"),
    ],
)
def test_a_wrong_file_is_named_with_its_fault(model_file: Path, content: bytes, words: str) -> None:
    """One sentence on what is wrong, one on what to do."""
    model_file.write_bytes(content)
    error = _error(model_file)
    assert any(word in error.message for word in words.split("|")), error.message


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    """Missing, or a folder."""
    assert "does not exist" in _error(tmp_path / "missing.gguf").message
    assert "is a folder" in _error(tmp_path).message


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200, deadline=None)
@given(cut=st.integers(0, len(WHOLE) - 1))
def test_a_file_cut_anywhere_is_refused(model_file: Path, cut: int) -> None:
    """A download that broke off, wherever."""
    model_file.write_bytes(WHOLE[:cut])
    _error(model_file)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300, deadline=None)
@given(
    changes=st.dictionaries(st.integers(4, 600), st.integers(0, 255), max_size=6),
    big=st.none() | st.tuples(st.integers(4, 600), st.sampled_from([1 << 31, 1 << 32, 1 << 62, (1 << 64) - 1])),
)
def test_a_damaged_file_costs_nothing(model_file: Path, changes: dict[int, int], big: tuple[int, int] | None) -> None:
    """Any bytes anywhere, lengths of exabytes too: an answer or a refusal, and little memory."""
    content = bytearray(WHOLE)
    for position, byte in changes.items():
        content[position] = byte
    if big is not None:
        content[big[0] : big[0] + 8] = struct.pack("<Q", big[1])
    model_file.write_bytes(content)
    tracemalloc.start()
    with contextlib.suppress(EngineStartError):
        assert read_model_file(model_file).architecture
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000


def test_a_model_in_parts(tmp_path: Path) -> None:
    """Named by its first part; all must be there."""
    first = tmp_path / "big-00001-of-00002.gguf"
    first.write_bytes(gguf({**TINY, "split.count": 2, "split.no": 0}))
    model = read_model_file(first)
    with pytest.raises(EngineStartError, match=r"big-00002-of-00002\.gguf does not exist"):
        part_paths(first, model)
    second = tmp_path / "big-00002-of-00002.gguf"
    second.write_bytes(gguf({**TINY, "split.count": 2, "split.no": 1}))
    assert part_paths(first, model) == (first, second)
    with pytest.raises(EngineStartError, match="not the first part"):
        part_paths(second, read_model_file(second))
