"""Fixtures that make engines out of the fake one's flags, and close them."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from homeward.engines.lifecycle import Rules
from homeward.engines.recipe import Recipe
from homeward.engines.restart import RestartPolicy
from homeward.engines.supervisor import SupervisedEngine
from tests.engines.toys import toy

__all__ = ["toy"]

_FAKE_ENGINE = Path(__file__).with_name("fake_engine.py")
_QUICK = RestartPolicy(first_delay_seconds=0.02, longest_delay_seconds=0.1)


def fake_recipe(*flags: str, **changes: object) -> Recipe:
    """The recipe of a fake engine with these flags; its other settings can be changed by name."""
    plain = Recipe(
        name="fake",
        command=(sys.executable, str(_FAKE_ENGINE), *flags),
        model="fake-model",
        context_tokens=1000,
        probe_timeout_seconds=1.0,
        rules=Rules(restart=_QUICK),
    )
    return msgspec.structs.replace(plain, **changes)


@pytest.fixture
async def supervise() -> AsyncIterator[Callable[[Recipe], SupervisedEngine]]:
    """Makes engines out of recipes, and closes them after the test; none of their tasks may be left then."""
    engines: list[SupervisedEngine] = []
    before = asyncio.all_tasks()

    def make(recipe: Recipe) -> SupervisedEngine:
        engines.append(SupervisedEngine(recipe))
        return engines[-1]

    yield make
    for engine in engines:
        await engine.close()
    assert asyncio.all_tasks() <= before | {asyncio.current_task()}


@pytest.fixture
def engine_of(
    supervise: Callable[[Recipe], SupervisedEngine],
) -> Callable[..., SupervisedEngine]:
    """Makes engines that run the fake with the given flags and changes of its recipe; not started yet."""
    return lambda *flags, **changes: supervise(fake_recipe(*flags, **changes))


@pytest.fixture
def log() -> Iterator[list[EventDict]]:
    """What is logged during the test, of every level."""
    with capture_logs() as entries:
        yield entries
