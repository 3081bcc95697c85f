"""One start of a child, from nothing to the first answered health probe."""

import asyncio
import contextlib
import os
import secrets
from collections.abc import Callable
from time import monotonic

import msgspec
import structlog
from yarl import URL

from homeward.engines.child_process import ChildProcess
from homeward.engines.events import Failure
from homeward.engines.probe import answers
from homeward.engines.recipe import Recipe
from homeward.protocol.address import Address
from homeward.protocol.errors import EngineStartError

_log = structlog.get_logger("homeward.engines")

_FIRST_PROBE_SECONDS = 10.0
"""For a child that said it can answer; longer than later probes, for it may still be busy with itself."""


class Started(msgspec.Struct, frozen=True):
    """A child that answers."""

    child: ChildProcess
    recipe: Recipe
    """As `prepare` completed it."""
    address: Address
    health_url: str


class NotReadyError(Exception):
    """The start failed; nothing of the child is left."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.message)
        self.failure = failure


async def launch(recipe: Recipe, spawned: Callable[[ChildProcess], None]) -> Started:
    """Start a child and wait until it answers. Where this is cancelled, the child is ended first.

    Args:
        recipe: how.
        spawned: told about the child as soon as there is one.

    Raises:
        NotReadyError: it did not get ready; how and why.
    """
    recipe = await _prepared(recipe)
    api_key = secrets.token_urlsafe(32)
    began = monotonic()
    try:
        child = await ChildProcess.spawn(recipe, api_key)
    except OSError as error:
        reason = f"The engine's program could not be run: {error.strerror or error}."
        raise NotReadyError(Failure(message=reason, detail=f"{recipe.command[0]}: {error!r}")) from error
    spawned(child)
    try:
        url = await _listening_url(child, recipe)
        await _answered(child, url + recipe.health_path, api_key, recipe)
    except asyncio.CancelledError:
        await child.end(recipe.grace_seconds)
        raise
    except BaseException:
        await child.end(0)
        raise
    _log.info("engine.ready", engine=recipe.name, pid=child.pid, seconds=round(monotonic() - began, 2))
    address = Address(
        url=url + recipe.api_path,
        api_key=api_key,
        model=recipe.model,
        context_tokens=recipe.context_tokens,
    )
    return Started(child, recipe, address, url + recipe.health_path)


def exit_words(exit_code: int | None) -> str:
    """How a child ended, for people: `exit code 3` or `signal 9`."""
    if exit_code is None:
        return "still running"
    return f"signal {-exit_code}" if exit_code < 0 else f"exit code {exit_code}"


def evidence(child: ChildProcess) -> str:
    """What the log should know of a child that failed: how it ended and its last lines."""
    home = os.path.expanduser("~")  # noqa: PTH111 — Path.home() raises where there is none
    tail = str(child.tail).replace(home, "~") if len(home) > 1 else str(child.tail)
    return f"pid {child.pid}, {exit_words(child.exit_code)}; last lines:\n{tail}".rstrip()


async def _prepared(recipe: Recipe) -> Recipe:
    if recipe.prepare is None:
        return recipe
    try:
        return await asyncio.to_thread(recipe.prepare, recipe)
    except EngineStartError as error:
        failure = Failure(message=error.message, next_step=error.next_step, detail=error.detail, permanent=True)
        raise NotReadyError(failure) from error


async def _listening_url(child: ChildProcess, recipe: Recipe) -> str:
    """Wait for the child's word; each sign of life prolongs the wait, up to the total."""
    loop = asyncio.get_running_loop()
    end = loop.time() + recipe.start_total_seconds
    while not child.url:
        if child.exited.is_set() or child.reason:
            await child.last_words()
            ended = f"It ended while loading ({exit_words(child.exit_code)})."
            raise _not_ready(child, child.reason or ended)
        child.news.clear()
        patience = min(recipe.start_idle_seconds, end - loop.time())
        try:
            async with asyncio.timeout(patience):
                await child.news.wait()
        except TimeoutError as error:
            raise _not_ready(child, _too_slow(recipe, total=patience < recipe.start_idle_seconds)) from error
    return _checked(child)


async def _answered(child: ChildProcess, health_url: str, api_key: str, recipe: Recipe) -> None:
    patience = min(recipe.start_idle_seconds, _FIRST_PROBE_SECONDS)
    if not await answers(health_url, api_key, patience):
        raise _not_ready(child, "It said that it was ready, but did not answer.")


def _too_slow(recipe: Recipe, *, total: bool) -> str:
    if total:
        return f"It was not ready after {recipe.start_total_seconds:g} seconds."
    return f"It showed no sign of life for {recipe.start_idle_seconds:g} seconds."


def _checked(child: ChildProcess) -> str:
    with contextlib.suppress(ValueError):
        url = URL(child.url)
        here = url.host in {"127.0.0.1", "::1"} and url.explicit_port is not None
        if here and url.scheme == "http" and url.path == "/":
            return str(url.origin())
    raise _not_ready(child, "It named an address that is not on this machine.")


def _not_ready(child: ChildProcess, reason: str) -> NotReadyError:
    failure = Failure(
        message=f"The engine did not start. {reason}",
        next_step="The log has its last lines.",
        detail=evidence(child),
    )
    return NotReadyError(failure)
