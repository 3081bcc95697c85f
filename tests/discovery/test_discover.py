"""The search: which places are asked, in whose name, and what comes of it."""

import json

import pytest

from homeward.discovery import FoundService, Kind, NotFound, Rules, discover, discover_kind

from .conftest import Environment, Install, at, on, reasons
from .services import (
    FOUNDRY_SERVER,
    LM_STUDIO,
    OLLAMA,
    VLLM,
    Routes,
    models,
    serving,
)


async def test_on_a_machine_without_any_service_each_is_missing_for_a_reason(
    rules: Rules, environment: Environment
) -> None:
    """Nothing was given by the user, so nothing is said about that."""
    outcome = await discover(base_url=None, environment=environment, rules=rules)
    assert outcome.found == ()
    assert reasons(outcome) == {
        "foundry-server": ["The foundry command is not installed."],
        "ollama": [f"Nothing listens on 127.0.0.1:{rules.ollama_port}."],
        "lm-studio": [f"Nothing listens on 127.0.0.1:{rules.lm_studio_port}."],
        "llama-server": [f"Nothing listens on 127.0.0.1:{rules.llama_server_port}."],
        "vllm": [f"Nothing listens on 127.0.0.1:{rules.vllm_port}."],
    }


@pytest.mark.parametrize(
    ("port", "kind", "routes"),
    [("ollama_port", "ollama", OLLAMA), ("lm_studio_port", "lm-studio", LM_STUDIO), ("vllm_port", "vllm", VLLM)],
)
async def test_services_are_found_at_their_usual_ports(
    rules: Rules, environment: Environment, port: str, kind: Kind, routes: Routes
) -> None:
    """And are not missing then; the others still are."""
    async with serving(routes) as service:
        outcome = await discover(base_url="", environment=environment, rules=on(rules, **{port: service.port}))
    assert [(found.kind, found.url, found.source) for found in outcome.found] == [(kind, service.url, "its usual port")]
    assert kind not in reasons(outcome)
    assert len(reasons(outcome)) == 4


@pytest.mark.parametrize(
    ("routes", "ports"),
    [
        ({"/v1/models": models("a", owned_by="llamacpp")}, {"vllm_port": "llama-server"}),
        (VLLM, {"llama_server_port": "vllm"}),
    ],
)
async def test_two_kinds_are_found_at_each_others_port(
    rules: Rules, environment: Environment, routes: Routes, ports: dict[str, Kind]
) -> None:
    """Both are started by hand, with a port that comes to mind. When it is lost it is looked for there too."""
    ((port, kind),) = ports.items()
    async with serving(routes) as service:
        usual = on(rules, **{port: service.port})
        (found,) = (await discover(base_url=None, environment=environment, rules=usual)).found
        again = await discover_kind(kind, base_url=None, environment=environment, rules=usual)
    assert found.kind == kind
    assert again == found


async def test_several_services_are_found_together(rules: Rules, environment: Environment) -> None:
    """In a fixed order, whoever answers first."""
    async with serving(OLLAMA) as ollama, serving(VLLM) as vllm, serving(FOUNDRY_SERVER) as foundry:
        usual = on(rules, ollama_port=ollama.port, vllm_port=vllm.port)
        outcome = await discover(base_url=foundry.url, environment=environment, rules=usual)
    assert [found.kind for found in outcome.found] == ["foundry-server", "ollama", "vllm"]


async def test_an_address_is_listed_once_and_asked_in_the_users_name(rules: Rules, environment: Environment) -> None:
    """`localhost` and 127.0.0.1 are one place."""
    async with serving(OLLAMA) as ollama:
        url = f"http://localhost:{ollama.port}/v1"
        outcome = await at(url, on(rules, ollama_port=ollama.port), environment)
    (found,) = outcome.found
    assert (found.url, found.source) == (url, "the address that you gave")
    assert ollama.asked.count("/v1/models") == 1


async def test_ollamas_own_setting_is_followed_on_this_machine(rules: Rules, environment: Environment) -> None:
    """Also where it says on which addresses the server is to listen: everywhere."""
    async with serving(OLLAMA) as ollama:
        given = {**environment, "OLLAMA_HOST": f"0.0.0.0:{ollama.port}"}
        outcome = await discover(base_url=None, environment=given, rules=rules)
    assert [(found.url, found.source) for found in outcome.found] == [(ollama.url, "OLLAMA_HOST")]


async def test_ollamas_own_setting_is_not_followed_to_another_machine(rules: Rules, environment: Environment) -> None:
    """Then it is looked for at its usual port here."""
    async with serving(OLLAMA) as ollama:
        given = {**environment, "OLLAMA_HOST": "http://gpu-box.example:11434"}
        outcome = await discover(base_url=None, environment=given, rules=on(rules, ollama_port=ollama.port))
    assert [found.url for found in outcome.found] == [ollama.url]


async def test_the_key_goes_to_the_users_address_and_nowhere_else(
    rules: Rules, environment: Environment, write_daemon_file: Install
) -> None:
    """Not to whoever happens to listen on a usual port, or where Foundry was."""
    async with serving(VLLM) as mine, serving(OLLAMA) as ollama, serving(FOUNDRY_SERVER) as foundry:
        write_daemon_file(json.dumps({"web_urls": [foundry.root]}))
        await at(mine.url, on(rules, ollama_port=ollama.port), environment, api_key=" s3cret\n")
    assert set(mine.keys) == {"Bearer s3cret"}
    assert set(ollama.keys) == set(foundry.keys) == {None}


async def test_a_key_that_cannot_be_sent_is_not(rules: Rules, environment: Environment) -> None:
    """A line break in it would add a header of its own."""
    async with serving(VLLM) as mine:
        outcome = await at(mine.url, rules, environment, api_key="a\r\nX-Evil: 1")
    assert mine.asked == []
    assert "API_KEY" in reasons(outcome)["openai-compatible"][0]


async def test_unknown_programs_at_usual_ports_are_not_used_unasked(rules: Rules, environment: Environment) -> None:
    """They may pass on what they get to anywhere. The user's address says that this one is wanted."""
    async with serving({"/v1/models": models("gpt-5", owned_by="openai")}) as proxy:
        outcome = await discover(base_url=None, environment=environment, rules=on(rules, vllm_port=proxy.port))
        assert outcome.found == ()
        assert "is not vLLM. To use it all the same, give its address." in reasons(outcome)["vllm"][0]
        asked = await at(proxy.url, on(rules, vllm_port=proxy.port), environment)
    assert [found.kind for found in asked.found] == ["openai-compatible"]
    assert "vllm" not in reasons(asked)


async def test_our_own_addresses_are_not_asked(rules: Rules, environment: Environment) -> None:
    """Under whatever name of this machine: neither for the user nor as a usual place."""
    async with serving(VLLM) as own:
        usual = on(rules, llama_server_port=own.port)
        own_urls = ("http://0.0.0.0", f"http://0.0.0.0:{own.port}")
        given = f"http://localhost:{own.port}"
        by_user = await discover(base_url=given, environment=environment, own_urls=own_urls, rules=usual)
        unasked = await discover(base_url=None, environment=environment, own_urls=own_urls, rules=usual)
    assert own.asked == []
    assert reasons(by_user)["openai-compatible"] == [f"Homeward itself listens on localhost:{own.port}."]
    assert reasons(unasked)["llama-server"] == [f"Homeward itself listens on 127.0.0.1:{own.port}."]


async def test_an_address_on_another_machine_is_refused(rules: Rules, environment: Environment) -> None:
    """With a sentence that says what this search is for; nothing is resolved or asked."""
    outcome = await at("http://192.0.2.1:11434/v1", rules, environment, api_key="s3cret")
    (reason,) = reasons(outcome)["openai-compatible"]
    assert reason.startswith("Only services on this machine are used this way, and 192.0.2.1 is another one. Give it")


@pytest.mark.parametrize("host", ["[::1]", "localhost"])
async def test_a_service_on_ipv6_only_is_found(rules: Rules, environment: Environment, host: str) -> None:
    """By its address and by the name, which stands for both."""
    async with serving(VLLM, host="::1") as service:
        (found,) = (await at(f"http://{host}:{service.port}", rules, environment)).found
    assert found.url == f"http://{host}:{service.port}/v1"


async def test_a_kind_is_found_again_where_it_is_now(
    rules: Rules, environment: Environment, write_daemon_file: Install
) -> None:
    """The user's old address is dead; Foundry's file has the new one; nobody else is asked."""
    async with serving(FOUNDRY_SERVER) as now, serving(OLLAMA) as ollama:
        write_daemon_file(json.dumps({"web_urls": [now.root]}))
        found = await discover_kind(
            "foundry-server",
            base_url=f"http://127.0.0.1:{rules.vllm_port}",
            environment=environment,
            rules=on(rules, ollama_port=ollama.port),
        )
    assert isinstance(found, FoundService)
    assert found.url == now.url
    assert ollama.asked == []


@pytest.mark.parametrize(("kind", "port", "routes"), [("ollama", "ollama_port", OLLAMA), ("vllm", "vllm_port", VLLM)])
async def test_a_kind_is_found_at_its_usual_port(
    rules: Rules, environment: Environment, kind: Kind, port: str, routes: Routes
) -> None:
    """Where the user gave no address."""
    async with serving(routes) as service:
        found = await discover_kind(
            kind, base_url=None, environment=environment, rules=on(rules, **{port: service.port})
        )
    assert isinstance(found, FoundService)
    assert found.url == service.url


async def test_a_kind_that_is_gone_is_missing_for_every_reason(rules: Rules, environment: Environment) -> None:
    """The other kind at the user's address is not taken for it."""
    async with serving(OLLAMA) as ollama:
        vllm = await discover_kind("vllm", base_url=ollama.url, environment=environment, rules=rules)
        other = await discover_kind("openai-compatible", base_url=ollama.url, environment=environment, rules=rules)
    dead = (f"Nothing listens on 127.0.0.1:{port}." for port in (rules.llama_server_port, rules.vllm_port))
    assert vllm == NotFound(kind="vllm", reason=" ".join(dead))
    assert other == NotFound(kind="openai-compatible", reason="No address of it is known.")
