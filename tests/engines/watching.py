"""Waiting for what an engine or a process does. Nothing here sleeps; pytest's timeout bounds every wait."""

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import aiohttp
import psutil  # type: ignore[import-untyped, unused-ignore]

from homeward.engines.engine import Engine, EngineState, EngineStatus
from homeward.protocol.address import Address

Condition = Callable[[EngineStatus], bool]


async def until(engine: Engine, condition: Condition) -> EngineStatus:
    """The first status from now on that meets the condition."""
    async with aclosing(engine.changes()) as changes:
        async for status in changes:
            if condition(status):
                return status
    raise AssertionError("the engine was closed before")


async def new_child(engine: Engine, old_pid: int) -> int:
    """The process id of a child that is ready and is another one."""
    status = await until(engine, lambda s: s.state is EngineState.READY and s.pid != old_pid)
    assert status.pid is not None
    return status.pid


def state_of(engine: Engine) -> EngineState:
    """The state at this instant."""
    return engine.status.state


def pid_of(engine: Engine) -> int:
    """The process id of the child that there is."""
    assert engine.status.pid is not None
    return engine.status.pid


def alive(pid: int) -> bool:
    """Whether a process runs. A zombie does not: it only waits for its parent to read its exit code."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    return False


async def gone(pid: int, timeout_seconds: float = 20.0) -> None:
    """Wait until a process has ended, whoever its parent is."""
    if alive(pid):
        with contextlib.suppress(psutil.NoSuchProcess):
            await asyncio.to_thread(psutil.Process(pid).wait, timeout_seconds)


async def ask(address: Address, path: str) -> str:
    """GET a path of an engine, with its key."""
    headers = {"Authorization": f"Bearer {address.api_key}"}
    url = address.url.removesuffix("/v1") + path
    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        return await response.text()


async def orphan_of(*arguments: str) -> int:
    """Start the program `parent.py`, kill it outright once its child is ready; returns the child's process id."""
    program = Path(__file__).with_name("parent.py")
    parent = await asyncio.create_subprocess_exec(sys.executable, str(program), *arguments, stdout=subprocess.PIPE)
    try:
        assert parent.stdout is not None
        async for line in parent.stdout:  # log lines come before it
            if line.startswith(b"child "):
                child = int(line.split()[1])
                assert alive(child)
                return child
        raise AssertionError("the program ended before it had a child")
    finally:
        parent.kill()
        await parent.wait()
