"""Which program answers, and what it offers: each kind at the address that the user gave."""

from typing import Any

import msgspec
import pytest
from aiohttp import web

from homeward.discovery import FoundService, Kind, Rules, ServiceModel, discover

from .conftest import Environment, Install, at, on, reasons
from .services import (
    FOUNDRY_SERVER,
    FOUNDRY_SERVICE,
    LM_STUDIO,
    OLLAMA,
    PHI_CPU,
    PHI_GPU,
    QWEN,
    VLLM,
    Routes,
    Service,
    models,
    never,
    serving,
)

SERVER_MODELS = (
    ServiceModel(id=PHI_CPU, alias="phi-4-mini", loaded=False),
    ServiceModel(id=PHI_GPU, alias="phi-4-mini", loaded=False),
    ServiceModel(id=QWEN, alias="qwen2.5-0.5b", loaded=True),
)
SERVICE_MODELS = (
    ServiceModel(id=PHI_CPU, alias="phi-4-mini", loaded=True),
    ServiceModel(id=PHI_GPU, alias="phi-4-mini", loaded=False),
)
OLLAMA_MODELS = (
    ServiceModel(id="llama3.2:latest", loaded=False),
    ServiceModel(id="qwen3:8b", loaded=True, context_tokens=4096),
)
STUDIO_MODELS = (
    ServiceModel(id="qwen/qwen3-8b", loaded=True, context_tokens=4096),
    ServiceModel(id="gemma-3-4b-it", loaded=False),
)
VLLM_MODELS = (
    ServiceModel(id="Qwen/Qwen3-8B", loaded=True, context_tokens=8192),
    ServiceModel(id="zig-lora", loaded=True),
)
KINDS: list[tuple[Kind, Routes, str, tuple[ServiceModel, ...]]] = [
    ("foundry-server", FOUNDRY_SERVER, "", SERVER_MODELS),
    ("foundry-service", FOUNDRY_SERVICE, "", SERVICE_MODELS),
    ("ollama", OLLAMA, "0.12.6", OLLAMA_MODELS),
    ("lm-studio", LM_STUDIO, "", STUDIO_MODELS),
    ("vllm", VLLM, "0.28.0", VLLM_MODELS),
    (
        "openai-compatible",
        {"/v1/models": models("a", "b", parent="x")},
        "",
        (ServiceModel(id="a"), ServiceModel(id="b")),
    ),
]


@pytest.mark.parametrize("end", ["", "/", "/v1", "/v1/"])
@pytest.mark.parametrize(("kind", "routes", "version", "offered"), KINDS)
async def test_the_users_address_is_recognised_whatever_it_is(
    rules: Rules, environment: Environment, kind: Kind, routes: Routes, version: str, offered: Any, end: str
) -> None:
    """In every way of writing it; and the URL that comes back is the base of OpenAI's protocol."""
    async with serving(routes) as service:
        outcome = await at(service.root + end, rules, environment)
    (found,) = outcome.found
    source = "the address that you gave"
    elsewhere = ("gpt-oss:120b-cloud",) if kind == "ollama" else ()
    assert found == FoundService(
        kind=kind, url=service.url, version=version, models=offered, source=source, elsewhere=elsewhere
    )


async def test_only_questions_that_change_nothing_are_asked(
    rules: Rules, environment: Environment, write_daemon_file: Install
) -> None:
    """Nothing is loaded, and no question has a body (the services here check that)."""
    services: list[Service] = []
    for _, routes, _, _ in KINDS:
        async with serving(routes) as service:
            services.append(service)
            await at(service.url, rules, environment)
    asked = {path for service in services for path in service.asked}
    assert asked == {
        *("/v1/models", "/status", "/openai/status", "/api/version", "/api/v0/models", "/readyz", "/version"),
        *("/models/loaded", "/openai/models", "/openai/loadedmodels", "/foundry/list", "/api/tags", "/api/ps"),
    }


async def test_an_lm_studio_without_models_is_found(rules: Rules, environment: Environment) -> None:
    """By its own interface; its list has nobody to be owned by."""
    empty = {"object": "list", "data": []}
    async with serving({**LM_STUDIO, "/v1/models": empty, "/api/v0/models": empty}) as service:
        usual = on(rules, lm_studio_port=service.port)
        (found,) = (await discover(base_url=None, environment=environment, rules=usual)).found
    assert (found.kind, found.models) == ("lm-studio", ())


async def test_an_lm_studio_without_its_own_interface_is_known_by_openais(
    rules: Rules, environment: Environment
) -> None:
    """That interface has a successor. Elsewhere than there, its sign counts for nothing: proxies imitate it."""
    routes = {**LM_STUDIO, "/api/v0/models": LM_STUDIO["*"]}
    async with serving(routes) as service:
        usual = on(rules, lm_studio_port=service.port)
        (found,) = (await discover(base_url=None, environment=environment, rules=usual)).found
        elsewhere = await discover(base_url=None, environment=environment, rules=on(rules, vllm_port=service.port))
    ids = ("qwen/qwen3-8b", "gemma-3-4b-it", "text-embedding-nomic")
    assert (found.kind, found.models) == ("lm-studio", tuple(ServiceModel(id=model_id) for model_id in ids))
    assert elsewhere.found == ()


@pytest.mark.parametrize("status", [401, 403])
@pytest.mark.parametrize(("key", "words"), [("", "needs a key"), ("wrong", "refused the key")])
async def test_a_service_that_wants_a_key_is_said_to(
    rules: Rules, environment: Environment, status: int, key: str, words: str
) -> None:
    """Or that it is the wrong one."""
    async with serving({"*": web.Response(status=status)}) as service:
        outcome = await at(service.url, rules, environment, api_key=key)
    (reason,) = reasons(outcome)["openai-compatible"]
    assert f"What answers on {service.root.removeprefix('http://')} {words} (status {status})." in reason


async def test_the_key_case_of_the_old_services_status_does_not_matter(rules: Rules, environment: Environment) -> None:
    """It changed between versions."""
    status = {"endpoints": [], "modelDirPath": "/m", "pipeName": "p"}
    async with serving({**FOUNDRY_SERVICE, "/openai/status": status}) as service:
        (found,) = (await at(service.url, rules, environment)).found
    assert found.kind == "foundry-service"


async def test_a_foundry_that_is_slow_with_its_first_list_is_waited_for(rules: Rules, environment: Environment) -> None:
    """Offline it tries for seconds to fetch its catalogue, and answers `/status` at once."""
    calls = 0

    async def slow_at_first(request: web.Request) -> web.StreamResponse:
        nonlocal calls
        calls += 1
        return await never(request) if calls == 1 else web.json_response(FOUNDRY_SERVER["/v1/models"])

    quick = msgspec.structs.replace(rules, answer_seconds=2)
    async with serving({**FOUNDRY_SERVER, "/v1/models": slow_at_first}) as service:
        (found,) = (await at(service.url, quick, environment)).found
    assert found.models == SERVER_MODELS


@pytest.mark.parametrize("routes", [{}, OLLAMA])
async def test_other_services_are_not_waited_for(rules: Rules, environment: Environment, routes: Routes) -> None:
    """One that hangs is missing for that reason, and asked for its models once."""
    async with serving({**routes, "/v1/models": never}) as service:
        quick = msgspec.structs.replace(rules, answer_seconds=0.5)
        outcome = await at(service.url, quick, environment)
    (reason,) = reasons(outcome)["openai-compatible"]
    assert reason == f"{service.root.removeprefix('http://')} did not answer within 0.5 s."
    assert service.asked.count("/v1/models") == 1


OPTIONAL: list[tuple[Kind, Routes, str, tuple[ServiceModel, ...]]] = [
    (
        "foundry-server",
        FOUNDRY_SERVER,
        "/models/loaded",
        tuple(msgspec.structs.replace(m, loaded=None) for m in SERVER_MODELS),
    ),
    (
        "foundry-service",
        FOUNDRY_SERVICE,
        "/openai/loadedmodels",
        tuple(msgspec.structs.replace(m, loaded=None) for m in SERVICE_MODELS),
    ),
    ("ollama", OLLAMA, "/api/ps", tuple(ServiceModel(id=m.id, loaded=False) for m in OLLAMA_MODELS)),
    ("vllm", VLLM, "/version", VLLM_MODELS),
]


@pytest.mark.parametrize("broken", [None, web.Response(status=500), "nonsense", {"models": [{"name": 1}, 2, None]}])
@pytest.mark.parametrize(("kind", "routes", "path", "offered"), OPTIONAL)
async def test_details_that_are_not_told_are_unknown(
    rules: Rules, environment: Environment, kind: Kind, routes: Routes, path: str, offered: Any, broken: Any
) -> None:
    """The service is found all the same."""
    async with serving({**routes, path: broken}) as service:
        (found,) = (await at(service.url, rules, environment)).found
    assert (found.kind, found.models) == (kind, offered)


async def test_the_old_services_catalogue_may_stand_in_an_object(rules: Rules, environment: Environment) -> None:
    """As it does in its documentation; in its clients it doesn't."""
    routes = {**FOUNDRY_SERVICE, "/foundry/list": {"models": FOUNDRY_SERVICE["/foundry/list"]}}
    async with serving(routes) as service:
        (found,) = (await at(service.url, rules, environment)).found
    assert found.models == SERVICE_MODELS


async def test_the_old_service_without_its_other_lists_is_known_by_openais(
    rules: Rules, environment: Environment
) -> None:
    """No aliases then."""
    routes = {path: FOUNDRY_SERVICE[path] for path in ("/openai/status", "/v1/models")}
    async with serving(routes) as service:
        (found,) = (await at(service.url, rules, environment)).found
    assert [(model.id, model.alias) for model in found.models][:2] == [(PHI_CPU, ""), (PHI_GPU, "")]


async def test_a_llama_server_with_several_models_tells_of_each(rules: Rules, environment: Environment) -> None:
    """Whether it is loaded, and then with which window; its general properties are nobody's."""
    entries = [
        {
            "id": "a",
            "owned_by": "llamacpp",
            "status": {"value": "loaded"},
            "meta": {"n_ctx": 2048, "n_ctx_train": 8192},
        },
        {"id": "b", "owned_by": "llamacpp", "status": {"value": "unloaded"}},
    ]
    async with serving({"/v1/models": {"data": entries}, "/props": {"role": "router"}}) as service:
        (found,) = (await at(service.url, rules, environment)).found
    assert found.kind == "llama-server"
    assert found.models == (
        ServiceModel(id="a", loaded=True, context_tokens=2048),
        ServiceModel(id="b", loaded=False),
    )


async def test_an_older_llama_server_tells_its_window_in_its_properties(rules: Rules, environment: Environment) -> None:
    """What the model was trained with is not what it has."""
    listed = models("a", owned_by="llamacpp", meta={"n_ctx_train": 8192})
    props = {"default_generation_settings": {"n_ctx": 1024}, "build_info": "b5000-abc", "total_slots": 1}
    async with serving({"/v1/models": listed, "/props": props}) as service:
        (found,) = (await at(service.url, rules, environment)).found
    assert (found.version, found.models) == ("b5000-abc", (ServiceModel(id="a", loaded=True, context_tokens=1024),))


async def test_an_ollama_that_does_not_tell_where_its_models_run_is_not_used(
    rules: Rules, environment: Environment
) -> None:
    """Its cloud's models are in `/v1/models` like all others."""
    async with serving({**OLLAMA, "/api/tags": web.Response(status=500)}) as service:
        outcome = await at(service.url, rules, environment)
    assert outcome.found == ()
    assert "has a fault of its own (status 500)" in reasons(outcome)["openai-compatible"][0]


@pytest.mark.parametrize(
    "sign",
    [{"remote_host": "https://ollama.com:443"}, {"remote_model": "x"}, {"name": "x:cloud"}, {"name": "x:1t-cloud"}],
)
async def test_each_sign_of_ollamas_cloud_is_enough(
    rules: Rules, environment: Environment, sign: dict[str, str]
) -> None:
    """An older or newer version may give but one of them."""
    entry = {"name": "x:1t", **sign}
    async with serving({**OLLAMA, "/api/tags": {"models": [entry]}}) as service:
        (found,) = (await at(service.url, rules, environment)).found
    assert (found.models, found.elsewhere) == ((), (entry["name"],))


async def test_entries_that_make_no_sense_are_left_out(rules: Rules, environment: Environment) -> None:
    """No ids that cannot be shown or sent; the rest stays."""
    ids: list[Any] = ["good", "", None, 5, {}, "line\nbreak", "\x1b[31mred", "right\u202eleft", "x" * 501, "Modèle 1"]
    body: dict[str, Any] = {"data": [{"id": model_id} for model_id in ids] + [None, "good", []]}
    async with serving({"/v1/models": body}) as service:
        (found,) = (await at(service.url, rules, environment)).found
    assert [model.id for model in found.models] == ["good", "Modèle 1"]


@pytest.mark.parametrize("tokens", [0, -1, "8192", 8192.5, True, None, {}])
async def test_a_context_length_that_makes_no_sense_is_unknown(
    rules: Rules, environment: Environment, tokens: Any
) -> None:
    """Better none than a wrong one."""
    async with serving({"/v1/models": models("a", owned_by="vllm", max_model_len=tokens)}) as service:
        (found,) = (await at(service.url, rules, environment)).found
    assert found.models == (ServiceModel(id="a", loaded=True),)


async def test_a_service_below_a_path_is_found(rules: Rules, environment: Environment) -> None:
    """Lemonade's, say."""
    async with serving({"/api/v1/models": models("a")}) as service:
        (found,) = (await at(f"{service.root}/api/v1/", rules, environment)).found
    assert found.url == f"{service.root}/api/v1"
