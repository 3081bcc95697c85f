"""The life of the real engine: llama.cpp with the starter model, and with files that are none."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import aiohttp
import msgspec
import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest
from structlog.typing import EventDict

from homeward.engines.engine import EngineState, wait_for
from homeward.engines.gguf import read_model_file
from homeward.engines.llama import llama_recipe
from homeward.engines.memory import memory_need
from homeward.engines.recipe import Recipe
from homeward.engines.starter import starter_model_path
from homeward.engines.supervisor import SupervisedEngine
from homeward.protocol.errors import EngineStartError

from .asking import QUESTION, STORY, asking, chat, slots_of, status
from .gguf_files import TINY, gguf
from .watching import alive, gone, new_child, orphan_of, pid_of, until

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

Supervise = Callable[[Recipe], SupervisedEngine]


@pytest.fixture
def starter() -> Path:
    path = starter_model_path()
    assert path is not None
    return path


@pytest.fixture
def engine(supervise: Supervise, starter: Path) -> SupervisedEngine:
    """The starter model with two slots of 1024 tokens; not started yet."""
    recipe = llama_recipe(starter, "starter", context_tokens=1024, slots=2, threads=1)
    return supervise(msgspec.structs.replace(recipe, probe_timeout_seconds=1.0))


async def test_a_killed_engine_comes_back(engine: SupervisedEngine) -> None:
    """SIGKILL; a moment later the same question has the same answer."""
    before = await chat(await engine.ensure_ready(), QUESTION)
    pid = pid_of(engine)
    os.kill(pid, signal.SIGKILL)
    await new_child(engine, pid)
    after = await chat(await engine.ensure_ready(), QUESTION)
    assert after["choices"] == before["choices"]


async def test_a_frozen_engine_is_replaced(engine: SupervisedEngine) -> None:
    """SIGSTOP and a suspicion; another child answers."""
    await engine.ensure_ready()
    pid = pid_of(engine)
    os.kill(pid, signal.SIGSTOP)
    engine.suspect()
    await new_child(engine, pid)
    assert not alive(pid)
    assert (await chat(await engine.ensure_ready(), QUESTION))["choices"]


async def test_a_stop_frees_everything(engine: SupervisedEngine) -> None:
    """It goes by itself, long before its grace is over, in the middle of an answer; port and memory are free."""
    address = await engine.ensure_ready()
    pid = pid_of(engine)
    body = {"messages": STORY, "stream": True, "max_tokens": 1000}
    async with asking(address, "/v1/chat/completions", body) as reply:
        await reply.content.readline()
        began = asyncio.get_running_loop().time()
        await engine.stop()
        assert asyncio.get_running_loop().time() - began < 2
    assert not alive(pid)
    with pytest.raises(aiohttp.ClientConnectionError):
        await status(address, "/health")


async def test_its_log_quotes_nobody(engine: SupervisedEngine, log: list[EventDict]) -> None:
    """Neither a prompt, right or malformed, nor the key."""
    address = await engine.ensure_ready()
    await chat(address, [{"role": "user", "content": "a canary"}])
    assert await status(address, "/v1/chat/completions", {"messages": "a canary in the wrong place"}) == 400
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {address.api_key}"}) as session:
        await session.post(f"{address.url}/chat/completions", data=b'{"messages": "a canary')
    await engine.stop()
    assert "canary" not in str(log)
    assert address.api_key not in str(log)


@pytest.mark.parametrize(("context_tokens", "slots"), [(512, 1), (4096, 2)])
async def test_the_memory_estimate_is_near_the_truth(
    supervise: Supervise, starter: Path, context_tokens: int, slots: int
) -> None:
    """Without the prompt cache, which fills later: never less than is used, and at most 1.3 times as much."""
    recipe = llama_recipe(starter, "starter", context_tokens=context_tokens, slots=slots, prompt_cache_mib=0)
    engine = supervise(recipe)
    address = await engine.ensure_ready()
    await chat(address, QUESTION)
    used = psutil.Process(pid_of(engine)).memory_info().rss
    model = read_model_file(starter)
    need = memory_need(
        model,
        weights_bytes=model.size_bytes,
        context_tokens=context_tokens,
        slots=slots,
        batch_tokens=128,
    )
    assert 1.0 <= need.total / used <= 1.3


async def test_the_context_is_capped_at_what_the_model_was_trained_for(supervise: Supervise, starter: Path) -> None:
    """8192 for the starter, however much is asked for; the address says so and the engine does so."""
    engine = supervise(llama_recipe(starter, "starter", context_tokens=100_000, slots=1))
    address = await engine.ensure_ready()
    assert address.context_tokens == 8192
    assert [slot["n_ctx"] for slot in await slots_of(address)] == [8192]


async def test_what_does_not_fit_is_refused_before_anything_starts(supervise: Supervise, starter: Path) -> None:
    """A thousand slots of the full context need 190 GB."""
    engine = supervise(llama_recipe(starter, "starter", context_tokens=8192, slots=1000))
    with pytest.raises(EngineStartError, match="GB of memory") as caught:
        await engine.ensure_ready()
    assert "lower the slots" in caught.value.next_step


async def test_a_file_that_llama_cpp_cannot_load(supervise: Supervise, tmp_path: Path) -> None:
    """Its header is right, its tensors are not those of a model: the child says so and is gone."""
    path = tmp_path / "odd.gguf"
    path.write_bytes(gguf({**TINY, "tokenizer.ggml.model": "none"}))
    engine = supervise(llama_recipe(path, "odd"))
    with pytest.raises(EngineStartError, match="could not load the model “odd”") as caught:
        await engine.ensure_ready()
    assert "error" in caught.value.detail


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "does not exist"),
        (b"not a model at all", "is not a GGUF model file"),
        (gguf(data=False), "is cut off"),
        (gguf({**TINY, "general.architecture": "clip"}), "is an image reader"),
        (gguf({**TINY, "general.type": "adapter"}), "of the kind “adapter”"),
    ],
)
async def test_a_wrong_file_is_refused_before_anything_starts(
    supervise: Supervise, tmp_path: Path, content: bytes | None, words: str
) -> None:
    """The error names the fault and the next step; no child was started."""
    path = tmp_path / "model.gguf"
    if content is not None:
        path.write_bytes(content)
    engine = supervise(llama_recipe(path, "model"))
    with pytest.raises(EngineStartError, match=words) as caught:
        await engine.ensure_ready()
    assert caught.value.next_step
    assert engine.status.pid is None
    assert engine.status.state is EngineState.FAILED


async def test_a_stop_while_loading(engine: SupervisedEngine) -> None:
    """The model is not loaded to its end first."""
    waiting = asyncio.create_task(engine.ensure_ready())
    status = await until(engine, lambda status: status.pid is not None)
    await engine.stop()
    with pytest.raises(EngineStartError):
        await waiting
    assert status.pid is not None
    assert not alive(status.pid)
    await wait_for(engine, EngineState.STOPPED)


async def test_the_parents_sigkill_leaves_no_orphan(starter: Path) -> None:
    """Homeward is killed outright; llama.cpp goes with it."""
    child = await orphan_of(str(starter))
    await gone(child)
    assert not alive(child)
