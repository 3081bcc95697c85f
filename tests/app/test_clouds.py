"""The clouds of the configuration as backends: names, keys, and where a key never goes."""

from collections.abc import AsyncIterator
from pathlib import Path

import keyring
import pytest

from homeward.app.clouds import cloud_backends, cloud_rows, credential_of, examined, forget_key, keep_key
from homeward.backends import Backend, Connections
from homeward.backends.credentials import EntraToken
from homeward.config import Settings, load
from homeward.config.show import written_key
from homeward.protocol.chat import ChatRequest, Message
from homeward.protocol.errors import BackendKeyError, ConfigError, HomewardError
from homeward.protocol.place import Place
from tests.backends.fake_upstream import TEXT, FakeUpstream, serving
from tests.backends.memory_keyring import MemoryKeyring

AZURE = 'kind = "azure"\nurl = "https://my.openai.azure.com"\nmodel = "gpt"\n'
OPENAI = 'kind = "openai"\nmodel = "gpt"\n'
OTHER = 'url = "https://a.example"\nmodel = "m"\n'


@pytest.fixture
async def upstream() -> AsyncIterator[FakeUpstream]:
    async with serving() as upstream:
        yield upstream


@pytest.fixture
async def connections() -> AsyncIterator[Connections]:
    async with Connections() as connections:
        yield connections


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A keyring of this test's own, and no keys of this machine's."""
    monkeypatch.setenv("KEYRING_FILE", str(tmp_path / "keys.json"))
    monkeypatch.setattr("keyring.core._keyring_backend", MemoryKeyring())  # type: ignore[no-untyped-call]
    for variable in ("AZURE_OPENAI_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(variable, raising=False)


def settings_of(folder: Path, **clouds: str) -> Settings:
    path = folder / "homeward.toml"
    path.write_text("".join(f'[clouds."{name}"]\n{lines}' for name, lines in clouds.items()), encoding="utf-8")
    return load(config=path, environment={})


async def secret_of(folder: Path, lines: str, environment: dict[str, str], name: str = "work") -> str:
    """The key that would be sent; empty where there is none."""
    credential = credential_of(name, settings_of(folder, **{name: lines}).clouds[name], environment)
    assert credential is not None
    try:
        return await credential.secret()
    except BackendKeyError:
        return ""


async def ask(backend: Backend) -> str:
    request = ChatRequest(messages=(Message("user", "Hi"),))
    async with backend.open_stream(request) as stream:
        return "".join([chunk.text async for chunk in stream])


async def test_each_enabled_cloud_is_a_backend(tmp_path: Path, connections: Connections) -> None:
    """In the order of the file."""
    settings = settings_of(tmp_path, work=AZURE, off=OTHER + "enabled = false\n", b=OPENAI)
    backends = cloud_backends(settings, connections, environment={})
    assert [(name, backend.row.name, backend.row.place) for name, backend in backends.items()] == [
        ("work", "work", Place.CLOUD),
        ("b", "b", Place.CLOUD),
    ]


async def test_one_answers(tmp_path: Path, upstream: FakeUpstream, connections: Connections) -> None:
    """With the key of its variable."""
    upstream.wants = "Authorization: Bearer sk-1"
    settings = settings_of(tmp_path, work=f'url = "{upstream.base_url}"\nmodel = "ok"\n')
    backends = cloud_backends(settings, connections, environment={"HOMEWARD_KEY_WORK": " sk-1\n"})
    assert await ask(backends["work"]) == TEXT


@pytest.mark.parametrize(
    "name", ["llama", "foundry", "service", "ollama", "device", "network", "cloud", "browser", "auto"]
)
def test_names_that_mean_something_else(tmp_path: Path, name: str) -> None:
    """The fix is a line that can be typed."""
    with pytest.raises(ConfigError, match=rf"^\[clouds\.{name}\]: .*\[clouds\.my-{name}\]"):
        cloud_backends(settings_of(tmp_path, **{name: OTHER}), Connections())


@pytest.mark.parametrize("name", ["Work", "a/b", "a.b", "a b", "1st", "", "ä", "a" * 41])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    """They stand in variables, on the page and in front of a model's name."""
    with pytest.raises(ConfigError, match="small letters") as caught:
        cloud_backends(settings_of(tmp_path, **{name: OTHER}), Connections())
    assert caught.value.message.startswith(f"[clouds.{written_key(name)}]: a cloud can't be called")


def test_two_clouds_never_share_a_variable(tmp_path: Path) -> None:
    """Else one would be sent the key of the other."""
    with pytest.raises(ConfigError, match=r"\[clouds.a_b\]: 'a-b' and 'a_b'.*HOMEWARD_KEY_A_B"):
        cloud_backends(settings_of(tmp_path, **{"a-b": OTHER, "a_b": OPENAI}), Connections())


EVERYWHERE = {"HOMEWARD_KEY_WORK": "own", "AZURE_OPENAI_API_KEY": "azure's", "OPENAI_API_KEY": "openai's"}


@pytest.mark.parametrize(
    ("lines", "environment", "expected"),
    [
        (AZURE, EVERYWHERE, "own"),
        (AZURE, {"AZURE_OPENAI_API_KEY": "azure's", "OPENAI_API_KEY": "openai's"}, "azure's"),
        (AZURE, {"HOMEWARD_KEY_WORK": "  ", "AZURE_OPENAI_API_KEY": "azure's"}, "azure's"),
        (AZURE, {"OPENAI_API_KEY": "openai's"}, ""),
        (OPENAI, {"OPENAI_API_KEY": "openai's"}, "openai's"),
        (OPENAI + 'url = "https://api.openai.com/v1/"\n', {"OPENAI_API_KEY": "openai's"}, "openai's"),
        (OPENAI + 'url = "https://other.example/v1"\n', {"OPENAI_API_KEY": "openai's"}, ""),
        (OTHER, {"AZURE_OPENAI_API_KEY": "azure's", "OPENAI_API_KEY": "openai's"}, ""),
        (OTHER + 'api_key_env = "MINE"\n', {**EVERYWHERE, "MINE": "mine"}, "mine"),
        (OTHER + 'api_key_env = "MINE"\n', EVERYWHERE, ""),
        (OTHER + 'api_key = "filed"\n', {}, "filed"),
        (OTHER + 'api_key = "filed"\n', EVERYWHERE, "own"),
    ],
)
async def test_where_a_key_comes_from(tmp_path: Path, lines: str, environment: dict[str, str], expected: str) -> None:
    """A variable before the file; the variable of one provider is for that provider."""
    assert await secret_of(tmp_path, lines, environment) == expected


async def test_the_keyring_comes_last(tmp_path: Path) -> None:
    """A key per cloud."""
    keyring.set_password("homeward", "work", "kept")
    assert await secret_of(tmp_path, OTHER, {}) == "kept"
    assert await secret_of(tmp_path, OTHER, EVERYWHERE) == "own"
    assert await secret_of(tmp_path, OTHER, {}, name="another") == ""


def test_other_ways_to_prove_who_asks(tmp_path: Path) -> None:
    """Entra ID, or nothing at all."""
    settings = settings_of(tmp_path, e=AZURE + 'auth = "entra"\n', n=OTHER + 'auth = "none"\n')
    assert isinstance(credential_of("e", settings.clouds["e"], EVERYWHERE), EntraToken)
    assert credential_of("n", settings.clouds["n"], EVERYWHERE) is None


async def test_what_a_terminal_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where each key is, never the key."""
    monkeypatch.setenv("HOMEWARD_KEY_A", "sk-canary")
    keyring.set_password("homeward", "b", "sk-canary")
    settings = settings_of(
        tmp_path,
        a=AZURE + "input_price = 2.5\noutput_price = 10\n",
        b=OTHER + 'place = "network"\n',
        c=OTHER + 'api_key = "sk-canary"\nenabled = false\n',
        d=OTHER,
        e=AZURE + 'auth = "entra"\n',
        f=OTHER + 'auth = "none"\n',
    )
    rows = await cloud_rows(settings)
    assert rows[0] == ("a", "cloud", "azure", "my.openai.azure.com", "gpt", "variable HOMEWARD_KEY_A", "2.5 / 10 USD")
    assert [row[5] for row in rows[1:]] == ["keyring", "configuration", "MISSING", "Entra ID", "none needed"]
    assert [row[1] for row in rows] == ["cloud", "network", "off", "cloud", "cloud", "cloud"]
    assert rows[1][6] == "unknown"
    assert "canary" not in str(rows)


def test_a_key_is_kept_and_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And it is said where another one goes before it."""
    settings = settings_of(tmp_path, work=OTHER)
    assert "homeward backends test work" in keep_key(settings, "work", lambda: " sk-1\n")
    assert keyring.get_password("homeward", "work") == "sk-1"
    monkeypatch.setenv("HOMEWARD_KEY_WORK", "sk-2")
    assert "variable HOMEWARD_KEY_WORK goes before it" in keep_key(settings, "work", lambda: "sk-3")
    assert "was removed" in forget_key("work")
    monkeypatch.setenv("KEYRING_LOCKED", "1")
    with pytest.raises(ConfigError, match=r"into the variable MINE\.$"):
        keep_key(settings_of(tmp_path, work=OTHER + 'api_key_env = "MINE"\n'), "work", lambda: "sk-1")
    monkeypatch.delenv("KEYRING_LOCKED")
    assert "has no key" in forget_key("work")


@pytest.mark.parametrize("entered", ["", "  \n", "two\nlines", "schlüssel", "sk-1 sk-2", "sk\t1"])
def test_what_can_not_be_a_key_is_not_kept(tmp_path: Path, entered: str) -> None:
    """Copied without the key, or with more than it."""
    with pytest.raises(ConfigError, match="can't be a key"):
        keep_key(settings_of(tmp_path, work=OTHER), "work", lambda: entered)
    assert keyring.get_password("homeward", "work") is None


def test_only_who_wants_a_key_is_given_one(tmp_path: Path) -> None:
    """Nobody is asked to type it in vain."""

    def entered() -> str:
        raise AssertionError("asked for")

    settings = settings_of(tmp_path, work=OTHER, e=AZURE + 'auth = "entra"\n')
    with pytest.raises(ConfigError, match=r"no cloud called 'x'.*work, e"):
        keep_key(settings, "x", entered)
    with pytest.raises(ConfigError, match="without a key"):
        keep_key(settings, "e", entered)


async def test_trying_out(tmp_path: Path, upstream: FakeUpstream) -> None:
    """All that are enabled, or those that are named."""
    works = f'url = "{upstream.base_url}"\nauth = "none"\nmodel = '
    settings = settings_of(
        tmp_path, a=works + '"ok"\n', b=works + '"status-500"\n', c=works + '"ok"\nenabled = false\n'
    )
    assert [(row.name, found.ok) async for row, found in examined(settings, ())] == [("a", True), ("b", False)]
    assert [row.name async for row, _ in examined(settings, ("b",))] == ["b"]
    for names in (("x",), ("c",)):
        with pytest.raises(HomewardError, match=f"'{names[0]}'"):
            [row async for row, _ in examined(settings, names)]
