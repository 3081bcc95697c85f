"""Having Foundry load a model."""

import asyncio
import socket
from typing import Any

import pytest
from aiohttp import web

from homeward.discovery import FoundService, Kind, Rules, ServiceModel, discover, ensure_loaded, resolve_model
from homeward.protocol.errors import (
    BackendProtocolError,
    BackendStatusError,
    BackendTimeoutError,
    BackendUnreachableError,
)

from .conftest import Environment
from .services import FOUNDRY_SERVER, FOUNDRY_SERVICE, PHI_CPU, PHI_GPU, QWEN, Handler, Routes, Service, never, serving


class Foundry:
    """The loading side of a service, as recorded: what can be loaded under which name, and what is."""

    def __init__(self, names: dict[str, str], *loaded: str) -> None:
        self.names = names
        self.loaded = list(loaded)
        self.requests: list[str] = []

    def routes(self, prefix: str, suffix: str = "") -> dict[str, Handler]:
        """Whatever is asked for: which it is, the path says."""

        async def answer(request: web.Request) -> web.Response:
            path = request.raw_path
            if path.endswith(("loaded", "loadedmodels")):
                return web.json_response(self.loaded)
            self.requests.append(path)
            name = path.removeprefix(prefix).removesuffix(suffix)
            if name not in self.names:
                error = {"code": None, "message": f"Model not found: No model matching '{name}'", "param": None}
                return web.json_response({"error": error}, status=404)
            self.loaded.append(self.names[name])
            return web.json_response({"status": "loaded"})

        return {"*": answer}


def found(service: Service, kind: Kind = "foundry-server", *models: ServiceModel) -> FoundService:
    return FoundService(kind=kind, url=service.url, models=models, source="a test")


WITH_ALIAS = ServiceModel(id=PHI_CPU, alias="phi-4-mini", loaded=False)


async def test_the_new_server_loads_by_alias() -> None:
    """Its id it doesn't know there."""
    foundry = Foundry({"phi-4-mini": PHI_CPU})
    async with serving(foundry.routes("/models/load/")) as service:
        assert await ensure_loaded(found(service, "foundry-server", WITH_ALIAS), PHI_CPU) == PHI_CPU
    assert foundry.requests == ["/models/load/phi-4-mini"]


@pytest.mark.parametrize(
    ("model_id", "alias"),
    [
        (PHI_CPU, "phi-4-mini"),
        ("MyModel-generic-cpu:1", "MyModel"),
        (QWEN, "qwen2.5-0.5b"),
        ("toy-instruct:2", "toy-instruct"),
    ],
)
async def test_an_alias_that_is_not_told_is_worked_out(model_id: str, alias: str) -> None:
    """A catalogue's are in small letters and without "instruct"; own models keep their name."""
    foundry = Foundry({alias: model_id})
    async with serving(foundry.routes("/models/load/")) as service:
        assert await ensure_loaded(found(service), model_id) == model_id
    assert foundry.requests[-1] == f"/models/load/{alias}"
    assert len(foundry.requests) <= 2


async def test_the_variant_that_the_server_chose_comes_back() -> None:
    """Loaded by alias, it may be another one than was asked for."""
    foundry = Foundry({"phi-4-mini": PHI_GPU}, QWEN)
    async with serving(foundry.routes("/models/load/")) as service:
        assert await ensure_loaded(found(service, "foundry-server", WITH_ALIAS), PHI_CPU) == PHI_GPU


async def test_a_server_that_loads_nothing_of_the_kind_is_not_believed() -> None:
    """Another model is loaded; its answers would be somebody else's."""
    foundry = Foundry({"phi-4-mini": "Phi-4-mini-reasoning-generic-cpu:3"}, QWEN)
    async with serving(foundry.routes("/models/load/")) as service:
        with pytest.raises(BackendProtocolError):
            await ensure_loaded(found(service, "foundry-server", WITH_ALIAS), PHI_CPU)


async def test_the_old_service_loads_by_id() -> None:
    """For as long as its own tools ask for."""
    foundry = Foundry({PHI_CPU: PHI_CPU})
    async with serving(foundry.routes("/openai/load/", "?ttl=600")) as service:
        assert await ensure_loaded(found(service, "foundry-service"), PHI_CPU) == PHI_CPU
    assert foundry.requests == [f"/openai/load/{PHI_CPU}?ttl=600"]
    assert foundry.loaded == [PHI_CPU]


@pytest.mark.parametrize("kind", ["foundry-server", "foundry-service"])
async def test_a_loaded_model_is_left_alone(kind: Kind) -> None:
    """Only asked for."""
    foundry = Foundry({}, PHI_CPU)
    async with serving(foundry.routes("")) as service:
        assert await ensure_loaded(found(service, kind), PHI_CPU) == PHI_CPU
    assert foundry.requests == []


@pytest.mark.parametrize("kind", ["ollama", "lm-studio", "llama-server", "vllm", "openai-compatible"])
async def test_services_that_load_by_themselves_are_not_asked(kind: Kind) -> None:
    """Not even whether they have."""
    async with serving({}) as service:
        assert await ensure_loaded(found(service, kind), "a") == "a"
    assert service.asked == []


@pytest.mark.parametrize("kind", ["foundry-server", "foundry-service"])
async def test_a_model_that_is_not_there_is_an_error_with_a_next_step(kind: Kind) -> None:
    """And no C++ of the service's."""
    foundry = Foundry({})
    async with serving(foundry.routes("/")) as service:
        with pytest.raises(BackendStatusError) as caught:
            await ensure_loaded(found(service, kind), PHI_CPU)
    assert caught.value.upstream_status == 404
    assert caught.value.message == f"Foundry Local has no model “{PHI_CPU}”."
    assert "foundry model list" in caught.value.next_step


async def test_a_model_that_cannot_be_loaded_is_another_error() -> None:
    """Not tried under further names."""
    routes = {"/models/loaded": [], "*": web.json_response({"error": {"message": "file.cc:12 oom"}}, status=500)}
    async with serving(routes) as service:
        with pytest.raises(BackendStatusError) as caught:
            await ensure_loaded(found(service), PHI_CPU)
    assert caught.value.message == f"Foundry Local could not load “{PHI_CPU}”."
    assert "file.cc" not in f"{caught.value} {caught.value.detail}"
    assert len(service.asked) == 2


async def test_loading_has_a_limit() -> None:
    """The model may get ready later; we don't wait for it."""
    async with serving({"/openai/loadedmodels": [], "*": never}) as service:
        with pytest.raises(BackendTimeoutError):
            await ensure_loaded(found(service, "foundry-service"), PHI_CPU, limit_seconds=0.2)


async def test_a_service_that_is_gone_is_to_be_found_again() -> None:
    """That is what its error is for."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
        with pytest.raises(BackendUnreachableError):
            await ensure_loaded(FoundService(kind="foundry-server", url=url, source="a test"), PHI_CPU)


async def test_loading_can_be_cancelled() -> None:
    """The connection is closed then."""
    loading, left = asyncio.Event(), asyncio.Event()

    async def load(request: web.Request) -> web.StreamResponse:
        loading.set()
        try:
            return await never(request)
        finally:
            left.set()

    async with serving({"/openai/loadedmodels": [], "*": load}) as service, asyncio.timeout(60):
        task = asyncio.create_task(ensure_loaded(found(service, "foundry-service"), PHI_CPU))
        await loading.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await left.wait()


@pytest.mark.parametrize(
    "answer", [web.Response(text="Model loaded"), web.Response(text=""), {"status": "already_loaded"}]
)
async def test_what_a_load_answers_is_of_no_interest(answer: Any) -> None:
    """The status says it."""
    async with serving({"/openai/loadedmodels": [], "*": answer}) as service:
        assert await ensure_loaded(found(service, "foundry-service"), PHI_CPU) == PHI_CPU


@pytest.mark.parametrize("model_id", ["../v1/models", "a/b c?x=1#y%41", "é:1"])
async def test_an_id_cannot_lead_to_another_path(model_id: str) -> None:
    """Whatever a service calls its models; a colon it wants to see as it is."""
    async with serving({"/openai/loadedmodels": [], "*": {}}) as service:
        await ensure_loaded(found(service, "foundry-service"), model_id)
    path = service.asked[-1]
    assert path.startswith("/openai/load/")
    assert path.endswith("?ttl=600")
    assert path.count("/") == 3
    assert path.count("?") == 1
    assert ("%3A" in path) is False


async def test_an_address_elsewhere_is_not_asked() -> None:
    """A value that was not made by a search."""
    service = FoundService(kind="foundry-server", url="http://192.0.2.1/v1", source="a test")
    with pytest.raises(BackendUnreachableError):
        await ensure_loaded(service, PHI_CPU)


async def test_the_key_goes_with_it() -> None:
    """Where the service's address needs one."""
    foundry = Foundry({}, PHI_CPU)
    async with serving(foundry.routes("")) as service:
        await ensure_loaded(found(service), PHI_CPU, api_key="s3cret")
    assert set(service.keys) == {"Bearer s3cret"}


@pytest.mark.parametrize(
    ("routes", "loading"),
    [
        ({**FOUNDRY_SERVER, "/models/loaded": [PHI_GPU]}, []),
        ({**FOUNDRY_SERVICE, f"/openai/load/{PHI_GPU}?ttl=600": "loaded", "/openai/loadedmodels": []}, [PHI_GPU]),
    ],
)
async def test_the_settings_of_the_original_sample_work(
    rules: Rules, environment: Environment, routes: Routes, loading: list[str]
) -> None:
    """`MODEL=phi-4-mini`, `BASE_URL` without `/v1`, `API_KEY=not-required`: with both generations of Foundry."""
    async with serving(routes) as service:
        key = "not-required"
        outcome = await discover(base_url=service.root, api_key=key, environment=environment, rules=rules)
        model_id = resolve_model(outcome.found[0], "phi-4-mini")
        assert model_id == PHI_GPU
        assert await ensure_loaded(outcome.found[0], model_id, api_key=key) == PHI_GPU
    assert [path for path in service.asked if "/load/" in path] == [f"/openai/load/{name}?ttl=600" for name in loading]
