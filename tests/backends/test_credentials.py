"""Keys and tokens: found, kept, looked for anew, and missing in words that help."""

import asyncio
import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import keyring
import pytest
from azure.identity import ClientSecretCredential

from homeward.backends import threads
from homeward.backends.credentials import ENTRA_SCOPE, ApiKey, EntraToken, default_source
from homeward.backends.stored_keys import read_key, remove_key, store_key
from homeward.protocol.errors import BackendKeyError, ConfigError
from tests.backends.certificates import certificate
from tests.backends.memory_keyring import MemoryKeyring

KEY = "sk-stored-1"


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A keyring of this test's own."""
    monkeypatch.setenv("KEYRING_FILE", str(tmp_path / "keys.json"))
    before = keyring.get_keyring()
    keyring.set_keyring(MemoryKeyring())  # type: ignore[no-untyped-call]
    yield
    keyring.set_keyring(before)


# Keys


def store(backend: str, key: str) -> None:
    store_key(backend, key, variable="MINE")


@pytest.mark.usefixtures("keys")
def test_a_key_is_kept_in_the_keyring() -> None:
    """Stored, read, replaced, removed; one per backend."""
    assert read_key("work") == ""
    store("work", KEY)
    store("home", "other")
    assert read_key("work") == KEY
    assert remove_key("work")
    assert not remove_key("work")
    assert (read_key("work"), read_key("home")) == ("", "other")


@pytest.mark.usefixtures("keys")
def test_a_locked_keyring_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no keys then; storing says so, without the keyring's own words."""
    store("work", KEY)
    monkeypatch.setenv("KEYRING_LOCKED", "1")
    assert read_key("work") == ""
    for act in (lambda: store("work", KEY), lambda: remove_key("work")):
        with pytest.raises(ConfigError, match="locked") as caught:
            act()
        assert "canary" not in f"{caught.value}{caught.value.detail}"
        assert caught.value.detail == "KeyringLocked"
        assert "Unlock it and try again" in caught.value.next_step
    with pytest.raises(ConfigError, match=r"into the variable MINE\."):
        store("work", KEY)


@pytest.mark.usefixtures("keys")
async def test_a_given_key_goes_before_the_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keyring is asked only where a key is missing."""
    monkeypatch.setenv("KEYRING_LOCKED", "1")
    assert await ApiKey("work", "sk-given", "HOMEWARD_KEY_WORK").secret() == "sk-given"


@pytest.mark.usefixtures("keys")
async def test_a_stored_key_is_read_once_until_it_is_refused() -> None:
    """A new one in the keyring is used without a restart."""
    store("work", KEY)
    key = ApiKey("work", "", "HOMEWARD_KEY_WORK")
    assert await key.secret() == KEY
    store("work", "sk-new")
    assert await key.secret() == KEY
    key.forget()
    assert await key.secret() == "sk-new"


@pytest.mark.usefixtures("keys")
async def test_a_missing_key_is_named_and_found_once_it_is_there() -> None:
    """The next step is a command that can be typed."""
    key = ApiKey("work", "", "HOMEWARD_KEY_WORK")
    with pytest.raises(BackendKeyError) as caught:
        await key.secret()
    assert "'work'" in caught.value.message
    assert "HOMEWARD_KEY_WORK" in caught.value.next_step
    assert "homeward backends key work" in caught.value.next_step
    store("work", KEY)
    assert await key.secret() == KEY


# Threads


async def test_work_that_hangs_is_left_behind() -> None:
    """The wait ends; the thread neither delays the end of the program nor breaks when it wakes up."""
    wake, woke = threading.Event(), threading.Event()

    def hang() -> None:
        assert threading.current_thread().daemon
        wake.wait()
        woke.set()

    with pytest.raises(TimeoutError):
        await threads.in_thread(hang, 0.05)
    wake.set()
    await asyncio.to_thread(woke.wait)


async def test_what_work_raises_is_raised() -> None:
    """As it is."""

    def fail() -> None:
        raise KeyError("x")

    with pytest.raises(KeyError):
        await threads.in_thread(fail, 60)


# Microsoft Entra ID


@dataclass
class Token:
    token: str
    expires_on: int


@dataclass
class Source:
    """Gives tokens that expire after an hour of this clock."""

    now: float = 1_000_000.0
    scopes: list[tuple[str, ...]] = field(default_factory=list)
    error: Exception | None = None
    gate: threading.Event | None = None
    asked: threading.Event = field(default_factory=threading.Event)

    def get_token(self, *scopes: str) -> Token:
        self.scopes.append(scopes)
        self.asked.set()
        if self.gate is not None:
            self.gate.wait()
        if self.error is not None:
            raise self.error
        return Token(f"token {len(self.scopes)}", int(self.now) + 3600)


def entra(source: Source, seconds: float = 60) -> EntraToken:
    return EntraToken("work", lambda: source, clock=lambda: source.now, seconds=seconds)


async def test_a_token_is_kept_until_five_minutes_before_it_expires() -> None:
    """And asked for with the scope of Azure's models."""
    source = Source()
    token = entra(source)
    assert await token.secret() == "token 1"
    source.now += 3299
    assert await token.secret() == "token 1"
    source.now += 1
    assert await token.secret() == "token 2"
    assert source.scopes == [(ENTRA_SCOPE,)] * 2
    token.forget()
    assert await token.secret() == "token 3"


async def test_one_refresh_at_a_time() -> None:
    """Twenty requests at once ask once."""
    source = Source(gate=threading.Event())
    token = entra(source)
    waiting = [asyncio.create_task(token.secret()) for _ in range(20)]
    await asyncio.to_thread(source.asked.wait)
    assert source.gate is not None
    source.gate.set()
    assert await asyncio.gather(*waiting) == ["token 1"] * 20
    assert len(source.scopes) == 1


async def test_a_request_that_gives_up_does_not_block_the_next() -> None:
    """Its client left while it waited for the token."""
    source = Source(gate=threading.Event())
    token = entra(source)
    first = asyncio.create_task(token.secret())
    await asyncio.to_thread(source.asked.wait)
    first.cancel()
    assert source.gate is not None
    source.gate.set()
    assert await token.secret() == "token 2"


@pytest.mark.parametrize(
    ("error", "words", "next_step"),
    [
        (ImportError("No module named azure"), "`azure-identity` is not installed", "homeward[azure]"),
        (RuntimeError("canary: AADSTS70043 user@example.com"), "Nobody is signed in", "az login"),
    ],
)
async def test_no_token_is_explained(error: Exception, words: str, next_step: str) -> None:
    """Without the words of Azure's library, which may name an account."""
    with pytest.raises(BackendKeyError) as caught:
        await entra(Source(error=error)).secret()
    assert words in caught.value.message
    assert next_step in caught.value.next_step
    assert "canary" not in f"{caught.value}{caught.value.detail}{caught.value!r}"
    assert caught.value.__suppress_context__


async def test_a_sign_in_that_hangs_has_a_deadline() -> None:
    """Azure's command line may wait for the network."""
    source = Source(gate=threading.Event())
    with pytest.raises(BackendKeyError, match=r"no token within 0\.05 s"):
        await entra(source, seconds=0.05).secret()
    assert source.gate is not None
    source.gate.set()


async def test_the_package_is_imported_only_when_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "azure.identity", None)
    with pytest.raises(BackendKeyError, match="not installed"):
        await EntraToken("work").secret()


@dataclass
class Authority:
    """Microsoft's sign-in as far as a client with a secret needs it, on loopback."""

    certificate: Path
    host: str = ""
    asked: list[dict[str, list[str]]] = field(default_factory=list)

    def client(self, secret: str) -> ClientSecretCredential:
        return ClientSecretCredential(
            "my-tenant",
            "my-client",
            secret,
            authority=f"https://{self.host}",
            disable_instance_discovery=True,
            connection_verify=str(self.certificate),
            retry_total=0,
        )


def handler(authority: Authority) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            tenant = f"https://{authority.host}/my-tenant"
            endpoints = {name: f"{tenant}/oauth2/v2.0/{name}" for name in ("token", "authorize")}
            self.answer(
                200,
                issuer=f"{tenant}/v2.0",
                token_endpoint=endpoints["token"],
                authorization_endpoint=endpoints["authorize"],
            )

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            authority.asked.append(form)
            if form["client_secret"] == ["right"]:
                self.answer(200, token_type="Bearer", expires_in=3600, access_token="real-token")
            else:
                self.answer(401, error="invalid_client", error_description="AADSTS canary")

        def answer(self, status: int, **fields: object) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(fields).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
            pass

    return Handler


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    path, tls = certificate(tmp_path)
    authority = Authority(path)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(authority))
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    authority.host = f"127.0.0.1:{server.server_address[1]}"
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    yield authority
    server.shutdown()
    serving.join()
    server.server_close()


async def test_with_the_real_library(authority: Authority) -> None:
    """`azure-identity` gets a token from a sign-in on loopback, and fails at it with a wrong secret."""
    assert await EntraToken("work", lambda: authority.client("right")).secret() == "real-token"
    assert authority.asked[0]["scope"][0].split()[0] == ENTRA_SCOPE
    with pytest.raises(BackendKeyError, match="Nobody is signed in") as caught:
        await EntraToken("work", lambda: authority.client("wrong")).secret()
    assert caught.value.detail == "ClientAuthenticationError"


def test_the_machines_own_ways_to_sign_in_are_taken() -> None:
    """Making them asks nobody."""
    assert hasattr(default_source(), "get_token")
