"""Where the classifier's weights come from: what it was trained on, and that it wasn't trained on its tests."""

import hashlib
import json
import re
from typing import Any

import pytest
from tools.task_examples import EXAMPLES, OWN_FILES, PUBLIC_FILES, ROOT, composed_examples, own_examples, rows

from homeward.routing.tasks.lexicon import LEXICON_FILE, tokens
from homeward.routing.tasks.weights import WEIGHTS_FILE, weights

DATA = ROOT.parent / "shared/data/prompts"
HELD_OUT = ("heldout.jsonl", "heldout_plain.jsonl", "heldout_difficulty.jsonl")


def test_the_weights_were_trained_on_the_committed_examples() -> None:
    """Whoever changes an example or the lexicon trains again: `python -m tools.train_tasks --write`."""
    files = [*(EXAMPLES / name for name in OWN_FILES), LEXICON_FILE]
    recorded = weights().header.inputs
    assert {path.name: recorded.get(path.name) for path in files} == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    }


def test_every_input_is_recorded_and_no_test_is_among_them() -> None:
    """Own files, public sets and the lexicon; MT-Bench, Vicuna and the held-out files never."""
    assert set(weights().header.inputs) == {*OWN_FILES, *PUBLIC_FILES, LEXICON_FILE.name}


def test_the_weights_stay_small() -> None:
    """They travel in the package."""
    assert WEIGHTS_FILE.stat().st_size < 1_000_000


def test_held_out_prompts_are_not_trained_on() -> None:
    """Not one of them, whatever its spacing and capitals."""
    trained = {plain(example.text) for example in [*own_examples(), *composed_examples()]}
    trained |= {plain(row["text"]) for row in rows("calibration.jsonl")}
    assert [row["text"] for row in held_out() if plain(row["text"]) in trained] == []


def test_the_lexicon_has_its_phrases_from_the_training() -> None:
    """Single words are general knowledge; a phrase that no training prompt holds may be the wording of a test."""
    known = {run for example in [*own_examples(), *composed_examples()] for run in phrases(example.text)}
    lines = LEXICON_FILE.read_text("utf-8").splitlines()
    words = [word for line in lines if not line.startswith(("#", "[")) for word in line.split()]
    assert [word for word in words if "_" in word and " ".join(tokens(word.replace("_", " "))) not in known] == []


def phrases(text: str) -> set[str]:
    found = tokens(text)
    return {" ".join(found[at : at + length]) for length in (2, 3, 4) for at in range(len(found) - length + 1)}


def test_every_task_has_examples_in_both_languages() -> None:
    """At least a hundred written ones each, and none twice."""
    written = list(own_examples())
    assert len({plain(example.text) for example in written}) == len(written)
    for language in ("en", "ko"):
        for task in weights().header.tasks:
            assert sum((one.task, one.language) == (task, language) for one in written) >= 100


def test_pasted_texts_stand_on_both_sides_of_the_instruction() -> None:
    """Otherwise the classifier learns to look at one end only."""
    instructions = tuple(row["instruction"] for row in rows("instructions.jsonl"))
    before = sum(example.text.startswith(instructions) for example in composed_examples())
    total = sum(1 for _ in composed_examples())
    assert 0.4 < before / total < 0.6


@pytest.mark.parametrize("name", ["mt_bench.jsonl", "vicuna_bench.jsonl"])
def test_public_tests_are_not_copied(name: str) -> None:
    """No example shares six words in a row with a prompt of the public tests."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    public = {run for line in path.read_bytes().splitlines() for run in runs(json.loads(line)["turns"][0])}
    ours = [*(example.text for example in own_examples()), *(row["text"] for row in held_out())]
    assert [text for text in ours if runs(text) & public] == []


def held_out() -> list[dict[str, Any]]:
    return [row for name in HELD_OUT for row in rows(name)]


def plain(text: str) -> str:
    return re.sub(r"\W+", "", text.casefold())


def runs(text: str, length: int = 6) -> set[str]:
    words = re.findall(r"\w+", text.casefold())
    return {" ".join(words[start : start + length]) for start in range(len(words) - length + 1)}
