"""The command's messages: sentences, no tracebacks."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import homeward
from homeward.cli import main
from homeward.config import Settings


@pytest.fixture(autouse=True)
def no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOMEWARD_DATA_DIR", str(tmp_path / "data"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def test_version() -> None:
    """The installed one."""
    assert homeward.__version__ in run("--version").output


def test_each_option_of_up_is_a_setting_with_the_same_name() -> None:
    """Option, variable and key of the file are one word."""
    options = {parameter.name for parameter in main.commands["up"].params}
    assert options == {"host", "port", "data_dir", "config", "open", "watch", "debug"}
    assert options - {"config"} <= set(Settings.model_fields)


def test_the_gateway_has_as_many_workers_as_the_option_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before what the configuration says; none where there are too many."""
    kept: list[int] = []
    monkeypatch.setenv("HOMEWARD_GATEWAY_WORKERS", "2")
    monkeypatch.setattr(
        "homeward.app.workers.keeper.run", lambda parts, **_: kept.append(parts.settings.gateway.workers)
    )
    monkeypatch.setattr("homeward.observability.logs.configure", lambda **_: None)
    assert [run("gateway", *more).exit_code for more in ([], ["--workers", "3"], ["--workers", "65"])] == [0, 0, 2]
    assert kept == [2, 3]


def test_a_right_configuration_is_said_to_be() -> None:
    """With the data folder that is in force."""
    done = run("config", "check")
    assert done.exit_code == 0
    assert "The configuration is right." in done.output


def test_the_file_that_is_checked_is_named(tmp_path: Path) -> None:
    """And where it would be; before anything that is wrong with its rules."""
    assert (
        f"Configuration file: {tmp_path / 'data' / 'homeward.toml'} (there is none yet)\n"
        in run("config", "check").output
    )
    path = tmp_path / "a.toml"
    path.write_text('[[policy.rules]]\nname = "work"\nuse = ["azur"]\n')
    done = run("config", "check", "--config", str(path))
    first, second = done.output.splitlines()
    assert (done.exit_code, first) == (1, f"Configuration file: {path}")
    assert second.startswith('The rule "work" names azur, which is neither a place nor a backend. There are the places')


def test_what_is_hardly_meant_is_noted(tmp_path: Path) -> None:
    """In yellow, and the configuration is right all the same."""
    path = tmp_path / "a.toml"
    path.write_text('[policy]\npreset = "by-task"\ncomplex_from = "hard"\n')
    done = CliRunner().invoke(main, ["config", "check", "--config", str(path)], color=True)
    assert done.exit_code == 0
    assert "\x1b[33m[policy] `complex_from` counts only with" in done.output


def test_a_wrong_configuration_is_explained(tmp_path: Path) -> None:
    """File, line, setting; exit status 1; no traceback."""
    (tmp_path / "a.toml").write_text("\nport = 'x'\n")
    done = run("config", "check", "--config", str(tmp_path / "a.toml"))
    assert done.exit_code == 1
    assert "a.toml, line 2: `port` is 'x'" in done.output
    assert "Traceback" not in done.output


def test_settings_are_shown_with_their_meaning() -> None:
    """As a file that can be read back."""
    done = run("config", "show")
    assert "# Port to listen on; 0 takes a free one.\nport = 8080\n" in done.output
    assert "[llama]" in done.output


def test_a_wrong_option_is_explained_before_anything_starts(tmp_path: Path) -> None:
    """Nothing is made on disk."""
    done = run("up", "--port", "99999", "--no-open", "--data-dir", str(tmp_path / "new"))
    assert done.exit_code == 1
    assert "--port: `port` is 99999" in done.output
    assert not (tmp_path / "new").exists()
