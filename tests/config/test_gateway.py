"""`[gateway]`: what may stand there, and what is said of everything else."""

import re
from pathlib import Path

import pytest

from homeward.config import Settings, load
from homeward.config.show import as_toml
from homeward.protocol.errors import ConfigError


def loaded(folder: Path, text: str, **variables: str) -> Settings:
    path = folder / "homeward.toml"
    path.write_text(text, encoding="utf-8")
    return load(config=path, environment=variables)


def test_by_default_nobody_else_is_let_in() -> None:
    """No key of the settings, no other page, no other name."""
    gateway = load(environment={}).gateway
    assert gateway.api_key.get_secret_value() == ""
    assert (gateway.origins, gateway.hosts, gateway.aliases, gateway.max_body_mb) == ((), (), {}, 20)
    assert gateway.workers == 1
    assert (gateway.requests_per_minute, gateway.at_once) == (None, None)


def test_all_of_it_can_be_shown_and_read_back(tmp_path: Path) -> None:
    """But for the key, which is not shown."""
    text = """
[gateway]
api_key = "sk-canary"
origins = ["http://127.0.0.1:8081", "http://localhost:3000", "http://[::1]:8081", "https://chat.example.org", "https://a-b.example:8443"]
hosts = ["host.docker.internal:8080", "homeward.lan", "192.168.1.20:8080", "[fd00::1]:8080", "Box"]
max_body_mb = 5
requests_per_minute = 60
at_once = 4
[gateway.aliases]
"gpt-4o-mini" = "homeward"
"""
    settings = loaded(tmp_path, text)
    assert settings.gateway.hosts[-1] == "box"
    assert settings.gateway.aliases == {"gpt-4o-mini": "homeward"}
    shown = as_toml(settings)
    assert "sk-canary" not in shown + repr(settings)
    assert loaded(tmp_path, shown, HOMEWARD_GATEWAY_API_KEY="sk-canary") == settings


def test_the_key_comes_from_the_variable() -> None:
    """As do the numbers; lists stand in the file only."""
    settings = load(environment={"HOMEWARD_GATEWAY_API_KEY": "k", "HOMEWARD_GATEWAY_MAX_BODY_MB": "3"})
    assert settings.gateway.api_key.get_secret_value() == "k"
    assert settings.gateway.max_body_mb == 3
    with pytest.raises(ConfigError, match="HOMEWARD_GATEWAY_ORIGINS is not a setting"):
        load(environment={"HOMEWARD_GATEWAY_ORIGINS": "http://127.0.0.1:8081"})


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        ("*", "would let every page of the web in"),
        ("null", "write it as a browser does"),
        ("", "write it as a browser does"),
        ("127.0.0.1:8081", "write it as a browser does"),
        ("chat.example.org", "write it as a browser does"),
        ("file:///x", "write it as a browser does"),
        ("https://", "write it as a browser does"),
        ("https://*.example.org", "write it as a browser does"),
        ("https://exämple.org", "write it as a browser does"),
        ("https://a.example:99999", "write it as a browser does"),
        ("https://[::1", "write it as a browser does"),
        ("http://chat.example.org", "without https"),
        ("http://192.168.1.5:8081", "without https"),
        ("http://localhost.evil.com", "without https"),
        ("http://127.0.0.1:8081/", '"http://127.0.0.1:8081"'),
        ("https://chat.example.org/path?x#y", '"https://chat.example.org"'),
        ("https://chat.example.org:443", '"https://chat.example.org"'),
        ("http://localhost:80", '"http://localhost"'),
        ("HTTPS://Chat.Example.org", '"https://chat.example.org"'),
        ("https://user:secret@chat.example.org", '"https://chat.example.org"'),
        ("https://chat.example.org\\n", '"https://chat.example.org"'),
        (" https://chat.example.org", '"https://chat.example.org"'),
    ],
)
def test_an_origin_is_exact_or_explained(tmp_path: Path, origin: str, words: str) -> None:
    """With the line, and where it can be told, as it should be; a password in it is not repeated."""
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, f'[gateway]\nmax_body_mb = 1\norigins = ["https://fine.example", "{origin}"]\n')
    message = str(caught.value)
    assert "line 3: `gateway.origins`: " in message
    assert words in message
    assert "secret" not in message


@pytest.mark.parametrize(
    "host", ["*", "", "http://box:8080", "box/path", "a b", "box:", "box:123456", "-box", "::1", "user@box"]
)
def test_a_host_is_a_name_or_explained(tmp_path: Path, host: str) -> None:
    """With an example."""
    with pytest.raises(ConfigError, match=r'line 2: `gateway\.hosts`: .*"host\.docker\.internal:8080"'):
        loaded(tmp_path, f'[gateway]\nhosts = ["{host}"]\n')


@pytest.mark.parametrize("host", ["0.0.0.0", "0.0.0.0:8080", "[::]", "[::]:8080"])
def test_all_addresses_are_no_name(tmp_path: Path, host: str) -> None:
    """S6: browsers on some systems lead it to this machine."""
    with pytest.raises(ConfigError, match="this means every address"):
        loaded(tmp_path, f'[gateway]\nhosts = ["{host}"]\n')


@pytest.mark.parametrize("key", ["12345678", '"with space"', '"clé"', '["sk-canary"]', "true"])
def test_a_key_that_no_header_can_hold_is_explained(tmp_path: Path, key: str) -> None:
    """And not repeated."""
    with pytest.raises(ConfigError, match=r"line 2: `gateway\.api_key`: a key is a text") as caught:
        loaded(tmp_path, f"[gateway]\napi_key = {key}\n")
    assert key.strip('["]') not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('aliases = {"" = "x"}', "`gateway.aliases.` is empty"),
        ('aliases = {"x" = " "}', "`gateway.aliases.x` is empty"),
        ('aliases = ["x"]', "`gateway.aliases` is a table: write [gateway.aliases]"),
        ("max_body_mb = 0", "`gateway.max_body_mb` is 0: "),
        ("requests_per_minute = 0", "`gateway.requests_per_minute` is 0: "),
        ("at_once = 0", "`gateway.at_once` is 0: "),
        ('origins = "http://127.0.0.1:8081"', 'write a list: origins = ["http://127.0.0.1:8081"]'),
        ('origin = ["http://127.0.0.1:8081"]', "perhaps `origins`"),
    ],
)
def test_other_mistakes_are_explained_like_all(tmp_path: Path, text: str, words: str) -> None:
    """With setting and line."""
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, f"[gateway]\n{text}\n")
    assert words in str(caught.value)
    assert "line 2" in str(caught.value)


def test_what_the_docs_show_is_right(tmp_path: Path) -> None:
    """Every example of docs/keys.md is taken as it stands."""
    text = (Path(__file__).parents[2] / "docs/keys.md").read_text(encoding="utf-8")
    examples = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    assert len(examples) == 5
    for example in examples:
        assert loaded(tmp_path, example).gateway != Settings().gateway
