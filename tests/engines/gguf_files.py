"""Writes small GGUF files, right ones and wrong ones."""

import struct
from collections.abc import Mapping

U32, STRING, ARRAY, I32 = 4, 8, 9, 5

TINY: Mapping[str, object] = {
    "general.architecture": "llama",
    "general.name": "Tiny",
    "general.file_type": 1,
    "llama.block_count": 4,
    "llama.embedding_length": 64,
    "llama.feed_forward_length": 128,
    "llama.attention.head_count": 8,
    "llama.attention.head_count_kv": 2,
    "llama.context_length": 2048,
    "tokenizer.ggml.tokens": ["<s>", "</s>", "a", "b"],
    "tokenizer.chat_template": "{{ messages }}",
}


def text(value: str) -> bytes:
    """A GGUF string."""
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def value(content: object) -> bytes:
    """A typed GGUF value: a text, a number, or a list of either."""
    match content:
        case str():
            return struct.pack("<I", STRING) + text(content)
        case int():
            return struct.pack("<II", U32, content)
        case list() if all(isinstance(item, str) for item in content):
            return struct.pack("<IIQ", ARRAY, STRING, len(content)) + b"".join(map(text, content))
        case list():
            return struct.pack(f"<IIQ{len(content)}i", ARRAY, I32, len(content), *content)
        case _:
            raise TypeError(content)


def gguf(values: Mapping[str, object] = TINY, *, tensors: int = 2, version: int = 3, data: bool = True) -> bytes:
    """A whole file; its tensors have 256 numbers of 4 bytes each."""
    header = b"GGUF" + struct.pack("<IQQ", version, tensors, len(values))
    header += b"".join(text(key) + value(content) for key, content in values.items())
    for number in range(tensors):
        header += text(f"tensor.{number}") + struct.pack("<IQIQ", 1, 256, 0, number * 1024)
    header += bytes(-len(header) % 32)
    return header + bytes(tensors * 1024 if data else 0)
