"""Make an ONNX Runtime GenAI folder of the starter model, for Foundry Local: without a network or a model hub.

    python tools/make_starter_onnx.py FOLDER [--precision int4]

The GGUF file is unpacked into a Hugging Face folder, and the official model builder makes ONNX of that. Takes about
two minutes, 3 GB of memory, and the packages of the dependency group `onnx`.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from homeward.engines.starter import HOW_TO_GET_IT, starter_model_path

NEEDED = ("gguf", "onnx_ir", "onnxruntime", "onnxruntime_genai", "safetensors", "torch", "transformers")
HOW_TO_GET_THEM = "python -m pip install --group onnx"

BUILDER_OPTIONS = {
    # The starter was rounded to 4 bits once already. Rounded again as the builder does by itself, its perplexity goes
    # from 2.7 to 4.6; with fitted blocks, and 8 bits for the head and the outer layers, to 3.5; with 8 bits, nowhere.
    "int4": ("is_symmetric=false", "algo_config=k_quant", "matmul_mixed_precision=last_matmul:int8,mixed_layers:int8"),
    "int8": ("algo_config=k_quant",),
}
ALWAYS = ("hf_token=false", "prune_lm_head=true")

CONTROL_TOKEN = 3
"""In GGUF's list of token types: it stands for no text."""

NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
"""A weight's name in GGUF files, and in Hugging Face's Llama."""

Metadata = dict[str, Any]
Weights = NDArray[np.float32]


def main() -> None:
    """Convert, or say in a sentence why not."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path, help="where to write it; made if it does not exist")
    options.add_argument("--precision", choices=BUILDER_OPTIONS, default="int4", help="of the weights")
    chosen = options.parse_args()
    source = checked_source(chosen.folder)
    with tempfile.TemporaryDirectory(prefix="starter-onnx-") as work:
        print(f"Unpacking {source.name} …", flush=True)
        unpack(source, Path(work) / "unpacked")
        print(f"Building the ONNX model ({chosen.precision}) …", flush=True)
        build(Path(work), chosen.folder, chosen.precision)
    finish(chosen.folder)
    megabytes = sum(path.stat().st_size for path in chosen.folder.iterdir()) / 1e6
    print(f"Wrote {chosen.folder} ({megabytes:.0f} MB).")


def checked_source(folder: Path) -> Path:
    """The starter's file; ends the program where something is missing or in the way."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        sys.exit(f"These packages are missing: {', '.join(missing)}. Install them with: {HOW_TO_GET_THEM}")
    source = starter_model_path()
    if source is None:
        sys.exit(f"The starter model is not installed. {HOW_TO_GET_IT}")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        sys.exit(f"{folder} exists and is not an empty folder. Name another one.")
    return source


def unpack(source: Path, folder: Path) -> None:
    """Write a GGUF file of the Llama architecture as the folder that Hugging Face's libraries read."""
    from gguf import GGUFReader  # type: ignore[import-not-found, unused-ignore]
    from gguf.quants import dequantize  # type: ignore[import-not-found, unused-ignore]
    from safetensors.numpy import save_file  # type: ignore[import-not-found, unused-ignore]

    reader = GGUFReader(source)
    metadata: Metadata = {key: field.contents() for key, field in reader.fields.items()}
    if metadata["general.architecture"] != "llama":
        sys.exit(f"{source.name} is of the architecture {metadata['general.architecture']}, not llama.")
    weights: dict[str, Weights] = {}
    for tensor in reader.tensors:
        plain = dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        weights[hugging_face_name(tensor.name)] = hugging_face_order(tensor.name, plain, metadata)
    folder.mkdir()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    files = {
        "config.json": model_config(metadata),
        "tokenizer.json": tokenizer(metadata),
        "tokenizer_config.json": tokenizer_config(metadata),
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")


def hugging_face_name(name: str) -> str:
    """`blk.7.attn_q.weight` is `model.layers.7.self_attn.q_proj.weight`."""
    *block, part, kind = name.split(".")
    layer = f"model.layers.{block[1]}." if block else ""
    return f"{layer}{NAMES.get(part, part)}.{kind}"


def hugging_face_order(name: str, weights: Weights, metadata: Metadata) -> Weights:
    """The rows of the rotated projections in Hugging Face's order; other weights as they are.

    Rotary positions turn pairs of rows. GGUF files of this architecture have the two of a pair side by side,
    Hugging Face has the first ones of a head in its upper half and the second ones in its lower half.
    """
    heads = {"attn_q": "llama.attention.head_count", "attn_k": "llama.attention.head_count_kv"}
    part = name.split(".")[-2]
    if part not in heads:
        return weights
    pairs = weights.reshape(metadata[heads[part]], -1, 2, weights.shape[1])
    return np.ascontiguousarray(pairs.swapaxes(1, 2).reshape(weights.shape))


def model_config(metadata: Metadata) -> dict[str, object]:
    """config.json."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "dtype": "float32",
        "hidden_act": "silu",
        "hidden_size": metadata["llama.embedding_length"],
        "intermediate_size": metadata["llama.feed_forward_length"],
        "max_position_embeddings": metadata["llama.context_length"],
        "num_attention_heads": metadata["llama.attention.head_count"],
        "num_hidden_layers": metadata["llama.block_count"],
        "num_key_value_heads": metadata["llama.attention.head_count_kv"],
        "rms_norm_eps": metadata["llama.attention.layer_norm_rms_epsilon"],
        "rope_theta": metadata["llama.rope.freq_base"],
        "tie_word_embeddings": True,
        "vocab_size": metadata["llama.vocab_size"],
        "bos_token_id": metadata["tokenizer.ggml.bos_token_id"],
        "eos_token_id": metadata["tokenizer.ggml.eos_token_id"],
        "pad_token_id": metadata["tokenizer.ggml.padding_token_id"],
    }


def tokenizer(metadata: Metadata) -> dict[str, object]:
    """tokenizer.json: byte-level BPE that takes digits one by one."""
    digits = {"type": "Digits", "individual_digits": True}
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "added_tokens": [{"id": number, **token} for number, token in control_tokens(metadata).items()],
        "normalizer": None,
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [digits, byte_level]},
        "post_processor": None,
        "decoder": byte_level,
        "model": {
            "type": "BPE",
            "vocab": {text: number for number, text in enumerate(metadata["tokenizer.ggml.tokens"])},
            "merges": metadata["tokenizer.ggml.merges"],
        },
    }


def tokenizer_config(metadata: Metadata) -> dict[str, object]:
    """tokenizer_config.json, with the chat template."""
    tokens = metadata["tokenizer.ggml.tokens"]
    return {
        "tokenizer_class": "GPT2Tokenizer",
        "add_prefix_space": False,
        "bos_token": tokens[metadata["tokenizer.ggml.bos_token_id"]],
        "eos_token": tokens[metadata["tokenizer.ggml.eos_token_id"]],
        "pad_token": tokens[metadata["tokenizer.ggml.padding_token_id"]],
        "unk_token": tokens[metadata["tokenizer.ggml.unknown_token_id"]],
        "model_max_length": metadata["llama.context_length"],
        "clean_up_tokenization_spaces": False,
        "chat_template": metadata["tokenizer.chat_template"],
        "added_tokens_decoder": control_tokens(metadata),
    }


def control_tokens(metadata: Metadata) -> dict[int, dict[str, object]]:
    """The tokens that stand for no text, by id."""
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    texts, types = metadata["tokenizer.ggml.tokens"], metadata["tokenizer.ggml.token_type"]
    return {
        number: {"content": text, **plain}
        for number, (text, kind) in enumerate(zip(texts, types, strict=True))
        if kind == CONTROL_TOKEN
    }


def build(work: Path, target: Path, precision: str) -> None:
    """Run the model builder on the unpacked model; ends the program with its last words where it fails."""
    command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", str(work / "unpacked")]
    command += ["-o", str(target), "-c", str(work / "cache"), "-p", precision, "-e", "cpu"]
    command += ["--extra_options", *ALWAYS, *BUILDER_OPTIONS[precision]]
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "ORT_TELEMETRY_DISABLED": "1", "CI": "true"}
    result = subprocess.run(command, env={**os.environ, **offline}, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        last_words = "\n".join(result.stderr.splitlines()[-15:])
        sys.exit(f"The model builder failed:\n{last_words}")


def finish(target: Path) -> None:
    """Set what the builder does not know."""
    path = target / "genai_config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    vocabulary = json.loads((target / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    # As llama.cpp does: the end of a text ends an answer like the end of a turn.
    config["model"]["eos_token_id"] = [config["model"]["eos_token_id"], vocabulary["<|endoftext|>"]]
    # Waiting threads sleep. Those that spin keep the cores from the one that they wait for: with two threads on two
    # busy cores, spinning took 1.5 times the processor's time and gave half the tokens per second.
    config["model"]["decoder"]["session_options"]["session.intra_op.allow_spinning"] = "0"
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
