"""LiteLLM's proxy as a gateway: a virtual environment of its own, and a configuration that asks nobody but the stub."""

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench.gateway.servers import Gateway

DEFAULT_VENV = Path(__file__).resolve().parents[1] / ".venvs" / "litellm"
REQUIREMENT = "litellm[proxy]"
"""The newest that the registry can install."""
KEY = "sk-bench"
OFFLINE = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
    "LITELLM_LOCAL_BLOG_POSTS": "True",
    "LITELLM_LOCAL_POLICY_TEMPLATES": "True",
    "LITELLM_LOCAL_AUTOROUTER_PRESETS": "True",
}
QUIET = {"LITELLM_LOG": "ERROR", "LITELLM_MODE": "PRODUCTION"}


def install(venv: Path) -> str:
    """Its version in this virtual environment, which is made where it is not there; needs a package registry then.

    Raises subprocess.CalledProcessError: it can't be installed.
    """
    python = _program(venv, "python")
    if not _program(venv, "litellm").exists():
        if uv := shutil.which("uv"):
            made = [uv, "venv", "--quiet", "--python", sys.executable, str(venv)]
            installed = [uv, "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), REQUIREMENT]
        else:
            made = [sys.executable, "-m", "venv", str(venv)]
            installed = [str(python), "-m", "pip", "install", "--quiet", REQUIREMENT]
        subprocess.run(made, check=True)
        subprocess.run(installed, check=True)
    asked = "from importlib.metadata import version; print(version('litellm'))"
    return subprocess.run([python, "-c", asked], check=True, capture_output=True, text=True).stdout.strip()


def _program(venv: Path, name: str) -> Path:
    return venv / "Scripts" / f"{name}.exe" if sys.platform == "win32" else venv / "bin" / name


def deployment(name: str, url: str, model: str, **parameters: Any) -> dict[str, Any]:
    """A model of the proxy: what clients call it, and who answers."""
    return {
        "model_name": name,
        "litellm_params": {"model": f"openai/{model}", "api_base": f"{url}/v1", "api_key": "upstream", **parameters},
    }


def litellm(venv: Path, folder: Path, deployments: Sequence[Mapping[str, Any]], **router: Any) -> Gateway:
    """The proxy with these models, and what its router is told beyond its defaults; served by uvicorn."""
    configuration = {
        "model_list": deployments,
        "litellm_settings": {"telemetry": False, "request_timeout": 60},
        "router_settings": router,
        "general_settings": {"master_key": KEY},
    }
    file = folder / "litellm.yaml"
    file.write_text(json.dumps(configuration))  # JSON is YAML
    return Gateway(
        name="LiteLLM",
        command=partial(_command, _program(venv, "litellm"), file),
        environment=OFFLINE | QUIET,
        ready_path="/health/liveliness",
        key=KEY,
    )


def _command(program: Path, file: Path, port: int) -> list[str]:
    return [str(program), "--config", str(file), "--host", "127.0.0.1", "--port", str(port), "--num_workers", "1"]
