"""The life of the Foundry engine: it falls, freezes, dies inside, and comes back; and what it leaves on the machine."""

import asyncio
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import aiohttp
import msgspec
import pytest
from structlog.typing import EventDict

from homeward.engines.engine import EngineState, wait_for
from homeward.engines.foundry.recipe import foundry_recipe
from homeward.engines.lifecycle import Rules
from homeward.engines.recipe import Recipe
from homeward.engines.restart import RestartPolicy
from homeward.engines.supervisor import SupervisedEngine
from homeward.protocol.errors import EngineStartError
from tests.engines.asking import asking, chat, status
from tests.engines.toys import MakeToy
from tests.engines.watching import alive, new_child, pid_of

pytestmark = [pytest.mark.engine, pytest.mark.timeout(120)]

Supervise = Callable[[Recipe], SupervisedEngine]
HI = [{"role": "user", "content": "Hi"}]
QUICK = RestartPolicy(first_delay_seconds=0.02, longest_delay_seconds=0.1)


@pytest.fixture
def recipe(toy: MakeToy, tmp_path: Path) -> Recipe:
    recipe = foundry_recipe(toy(), "starter", state_folder=tmp_path / "state")
    return msgspec.structs.replace(recipe, probe_timeout_seconds=1.0, rules=Rules(restart=QUICK))


async def test_a_killed_engine_comes_back(supervise: Supervise, recipe: Recipe) -> None:
    engine = supervise(recipe)
    before = await chat(await engine.ensure_ready(), HI)
    pid = pid_of(engine)
    os.kill(pid, signal.SIGKILL)
    await new_child(engine, pid)
    assert (await chat(await engine.ensure_ready(), HI))["choices"] == before["choices"]


async def test_a_frozen_engine_is_replaced(supervise: Supervise, recipe: Recipe) -> None:
    engine = supervise(recipe)
    await engine.ensure_ready()
    pid = pid_of(engine)
    os.kill(pid, signal.SIGSTOP)
    engine.suspect()
    await new_child(engine, pid)
    assert not alive(pid)


async def test_a_stop_in_mid_answer_waits_for_nobody(supervise: Supervise, recipe: Recipe) -> None:
    """The runtime's own end waits for its sessions, and after its `/shutdown` for ever; ours does not."""
    engine = supervise(recipe)
    address = await engine.ensure_ready()
    pid = pid_of(engine)
    async with asking(address, "/v1/chat/completions", {"messages": HI, "stream": True}) as reply:
        await reply.content.readline()
        began = asyncio.get_running_loop().time()
        await engine.stop()
        assert asyncio.get_running_loop().time() - began < recipe.grace_seconds
    assert not alive(pid)
    with pytest.raises(aiohttp.ClientConnectionError):
        await status(address, "/health")


async def test_a_crash_loop_ends(supervise: Supervise, recipe: Recipe, toy: MakeToy, tmp_path: Path) -> None:
    """A model that kills each child as it loads is left alone after some tries, and the reason is told."""
    folder = tmp_path / "broken"
    shutil.copytree(toy(), folder)
    (folder / "model.onnx").write_bytes(b"no model")
    broken = foundry_recipe(folder, "broken", state_folder=tmp_path / "state")
    engine = supervise(msgspec.structs.replace(broken, rules=Rules(restart=QUICK)))
    with pytest.raises(EngineStartError, match="could not load the model “broken”"):
        await engine.ensure_ready()
    failed = await wait_for(engine, EngineState.FAILED)
    assert "rests for" in failed.last_error
    assert ".cc" not in failed.last_error


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (shutil.rmtree, "does not exist"),
        (lambda folder: (folder / "genai_config.json").unlink(), "has no genai_config.json"),
        (lambda folder: (folder / "genai_config.json").write_text("{"), "is damaged"),
        (lambda folder: (folder / "genai_config.json").write_text("[]"), "is damaged"),
        (lambda folder: (folder / "model.onnx").unlink(), "model.onnx is missing"),
    ],
)
async def test_a_folder_that_is_none(
    supervise: Supervise, toy: MakeToy, tmp_path: Path, spoil: Callable[[Path], object], words: str
) -> None:
    """Said before anything starts."""
    folder = tmp_path / "model"
    shutil.copytree(toy(), folder)
    spoil(folder)
    engine = supervise(foundry_recipe(folder, "model", state_folder=tmp_path / "state"))
    with pytest.raises(EngineStartError, match=words) as caught:
        await engine.ensure_ready()
    assert caught.value.next_step
    assert engine.status.pid is None


async def test_what_an_earlier_child_left_is_in_nobodys_way(
    supervise: Supervise, recipe: Recipe, tmp_path: Path
) -> None:
    """A broken registry would make the runtime refuse every model of the user's."""
    registry = tmp_path / "state" / "models" / "foundry.local.modelinfo.json"
    registry.parent.mkdir(parents=True)
    registry.write_text("{ broken")
    assert (await chat(await supervise(recipe).ensure_ready(), HI))["choices"]


async def test_nothing_is_sent_or_left_about_the_machine(
    supervise: Supervise, recipe: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The runtime keeps its telemetry below the home folder: with ours, there is none (see `child`)."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("CI", raising=False)
    engine = supervise(recipe)
    await chat(await engine.ensure_ready(), HI)
    await engine.stop()
    assert list(home.rglob("*")) == []


async def test_its_log_quotes_nobody(
    supervise: Supervise, recipe: Recipe, log: list[EventDict], tmp_path: Path
) -> None:
    """Neither a prompt, right or refused by the runtime, nor the key; nor do the files that it writes."""
    engine = supervise(recipe)
    address = await engine.ensure_ready()
    await chat(address, [{"role": "user", "content": "a canary"}])
    orphan = [{"role": "tool", "content": "canary", "tool_call_id": "canary"}]
    assert await status(address, "/v1/chat/completions", {"messages": [*HI, *orphan]}) == 400
    async with asking(address, "/v1/chat/completions", {"messages": HI, "stream": True, "tools": "canary"}) as reply:
        assert reply.status == 400
    await engine.stop()
    assert "canary" not in str(log)
    assert address.api_key not in str(log)
    for path in (tmp_path / "state").rglob("*"):
        assert not path.is_file() or b"canary" not in path.read_bytes()
