"""`homeward keys` as somebody in a terminal uses it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner, Result

from homeward.app.keys import KeyFile
from homeward.cli.main import main
from homeward.gate.keys import digest_of
from homeward.protocol.key_use import KeyLimits

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs a command on a folder of its own; it has to end well, unless told otherwise."""
    monkeypatch.setenv("HOMEWARD_DATA_DIR", str(tmp_path))

    def invoke(*arguments: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(main, ["keys", *arguments])
        assert result.exit_code == exit_code, result.output + repr(result.exception)
        assert "Traceback" not in result.output
        return result

    yield invoke
    structlog.reset_defaults()


def test_without_keys(run: Run) -> None:
    """It is said who may use the API then."""
    assert "any program on this machine may use /v1" in run("list").output


def test_the_key_is_all_that_is_printed(run: Run, tmp_path: Path) -> None:
    """So that a script can take it; what is said about it goes beside."""
    result = run("add", "editor")
    key = result.stdout.strip()
    assert re.fullmatch(r"hw-[A-Za-z0-9_-]{43}", key)
    assert "not shown again" in result.stderr
    (kept,) = KeyFile(tmp_path).read()
    assert (kept.digest, kept.scopes) == (digest_of(key), ("models", "answers", "embeddings"))


def test_scopes_are_chosen_one_by_one(run: Run) -> None:
    """And shown in the list, which has no key."""
    key = run("add", "cloudy", "--scope", "cloud", "--scope", "answers").stdout.strip()
    listed = run("list").output
    assert re.search(r"cloudy +answers cloud +\d{4}-\d\d-\d\d", listed)
    assert key not in listed


def test_limits_are_chosen_too(run: Run, tmp_path: Path) -> None:
    """And shown; what a key leaves open, the settings say."""
    run("add", "editor", "--requests-per-minute", "60", "--at-once", "2")
    run("add", "notes", "--at-once", "1")
    run("add", "free")
    assert [key.limits for key in KeyFile(tmp_path).read()] == [
        KeyLimits(requests_per_minute=60, at_once=2),
        KeyLimits(at_once=1),
        KeyLimits(),
    ]
    listed = run("list").output
    assert re.search(r"editor .*60 per minute, 2 at once", listed)
    assert re.search(r"notes .*\d {2,}1 at once", listed)
    assert re.search(r"free .* -", listed)
    (tmp_path / "homeward.toml").write_text("[gateway]\nrequests_per_minute = 5\n")
    listed = run("list", "--config", str(tmp_path / "homeward.toml")).output
    assert re.search(r"notes .*5 per minute, 1 at once", listed)


@pytest.mark.parametrize("option", ["--requests-per-minute", "--at-once"])
@pytest.mark.parametrize("value", ["0", "-1", "many"])
def test_a_limit_is_a_number(run: Run, option: str, value: str) -> None:
    """Nothing is made where it is none."""
    run("add", "editor", option, value, exit_code=2)
    assert "editor" not in run("list").output


def test_an_unknown_scope_is_explained(run: Run) -> None:
    """With those that there are."""
    result = run("add", "editor", "--scope", "everything", exit_code=2)
    for scope in ("models", "answers", "embeddings", "cloud"):
        assert scope in result.output


def test_a_key_is_taken_away(run: Run) -> None:
    """With the last one, it is said what that means."""
    run("add", "one")
    run("add", "two")
    assert "any program" not in run("remove", "one").output
    assert "any program" in run("remove", "two").output
    assert "There is no key called two." in run("remove", "two", exit_code=1).output


def test_the_last_key_of_the_file_is_not_always_the_last(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable may hold one."""
    monkeypatch.setenv("HOMEWARD_GATEWAY_API_KEY", "sk-canary")
    run("add", "one")
    result = run("remove", "one")
    assert "any program" not in result.output
    assert "(HOMEWARD_GATEWAY_API_KEY)" in run("list").output
    assert "sk-canary" not in run("list").output


def test_a_name_that_is_taken_is_a_sentence(run: Run) -> None:
    """With the command that helps."""
    run("add", "editor")
    assert "homeward keys remove editor" in run("add", "editor", exit_code=1).output
