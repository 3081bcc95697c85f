"""Settings come from one place each, and a wrong one is named with its line."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from homeward.config import Settings, load
from homeward.config.show import as_toml
from homeward.protocol.errors import ConfigError


def write(folder: Path, text: str) -> Path:
    path = folder / "homeward.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_defaults_need_no_file() -> None:
    """Without file, variables and options the defaults hold."""
    settings = load(environment={"HOMEWARD_DATA_DIR": "/nowhere/at/all"})
    assert (settings.host, settings.port, settings.llama.model) == ("127.0.0.1", 8080, "starter")


def test_option_beats_variable_beats_file(tmp_path: Path) -> None:
    """The command line wins over the environment, which wins over the file."""
    path = write(tmp_path, 'port = 1\nhost = "a"\nlog_format = "json"\n')
    environment = {"HOMEWARD_PORT": "2", "HOMEWARD_HOST": "b"}
    settings = load({"port": 3, "host": None}, config=path, environment=environment)
    assert (settings.port, settings.host, settings.log_format) == (3, "b", "json")


def test_variable_of_a_table_joins_its_file_values(tmp_path: Path) -> None:
    """A variable changes one value of a table and leaves the others as the file says."""
    path = write(tmp_path, "[llama]\nslots = 4\ncontext_tokens = 2048\n")
    settings = load(config=path, environment={"HOMEWARD_LLAMA_SLOTS": "1"})
    assert (settings.llama.slots, settings.llama.context_tokens) == (1, 2048)


def test_file_of_the_data_folder_is_found(tmp_path: Path) -> None:
    """`homeward.toml` in the data folder is read without being named."""
    write(tmp_path, "port = 7\n")
    assert load(environment={"HOMEWARD_DATA_DIR": str(tmp_path)}).port == 7


def test_relative_model_means_the_files_folder(tmp_path: Path) -> None:
    """A relative path in the file does not depend on the working directory."""
    path = write(tmp_path, '[llama]\nmodel = "models/a.gguf"\n')
    assert load(config=path, environment={}).llama.model == tmp_path / "models/a.gguf"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("port = 70000\n", "line 1: `port` is 70000"),
        ("# a\n\n[llama]\n\nslots = 0\n", "line 5: `llama.slots` is 0"),
        (
            "[llama]\nslotts = 2\n",
            "line 2: there is no setting `llama.slotts`; perhaps `slots`; there are enabled, model",
        ),
        ("prot = 1\n", "line 1: there is no setting `prot`; perhaps `port`; there are host, port"),
        ("[cloud.azure]\nmodel = 'm'\n", "line 1: there is no setting `cloud`; perhaps `clouds`; there are"),
        ("xyz = 1\n", "line 1: there is no setting `xyz`; there are host, port"),
        ("llama = 5\n", "line 1: `llama` is a table: write [llama]."),
        ("[privacy]\nkinds = ['email']\n", "line 2: `privacy.kinds` is a table: write [privacy.kinds]."),
        ("[chat]\ntemperature = [1]\n", "line 2: `chat.temperature`: input should be"),
        ("[chat]\ntemperature = 'warm'\n", "line 2: `chat.temperature` is 'warm'"),
        ("llama.slots = 0\n", "line 1: `llama.slots` is 0"),
    ],
)
def test_wrong_value_is_named_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    """The message names file, line, setting, value, and the command that checks."""
    path = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(config=path, environment={})
    assert str(path) in str(caught.value)
    assert expected in str(caught.value)
    assert "homeward config check" in str(caught.value)


def test_all_wrong_values_are_named_at_once(tmp_path: Path) -> None:
    """Two mistakes take one look, not two; each has a line of its own."""
    path = write(tmp_path, "port = -1\n[llama]\nslots = 0\n")
    with pytest.raises(ConfigError, match=r"line 1: `port`.*\n.*line 3: `llama\.slots`"):
        load(config=path, environment={})


def test_wrong_variable_is_named() -> None:
    """A wrong variable is blamed on the variable, not on a file."""
    with pytest.raises(ConfigError, match="HOMEWARD_PORT: `port` is 'x'"):
        load(environment={"HOMEWARD_PORT": "x"})


def test_unknown_variable_is_named() -> None:
    """A misspelt variable is not ignored."""
    with pytest.raises(ConfigError, match=r"HOMEWARD_PROT is not a setting.*Perhaps HOMEWARD_PORT\. Unset it"):
        load(environment={"HOMEWARD_PROT": "1"})


@pytest.mark.parametrize(
    "variable", ["PRIVACY_DENY", "PRIVACY_KINDS", "PRIVACY_PATTERNS", "POLICY_RULES", "POLICY_PLACES", "CLOUDS"]
)
def test_lists_and_tables_are_no_variables(variable: str) -> None:
    """One text can't hold them, so they are not offered either."""
    with pytest.raises(ConfigError, match="is not a setting") as caught:
        load(environment={f"HOMEWARD_{variable}": "x"})
    assert f"HOMEWARD_{variable}" not in caught.value.next_step
    assert "HOMEWARD_POLICY_PRESET" in caught.value.next_step


def test_missing_file_is_named(tmp_path: Path) -> None:
    """A file that the user named must be there."""
    with pytest.raises(ConfigError, match="There is no configuration file"):
        load(config=tmp_path / "none.toml", environment={})


def test_broken_toml_is_explained(tmp_path: Path) -> None:
    """TOML's own message has the line."""
    with pytest.raises(ConfigError, match=r"is not valid TOML: .*line 1"):
        load(config=write(tmp_path, "port = = 1\n"), environment={})


def test_shown_settings_can_be_read_back(tmp_path: Path) -> None:
    """`homeward config show` prints a file that means the same."""
    settings = load({"data_dir": tmp_path}, environment={})
    again = load(config=write(tmp_path, as_toml(settings)), environment={})
    assert again == settings


def test_the_samples_variables_work() -> None:
    """`MODEL`, `BASE_URL` and `API_KEY`; a variable of ours for the same setting goes before them."""
    sample = {"MODEL": "phi-4-mini", "BASE_URL": "http://localhost:51211", "API_KEY": "k"}
    settings = load(environment=sample)
    assert (settings.models.use, settings.service.url) == ("phi-4-mini", "http://localhost:51211")
    assert settings.service.api_key.get_secret_value() == "k"
    assert load(environment={**sample, "HOMEWARD_MODELS_USE": "mine"}).models.use == "mine"
    assert load(environment={"MODEL": ""}).models.use == ""


def test_a_key_is_not_shown() -> None:
    settings = load(environment={"API_KEY": "canary"})
    assert "canary" not in as_toml(settings)
    assert "canary" not in repr(settings)


def test_every_setting_says_what_it_means() -> None:
    """No setting without a description, in any table."""
    inner = [field.annotation for field in Settings.model_fields.values()]
    tables: list[type[BaseModel]] = [
        Settings,
        *(each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)),
    ]
    assert len(tables) == 12
    assert [
        f"{table.__name__}.{name}"
        for table in tables
        for name, field in table.model_fields.items()
        if not field.description and field.annotation not in tables
    ] == []
