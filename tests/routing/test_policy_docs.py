"""`docs/policies.md` says what is so."""

import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest

from homeward.config import Settings
from homeward.config.policy import Difficulty, PolicySettings, Preset, Task, When
from homeward.privacy import Kind, custom_kind
from homeward.routing import effective, unknown_targets

TEXT = (Path(__file__).parents[2] / "docs/policies.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
KINDS = {kind.value for kind in Kind}


def settings_of(example: str) -> Settings:
    """The example as Homeward reads it."""
    return Settings.model_validate(tomllib.loads(example))


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_right(example: str) -> None:
    """They can be read, name only backends and findings that there may be, and do not all go in vain."""
    settings = settings_of(example)
    named: list[Any] = [rule.when.findings for rule in settings.policy.rules]
    kinds = {kind for kinds in named if isinstance(kinds, tuple) for kind in kinds} | set(settings.privacy.kinds)
    assert kinds <= KINDS | {custom_kind(name) for name in settings.privacy.patterns}
    assert all(unknown_targets(rule, {"llama", "foundry", "azure"}) == [] for rule in settings.policy.rules)
    assert settings != Settings()


def test_each_preset_has_its_example() -> None:
    """And its row in the table, with its places in order."""
    shown = {settings_of(example).policy.preset for example in EXAMPLES}
    for preset in get_args(Preset):
        assert preset in shown
        row = next(line for line in TEXT.splitlines() if line.startswith(f"| `{preset}`"))
        assert row.split("|")[2].strip() == ", ".join(effective(PolicySettings(preset=preset)).places)


@pytest.mark.parametrize("condition", When.model_fields)
def test_each_condition_has_its_example_and_its_row(condition: str) -> None:
    """None is a secret."""
    assert f"| `{condition} = " in TEXT
    assert any(
        condition in rule.when.model_fields_set for example in EXAMPLES for rule in settings_of(example).policy.rules
    )


@pytest.mark.parametrize("word", [*get_args(Task), *get_args(Difficulty)])
def test_tasks_and_difficulties_are_listed(word: str) -> None:
    """By the names that the file takes."""
    assert f"`{word}`" in TEXT
