"""The examples of the pages about the API, run as they stand. Those marked `py` need packages that are not here."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conformance.house import House

pytestmark = pytest.mark.conformance

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("clients.md", "responses.md", "embeddings.md")
HOW = {"python": [sys.executable, "-c"], "sh": ["sh", "-c"], "js": ["node", "--input-type=module", "-e"]}


def examples() -> list[tuple[str, str, str]]:
    """Page, language and text of each."""
    return [
        (page, language, text)
        for page in PAGES
        for language, text in re.findall(
            r"^```(\w+)\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.M | re.S
        )
        if language in HOW
    ]


@pytest.mark.parametrize(("page", "language", "text"), examples(), ids=lambda each: each[:40])
def test_what_the_pages_show_works(house: House, node_folder: Path, page: str, language: str, text: str) -> None:
    assert "http://127.0.0.1:8080" in text, page
    result = subprocess.run(
        [*HOW[language], text.replace("http://127.0.0.1:8080", house.url)],
        cwd=node_folder,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (result.returncode, bool(result.stdout.strip())) == (0, True), result.stdout + result.stderr


def test_there_are_examples_in_every_language() -> None:
    assert {language for _, language, _ in examples()} == set(HOW)
