"""A world per test, in which the invariants are checked when the test is over."""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from homeward.backends import Connections
from tests.backends.fake_upstream import serving
from tests.faults.house import MakeHouse, houses
from tests.faults.world import NEVER_TOLD, World


@pytest.fixture
async def world(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[World]:
    """Nothing answers in it yet: `add_device`, `add_cloud`, then `ask`."""
    before = asyncio.all_tasks()
    async with serving(pace=0.01) as home, serving(pace=0.01) as cloud:
        with capture_logs() as log:
            async with Connections() as connections:
                world = World(home, cloud, connections, tmp_path, log)
                yield world
                await world.check()
    assert own_tasks(before) == []
    told = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert not [record for record in told if record.name == "asyncio"], told
    assert not [word for word in NEVER_TOLD if word in caplog.text]


def own_tasks(before: set[asyncio.Task[object]]) -> list[asyncio.Task[object]]:
    """Tasks of Homeward's that were begun since and run still."""
    return [task for task in asyncio.all_tasks() - before if "/homeward/" in source_of(task)]


def source_of(task: asyncio.Task[object]) -> str:
    """The file of the code that a task runs."""
    code = getattr(task.get_coro(), "cr_code", None) or getattr(task.get_coro(), "ag_code", None)
    return inspect.getfile(code) if code else ""


@pytest.fixture
async def house_of(world: World, tmp_path: Path) -> AsyncIterator[MakeHouse]:
    """A world with a real engine in it; see `houses`."""
    async with houses(world, tmp_path) as make:
        yield make
