"""A world with a real engine: the starter model in a child process, and clouds from the settings."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest

from homeward.app.answering import Answering
from homeward.app.rows import LLAMA
from homeward.backends import AnswerStream
from homeward.completion import Event, Waiting
from homeward.config import Settings
from homeward.engines.engine import EngineState
from homeward.engines.recipe import Recipe
from homeward.engines.supervisor import SupervisedEngine
from homeward.protocol.chat import Sampling
from tests.engines.watching import alive, new_child, pid_of
from tests.faults.world import KEY, World

SHORT_ANSWER = Sampling(max_tokens=8, temperature=0)
LONG_ANSWER = Sampling(max_tokens=800, temperature=0)
LONG_STORY = "Write a very long story about the sea, with a whale, a storm and a lighthouse."
FREE_SECONDS = 2.0
"""A slot whose client left is free within this time."""


class House:
    """An engine as the program runs it, and what the program knows of it."""

    def __init__(self, world: World, answering: Answering) -> None:
        self.world = world
        self.answering = answering
        choice = answering.library.in_use
        assert choice is not None
        self.model = choice.model
        world.backends |= {name: answering.backends[name] for name in (LLAMA, *answering.clouds)}
        world.views = lambda: iter(answering.snapshot().backends)

    @property
    def engine(self) -> SupervisedEngine:
        """The one that runs the model in use."""
        return self.answering.pool.engine(self.model)

    async def ready(self) -> int:
        """The process id of its child, which answers."""
        await self.engine.ensure_ready()
        return pid_of(self.engine)

    async def back(self, old_pid: int) -> int:
        """The process id of the child that stands where this one fell, without anybody asking for it."""
        new = await new_child(self.engine, old_pid)
        assert not alive(old_pid)
        return new

    def check(self) -> None:
        """I4 and I2: in a state that heals, and used by nobody."""
        status = self.engine.status
        assert status.state in {EngineState.READY, EngineState.STARTING, EngineState.FAILED, EngineState.STOPPED}
        assert self.answering.pool._members[self.model].users == 0


MakeHouse = Callable[..., Awaitable[House]]


@contextlib.asynccontextmanager
async def houses(world: World, folder: Path) -> AsyncIterator[MakeHouse]:
    """Makes a house with these clouds, each a behaviour; the user has agreed to all of them, or to none."""
    made: list[House] = []

    async def make(
        *clouds: str,
        agreed: bool = True,
        recipe: Callable[[Recipe], Recipe] = lambda recipe: recipe,
        llama: Mapping[str, Any] = {},
        **chat: Any,
    ) -> House:
        rows = {name: {"url": world.cloud.base_url, "model": name, "api_key": KEY} for name in clouds}
        settings = Settings.model_validate(
            {"data_dir": folder / "data", "llama": {"threads": 1, **llama}, "chat": chat, "clouds": rows}
        )
        answering = Answering(settings, world.connections)
        answering.library.refresh()
        for backend in answering.clouds.values() if agreed else ():
            await answering.consents.give(backend.row.name, backend.row.host)
        usual = answering.pool._recipe_of
        answering.pool._recipe_of = lambda name: recipe(usual(name))
        made.append(House(world, answering))
        return made[-1]

    try:
        yield make
        for house in made:
            house.check()
    finally:
        for house in made:
            await house.answering.pool.close()
    assert not [child for child in psutil.Process().children(recursive=True) if alive(child.pid)]


def quick_to_suspect(recipe: Recipe) -> Recipe:
    """The same engine, whose health is waited for half a second."""
    return msgspec.structs.replace(recipe, probe_timeout_seconds=0.5)


def is_reading(event: Event) -> bool:
    """Whether it is the last one before the request goes out."""
    return isinstance(event, Waiting) and event.phase == "reading"


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def freeze(pid: int) -> None:
    os.kill(pid, signal.SIGSTOP)


def sending(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set when the next request goes out."""
    sent = asyncio.Event()
    usual = AnswerStream.sending

    def noted(self: AnswerStream, head_bytes: int) -> None:
        usual(self, head_bytes)
        sent.set()

    monkeypatch.setattr(AnswerStream, "sending", noted)
    return sent
