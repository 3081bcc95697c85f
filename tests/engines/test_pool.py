"""One engine per model, within the memory that there is; the engines are processes without a model."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from homeward.engines import pool as pool_module
from homeward.engines.engine import EngineState, wait_for
from homeward.engines.pool import EnginePool
from homeward.engines.recipe import Recipe
from homeward.protocol.errors import EngineClosedError, EngineStartError, OverloadedError
from tests.engines.conftest import fake_recipe
from tests.engines.watching import alive, pid_of


class Machine:
    """A pool on a machine with room for two and a half of the fake engines."""

    def __init__(self) -> None:
        self.total = 0
        self.need = 0
        self.pool = EnginePool(self.recipe, free_bytes=lambda: self.total - sum(self.pool.residents().values()))

    def recipe(self, model: str) -> Recipe:
        if model == "unknown":
            raise EngineStartError("There is no such model.")
        return msgspec.structs.replace(fake_recipe(), model=model, memory_bytes=lambda: self.need)

    async def measure(self) -> None:
        await self.pool.load("first")
        (self.need,) = self.pool.residents().values()
        self.total = self.need * 5 // 2

    def running(self) -> set[str]:
        return {name for name in ("first", "second", "third") if self.state(name) is EngineState.READY}

    def state(self, model: str) -> EngineState | None:
        status = self.pool.status(model)
        return status.state if status else None


@pytest.fixture
async def machine() -> AsyncIterator[Machine]:
    machine = Machine()
    await machine.measure()
    yield machine
    await machine.pool.close()


async def test_each_model_has_an_engine_of_its_own(machine: Machine) -> None:
    async with machine.pool.lease("first") as first, machine.pool.lease("second") as second:
        assert (first.model, second.model) == ("first", "second")
        assert first.url != second.url
    assert machine.running() == {"first", "second"}


async def test_the_one_used_longest_ago_makes_room(machine: Machine) -> None:
    await machine.pool.load("second")
    await machine.pool.load("first")
    pid = pid_of(machine.pool.engine("second"))
    await machine.pool.load("third")
    assert machine.running() == {"first", "third"}
    assert not alive(pid)


async def test_one_under_a_request_is_never_sent_away(machine: Machine) -> None:
    """The third waits for either; it comes when the second is done."""
    async with machine.pool.lease("first"):
        async with machine.pool.lease("second"):
            third = asyncio.create_task(machine.pool.load("third"))
            done, _ = await asyncio.wait({third}, timeout=0.3)
            assert not done
            assert machine.running() == {"first", "second"}
        await third
    assert machine.running() == {"first", "third"}


async def test_waiting_for_memory_ends(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a sentence, and the busy ones go on."""
    monkeypatch.setattr(pool_module, "PATIENCE_SECONDS", 0.1)
    async with machine.pool.lease("first"), machine.pool.lease("second"):
        with pytest.raises(OverloadedError, match="“third” needs memory"):
            await machine.pool.load("third")
        assert machine.running() == {"first", "second"}
    await machine.pool.load("third")


async def test_a_model_that_never_fits_sends_nobody_away(machine: Machine) -> None:
    """Its engine is asked all the same: it knows best what to say (the fake one just starts)."""
    machine.need = machine.total * 2
    await machine.pool.load("second")
    assert machine.running() == {"first", "second"}


async def test_starts_do_not_count_on_the_same_memory(machine: Machine) -> None:
    """Asked for at once, two of three run in the end, and no request fails."""
    await asyncio.gather(*(machine.pool.load(name) for name in ("second", "third", "first")))
    assert len(machine.running()) == 2


async def test_what_is_forgotten_is_gone(machine: Machine) -> None:
    pid = pid_of(machine.pool.engine("first"))
    await machine.pool.forget("first")
    await machine.pool.forget("first")
    assert not alive(pid)
    assert machine.pool.status("first") is None
    await machine.pool.load("first")


async def test_errors_reach_the_one_who_asked(machine: Machine) -> None:
    with pytest.raises(EngineStartError, match="no such model"):
        await machine.pool.load("unknown")
    await machine.pool.load("first")


async def test_closing_ends_all(machine: Machine) -> None:
    await machine.pool.load("second")
    engines = [machine.pool.engine(name) for name in ("first", "second")]
    pids = [pid_of(engine) for engine in engines]
    await machine.pool.close()
    assert not any(alive(pid) for pid in pids)
    with pytest.raises(EngineClosedError):
        await wait_for(engines[0], EngineState.READY)
