"""`homeward compare` in a terminal: who is asked, what is said before, what comes out."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import structlog
from click.testing import CliRunner, Result

from homeward.app.comparing.matrix import CRITERIA
from homeward.app.comparing.prompts import OURS
from homeward.cli.compare import compare
from homeward.config import Settings
from tests.app.comparisons import CLOUD, HOME, LAB, Answers, receipt


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Where the command is called, with a data folder of its own."""
    monkeypatch.setenv("HOMEWARD_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    structlog.reset_defaults()


def run(answers: Answers, *arguments: str, exit_code: int = 0) -> Result:
    @asynccontextmanager
    async def opener(_: Settings) -> AsyncIterator[Answers]:
        yield answers

    result = CliRunner().invoke(compare, arguments, obj=opener)
    assert result.exit_code == exit_code, result.output + repr(result.exception)
    return result


def refused(answers: Answers, *arguments: str) -> str:
    """The sentence of an error, in which nobody was asked anything."""
    result = run(answers, *arguments, exit_code=1)
    assert answers.asked == []
    return str(result.exception)


def asked(answers: Answers) -> list[str]:
    """The backends that were asked, in order."""
    return list(dict.fromkeys(backend for _, backend, _ in answers.asked))


def test_without_a_word_no_cloud_is_asked(folder: Path) -> None:
    """What stands at home or was agreed to is; the table and the page are there."""
    answers = Answers(HOME, LAB, CLOUD)
    output = run(answers).output
    assert asked(answers) == ["llama", "lab"]
    assert len(answers.asked) == 2 * (1 + len(OURS))
    assert {tokens for _, _, tokens in answers.asked} == {8, 128}
    titles = [line.split("  ")[0] for line in output.splitlines()]
    assert [title for title in titles if title in {each.title for each in CRITERIA}] == [
        each.title for each in CRITERIA
    ]
    assert "The decision matrix" in (folder / "homeward-compare.html").read_text(encoding="utf-8")
    assert "9 prompts leave this machine for lab (lab.example); its prices are not in the configuration." in output
    assert "llama (" not in output


def test_a_cloud_needs_its_name_and_an_agreement(folder: Path) -> None:
    """The word alone is not enough, nor is a place in the network that nobody agreed to."""
    stranger = Answers(HOME, CLOUD)
    assert "You have not agreed yet that prompts go to azure (a.example)" in refused(stranger, "--cloud")
    assert "Say --yes" in refused(stranger, "--backends", "llama, azure")
    assert not (folder / "homeward-compare.html").exists()


def test_yes_agrees_for_this_once() -> None:
    """To those that are asked; what they cost at most is said before the first one is."""
    answers = Answers(HOME, CLOUD)
    output = run(answers, "--cloud", "--yes", "--repeat", "2", "--max-tokens", "100").output
    assert answers.agreed == {"llama", "azure"}
    assert asked(answers) == ["llama", "azure"]
    before, _, _ = output.partition("llama: getting ready")
    assert "17 prompts leave this machine for azure (a.example); it costs at most about 0.0" in before


def test_an_agreement_on_the_page_is_enough() -> None:
    """Nothing more is agreed to then."""
    answers = Answers(HOME, msgspec.structs.replace(CLOUD, consented=True))
    run(answers, "--backends", "azure")
    assert (asked(answers), answers.agreed) == (["azure"], set())


def test_names_keep_their_order_and_count_once() -> None:
    answers = Answers(HOME, LAB)
    run(answers, "--backends", "lab,llama,,lab")
    assert asked(answers) == ["lab", "llama"]


def test_mistakes(folder: Path) -> None:
    """Each is said before anything is asked."""
    assert "There are: llama, lab." in refused(Answers(HOME, LAB), "--backends", "nobody")
    assert "There is nothing to compare." in refused(Answers(CLOUD))
    assert "can't be written" in refused(Answers(HOME), "--output", str(folder / "nowhere" / "a.html"))
    assert "can't be read" in refused(Answers(HOME), "--prompts", str(folder / "missing.txt"))


def test_prompts_of_the_user(folder: Path) -> None:
    """They are asked, and stand on no page; the command is there to do it again."""
    (folder / "mine.txt").write_text("What is in my diary?\n")
    answers = Answers(HOME)
    run(answers, "--prompts", "mine.txt", "--output", "out.html", "--max-tokens", "9")
    assert answers.asked[1:] == [("What is in my diary?", "llama", 9)]
    page = (folder / "out.html").read_text(encoding="utf-8")
    assert "diary" not in page
    assert "homeward compare --repeat 1 --max-tokens 9 --prompts mine.txt --output out.html" in page


def test_nobody_answered() -> None:
    """Told by the table and the exit status."""
    broken = receipt(HOME, error="engine_start_failed", outcome="failed")
    output = run(Answers(HOME, receipts=[broken]), exit_code=1).output
    assert "engine_start_failed 1" in output
    assert "can't answer" in output
