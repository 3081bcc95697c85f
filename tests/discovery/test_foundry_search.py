"""Foundry Local found by its own traces."""

import json
from typing import Any

import pytest

from homeward.discovery import Rules, discover

from .conftest import Environment, Install, at, reasons
from .services import (
    FOUNDRY_SERVER,
    FOUNDRY_SERVICE,
    Routes,
    models,
    serving,
)


async def test_foundrys_file_leads_to_it_without_a_command(
    rules: Rules, environment: Environment, install_foundry: Install, write_daemon_file: Install, tmp_path: Any
) -> None:
    """The command is not run once the service is confirmed."""
    install_foundry(f"echo ran > {tmp_path}/ran")
    async with serving(FOUNDRY_SERVER) as service:
        write_daemon_file(json.dumps({"pid": 1, "web_urls": [service.root]}))
        outcome = await discover(base_url=None, environment=environment, rules=rules)
    assert [(found.kind, found.source) for found in outcome.found] == [("foundry-server", "~/.foundry/daemon.json")]
    assert not (tmp_path / "ran").exists()
    assert "foundry-server" not in reasons(outcome)
    assert "foundry-service" not in reasons(outcome)


async def test_an_old_file_does_not_hide_the_running_server(
    rules: Rules, environment: Environment, install_foundry: Install, write_daemon_file: Install
) -> None:
    """It stays behind with the port of last time, on which nobody listens now."""
    async with serving(FOUNDRY_SERVER) as service:
        write_daemon_file(json.dumps({"web_urls": [f"http://127.0.0.1:{rules.vllm_port}"]}))
        install_foundry(f"""echo Checking...; echo '{{"running": false, "webUrls": ["{service.root}"]}}'""")
        outcome = await discover(base_url=None, environment=environment, rules=rules)
    assert [(found.url, found.source) for found in outcome.found] == [(service.url, "foundry server status")]


async def test_the_old_service_is_found_by_its_command(
    rules: Rules, environment: Environment, install_foundry: Install
) -> None:
    """After the newer question, which it doesn't understand."""
    async with serving(FOUNDRY_SERVICE) as service:
        install_foundry(
            f"""[ "$*" = "service status" ] || {{ echo "Unrecognized command 'server'." >&2; exit 1; }}
            echo "🟢 Model management service is running on {service.root}/openai/status" """
        )
        outcome = await discover(base_url=None, environment=environment, rules=rules)
    assert [(found.kind, found.source) for found in outcome.found] == [("foundry-service", "foundry service status")]


async def test_a_foundry_that_is_not_there_is_missing_for_what_each_question_gave(
    rules: Rules, environment: Environment, install_foundry: Install
) -> None:
    """A server that is said to be ready while its port is dead, and a service that isn't running."""
    dead = f"127.0.0.1:{rules.vllm_port}"
    install_foundry(
        f"""[ "$1" = service ] && echo "🔴 Model management service is not running!" && exit
        echo '{{"running": true, "webUrls": ["http://{dead}"]}}'"""
    )
    outcome = await discover(base_url=None, environment=environment, rules=rules)
    assert outcome.found == ()
    assert reasons(outcome)["foundry-server"] == [f"Nothing listens on {dead}."]
    assert reasons(outcome)["foundry-service"] == ["“foundry service status” names no running server."]


async def test_what_is_not_foundry_is_not_taken_for_it(
    rules: Rules, environment: Environment, write_daemon_file: Install
) -> None:
    """Another program has got the port since."""
    async with serving({"/v1/models": models("a"), "/status": {"status": "fine"}}) as other:
        write_daemon_file(json.dumps({"web_urls": [other.root]}))
        outcome = await discover(base_url=None, environment=environment, rules=rules)
    assert outcome.found == ()
    where = other.root.removeprefix("http://")
    reason = f"What answers on {where} is not Foundry Local. To use it all the same, give its address."
    assert reasons(outcome)["foundry-server"][0] == reason


async def test_a_foundry_that_the_user_and_its_file_name_is_listed_once(
    rules: Rules, environment: Environment, write_daemon_file: Install
) -> None:
    """With the key that only the user knows."""
    async with serving(FOUNDRY_SERVER) as service:
        write_daemon_file(json.dumps({"web_urls": [service.root]}))
        outcome = await at(service.url, rules, environment)
    assert [found.source for found in outcome.found] == ["the address that you gave"]


@pytest.mark.parametrize("routes", [FOUNDRY_SERVER, FOUNDRY_SERVICE])
async def test_one_foundry_is_enough(
    rules: Rules, environment: Environment, install_foundry: Install, routes: Routes
) -> None:
    """Where one generation was found, the other isn't missing, whatever the command says."""
    install_foundry("echo nothing")
    async with serving(routes) as service:
        outcome = await at(service.url, rules, environment)
    assert set(reasons(outcome)) == {"ollama", "lm-studio", "llama-server", "vllm"}
