"""The toy models, asked through the real runtime."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import onnx
import pytest
from tools.make_toy_onnx import Piece, main, write_model

ASK = Path(__file__).with_name("foundry_child.py")
HELLO: dict[str, Any] = {"model": "toy", "messages": [{"role": "user", "content": "안녕 hello"}], "max_tokens": 40}
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
PERSON = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "age": {"type": "integer", "minimum": 1},
        "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2},
        "kind": {"enum": ["cat", "dog"]},
    },
    "required": ["name", "age", "tags", "kind"],
    "additionalProperties": False,
}


def asked(folder: Path, *questions: dict[str, Any]) -> dict[str, Any]:
    """What a fresh runtime answers."""
    environment = {**os.environ, "CI": "true"}  # with it the runtime sends no telemetry
    result = subprocess.run(
        [sys.executable, str(ASK), str(folder)],
        input=json.dumps(questions),
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    said: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return said


def pieces(reply: dict[str, Any]) -> list[str]:
    """The texts of a streamed answer, one per chunk that has one; they make up the whole answer."""
    texts = [chunk["choices"][0]["delta"].get("content") for chunk in reply["chunks"]]
    assert "".join(filter(None, texts)) == reply["completion"]["choices"][0]["message"]["content"]
    return [text for text in texts if text]


def ending(reply: dict[str, Any]) -> str:
    """Why the answer ended; the last chunk and the whole completion agree on it."""
    reason: str = reply["completion"]["choices"][0]["finish_reason"]
    assert reply["chunks"][-1]["choices"][0]["finish_reason"] == reason
    return reason


def test_the_endless_one_goes_on_to_the_limit_whatever_is_asked(tmp_path: Path) -> None:
    """A letter a token, in every turn, at the wildest sampling."""
    history = [{"role": "assistant", "content": "abc"}, {"role": "user", "content": "<|im_end|>"}]
    wild = {**HELLO, "messages": HELLO["messages"] + history, "temperature": 2.0, "top_p": 1.0, "seed": 7}
    said = asked(write_model(tmp_path), HELLO, wild)
    for reply in said["replies"]:
        assert pieces(reply) == list("abcdefghijklmnopqrstuvwxyz abcdefghijklm")
        assert ending(reply) == "length"


@pytest.mark.parametrize(
    ("script", "streamed"),
    [
        (("안녕", "하세요", " ", "🙂", "하세요", "\n"), ["안녕", "하세요", " ", "🙂", "하세요", "\n"]),
        (("a", b"\xec\x95", b"\x88", *(bytes([byte]) for byte in "🙂".encode())), ["a", "안", "🙂"]),
        ((), []),
    ],
)
def test_a_script_is_said_piece_by_piece(tmp_path: Path, script: tuple[Piece, ...], streamed: list[str]) -> None:
    """A piece may come twice; a character cut between tokens is streamed when it is whole."""
    (reply,) = asked(write_model(tmp_path, script=script), HELLO)["replies"]
    assert pieces(reply) == streamed
    assert ending(reply) == "stop"
    assert reply["completion"]["usage"]["completion_tokens"] == len(script)


def test_the_tool_caller_calls_its_tool(tmp_path: Path) -> None:
    """The call comes in one chunk, and no text with it."""
    folder = write_model(tmp_path, tools=True)
    questions = [{**HELLO, "tools": [WEATHER], "tool_choice": choice} for choice in ("auto", "required")]
    for reply in asked(folder, *questions)["replies"]:
        assert pieces(reply) == []
        assert ending(reply) == "tool_calls"
        (call,) = reply["completion"]["choices"][0]["message"]["tool_calls"]
        assert call["function"]["name"] == "get_weather"
        assert json.loads(call["function"]["arguments"]) == {"city": "Seoul"}
        assert [chunk["choices"][0]["delta"].get("tool_calls") for chunk in reply["chunks"]] == [
            None,
            [{"index": 0, **call}],
            None,
        ]


def test_a_tool_caller_can_talk_first(tmp_path: Path) -> None:
    """The runtime wants talk beside tools to begin with this line, and takes it away."""
    call = ("<tool_call>", '[{"name": "get_weather", "parameters": {"city": "서울"}}]', "</tool_call>")
    folder = write_model(tmp_path, tools=True, script=("MESSAGE\n", "Let me ", "look.", *call))
    (reply,) = asked(folder, {**HELLO, "tools": [WEATHER]})["replies"]
    assert pieces(reply) == ["Let me ", "look."]
    (call_made,) = reply["completion"]["choices"][0]["message"]["tool_calls"]
    assert json.loads(call_made["function"]["arguments"]) == {"city": "서울"}


def test_under_a_schema_even_a_silent_one_writes_json(tmp_path: Path) -> None:
    """Everything that is required, and as short as it can be."""
    question = {**HELLO, "max_tokens": 100, "response_format": {"type": "json_schema", "json_schema": PERSON}}
    (reply,) = asked(write_model(tmp_path, script=()), question)["replies"]
    assert json.loads("".join(pieces(reply))) == {"name": "", "age": 1, "tags": ["", ""], "kind": "cat"}
    assert ending(reply) == "stop"


def test_slowness_changes_no_word(tmp_path: Path) -> None:
    """Each layer is a matrix product that the runtime cannot leave out, and adds nothing to the answer."""
    folder = write_model(tmp_path, layers=3, width=64)
    operators = [node.op_type for node in onnx.load(folder / "model.onnx").graph.node]
    assert operators.count("MatMul") == 3
    (reply,) = asked(folder, HELLO)["replies"]
    assert pieces(reply) == list("abcdefghijklmnopqrstuvwxyz abcdefghijklm")


def test_the_context_is_as_long_as_told(tmp_path: Path) -> None:
    """What does not fit is refused: code 3, an invalid argument."""
    fitting = {**HELLO, "max_tokens": 10}
    said = asked(write_model(tmp_path, context_length=64), fitting, {**HELLO, "max_tokens": 60})
    assert said["context_length"] == 64
    assert pieces(said["replies"][0]) == list("abcdefghij")
    assert said["replies"][1] == {"error_code": 3}


@pytest.mark.parametrize("kind", [{}, {"script": ("안녕", b"\xff")}, {"tools": True}, {"layers": 2, "width": 16}])
def test_every_run_writes_the_same_bytes(tmp_path: Path, kind: dict[str, Any]) -> None:
    """So that a model can be a cache key."""
    first, second = (contents(write_model(tmp_path / name, **kind)) for name in ("first", "second"))
    assert first == second
    assert set(first) == {"model.onnx", "genai_config.json", "tokenizer.json", "tokenizer_config.json"}


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [
        ([], {}),
        (["--say", "안녕", " 하세요"], {"script": ("안녕", " 하세요")}),
        (["--say"], {"script": ()}),
        (["--tools"], {"tools": True}),
        (
            ["--layers", "2", "--width", "16", "--context-length", "99"],
            {"layers": 2, "width": 16, "context_length": 99},
        ),
    ],
)
def test_the_command_line_says_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], kind: dict[str, Any]
) -> None:
    """Each option means the argument of its name; `--say` is the script."""
    monkeypatch.setattr(sys, "argv", ["make_toy_onnx.py", str(tmp_path / "by command"), *arguments])
    main()
    assert contents(tmp_path / "by command") == contents(write_model(tmp_path / "by call", **kind))


def test_a_piece_is_at_least_a_byte(tmp_path: Path) -> None:
    """An empty one is no token."""
    with pytest.raises(ValueError, match="empty"):
        write_model(tmp_path, script=("a", ""))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file's bytes by name."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}
