"""A tiny embedding model as a GGUF file: one BERT layer of random weights, which llama.cpp runs like a real one."""

import struct
from array import array
from collections.abc import Mapping
from pathlib import Path
from random import Random

from .gguf_files import text, value

SIZE, FEED_FORWARD, CONTEXT = 32, 64, 64
MEAN, FIRST = 1, 2
"""How the file says that the tokens' vectors become one."""
_WORDS = ("▁the", "▁cat", "▁dog", "▁sat", "▁ran", "▁red", "▁blue", "s", "ed")
_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *_WORDS]
_F32, _BOOL = 6, 7


def toy_embedder(path: Path, *, pooling: int = FIRST) -> Path:
    """Write the model; always the same one."""
    values = {
        "general.architecture": value("bert"),
        "bert.context_length": value(CONTEXT),
        "bert.embedding_length": value(SIZE),
        "bert.feed_forward_length": value(FEED_FORWARD),
        "bert.block_count": value(1),
        "bert.attention.head_count": value(4),
        "bert.attention.layer_norm_epsilon": struct.pack("<If", _F32, 1e-12),
        "bert.attention.causal": struct.pack("<I?", _BOOL, False),
        "bert.pooling_type": value(pooling),
        "tokenizer.ggml.model": value("bert"),
        "tokenizer.ggml.tokens": value(_TOKENS),
        "tokenizer.ggml.token_type": value([3 if token.startswith("[") else 1 for token in _TOKENS]),
        "tokenizer.ggml.token_type_count": value(2),
        "tokenizer.ggml.padding_token_id": value(0),
        "tokenizer.ggml.unknown_token_id": value(1),
        "tokenizer.ggml.cls_token_id": value(2),
        "tokenizer.ggml.bos_token_id": value(2),
        "tokenizer.ggml.seperator_token_id": value(3),
        "tokenizer.ggml.eos_token_id": value(3),
        "tokenizer.ggml.mask_token_id": value(4),
    }
    path.write_bytes(_file(values, _shapes()))
    return path


def _shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {
        "token_embd.weight": (SIZE, len(_TOKENS)),
        "token_types.weight": (SIZE, 2),
        "position_embd.weight": (SIZE, CONTEXT),
        "token_embd_norm.weight": (SIZE,),
        "token_embd_norm.bias": (SIZE,),
    }
    matrices = {
        **dict.fromkeys(("attn_q", "attn_k", "attn_v", "attn_output"), (SIZE, SIZE)),
        "ffn_up": (SIZE, FEED_FORWARD),
        "ffn_down": (FEED_FORWARD, SIZE),
    }
    for name, (inner, outer) in matrices.items():
        shapes |= {f"blk.0.{name}.weight": (inner, outer), f"blk.0.{name}.bias": (outer,)}
    for name in ("attn_output_norm", "layer_output_norm"):
        shapes |= {f"blk.0.{name}.weight": (SIZE,), f"blk.0.{name}.bias": (SIZE,)}
    return shapes


def _file(values: Mapping[str, bytes], shapes: Mapping[str, tuple[int, ...]]) -> bytes:
    random = Random(0)
    header = b"GGUF" + struct.pack("<IQQ", 3, len(shapes), len(values))
    header += b"".join(text(key) + packed for key, packed in values.items())
    data = b""
    for name, shape in shapes.items():
        header += text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, 0, len(data))
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        data += array("f", (random.gauss(0, 0.5) for _ in range(count))).tobytes()
        data += bytes(-len(data) % 32)
    return header + bytes(-len(header) % 32) + data
