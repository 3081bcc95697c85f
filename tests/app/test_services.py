"""Services that run on this machine, as what answers: the sample's variables, choosing, losing and finding again."""

from collections.abc import AsyncIterator

import pytest

from homeward.app.services import Services
from homeward.config import ServiceSettings
from homeward.discovery import FoundService
from homeward.models.errors import ModelError
from homeward.models.library import Choice
from homeward.protocol.errors import NoBackendError
from tests.app.conftest import MakeSettings, home_of
from tests.backends.fake_upstream import TEXT, FakeUpstream, serving

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]


@pytest.fixture
async def upstream() -> AsyncIterator[FakeUpstream]:
    """Somebody's service, whose model's name says how it behaves."""
    async with serving() as upstream:
        yield upstream


async def test_the_samples_variables(settings_of: MakeSettings, upstream: FakeUpstream) -> None:
    """BASE_URL without /v1, MODEL, API_KEY: its model answers, with the key, and the receipt names the service."""
    settings = settings_of(BASE_URL=upstream.base_url.removesuffix("/v1"), MODEL="starter", API_KEY="secret-7")
    async with home_of(settings) as home:
        await home.managing.first_look()
        assert home.answering.library.in_use == Choice("llama", "SmolLM2-135M-Instruct")
    settings = settings_of(BASE_URL=upstream.base_url.removesuffix("/v1"), MODEL="ok", API_KEY="secret-7")
    async with home_of(settings) as home:
        await home.managing.first_look()
        choice = home.answering.library.in_use
        assert choice is not None
        assert choice.model == "ok"
        text, answer = await home.ask()
    assert text == TEXT
    assert (answer.receipt.backend, answer.receipt.model) == ("openai-compatible", "ok")
    assert "Authorization: Bearer secret-7" in upstream.requests[-1].head


async def test_an_address_alone(settings_of: MakeSettings, upstream: FakeUpstream) -> None:
    """The service's own model answers where it has no phi-4-mini."""
    async with home_of(settings_of(BASE_URL=upstream.base_url)) as home:
        await home.managing.first_look()
        choice = home.answering.library.in_use
    assert choice is not None
    assert choice.backend == "openai-compatible"


async def test_an_address_elsewhere_is_not_asked(settings_of: MakeSettings) -> None:
    """Only this machine; the starter answers, and the page says why."""
    async with home_of(settings_of(BASE_URL="http://10.11.12.13:8000/v1", MODEL="ok")) as home:
        await home.managing.first_look()
        _, answer = await home.ask()
        reasons = [missing.reason for missing in home.managing.state().not_found]
    assert answer.receipt.backend == "llama"
    assert any("this machine" in reason or "this computer" in reason for reason in reasons)


async def test_a_service_that_is_away(settings_of: MakeSettings) -> None:
    """A question fails with what to do, and so does choosing it."""
    async with serving() as upstream:
        settings = settings_of(BASE_URL=upstream.base_url, MODEL="ok")
    async with home_of(settings) as home:
        home.answering.library.shelf.use("openai-compatible/ok")
        home.answering.library.refresh()
        await home.managing.first_look()
        _, answer = await home.ask()
        assert answer.receipt.error == "upstream_unreachable"
        assert answer.error is not None
        assert answer.error.next_step
        with pytest.raises(ModelError):
            await home.managing.use("openai-compatible/ok")


async def test_the_choice_outlives_the_run(settings_of: MakeSettings, upstream: FakeUpstream) -> None:
    """Chosen once, it answers at the next start, without another search."""
    settings = settings_of(BASE_URL=upstream.base_url)
    async with home_of(settings) as home:
        await home.managing.use("openai-compatible/ok")
    async with home_of(settings) as again:
        assert (await again.ask())[0] == TEXT


async def test_a_model_that_is_not_here(settings_of: MakeSettings) -> None:
    """MODEL alone: the starter answers in its place, and says so; nothing is downloaded."""
    async with home_of(settings_of(MODEL="phi-4-mini")) as home:
        assert home.managing.state().missing == "phi-4-mini"
        assert (await home.ask())[1].receipt.model == "SmolLM2-135M-Instruct"
        assert home.managing.state().downloads == ()


async def test_the_first_start_looks_once(settings_of: MakeSettings) -> None:
    """And not at all where that is switched off."""
    async with home_of(settings_of(HOMEWARD_MODELS_DISCOVER="false")) as home:
        home.settings.data_dir.mkdir(exist_ok=True)
        await home.managing.first_look()
        assert not home.managing.state().searched
    async with home_of(settings_of()) as home:
        await home.managing.first_look()
        assert home.managing.state().searched
    async with home_of(settings_of()) as home:
        await home.managing.first_look()
        assert not home.managing.state().searched


async def test_a_model_that_the_service_passes_on_is_never_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its words would leave this device although the receipt says that they didn't."""
    ollama = FoundService(
        kind="ollama", url="http://127.0.0.1:9/v1", models=(), elsewhere=("gpt-oss:120b-cloud",), source="a test"
    )
    services = Services(ServiceSettings())

    async def find(_kind: str) -> FoundService:
        return ollama

    monkeypatch.setattr(services, "_find", find)
    with pytest.raises(NoBackendError):
        async with services.locate("ollama")("gpt-oss:120b-cloud"):
            pytest.fail("it was given an address")
