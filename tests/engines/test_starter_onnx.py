"""The starter in both engines: the same question, a sane answer, a comparable speed. Run by `make test-starter-onnx`.

Needs the starter as an ONNX folder: `HOMEWARD_STARTER_ONNX` names it, else it is made (minutes, gigabytes of memory,
and the packages of the dependency group `onnx`).
"""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from homeward.engines.foundry.recipe import foundry_recipe
from homeward.engines.llama import llama_recipe
from homeward.engines.recipe import Recipe
from homeward.engines.starter import starter_model_path
from homeward.engines.supervisor import SupervisedEngine
from homeward.protocol.address import Address
from tests.engines.asking import chat

pytestmark = [pytest.mark.opt_in, pytest.mark.timeout(1800)]

CAPITAL = [
    {"role": "system", "content": "You are a helpful assistant. Answer clearly and briefly."},
    {"role": "user", "content": "What is the capital of France?"},
]
STORY = [{"role": "user", "content": "Write a story about the sea."}]
ROUNDS = 5
LEAST_SPEED = 0.7
"""Of llama.cpp's tokens per second, in the same run, in turns."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter as an ONNX folder."""
    if named := os.environ.get("HOMEWARD_STARTER_ONNX"):
        return Path(named)
    target = tmp_path_factory.mktemp("starter") / "onnx"
    tool = Path(__file__).parents[2] / "tools" / "make_starter_onnx.py"
    subprocess.run([sys.executable, str(tool), str(target)], check=True)
    return target


async def speed(address: Address) -> float:
    """Tokens per second of one answer."""
    began = time.perf_counter()
    reply = await chat(address, STORY, max_tokens=96)
    return float(reply["usage"]["completion_tokens"] / (time.perf_counter() - began))


async def test_the_starter_in_both_engines(
    folder: Path, supervise: Callable[[Recipe], SupervisedEngine], tmp_path: Path
) -> None:
    path = starter_model_path()
    assert path is not None
    llama = supervise(llama_recipe(path, "starter", context_tokens=1024, slots=1))
    foundry = supervise(foundry_recipe(folder, "starter", state_folder=tmp_path / "state", context_tokens=1024))
    addresses = [await engine.ensure_ready() for engine in (llama, foundry)]
    for address in addresses:
        reply = await chat(address, CAPITAL, max_tokens=24)
        assert "Paris" in reply["choices"][0]["message"]["content"]
    ratios = []
    for _ in range(ROUNDS):
        slow, fast = [await speed(address) for address in reversed(addresses)]
        ratios.append(slow / fast)
    assert statistics.median(ratios) >= LEAST_SPEED, ratios
