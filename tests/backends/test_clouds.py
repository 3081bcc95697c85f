"""Rows of the configuration as addresses and backends."""

from typing import Any

import pytest

from homeward.backends import Backend, BackendRow, Connections, cost
from homeward.backends.clouds import base_url, cloud_address, cloud_row, locate_cloud
from homeward.config.clouds import CloudSettings
from homeward.protocol.chat import Usage
from homeward.protocol.errors import BackendKeyError, BackendStatusError
from homeward.protocol.place import Place
from tests.backends.asking import KEY, REQUEST, collect
from tests.backends.exchange import TEXT
from tests.backends.fake_upstream import FakeUpstream

VERSION = "2024-10-21"


def cloud(**fields: Any) -> CloudSettings:
    return CloudSettings.model_validate({"model": "ok", **fields})


class Key:
    """A key that is known."""

    def __init__(self, secret: str = KEY) -> None:
        self._secret = secret
        self.forgotten = 0

    async def secret(self) -> str:
        if not self._secret:
            raise BackendKeyError("There is no key.")
        return self._secret

    def forget(self) -> None:
        self.forgotten += 1


def backend_of(settings: CloudSettings, connections: Connections, key: Key | None = None) -> Backend:
    return Backend(cloud_row("work", settings), locate_cloud(settings, key), connections)


AZURE = "https://my.openai.azure.com"


@pytest.mark.parametrize(
    ("fields", "url"),
    [
        ({"kind": "azure", "url": AZURE}, f"{AZURE}/openai/v1"),
        ({"kind": "azure", "url": f"{AZURE}/"}, f"{AZURE}/openai/v1"),
        ({"kind": "azure", "url": f"{AZURE}/openai"}, f"{AZURE}/openai/v1"),
        ({"kind": "azure", "url": f"{AZURE}/openai/v1/"}, f"{AZURE}/openai/v1"),
        ({"kind": "azure", "url": "https://gate.example/team"}, "https://gate.example/team/openai/v1"),
        ({"kind": "azure", "url": AZURE, "api_version": VERSION}, f"{AZURE}/openai"),
        ({"kind": "azure", "url": f"{AZURE}/openai/v1", "api_version": VERSION}, f"{AZURE}/openai"),
        ({"kind": "openai"}, "https://api.openai.com/v1"),
        ({"kind": "openai", "url": "https://eu.api.openai.com"}, "https://eu.api.openai.com/v1"),
        ({"url": "http://192.168.1.4:11434"}, "http://192.168.1.4:11434/v1"),
        ({"url": " http://192.168.1.4:11434/ "}, "http://192.168.1.4:11434/v1"),
        ({"url": "https://openrouter.ai/api/v1/"}, "https://openrouter.ai/api/v1"),
        ({"url": "https://x.example/v1beta/openai"}, "https://x.example/v1beta/openai"),
    ],
)
def test_base_address(fields: dict[str, str], url: str) -> None:
    """However the user gave it; what goes without saying is added once."""
    assert base_url(cloud(**fields)) == url


def test_azures_v1_address() -> None:
    """The deployment is the model; a key has a header of its own, a token is a bearer's."""
    settings = cloud(kind="azure", url=AZURE, model="my-gpt")
    address = cloud_address(settings, secret=KEY)
    assert address.at("chat/completions") == f"{AZURE}/openai/v1/chat/completions"
    assert address.model == "my-gpt"
    assert address.key_headers == {"api-key": KEY}
    entra = cloud_address(cloud(kind="azure", url=AZURE, auth="entra"), secret="token")
    assert entra.key_headers == {"Authorization": "Bearer token"}


def test_azures_older_address() -> None:
    """One per deployment, with the version as query; another model is another address."""
    settings = cloud(kind="azure", url=AZURE, model="my-gpt", api_version=VERSION)
    path = "openai/deployments/my-gpt/chat/completions"
    assert cloud_address(settings).at("chat/completions") == f"{AZURE}/{path}?api-version={VERSION}"
    assert "/deployments/a%2Fb/" in cloud_address(settings, "a/b").at("chat/completions")
    odd = cloud(kind="azure", url=AZURE, api_version="1&key=2")
    assert cloud_address(odd).query == "api-version=1%26key%3D2"


def test_a_key_is_not_shown() -> None:
    """In no representation of an address."""
    assert KEY not in repr(cloud_address(cloud(kind="openai"), secret=KEY))


def test_what_routing_needs_to_know() -> None:
    """Place, host, window and prices, without asking."""
    settings = cloud(
        kind="azure", url=AZURE, context_tokens=128_000, input_price=2.5, output_price=10, first_token_seconds=7
    )
    row = cloud_row("work", settings)
    assert (row.place, row.host, row.model) == (Place.CLOUD, "my.openai.azure.com", "ok")
    assert (row.context_tokens, row.input_price, row.cached_price, row.output_price) == (128_000, 2.5, None, 10)
    assert row.deadlines.first_token_seconds == 7
    assert row.leaves_device
    assert not row.restarts


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ((2.5, None, 10.0), 2.5 * 1000 + 10 * 500),
        ((2.5, 1.0, 10.0), 2.5 * 600 + 1.0 * 400 + 10 * 500),
        ((2.5, 0.0, 10.0), 2.5 * 600 + 10 * 500),
        ((0.0, None, 0.0), 0),
        ((None, None, 10.0), None),
        ((2.5, None, None), None),
    ],
)
def test_cost(prices: tuple[float | None, float | None, float | None], expected: float | None) -> None:
    """Of 1000 tokens in, 400 of which were kept, and 500 out; unknown where a price is."""
    row = BackendRow(name="x", place=Place.CLOUD, input_price=prices[0], cached_price=prices[1], output_price=prices[2])
    usage = Usage(prompt_tokens=1000, completion_tokens=500, cached_tokens=400)
    assert cost(row, usage) == (None if expected is None else pytest.approx(expected / 1_000_000))


async def test_azures_v1_endpoint_answers(upstream: FakeUpstream, connections: Connections) -> None:
    """With the key in its header, and in no other."""
    upstream.wants = f"api-key: {KEY}"
    settings = cloud(kind="azure", url=upstream.base_url.removesuffix("/v1"))
    assert (await collect(backend_of(settings, connections, Key()))).text == TEXT
    (asked,) = upstream.requests
    assert (asked.path, asked.query, asked.body["model"]) == ("/openai/v1/chat/completions", "", "ok")
    assert "authorization" not in asked.head.lower()


async def test_azures_older_endpoint_answers(upstream: FakeUpstream, connections: Connections) -> None:
    """Deployment in the path, version in the query; without the right one it says so."""
    upstream.wants, upstream.api_version = "Authorization: Bearer token", VERSION
    url = upstream.base_url.removesuffix("/v1")
    right = cloud(kind="azure", url=url, api_version=VERSION, auth="entra")
    assert (await collect(backend_of(right, connections, Key("token")))).text == TEXT
    assert (upstream.requests[0].path, upstream.requests[0].query) == (
        "/openai/deployments/ok/chat/completions",
        f"api-version={VERSION}",
    )
    wrong = cloud(kind="azure", url=url, api_version="2019-01-01", auth="entra")
    error = (await collect(backend_of(wrong, connections, Key("token")))).error
    assert isinstance(error, BackendStatusError)
    assert "api-version" in error.message


async def test_the_query_counts_as_sent(upstream: FakeUpstream, connections: Connections) -> None:
    """The receipt's bytes are those that the upstream counted."""
    upstream.api_version = VERSION
    url = upstream.base_url.removesuffix("/v1")
    settings = cloud(kind="azure", url=url, api_version=VERSION)
    outcome = await collect(backend_of(settings, connections, Key()))
    assert outcome.stream is not None
    assert outcome.stream.bytes_sent == upstream.requests[0].raw_bytes


async def test_a_service_without_key(upstream: FakeUpstream, connections: Connections) -> None:
    """None is sent."""
    settings = cloud(url=upstream.base_url, auth="none", place="network")
    assert (await collect(backend_of(settings, connections))).text == TEXT
    assert KEY not in upstream.requests[0].head


async def test_without_a_key_nothing_is_asked(upstream: FakeUpstream, connections: Connections) -> None:
    """It is missing before the connection is made."""
    outcome = await collect(backend_of(cloud(url=upstream.base_url), connections, Key("")))
    assert isinstance(outcome.error, BackendKeyError)
    assert upstream.connections == 0


@pytest.mark.parametrize(("model", "forgotten"), [("status-401", 1), ("status-403", 0), ("status-500", 0), ("ok", 0)])
async def test_a_refused_key_is_looked_for_anew(
    upstream: FakeUpstream, connections: Connections, model: str, forgotten: int
) -> None:
    """F39: it may have been changed in the keyring meanwhile. So also where the one who asks has located it."""
    key = Key()
    backend = backend_of(cloud(url=upstream.base_url, model=model), connections, key)
    await collect(backend)
    assert key.forgotten == forgotten
    try:
        async with backend.locate("") as address, backend.open_stream(REQUEST, address) as stream:
            async for _ in stream:
                pass
    except BackendStatusError:
        pass
    assert key.forgotten == 2 * forgotten


async def test_a_redirect_does_not_get_the_key(upstream: FakeUpstream, connections: Connections) -> None:
    """It is not followed."""
    outcome = await collect(backend_of(cloud(url=upstream.base_url, model="redirect"), connections, Key()))
    assert isinstance(outcome.error, BackendStatusError)
    assert len(upstream.requests) == 1
