"""Under which licence a model folder says that it is."""

import re
from pathlib import Path

_KNOWN = (
    ("apache license", "apache-2.0"),
    ("mit license", "mit"),
    ("gemma terms of use", "gemma"),
    ("bsd 3-clause", "bsd-3-clause"),
)
_README_LINES = 200
"""The front matter of a model card with many results is long."""
_TITLE_LINES = 5
_LONGEST_LINE = 1000


def folder_license(folder: Path) -> str:
    """From the model card's front matter, or else from the licence's title; empty where neither says it."""
    return _from_card(folder / "README.md") or next(
        (title for path in sorted(folder.glob("LICENSE*")) if (title := _from_title(path))), ""
    )


def _from_card(path: Path) -> str:
    lines = _first_lines(path, _README_LINES)
    if lines[:1] != ["---"]:
        return ""
    fields = {}
    for line in lines[1:]:
        if line == "---":
            break
        if field := re.fullmatch(r"(license|license_name):\s*[\"']?([\w. +-]+?)[\"']?", line):
            fields[field[1]] = field[2]
    return fields.get("license_name") or fields.get("license", "")


def _from_title(path: Path) -> str:
    lines = [line for line in _first_lines(path, _TITLE_LINES) if line]
    text = " ".join(lines).lower()
    return next((name for words, name in _KNOWN if words in text), lines[0][:80] if lines else "")


def _first_lines(path: Path, count: int) -> list[str]:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return [file.readline(_LONGEST_LINE).strip() for _ in range(count)]
    except OSError:
        return []
