"""`[clouds.NAME]`: what may stand in it, what is said of a mistake, and settings that are shown as they can be read."""

import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeward.config import Settings, load
from homeward.config.clouds import CloudSettings, is_private
from homeward.config.show import as_toml, written
from homeward.protocol.errors import ConfigError

SECRET = "sk-canary-1"


def loaded(folder: Path, text: str, environment: dict[str, str] | None = None) -> Settings:
    path = folder / "homeward.toml"
    path.write_text(text, encoding="utf-8")
    return load(config=path, environment=environment or {})


def refused(folder: Path, text: str) -> str:
    """What is said of a wrong file; never with a secret in it, and without a cause that holds one."""
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    return str(caught.value)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('kind = "azure"\nmodel = "m"', "line 1: `clouds.work`: its address `url` is missing."),
        ('url = "https://a.example"', "line 1: `clouds.work.model` is missing."),
        ('url = "a.example"\nmodel = "m"', "must begin with https://"),
        ('url = "ftp://a.example"\nmodel = "m"', "must begin with https://"),
        ('url = "https://"\nmodel = "m"', "name a host"),
        ('url = "https://a.example:port"\nmodel = "m"', "its address `url` is none"),
        ('url = "https://a .example"\nmodel = "m"', "a character that can't be in one"),
        (f'url = "https://me:{SECRET}@a.example"\nmodel = "m"', "no key or password"),
        (f'url = "https://{SECRET}@a.example"\nmodel = "m"', "no key or password"),
        (f'url = "https://a.example/v1?key={SECRET}"\nmodel = "m"', "perhaps https://a.example/v1"),
        ('url = "https://a.example/v1/chat/completions"\nmodel = "m"', "perhaps https://a.example/v1"),
        ('url = "http://a.example/v1"\nmodel = "m"', "in the clear"),
        ('url = "http://8.8.8.8/v1"\nmodel = "m"', "in the clear"),
        ('url = "https://a.example"\nmodel = "m"\napi_version = "1"', '`kind = "azure"` only'),
        ('url = "https://a.example"\nmodel = "m"\nauth = "entra"', '`kind = "azure"` only'),
        (f'url = "https://a.example"\nmodel = ""\napi_key = "{SECRET}"', "line 3: `clouds.work.model` is empty."),
        (f'url = "https://a.example"\nmodel = "m"\napi_key = ["{SECRET}"]', "line 4: `clouds.work.api_key`: "),
        (f'url = ["{SECRET}"]\nmodel = "m"', "line 2: `clouds.work.url`: "),
        ('url = "https://a.example"\nmodle = "m"', "there is no setting `clouds.work.modle`; perhaps `model`;"),
        ('url = "https://a.example"\nmodel = "m"\ninput_price = -1', "line 4: `clouds.work.input_price`: input"),
        (
            f'url = "https://a.example"\nmodel = "m"\nauth = "{SECRET}"',
            "line 4: `clouds.work.auth`: input should be 'key',",
        ),
        (
            f'url = "https://a.example"\nmodel = "m"\napi_key_env = "{SECRET}"',
            "line 4: `clouds.work.api_key_env`: it is",
        ),
        (
            'url = "https://a.example"\nmodel = "m"\napi_key_env = "MINE\\n"',
            "`clouds.work.api_key_env`: it is the name",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, lines: str, expected: str) -> None:
    """And with what may stand there; a key that stands in the wrong place is not repeated."""
    assert expected in refused(tmp_path, f"[clouds.work]\n{lines}\n")


@pytest.mark.parametrize(
    "text",
    [
        f'[[clouds]]\nkind = "azure"\napi_key = "{SECRET}"\n',
        f'[clouds]\nkind = "azure"\nkey = "{SECRET}"\n',
        f'clouds = ["{SECRET}"]\n',
        f'clouds = "{SECRET}"\n',
    ],
)
def test_a_cloud_has_a_name(tmp_path: Path, text: str) -> None:
    """Said once, however many lines stand in the table of all clouds."""
    assert refused(tmp_path, f"port = 1\n{text}").count("line 2: each cloud has a name: write [clouds.azure].") == 1


@pytest.mark.parametrize(
    "text", [f'service = "{SECRET}"', f'[service]\nurl = ["{SECRET}"]', f'database_url = ["{SECRET}"]']
)
def test_what_may_hold_a_key_is_not_repeated(tmp_path: Path, text: str) -> None:
    refused(tmp_path, text)


def test_the_address_that_azure_shows_is_explained(tmp_path: Path) -> None:
    """Its portal shows the whole address of a request."""
    url = "https://my.openai.azure.com/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
    said = refused(tmp_path, f'[clouds.work]\nkind = "azure"\nmodel = "gpt"\nurl = "{url}"\n')
    assert said.split("perhaps ")[1].startswith("https://my.openai.azure.com. ")


@pytest.mark.parametrize(
    ("host", "private"),
    [
        ("127.0.0.1", True),
        ("localhost", True),
        ("::1", True),
        ("192.168.1.4", True),
        ("10.0.0.1", True),
        ("172.16.0.1", True),
        ("100.100.1.1", True),
        ("fd00::1", True),
        ("fe80::1", True),
        ("gpu", True),
        ("gpu.local", True),
        ("gpu.lan", True),
        ("gpu.home.arpa", True),
        ("vllm.svc.cluster.internal", True),
        ("8.8.8.8", False),
        ("2606:4700::1", False),
        ("a.example", False),
        ("local", True),
        ("notlocal.com", False),
        ("127.0.0.1.evil.com", False),
    ],
)
def test_where_a_key_may_go_unencrypted(host: str, private: bool) -> None:
    """This machine and networks of one's own, as far as names and addresses tell."""
    assert is_private(host) is private


def test_without_a_key_http_is_allowed(tmp_path: Path) -> None:
    """Nothing secret of ours is sent then."""
    settings = loaded(tmp_path, '[clouds.open]\nurl = "http://a.example/v1"\nmodel = "m"\nauth = "none"\n')
    assert settings.clouds["open"].url == "http://a.example/v1"


def test_variables_with_keys_are_no_settings() -> None:
    """Others of this beginning still have to be settings; a table of clouds can't be one."""
    assert load(environment={"HOMEWARD_KEY_WORK": SECRET}).clouds == {}
    for variable in ("HOMEWARD_KEYS", "HOMEWARD_CLOUDS"):
        with pytest.raises(ConfigError, match=f"{variable} is not a setting"):
            load(environment={variable: "x"})


WHOLE = r"""
[clouds.azure]
kind = "azure"
url = "https://my.openai.azure.com"
model = "gpt"
input_price = 2.5
[clouds.home-box]
url = "http://192.168.1.4:8000"
place = "network"
auth = "none"
model = "x"
[policy]
preset = "by-task"
places = ["device", "cloud"]
[[policy.rules]]
name = "code at \"home\""
use = ["device"]
[policy.rules.when]
task = ["code", "data"]
findings = ["email"]
hours = "22:00-06:00"
[[policy.rules]]
name = "the rest"
use = ["azure", "device"]
[privacy]
default = "ask"
deny = ["Müller"]
[privacy.kinds]
email = "mask"
[privacy.patterns]
"order number" = '\bA\d{6}\b'
[budget]
month = 20
"""


def test_shown_settings_can_be_read_back(tmp_path: Path) -> None:
    """Tables by name, lists of tables, dictionaries and lists are as they were."""
    settings = loaded(tmp_path, WHOLE)
    assert len(settings.policy.rules) == len(settings.clouds) == 2
    text = as_toml(settings)
    assert loaded(tmp_path, text) == settings
    assert "# The model that answers; with Azure, the name of the deployment.\nmodel = " in text


def test_what_is_shown_can_be_added_to(tmp_path: Path) -> None:
    """A cloud and a rule written below it are no second definition."""
    text = as_toml(load(environment={}))
    more = '[clouds.a]\nurl = "https://a.example"\nmodel = "m"\n[[policy.rules]]\nname = "r"\nuse = ["a"]\n'
    settings = loaded(tmp_path, text + more)
    assert (list(settings.clouds), settings.policy.rules[0].name) == (["a"], "r")


def test_a_key_is_not_shown(tmp_path: Path) -> None:
    """It is commented out."""
    settings = loaded(tmp_path, f'[clouds.a]\nurl = "https://a.example"\nmodel = "m"\napi_key = "{SECRET}"\n')
    assert settings.clouds["a"].api_key.get_secret_value() == SECRET
    assert SECRET not in as_toml(settings)
    assert SECRET not in repr(settings)
    assert "\n# api_key =\n" in as_toml(settings)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_any_text_can_be_shown(text: str) -> None:
    """As TOML that means the same."""
    assert tomllib.loads(f"x = {written(text)}") == {"x": text}
    assert tomllib.loads(f"x = {written({text: (text,)})}") == {"x": {text: [text]}}


def test_a_mistake_in_a_list_of_tables_is_named_with_its_line(tmp_path: Path) -> None:
    """The second rule is not the first one."""
    text = WHOLE.replace('"code", "data"', '"cod"').replace('"azure", "device"', "")
    lines = text.splitlines()
    said = refused(tmp_path, text)
    for line, setting in [('task = ["cod"]', "`when.task` of rule 1"), ("use = []", "`use` of rule 2")]:
        assert f"line {lines.index(line) + 1}: {setting}" in said


def test_the_documented_tables_are_right(tmp_path: Path) -> None:
    """Every block of the documentation is a configuration by itself."""
    text = (Path(__file__).resolve().parents[2] / "docs/clouds.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert len(blocks) == 6
    assert all(loaded(tmp_path, block).clouds for block in blocks)


def test_every_setting_of_a_cloud_says_what_it_means() -> None:
    """In the file that `homeward config show` prints."""
    assert [name for name, field in CloudSettings.model_fields.items() if not field.description] == []
