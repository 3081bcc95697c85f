"""All engines of this machine, one per model, within the memory that there is.

An engine starts when its model is first asked for. Where it doesn't fit beside the others, those that nobody
uses make room for it (`room` says which); where all are in use, it waits. Starts happen one after the other, so
that no two count on the same memory.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping

import psutil  # type: ignore[import-untyped, unused-ignore]
import structlog

from homeward.engines.engine import EngineState, EngineStatus
from homeward.engines.machine import available_memory_bytes
from homeward.engines.recipe import Recipe
from homeward.engines.room import Evict, Resident, Room, TooBig, Wait, make_room
from homeward.engines.supervisor import SupervisedEngine
from homeward.protocol.address import Address
from homeward.protocol.errors import HomewardError, OverloadedError

log = structlog.get_logger("homeward.engines")

PATIENCE_SECONDS = 120.0
"""How long a model waits for others to finish that hold its memory."""

RUNNING = frozenset({EngineState.STARTING, EngineState.READY})


class Member:
    """An engine and who uses it."""

    def __init__(self, engine: SupervisedEngine, recipe: Recipe) -> None:
        self.engine = engine
        self.recipe = recipe
        self.users = 0
        self.used_at = time.monotonic()

    @property
    def resident_bytes(self) -> int:
        """What its process holds now; 0 without one."""
        pid = self.engine.status.pid
        if pid is None:
            return 0
        with contextlib.suppress(psutil.Error):
            return int(psutil.Process(pid).memory_info().rss)
        return 0


class EnginePool:
    """Gives out the address of the engine that runs a model."""

    def __init__(
        self,
        recipe_of: Callable[[str], Recipe],
        *,
        limit_bytes: int | None = None,
        free_bytes: Callable[[], int] = available_memory_bytes,
    ) -> None:
        """`recipe_of` says how a model is run, by its name; what it raises goes to whoever asked for the model."""
        self._recipe_of = recipe_of
        self._limit_bytes = limit_bytes
        self._free_bytes = free_bytes
        self._members: dict[str, Member] = {}
        self._starting = asyncio.Lock()
        self._freed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def lease(self, model: str) -> AsyncIterator[Address]:
        """The address of the engine that runs a model, for as long as the block lasts.

        Raises:
            OverloadedError: its memory is held by models that are busy.
            EngineError: it did not get ready, or everything is being closed.
        """
        member = self._member(model)
        member.users += 1
        try:
            await self._make_room(model, member)
            async with member.engine.lease() as address:
                yield address
        finally:
            member.users -= 1
            member.used_at = time.monotonic()
            self._freed.set()

    async def load(self, model: str) -> None:
        """Have a model in memory; raises like `lease`."""
        async with self.lease(model):
            pass

    def engine(self, model: str) -> SupervisedEngine:
        """The engine that runs a model, started or not."""
        return self._member(model).engine

    def status(self, model: str) -> EngineStatus | None:
        """The state of the engine that runs a model; None where nobody has asked for it yet."""
        member = self._members.get(model)
        return member.engine.status if member else None

    def residents(self) -> Mapping[str, int]:
        """Bytes that each engine's process holds now, by its model."""
        return {name: held for name, member in self._members.items() if (held := member.resident_bytes)}

    async def forget(self, model: str) -> None:
        """End a model's engine, at once; the next request for it would make another."""
        member = self._members.pop(model, None)
        if member is not None:
            await member.engine.close()

    async def close(self) -> None:
        """End all engines, at once and for good."""
        members, self._members = self._members, {}
        await asyncio.gather(*(member.engine.close() for member in members.values()))

    def _member(self, model: str) -> Member:
        member = self._members.get(model)
        if member is None:
            recipe = self._recipe_of(model)
            member = self._members[model] = Member(SupervisedEngine(recipe), recipe)
        return member

    async def _make_room(self, model: str, member: Member) -> None:
        """Return when the engine runs, or may start."""
        if member.engine.status.state in RUNNING:
            return
        async with self._starting:
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await self._evict_for(model, member)
            except TimeoutError as error:
                raise OverloadedError(
                    f"The model “{model}” needs memory that other models hold, and they are still busy.",
                    next_step="Try again when their answers are finished.",
                    retry_after_seconds=10,
                ) from error
            if member.engine.status.state not in RUNNING:
                await member.engine.ensure_ready()

    async def _evict_for(self, model: str, member: Member) -> None:
        need = await self._need(member)
        while member.engine.status.state not in RUNNING:
            self._freed.clear()
            verdict = make_room(need, self._free_bytes(), self._limit_bytes, self._residents(member))
            match verdict:
                case Room() | TooBig():  # for a model that is too big, its engine finds the words
                    return
                case Evict():
                    log.info("engine.evicted", models=verdict.names, for_model=model, need_bytes=need)
                    await asyncio.gather(*(self._members[name].engine.stop() for name in verdict.names))
                case Wait():
                    await self._freed.wait()

    async def _need(self, member: Member) -> int:
        estimate = member.recipe.memory_bytes
        if estimate is None:
            return 0
        try:
            return await asyncio.to_thread(estimate)
        except HomewardError:
            return 0  # the file is not usable: its start will say so

    def _residents(self, but: Member) -> list[Resident]:
        return [
            Resident(name=name, bytes=held, used_at=member.used_at, busy=member.users > 0)
            for name, member in self._members.items()
            if member is not but and (held := member.resident_bytes)
        ]
