"""The gateways that are compared, all before the same upstream."""

import sys
from functools import partial
from pathlib import Path

from bench.gateway.homeward_gateway import BY_POLICY, cloud, homeward
from bench.gateway.litellm_proxy import deployment, litellm
from bench.gateway.servers import Gateway

DIRECT, PASSTHROUGH, LITELLM, HOMEWARD = "stub itself", "passthrough", "LiteLLM", "Homeward"
MODELS = ("stub", "stub-paced")


def passthrough(url: str, *, workers: int = 1) -> Gateway:
    """The bare one, served as Homeward is."""
    command = partial(_serve_passthrough, workers)
    return Gateway(name=PASSTHROUGH, command=command, environment={"UPSTREAM": url}, ready_path="/readyz")


def _serve_passthrough(workers: int, port: int) -> list[str]:
    options = {"--port": port, "--workers": workers, "--http": "httptools", "--loop": "asyncio", "--log-level": "error"}
    words = (str(word) for option in options.items() for word in option)
    return [sys.executable, "-m", "uvicorn", "bench.gateway.passthrough:app", "--no-access-log", *words]


def litellm_for_speed(url: str, venv: Path, folder: Path) -> Gateway:
    """LiteLLM with the models of the stub that are well."""
    return litellm(venv, folder, [deployment(model, url, model) for model in MODELS])


def homeward_for_speed(url: str, folder: Path, *, workers: int = 1, python: tuple[str, ...] = ()) -> Gateway:
    """Homeward with the models of the stub that are well, each as a cloud."""
    clouds = {model: cloud(model, url, model) for model in MODELS}
    called = {"stub": BY_POLICY, "stub-paced": "stub-paced/stub-paced"}
    return homeward(folder, clouds, models=called, workers=workers, python=python)
