"""Trying a backend out: what works, and exactly what does not."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from homeward.backends import Backend, Connections
from homeward.backends.clouds import cloud_row, locate_cloud
from homeward.backends.examine import PROMPT, Examination, Step, examine
from homeward.backends.reach import Unreached, connect, untrusted
from homeward.config.clouds import CloudSettings
from homeward.protocol.errors import BackendKeyError
from tests.backends.asking import KEY
from tests.backends.certificates import certificate, trusting
from tests.backends.exchange import CANARY
from tests.backends.fake_upstream import FakeUpstream, serving

ALL = ["key", "name", "connection", "access", "answer", "stream", "usage"]


class Key:
    def __init__(self, secret: str) -> None:
        self._secret = secret

    async def secret(self) -> str:
        if not self._secret:
            raise BackendKeyError("There is no key for it.", next_step="Set the variable X.")
        return self._secret

    def forget(self) -> None:
        pass


async def examined(connections: Connections, key: str = KEY, **fields: Any) -> Examination:
    settings = CloudSettings.model_validate({"model": "ok", "connect_seconds": 5, **fields})
    row = cloud_row("work", settings)
    return await examine(Backend(row, locate_cloud(settings, Key(key)), connections), connections)


def failure(examination: Examination) -> Step:
    """The step that failed: the last one, with something to do, and no word of the upstream."""
    assert not examination.ok
    assert [step.result for step in examination.steps].index("failed") == len(examination.steps) - 1
    step = examination.steps[-1]
    assert step.next_step
    assert step.fault
    assert CANARY not in f"{examination}"
    assert KEY not in f"{examination}"
    return step


async def test_one_that_works(upstream: FakeUpstream, connections: Connections) -> None:
    """Every step is told, with how long it took; the answer with its first token."""
    upstream.wants = f"Authorization: Bearer {KEY}"
    examination = await examined(connections, url=upstream.base_url)
    assert [(step.name, step.result) for step in examination.steps] == [(name, "ok") for name in ALL]
    assert examination.ok
    assert examination.first_token_seconds is not None
    assert examination.total_seconds is not None
    assert 0 < examination.first_token_seconds <= examination.total_seconds
    assert "2 models, ok among them" in examination.steps[3].sentence
    assert all(step.seconds >= 0 for step in examination.steps)


async def test_all_that_is_sent(upstream: FakeUpstream, connections: Connections) -> None:
    """A list is asked for, and one fixed question with a short answer; no word of anybody's."""
    await examined(connections, url=upstream.base_url)
    listed, asked = upstream.requests
    assert (listed.path, listed.body) == ("/v1/models", {})
    assert asked.body["messages"] == [{"role": "user", "content": "Say hello."}]
    assert asked.body["max_tokens"] == PROMPT.sampling.max_tokens == 16


async def test_azures_older_addresses_have_no_list(upstream: FakeUpstream, connections: Connections) -> None:
    """That step is left out."""
    upstream.api_version = "2024-10-21"
    url = upstream.base_url.removesuffix("/v1")
    examination = await examined(connections, kind="azure", url=url, api_version="2024-10-21")
    assert examination.ok
    assert [step.name for step in examination.steps if step.result == "note"] == ["access"]
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("fields", "step", "words"),
    [
        ({"model": "zero-tokens"}, "usage", "costs can't be told"),
        ({"model": "json-200"}, "stream", "in one piece"),
        ({"model": "zero-tokens"}, "access", "but not zero-tokens"),
    ],
)
async def test_what_is_no_obstacle(
    upstream: FakeUpstream, connections: Connections, fields: dict[str, str], step: str, words: str
) -> None:
    """It is noted, and the rest goes on."""
    examination = await examined(connections, url=upstream.base_url, **fields)
    assert examination.ok
    (noted,) = [each for each in examination.steps if each.name == step]
    assert noted.result == "note"
    assert words in noted.sentence


async def test_a_service_without_a_list(upstream: FakeUpstream, connections: Connections) -> None:
    """That is no failure by itself; here nothing else is there either, and that is one."""
    examination = await examined(connections, url=upstream.base_url.replace("/v1", "/nowhere/v2"))
    assert [step.result for step in examination.steps if step.name == "access"] == ["note"]


async def test_without_a_key(connections: Connections, upstream: FakeUpstream) -> None:
    """Nobody is asked anything."""
    step = failure(await examined(connections, key="", url=upstream.base_url))
    assert (step.name, step.sentence, step.fault) == ("key", "There is no key for it.", "settings")
    assert upstream.connections == 0


async def test_a_host_that_is_not(connections: Connections) -> None:
    """The name is repeated, for one letter may be wrong."""
    step = failure(await examined(connections, url="https://homeward-test.invalid/v1"))
    assert step.name == "name"
    assert step.fault in {"settings", "network"}  # without any network, nobody can tell which


async def test_a_port_where_nobody_listens(connections: Connections) -> None:
    """The service does not run, or the port is another one."""
    step = failure(await examined(connections, url="http://127.0.0.1:9/v1"))
    assert (step.name, step.fault) == ("connection", "service")
    assert "port 9 of 127.0.0.1" in step.sentence


async def test_a_key_that_is_refused(upstream: FakeUpstream, connections: Connections) -> None:
    """Found by the list of models, before the model is asked."""
    upstream.wants = "Authorization: Bearer another"
    step = failure(await examined(connections, url=upstream.base_url))
    assert (step.name, step.fault) == ("access", "settings")
    assert "refused its key" in step.sentence
    assert len(upstream.requests) == 1


@pytest.mark.parametrize(
    ("model", "fault", "words"),
    [
        ("code-404-DeploymentNotFound", "settings", "knows no deployment of this name"),
        ("nothing-of-this-name", "settings", "does not know the model"),
        ("wants-max_completion_tokens", "settings", "`max_tokens`"),
        ("429-after-20", "service", "is busy"),
        ("code-429-insufficient_quota", "service", "no credit"),
        ("status-500", "service", "a fault of its own"),
        ("code-511-any", "network", "sign-in of this network"),
        ("html-200", "service", "a web page"),
        ("malformed-json", "service", "not OpenAI's protocol"),
        ("half-event-rst", "service", "ended the connection"),
    ],
)
async def test_an_answer_that_does_not_come(
    upstream: FakeUpstream, connections: Connections, model: str, fault: str, words: str
) -> None:
    """Exactly what, and whose fault."""
    step = failure(await examined(connections, url=upstream.base_url, model=model))
    assert (step.name, step.fault) == ("answer", fault)
    assert words in step.sentence


async def test_the_setting_that_helps_is_named(upstream: FakeUpstream, connections: Connections) -> None:
    """And helps."""
    model = "wants-max_completion_tokens"
    step = failure(await examined(connections, url=upstream.base_url, model=model))
    assert 'max_tokens_field = "max_completion_tokens"' in step.next_step
    assert (
        await examined(connections, url=upstream.base_url, model=model, max_tokens_field="max_completion_tokens")
    ).ok


async def test_a_wrong_api_version(upstream: FakeUpstream, connections: Connections) -> None:
    """Azure says it in a sentence only."""
    upstream.api_version = "2024-10-21"
    url = upstream.base_url.removesuffix("/v1")
    step = failure(await examined(connections, kind="azure", url=url, api_version="2030-01-01"))
    assert "api-version" in step.sentence
    assert "api_version" in step.next_step


async def test_one_that_never_begins(upstream: FakeUpstream, connections: Connections) -> None:
    """Its own deadline ends it."""
    step = failure(await examined(connections, url=upstream.base_url, model="no-headers", first_token_seconds=0.1))
    assert (step.name, step.fault) == ("answer", "service")
    assert "within 0.1 s" in step.sentence


async def test_a_web_page_in_place_of_the_list(upstream: FakeUpstream, connections: Connections) -> None:
    """A captive portal, or the address of a web site."""
    step = failure(await examined(connections, url=upstream.base_url.replace("/v1", "/portal/v1")))
    assert (step.name, step.sentence) == ("access", "The backend 'work' sent a web page in place of an answer.")


# TLS

Serving = Callable[..., Any]


@asynccontextmanager
async def secure(tmp_path: Path, **of_certificate: Any) -> AsyncIterator[tuple[FakeUpstream, Path]]:
    path, tls = certificate(tmp_path, **of_certificate)
    async with serving(tls=tls) as upstream:
        yield upstream, path


async def test_over_tls(tmp_path: Path) -> None:
    """With a certificate that is trusted."""
    async with secure(tmp_path) as (upstream, path), Connections(trusting(path)) as connections:
        examination = await examined(connections, url=upstream.base_url)
        assert examination.ok, examination.steps[-1]
        assert "its certificate is right" in examination.steps[2].sentence


async def test_a_certificate_of_nobody_known(tmp_path: Path, connections: Connections) -> None:
    """Nothing is sent, not even the key; a proxy's certificate can be named."""
    async with secure(tmp_path) as (upstream, _):
        step = failure(await examined(connections, url=upstream.base_url))
        assert (step.name, step.fault) == ("connection", "network")
        assert "not one that this machine trusts" in step.sentence
        assert "SSL_CERT_FILE" in step.next_step
        assert upstream.requests == []


@pytest.mark.parametrize(
    ("of_certificate", "words", "fault"),
    [({"days": -1}, "has expired", "service"), ({"address": "127.0.0.2"}, "for another host name", "settings")],
)
async def test_a_wrong_certificate(tmp_path: Path, of_certificate: dict[str, Any], words: str, fault: str) -> None:
    """Each has another cure."""
    async with secure(tmp_path, **of_certificate) as (upstream, path), Connections(trusting(path)) as connections:
        step = failure(await examined(connections, url=upstream.base_url))
        assert words in step.sentence
        assert step.fault == fault
        assert upstream.requests == []


async def test_no_tls_at_the_port(upstream: FakeUpstream, connections: Connections) -> None:
    """https:// where http:// was meant."""
    step = failure(await examined(connections, url=upstream.base_url.replace("http", "https")))
    assert "does not speak TLS" in step.sentence
    assert step.fault == "settings"


def test_an_address_in_place_of_a_host_name() -> None:
    """OpenSSL has two numbers for what is one mistake."""
    assert untrusted(62).sentence == untrusted(64).sentence


# Names with several addresses


async def test_one_of_several_addresses_is_enough(upstream: FakeUpstream) -> None:
    """`localhost` is often two, and the service listens at one."""
    port = int(upstream.base_url.split(":")[2].removesuffix("/v1"))
    await connect("localhost", ("::1", "127.0.0.1"), port, tls=None, seconds=5)


async def test_none_of_several_addresses() -> None:
    """It is said what is wrong with them, not that there were several."""
    with pytest.raises(Unreached, match="Nothing listens at port 9 of localhost"):
        await connect("localhost", ("127.0.0.2", "127.0.0.1"), 9, tls=None, seconds=5)
