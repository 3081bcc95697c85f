"""Functions and files stay small; what is larger is listed, and the list may only shrink."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src/homeward"
LISTED = ROOT / "tests/oversize.json"
MOST_BODY_LINES = 60
MOST_FILE_LINES = 600

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.ClassDef):
            name = f"{prefix}{child.name}"
            if isinstance(child, Function):
                yield name, child
            yield from functions(child, f"{name}.")


def body_lines(function: Function) -> int:
    """Lines without signature and docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def oversize() -> dict[str, int]:
    found: dict[str, int] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        name = path.relative_to(SOURCE).as_posix()
        if (lines := len(text.splitlines())) > MOST_FILE_LINES:
            found[name] = lines
        for function, node in functions(ast.parse(text)):
            if (lines := body_lines(node)) > MOST_BODY_LINES:
                found[f"{name}::{function}"] = lines
    return found


def test_nothing_grows_past_its_size() -> None:
    """Equal to the list: a new long body fails, and so does an entry that has become stale."""
    assert oversize() == json.loads(LISTED.read_text(encoding="utf-8"))
