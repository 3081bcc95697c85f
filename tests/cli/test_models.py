"""`homeward models`, `discover` and `doctor` as somebody in a terminal uses them, with the real runtime."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from homeward.cli import main
from tests.engines.toys import MakeToy, toy
from tests.foundry_catalogue import CatalogueModel, Fault, FoundryCatalogue, serving_in_thread

__all__ = ["toy"]

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command on a data folder of its own; it has to end well, unless told otherwise."""
    monkeypatch.setenv("HOMEWARD_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", str(tmp_path))  # no `foundry` command of this machine's

    def invoke(*arguments: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == exit_code, result.output + repr(result.exception)
        return result

    yield invoke
    structlog.reset_defaults()


@pytest.fixture
def folder(toy: MakeToy, tmp_path: Path) -> Path:
    """A model folder of the user's."""
    target = tmp_path / "my-model"
    shutil.copytree(toy(), target)
    return target


@pytest.fixture
def catalogue(toy: MakeToy, monkeypatch: pytest.MonkeyPatch) -> Iterator[FoundryCatalogue]:
    with serving_in_thread(CatalogueModel(folder=toy())) as served:
        monkeypatch.setenv("SSL_CERT_FILE", str(served.certificate))
        monkeypatch.setenv("HOMEWARD_FOUNDRY_CATALOG_URL", served.url)
        monkeypatch.setenv("HOMEWARD_FOUNDRY_CATALOG_REGION", served.configuration()["catalog_region"])
        yield served


def test_the_starter_answers_at_first(run: Run) -> None:
    head, starter = run("models", "list").output.splitlines()
    assert head.split()[:2] == ["NAME", "ENGINE"]
    assert starter.split()[:3] == ["*", "SmolLM2-135M-Instruct", "llama"]


def test_a_model_of_ones_own(run: Run, folder: Path) -> None:
    """Added, chosen, seen, removed; its files stay."""
    assert "my-model is whole and on the list" in run("models", "add", str(folder)).output
    assert "foundry/my-model answers from now on" in run("models", "use", "MY-MODEL").output
    assert [line.split()[1] for line in run("models", "list").output.splitlines() if line.startswith("*")] == [
        "my-model"
    ]
    assert "my-model: whole" in run("models", "verify").output
    assert f"Its files stay at {folder}" in run("models", "remove", "my-model", "--delete-files").output
    assert (folder / "model.onnx").exists()
    assert "*  SmolLM2" in run("models", "list").output
    assert "llama/SmolLM2-135M-Instruct answers" in run("models", "use", "starter").output


def test_a_damaged_model(run: Run, folder: Path) -> None:
    """Said with the file, and with the exit status."""
    run("models", "add", str(folder))
    with (folder / "model.onnx").open("r+b") as file:
        file.truncate(1000)
    output = run("models", "verify", "my-model", exit_code=1).output
    assert "my-model: DAMAGED" in output
    assert "model.onnx" in output


def test_a_damaged_model_is_not_put_on_the_list(run: Run, folder: Path) -> None:
    with (folder / "model.onnx").open("r+b") as file:
        file.truncate(1000)
    assert "is not whole" in run("models", "add", str(folder), exit_code=1).output
    assert "my-model" not in run("models", "list").output


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("models", "use", "nobody"), "There is no model called nobody"),
        (("models", "use", "ollama/llama3"), "Nothing listens on 127.0.0.1:11434"),
        (("models", "remove", "nobody"), "There is no model called nobody"),
        (("models", "remove", "starter"), "part of Homeward's installation"),
        (("models", "verify", "nobody"), "There is no model called nobody"),
        (("models", "add", "/nowhere/at/all"), "There is nothing at /nowhere/at/all"),
    ],
)
def test_mistakes(run: Run, arguments: tuple[str, ...], words: str) -> None:
    """One sentence, no traceback."""
    output = run(*arguments, exit_code=1).output
    assert words in output
    assert "Traceback" not in output


def test_from_the_catalogue(run: Run, catalogue: FoundryCatalogue) -> None:
    """Looked up, fetched by its alias, checked, used, deleted."""
    assert "toy-generic-cpu:1" in run("models", "list", "--catalogue").output
    assert "toy is here and whole" in run("models", "get", "toy").output
    run("models", "use", "toy")
    assert "*  toy" in run("models", "list").output
    assert "its files deleted" in run("models", "remove", "toy", "--delete-files").output
    assert "  toy" not in run("models", "list").output


def test_a_download_that_fails(run: Run, catalogue: FoundryCatalogue) -> None:
    catalogue.faults.append(Fault(name="status", part="registry", status=403))
    assert "could not be reached, or refused" in run("models", "get", "toy", exit_code=1).output
    assert "has no model phi" in run("models", "get", "phi", exit_code=1).output


def test_discover_says_why_not(run: Run) -> None:
    output = run("discover").output
    assert "No Ollama: Nothing listens on 127.0.0.1:11434." in output
    assert "No Foundry Local: The foundry command is not installed." in output


def test_doctor(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor alone is no fault; a runtime that is switched off is said."""
    output = run("doctor").output
    assert "ok    Devices: the processor; no graphics or neural processor" in output
    assert "ok    Model: llama/SmolLM2-135M-Instruct" in output
    assert "telemetry is switched off" in output
    monkeypatch.setenv("HOMEWARD_FOUNDRY_ENABLED", "false")
    assert "warn  Foundry Local: Foundry Local is switched off" in run("doctor").output


def test_a_model_that_should_answer_and_is_not_here(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sample's variable; the starter answers in its place, and doctor says so."""
    monkeypatch.setenv("MODEL", "phi-4-mini")
    assert "warn  Model: phi-4-mini is not here" in run("doctor").output
