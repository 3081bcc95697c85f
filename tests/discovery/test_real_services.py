"""The real programs: llama.cpp's server, Foundry Local's service, and Homeward itself."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
import uvicorn
from starlette.applications import Starlette
from tools.make_toy_onnx import write_model

from homeward.discovery import FoundService, Rules, ServiceModel, discover, discover_kind, ensure_loaded, resolve_model
from homeward.engines.starter import starter_model_path
from homeward.gate import Gate
from homeward.status import Readiness, health_routes

from .conftest import Environment, Install, at, on, reasons
from .services import listening

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

HERE = Path(__file__).parent


@contextmanager
def running(program: str, *arguments: str | Path) -> Iterator[str]:
    """The address that the program prints."""
    command = [sys.executable, str(HERE / program), *map(str, arguments)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().decode().strip()
        finally:
            process.kill()


@contextmanager
def llama_server(*key: str) -> Iterator[str]:
    path = starter_model_path()
    assert path is not None
    with running("llama_server.py", path, *key) as url:
        yield url


async def test_a_llama_server_is_found_at_its_usual_port(rules: Rules, environment: Environment) -> None:
    """With the window that each answer has, which is the whole one divided by its slots."""
    with llama_server() as url:
        usual = on(rules, llama_server_port=int(url.rpartition(":")[2]))
        outcome = await discover(base_url=None, environment=environment, rules=usual)
        (found,) = outcome.found
        again = await discover_kind("llama-server", base_url=None, environment=environment, rules=usual)
    assert found.version
    assert found == FoundService(
        kind="llama-server",
        url=f"{url}/v1",
        version=found.version,
        models=(ServiceModel(id="smollm2", loaded=True, context_tokens=1024),),
        source="its usual port",
    )
    assert again == found
    assert resolve_model(found, "SmolLM2") == "smollm2"


async def test_a_llama_server_with_a_key_is_found_with_it_only(rules: Rules, environment: Environment) -> None:
    """At the user's address; without or with a wrong one it says why not."""
    with llama_server("s3cret") as url:
        right = await at(url, rules, environment, api_key="s3cret")
        wrong = await at(url, rules, environment, api_key="guess")
        none = await at(url, rules, environment)
    assert [found.kind for found in right.found] == ["llama-server"]
    assert "refused the key (status 401)" in reasons(wrong)["openai-compatible"][0]
    assert "needs a key (status 401)" in reasons(none)["openai-compatible"][0]


async def test_foundrys_service_is_found_and_loads_a_model(
    rules: Rules, environment: Environment, write_daemon_file: Install, tmp_path: Path
) -> None:
    """Offline, where its first list takes longer than other answers may; by its name, its alias and its id."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with running("foundry_service.py", write_model(tmp_path / "toy"), scratch) as url:
        write_daemon_file(json.dumps({"pid": 1, "web_urls": [url], "daemon_version": "0.10.3"}))
        quick = msgspec.structs.replace(rules, answer_seconds=3)
        (found,) = (await discover(base_url=None, environment=environment, rules=quick)).found
        model_id = resolve_model(found, "toy")
        assert isinstance(model_id, str)
        assert await ensure_loaded(found, model_id) == model_id
        (later,) = (await at(url, rules, environment)).found
    assert (found.kind, found.url, found.source) == ("foundry-server", f"{url}/v1", "~/.foundry/daemon.json")
    assert found.models == (ServiceModel(id="toy-generic-cpu:1", loaded=False),)
    assert later.models == (ServiceModel(id="toy-generic-cpu:1", loaded=True),)


@pytest.mark.parametrize("ready", [True, False])
async def test_homeward_knows_itself(rules: Rules, environment: Environment, ready: bool) -> None:
    """At llama-server's usual port, which is its own, and at the user's address; ready or not, with its gate."""
    with listening() as listener:
        port = listener.getsockname()[1]
        origins = [f"http://127.0.0.1:{port}", f"http://localhost:{port}"]
        routes = health_routes(lambda: Readiness(ready, "It is loading.", {"llama": "loading"}))
        app = Gate(Starlette(routes=routes), origins=origins, max_body_bytes=1000)
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            usual = on(rules, llama_server_port=port)
            by_port = await discover(base_url=None, environment=environment, rules=usual)
            by_address = await at(f"http://localhost:{port}/v1", rules, environment)
        finally:
            server.should_exit = True
            thread.join()
    assert by_port.found == by_address.found == ()
    assert reasons(by_port)["llama-server"] == [f"Homeward itself listens on 127.0.0.1:{port}."]
    assert reasons(by_address)["openai-compatible"] == [f"Homeward itself listens on localhost:{port}."]
