"""What is allowed, but hardly meant, is noted."""

from pathlib import Path

import pytest

from homeward.config import load
from homeward.config.notes import notes

PRICED = "input_price = 1\noutput_price = 2\n"


def noted(folder: Path, text: str, environment: dict[str, str] | None = None) -> list[str]:
    path = folder / "homeward.toml"
    path.write_text(text, encoding="utf-8")
    return list(notes(load(config=path, environment=environment or {})))


def cloud(*lines: str) -> str:
    return "\n".join(['[clouds.a]\nurl = "https://a.example"\nmodel = "m"', *lines, ""])


def test_a_cloud_without_prices_under_a_budget(tmp_path: Path) -> None:
    """It is never asked; without a limit, or where the cloud has none of the budget's, nothing is wrong."""
    budget = "[budget]\nmonth = 5\n"
    said = ["[clouds.a] It is never asked: it has no input_price and no output_price, and [budget] has a limit."]
    assert noted(tmp_path, budget + cloud()) == said
    for fine in (
        cloud(),
        budget + cloud(PRICED),
        budget + cloud("enabled = false"),
        budget + cloud('place = "network"'),
    ):
        assert noted(tmp_path, fine) == []


@pytest.mark.parametrize(("given", "missing"), [("input_price", "output_price"), ("output_price", "input_price")])
def test_one_price_without_the_other(tmp_path: Path, given: str, missing: str) -> None:
    text = cloud(f"{given} = 1")
    assert noted(tmp_path, text) == [f"[clouds.a] What it costs is not known: it has no {missing}."]
    [said] = noted(tmp_path, f"{text}[budget]\nmonth = 5\n")
    assert said == f"[clouds.a] It is never asked: it has no {missing}, and [budget] has a limit."


def test_a_model_that_does_not_exist(tmp_path: Path) -> None:
    """It is looked for where it would be read."""
    text = '[llama]\nmodel = "mine.gguf"\n'
    model = tmp_path / "mine.gguf"
    assert noted(tmp_path, text) == [f"[llama] The model {model} does not exist."]
    assert noted(tmp_path, text + "enabled = false\n") == []
    model.touch()
    assert noted(tmp_path, text) == []


def test_a_difficulty_that_does_not_count(tmp_path: Path) -> None:
    """Also where a variable says the preset, which must not become an error."""
    text = '[policy]\ncomplex_from = "hard"\n'
    assert noted(tmp_path, text) == []
    [said] = noted(tmp_path, text, {"HOMEWARD_POLICY_PRESET": "by-task"})
    assert said == '[policy] `complex_from` counts only with `preset = "local-first"`, not with "by-task".'
