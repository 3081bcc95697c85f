"""`homeward route` as somebody in a terminal uses it."""

import asyncio
import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from homeward.app.consents import Consents
from homeward.cli.main import Sentences
from homeward.cli.route import route

CONFIG = """\
[policy]
[[policy.rules]]
name = "writing"
when = {task = ["creative"]}
use = ["mine", "device"]

[privacy.kinds]
email = "mask"

[clouds.mine]
url = "https://cloud.example/v1"
model = "gpt"
"""
POEM = "Write a poem about the sea."
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs the command on a data folder of its own; it opens no connection."""
    monkeypatch.setenv("HOMEWARD_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(socket.socket, "connect", forbidden)
    group = Sentences(commands={"route": route})
    (tmp_path / "homeward.toml").write_text(CONFIG)

    def invoke(*arguments: str, stdin: str = "", exit_code: int = 0) -> Result:
        result = CliRunner().invoke(group, ["route", *arguments], input=stdin)
        assert result.exit_code == exit_code, result.output + repr(result.exception)
        return result

    yield invoke
    structlog.reset_defaults()


def forbidden(*_: object) -> None:
    raise AssertionError("a connection was opened")


def consent(folder: Path) -> None:
    asyncio.run(Consents(folder / "consents.json").give("mine", "cloud.example"))


def test_why_it_stays_here(run: Run) -> None:
    """Facts, the rule, who is asked, who is not and why; and nothing is left behind."""
    lines = run(POEM).output.splitlines()
    assert "What it is about: creative writing." in lines
    assert "The rule “writing” matched." in lines
    assert any(line.startswith("mine (the cloud) would come first: you are asked") for line in lines)
    assert "Asked: llama (this device, SmolLM2-135M-Instruct)." in lines
    assert "Not asked: mine. You have not agreed yet that anything is sent there." in lines
    assert any(line.startswith("task        creative, ") for line in lines)
    assert "findings    none" in lines
    assert "rule        writing" in lines


def test_a_consent_of_the_page_counts(run: Run, tmp_path: Path) -> None:
    """And what is found is masked, as the file says."""
    consent(tmp_path)
    output = run(f"{POEM} Mail it to ada@example.com.").output
    assert "mine (the cloud, gpt, with placeholders), llama" in output
    assert "findings    email (1)" in output
    assert "ada@example.com" not in output


def test_as_json(run: Run, tmp_path: Path) -> None:
    consent(tmp_path)
    why = json.loads(run("--json", "--mode", "device", POEM).output)
    assert [attempt["backend"] for attempt in why["attempts"]] == ["llama"]
    assert why["rule"] == "mode"
    assert [(each["backend"], each["reason"]) for each in why["dropped"]] == [("mine", "not_in_mode")]
    assert why["facts"]["task"] == "creative"
    assert 0.5 < why["facts"]["task_probability"] <= 1
    assert why["question"] is None


def test_from_standard_input(run: Run) -> None:
    """So that a prompt need not stand in the shell's history."""
    assert "The rule “writing” matched." in run("-", stdin=POEM).output


def test_nothing_is_kept(run: Run, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    run("canary-7f3a91", "--mode", "cloud")
    assert sorted(tmp_path.rglob("*")) == before


def test_another_configuration(run: Run, tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_text(CONFIG.replace("[policy]\n", '[policy]\npreset = "local-only"\n'))
    assert "Not asked: mine. Your policy doesn't allow this place." in run(POEM, "--config", str(other)).output


def test_a_wrong_policy_is_explained(run: Run, tmp_path: Path) -> None:
    """As a sentence."""
    (tmp_path / "homeward.toml").write_text(CONFIG.replace('"mine", "device"', '"yours"'))
    assert 'The rule "writing" names yours, ' in run(POEM, exit_code=1).output
