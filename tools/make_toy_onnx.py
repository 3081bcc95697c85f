"""Write tiny ONNX Runtime GenAI chat models (about 10 KB, loaded in 20 ms) whose every answer is known beforehand.

    python tools/make_toy_onnx.py FOLDER                          answers "abc…xyz abc…" without end
    python tools/make_toy_onnx.py FOLDER --say 안녕 하세요 🙂       answers these pieces, one token each, and ends
    python tools/make_toy_onnx.py FOLDER --tools                  calls the tool get_weather for Seoul
    python tools/make_toy_onnx.py FOLDER --layers 24 --width 2048 is slow, in reading prompts and in writing

Such a model counts how many tokens it has written since the prompt's last `<|assistant|>`, and that number alone says
what comes next: neither the prompt's words nor the sampling's chance matter. Where a grammar forbids the next token,
one that ends texts and brackets soonest is taken, so that a model that wants to say nothing writes the shortest JSON.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import onnx

END_OF_TEXT, START, END = "<|endoftext|>", "<|assistant|>", "<|im_end|>"
TOOL_CALL_START, TOOL_CALL_END = "<tool_call>", "</tool_call>"
CYCLE = tuple("abcdefghijklmnopqrstuvwxyz ")
TOOL_CALL = (TOOL_CALL_START, '[{"name": "get_weather", ', '"parameters": {"city": "Seoul"}}]', TOOL_CALL_END)
CHAT_TEMPLATE = (
    "{% if tools %}<|tools|>{{ tools | tojson }}<|im_end|>\n{% endif %}"
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}"
    "{% if message['tool_calls'] %}{{ message['tool_calls'] | tojson }}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)

Piece = str | bytes


class Vocabulary:
    """The ids of 256 bytes, then of the special tokens, then of the pieces that are longer than a byte.

    Raises:
        ValueError: a piece is empty.
    """

    def __init__(self, pieces: Sequence[Piece], *, tools: bool) -> None:
        self.special = (END_OF_TEXT, START, END, *((TOOL_CALL_START, TOOL_CALL_END) if tools else ()))
        spoken = [as_bytes(piece) for piece in pieces if piece not in self.special]
        if b"" in spoken:
            raise ValueError("an empty piece cannot be a token")
        self.long = tuple(dict.fromkeys(piece for piece in spoken if len(piece) > 1))
        self.size = 256 + len(self.special) + len(self.long)

    def id_of(self, piece: Piece) -> int:
        """The one token that stands for this special token, byte, or longer piece."""
        if isinstance(piece, str) and piece in self.special:
            return 256 + self.special.index(piece)
        data = as_bytes(piece)
        return data[0] if len(data) == 1 else 256 + len(self.special) + self.long.index(data)

    def tool_markers(self) -> dict[str, int]:
        """The ids of the special tokens before and after a tool call, as GenAI's configuration names them."""
        markers = {"bot_token_id": TOOL_CALL_START, "eot_token_id": TOOL_CALL_END}
        return {key: self.id_of(text) for key, text in markers.items() if text in self.special}

    def spellings(self) -> dict[str, int]:
        """Each token as tokenizer.json writes it."""
        letters = byte_letters()
        spoken = ["".join(letters[byte] for byte in piece) for piece in self.long]
        return {text: number for number, text in enumerate([*letters, *self.special, *spoken])}

    def ranking(self) -> list[int]:
        """All ids, those first that bring an answer to its end soonest, white space and special tokens last."""
        ends = [text for text in (END, TOOL_CALL_END) if text in self.special]
        first = [*map(self.id_of, ends), *b'"}],0']
        last = [*range(0x21), *range(256, self.size)]
        return list(dict.fromkeys([*first, *(byte for byte in range(256) if byte not in last), *last]))


def as_bytes(piece: Piece) -> bytes:
    """A piece's UTF-8; bytes stay as they are."""
    return piece.encode() if isinstance(piece, str) else piece


def byte_letters() -> list[str]:
    """GPT-2's alphabet: for each byte the one printable letter that stands for it in byte-level tokenizers."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    hidden = [byte for byte in range(256) if byte not in printable]
    return [chr(byte) if byte in printable else chr(256 + hidden.index(byte)) for byte in range(256)]


def tokenizer_files(vocabulary: Vocabulary) -> dict[str, object]:
    """A byte-level BPE tokenizer without a single merge."""
    byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    added = {vocabulary.id_of(text): {"content": text, **plain} for text in vocabulary.special}
    return {
        "tokenizer.json": {
            "version": "1.0",
            "added_tokens": [{"id": number, **token} for number, token in added.items()],
            "normalizer": None,
            "pre_tokenizer": byte_level,
            "post_processor": None,
            "decoder": byte_level,
            "model": {"type": "BPE", "byte_fallback": False, "vocab": vocabulary.spellings(), "merges": []},
        },
        "tokenizer_config.json": {
            "tokenizer_class": "Qwen2Tokenizer",
            "eos_token": END,
            "pad_token": END_OF_TEXT,
            "add_prefix_space": False,
            "chat_template": CHAT_TEMPLATE,
            "additional_special_tokens": vocabulary.special,
            "added_tokens_decoder": added,
        },
    }


def genai_config(vocabulary: Vocabulary, context_length: int) -> dict[str, object]:
    """What ONNX Runtime GenAI needs to know of the graph."""
    end_of_text = vocabulary.id_of(END_OF_TEXT)
    return {
        "model": {
            "type": "llama",
            "bos_token_id": end_of_text,
            "pad_token_id": end_of_text,
            "eos_token_id": [vocabulary.id_of(END), end_of_text],
            "context_length": context_length,
            "vocab_size": vocabulary.size,
            **vocabulary.tool_markers(),
            "decoder": {
                "session_options": {"provider_options": []},
                "filename": "model.onnx",
                "head_size": 1,
                "hidden_size": 1,
                "num_attention_heads": 1,
                "num_key_value_heads": 1,
                "num_hidden_layers": 1,
                "inputs": {
                    "input_ids": "input_ids",
                    "past_key_names": "past_key_%d",
                    "past_value_names": "past_value_%d",
                },
                "outputs": {
                    "logits": "logits",
                    "present_key_names": "present_key_%d",
                    "present_value_names": "present_value_%d",
                },
            },
        },
        "search": {"do_sample": False, "max_length": context_length, "past_present_share_buffer": False},
    }


def build_graph(vocabulary: Vocabulary, script: Sequence[Piece], *, endless: bool, layers: int, width: int) -> str:
    """The model in ONNX's textual form.

    The key-value cache holds a 1 for each `<|assistant|>` and a 0 for any other token; the tokens after the
    last 1 are the answer so far. The dense layers cost time, and their sum is multiplied by zero.
    """
    answer = [vocabulary.id_of(piece) for piece in script]
    ranks = {number: rank for rank, number in enumerate(vocabulary.ranking())}
    gap = 40.0  # between neighbours: no temperature lets another than the first come up
    preferences = [-gap * ranks[number] for number in range(vocabulary.size)]
    dense = "".join(
        f"product_{n} = MatMul(hidden_{n}, weights) hidden_{n + 1} = Tanh(product_{n})\n" for n in range(layers)
    )
    position = "Mod(written, length)" if endless else "Min(written, last)"
    return f"""
    <ir_version: 8, opset_import: ["": 17]>
    toy_chat_model (
        int64[batch, sequence] input_ids, float[batch, 1, past, 1] past_key_0, float[batch, 1, past, 1] past_value_0
    ) => (
        float[batch, sequence, {vocabulary.size}] logits,
        float[batch, 1, total, 1] present_key_0, float[batch, 1, total, 1] present_value_0
    )
    <
        float[{vocabulary.size}] preferences = {listed(preferences)}, int64[1] vocabulary_size = {{{vocabulary.size}}},
        int64[{len(answer)}] answer = {listed(answer)}, float[2] bonus = {{0, {gap * vocabulary.size}}},
        int64[1] length = {{{len(answer)}}}, int64[1] last = {{{len(answer) - 1}}},
        int64 start = {{{vocabulary.id_of(START)}}}, int64[1] one = {{1}}, float[1] zero = {{0}},
        int64[1] axis_1 = {{1}}, int64[1] axis_2 = {{2}}, int64[2] axes_1_and_3 = {{1, 3}},
        int64[1] line = {{{width}}}, int64[2] square = {{{width}, {width}}}
    >
    {{
        starts = Equal(input_ids, start)
        marks = Cast <to = 1> (starts)
        cached = Unsqueeze(marks, axes_1_and_3)
        present_key_0 = Concat <axis = 2> (past_key_0, cached)
        present_value_0 = Concat <axis = 2> (past_value_0, cached)
        total = Shape <start = 2, end = 3> (present_key_0)
        latest = ArgMax <axis = 2, keepdims = 0, select_last_index = 1> (present_key_0)
        begun = Add(latest, one)
        written = Sub(total, begun)
        position = {position}
        next = Gather(answer, position)
        chosen = OneHot(next, vocabulary_size, bonus)
        choice = Squeeze(chosen, axis_1)
        wanted = Add(choice, preferences)
        ones = ConstantOfShape <value = float[1] {{1.0}}> (line)
        weights = ConstantOfShape <value = float[1] {{{1 / width}}}> (square)
        tall = Unsqueeze(marks, axis_2)
        hidden_0 = Mul(tall, ones)
        {dense}
        cost = ReduceSum <keepdims = 1> (hidden_{layers}, axis_2)
        nothing = Mul(cost, zero)
        logits = Add(wanted, nothing)
    }}
    """


def listed(numbers: Sequence[float]) -> str:
    """Numbers as the textual form writes them."""
    return "{" + ", ".join(map(str, numbers)) + "}"


def write_model(
    target: Path,
    *,
    layers: int = 0,
    width: int = 8,
    context_length: int = 2048,
    script: tuple[Piece, ...] | None = None,
    tools: bool = False,
) -> Path:
    """Write a model into the folder `target`, the same bytes each time, and return the folder.

    `script` is the answer to every prompt: each piece is one token, a character may be cut between two pieces of
    bytes, and the names of special tokens stand for these. Without a script the answer is the alphabet, endlessly;
    with `tools` it is `TOOL_CALL`, whose markers are special tokens then. `layers` dense layers of `width` cost time.
    """
    endless = script is None and not tools
    spoken = CYCLE if endless else (*(TOOL_CALL if script is None else script), END)
    vocabulary = Vocabulary(spoken, tools=tools)
    graph = onnx.parser.parse_model(build_graph(vocabulary, spoken, endless=endless, layers=layers, width=width))
    onnx.checker.check_model(graph, full_check=True)
    target.mkdir(parents=True, exist_ok=True)
    (target / "model.onnx").write_bytes(graph.SerializeToString(deterministic=True))
    files = {**tokenizer_files(vocabulary), "genai_config.json": genai_config(vocabulary, context_length)}
    for name, content in files.items():
        (target / name).write_text(json.dumps(content, indent=1), encoding="utf-8")
    return target


def main() -> None:
    """Write the model that the command line describes."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folder", type=Path, help="where to write it")
    options.add_argument("--say", nargs="*", metavar="PIECE", help="the answer, one token a piece")
    options.add_argument("--tools", action="store_true", help="make the markers of tool calls special tokens")
    options.add_argument("--layers", type=int, default=0, help="dense layers that only cost time (24: slow)")
    options.add_argument("--width", type=int, default=8, help="the width of these layers (2048: slow)")
    options.add_argument("--context-length", type=int, default=2048, help="tokens for prompt and answer")
    chosen = options.parse_args()
    target = write_model(
        chosen.folder,
        layers=chosen.layers,
        width=chosen.width,
        context_length=chosen.context_length,
        script=None if chosen.say is None else tuple(chosen.say),
        tools=chosen.tools,
    )
    print(f"Wrote {target}")


if __name__ == "__main__":
    main()
