"""What answers: the models of this machine, the engines that run them, the services beside us, as backends."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, Protocol

import structlog

from homeward.app import consents, embedding
from homeward.app.clouds import cloud_backends
from homeward.app.consents import Consents
from homeward.app.rows import FOUNDRY, LLAMA, foundry_row, llama_row, service_row
from homeward.app.services import KINDS, THE_USERS, Services
from homeward.backends import Backend, Connections
from homeward.config import Settings
from homeward.engines.engine import EngineState, EngineStatus
from homeward.engines.foundry.recipe import foundry_recipe, installed
from homeward.engines.llama import llama_recipe
from homeward.engines.pool import EnginePool
from homeward.engines.recipe import Recipe
from homeward.engines.starter import HOW_TO_GET_IT, starter_model_path
from homeward.models.errors import ModelError, ShelfError
from homeward.models.inspect import inspect
from homeward.models.library import Choice, Library
from homeward.models.model import Model
from homeward.models.shelf import Shelf
from homeward.protocol.address import Address
from homeward.protocol.errors import (
    BackendDisconnectedError,
    BackendTimeoutError,
    BackendUnreachableError,
    EngineStartError,
    HomewardError,
)
from homeward.protocol.place import Place
from homeward.routing import BackendView, Snapshot

log = structlog.get_logger(__name__)

STARTER_NAME = "SmolLM2-135M-Instruct"
SHELF_SECONDS = 1.0
"""From one look at the shelf to the next, for what commands in a terminal change."""


class Engine(Protocol):
    """An engine in whose use something went wrong: see `engines.engine.Engine`."""

    def suspect(self) -> None:
        """Have its health looked at; returns at once."""
        ...

    async def examine(self) -> None:
        """The same, and wait for the verdict."""
        ...


class Engines(Protocol):
    """What runs the models of this machine, as a request sees it: an `EnginePool`, or what stands in for one."""

    def lease(self, model: str) -> AbstractAsyncContextManager[Address]:
        """The address of the engine that runs a model, for as long as the block lasts. Raises HomewardError."""
        ...

    def engine(self, model: str) -> Engine:
        """The engine that runs a model, started or not."""
        ...

    def status(self, model: str) -> EngineStatus | None:
        """The state of the engine that runs a model; None where nobody has asked for it yet."""
        ...


class Answerers:
    """Everything that can answer, as a request sees it, and the one that does."""

    def __init__(self, settings: Settings, connections: Connections, engines: Engines, *, own_url: str = "") -> None:
        self.settings = settings
        self._engines = engines
        self.services = Services(settings.service, own_url=own_url)
        self.library = Library(
            Shelf(settings.data_dir),
            built_in=built_in(settings),
            wanted=settings.models.use or (THE_USERS if settings.service.url else ""),
            services=self.services.choose,
        )
        own = [llama_row(settings), foundry_row(settings)]
        self.backends = {row.name: Backend(row, self._lease, connections) for row in own}
        for kind in KINDS:
            self.backends[kind] = Backend(service_row(kind, settings), self.services.locate(kind), connections)
        self.embedder = embedding.embedder(settings, self._lease, connections)
        self.clouds = cloud_backends(settings, connections)
        self.backends |= self.clouds
        self.consents = Consents(settings.data_dir / consents.FILE)

    def snapshot(self, chosen: str | None = None, model: str = "") -> Snapshot:
        """What answers on this device, and the clouds, as they are now.

        One backend of this device answers, the one in use; another one only where it is chosen.
        """
        choice = self.library.in_use
        if chosen is not None and chosen not in self.clouds and chosen in self.backends:
            choice = Choice(chosen, model or (choice.model if choice and choice.backend == chosen else ""))
        return Snapshot((self._device_view(choice), *map(self._cloud_view, self.clouds.values())))

    def _device_view(self, choice: Choice | None) -> BackendView:
        if choice is None:
            return BackendView(name=LLAMA, place=Place.DEVICE, state="failed", reason=HOW_TO_GET_IT)
        reason = self.why_not(choice)
        state: Literal["ready", "loading", "failed"] = "failed" if reason else "ready"
        # A failed engine is asked all the same: it starts again once its time is over, and says best why not.
        if not reason and choice.backend in (LLAMA, FOUNDRY):
            status = self._engines.status(choice.model)
            state = "ready" if status is not None and status.state is EngineState.READY else "loading"
        return BackendView(
            name=choice.backend,
            place=Place.DEVICE,
            model=choice.model,
            state=state,
            reason=reason,
            sees_images=sees_images(choice),
        )

    def _cloud_view(self, backend: Backend) -> BackendView:
        row, health = backend.row, backend.health
        rests = health.rests_seconds()
        return BackendView(
            name=row.name,
            place=row.place,
            model=row.model,
            state="resting" if rests else "ready",
            reason=health.why if rests else "",
            rests_seconds=rests,
            busy=bool(rests) and health.busy,
            consented=self.consents.given(row.name, row.host),
            context_tokens=row.context_tokens,
            input_price=row.input_price,
            output_price=row.output_price,
        )

    @property
    def elsewhere(self) -> bool:
        """Whether a cloud may be asked."""
        return any(self.consents.given(name, backend.row.host) for name, backend in self.clouds.items())

    def why_not(self, choice: Choice) -> str:
        """Why this can't answer, as a sentence; empty where nothing speaks against it."""
        if choice.backend == LLAMA and not self.settings.llama.enabled:
            return "The engine is switched off. Set `enabled = true` under [llama] in homeward.toml."
        if choice.backend == FOUNDRY:
            return foundry_missing(self.settings)
        return ""

    def status(self, choice: Choice | None) -> EngineStatus | None:
        """The state of the engine that runs it; None for a service, and where nobody asked for it yet."""
        return self._engines.status(choice.model) if choice and choice.backend in (LLAMA, FOUNDRY) else None

    @asynccontextmanager
    async def _lease(self, model: str) -> AsyncIterator[Address]:
        """The engine's lease; whoever finds it silent or broken in use has its health looked at."""
        async with self._engines.lease(model) as address:
            try:
                yield address
            except BackendTimeoutError:
                self._engines.engine(model).suspect()  # whoever waits has waited long enough; the verdict takes seconds
                raise
            except (BackendDisconnectedError, BackendUnreachableError):
                await self._engines.engine(model).examine()  # so that another try does not meet a dead one again
                raise


class Answering(Answerers):
    """The same, with the engines that run the models of this machine."""

    def __init__(self, settings: Settings, connections: Connections, *, own_url: str = "") -> None:
        limit = settings.models.memory_gb
        self.pool = EnginePool(self._recipe_of, limit_bytes=round(limit * 1e9) if limit else None)
        self._loading: asyncio.Task[None] | None = None  # held, or it might be collected
        super().__init__(settings, connections, self.pool, own_url=own_url)

    def begin_loading(self) -> asyncio.Task[None] | None:
        """Have the model in use load on its own; its engine tells how far it is. None where nothing is to load."""
        choice = self.library.in_use
        if choice is None or choice.backend not in (LLAMA, FOUNDRY) or self.why_not(choice):
            return None
        task = self._loading = asyncio.create_task(self.pool.load(choice.model), name=f"load {choice.model}")
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # told by the status
        return task

    async def begin_loading_first(self) -> None:
        """The same, and be back once the child runs or can't, which is at once: what follows may block for seconds."""
        loading = self.begin_loading()
        choice = self.library.in_use
        if loading is None or choice is None:
            return
        started = asyncio.create_task(self._child_started(choice.model))
        await asyncio.wait({loading, started}, return_when=asyncio.FIRST_COMPLETED)
        started.cancel()

    async def _child_started(self, model: str) -> None:
        async with aclosing(self.pool.engine(model).changes()) as changes:
            async for status in changes:
                if status.pid is not None or status.last_error:
                    return

    async def use(self, name: str) -> Choice:
        """Let this model answer from now on, and load it. Raises like `choose`."""
        choice = await self.choose(name)
        self.begin_loading()
        return choice

    async def choose(self, name: str) -> Choice:
        """Let this model answer from now on; nothing is loaded yet.

        Raises:
            ModelError: there is none of this name, or it can't answer.
            ShelfError: the choice can't be stored.
        """
        choice = self.library.choose(name)
        if choice is not None and choice.backend in KINDS:
            choice = await self.services.check(str(choice))
        elif choice is None and name.partition("/")[0] in KINDS:
            choice = await self.services.check(name)
        if choice is not None and (reason := self.why_not(choice)):
            raise ModelError(f"{name} can't answer. {reason}")
        return await asyncio.to_thread(self.library.use, str(choice) if choice else name)

    async def follow_shelf(self, changed: Callable[[], None] = lambda: None) -> None:
        """Notice for ever what commands in a terminal change; load what they chose, end what they removed.

        `changed` is called each time, before.
        """
        while True:
            await asyncio.sleep(SHELF_SECONDS)
            before, models = self.library.in_use, {model.name for model in self.library.models}
            try:
                if not await asyncio.to_thread(self.library.refresh):
                    continue
            except ShelfError as error:
                log.warning("shelf_unreadable", code=error.code, detail=error.detail)
                continue
            changed()
            for name in models - {model.name for model in self.library.models}:
                await self.pool.forget(name)
            if self.library.in_use != before:
                self.begin_loading()

    def _recipe_of(self, name: str) -> Recipe:
        if name == embedding.ENGINE:
            return embedding.recipe(self.settings, self.library)
        try:
            model = self.library.get(name)
        except ModelError as error:
            raise EngineStartError(error.message, next_step=error.next_step) from error
        return recipe_of(model, self.settings)


def sees_images(choice: Choice) -> bool:
    """Whether it may be able to: our engines run models of text alone, what a service has is its own matter."""
    return choice.backend not in (LLAMA, FOUNDRY)


def recipe_of(model: Model, settings: Settings) -> Recipe:
    """How a model is run."""
    if model.engine == FOUNDRY:
        return foundry_recipe(
            model.path,
            model.name,
            state_folder=settings.data_dir / "foundry" / "engines" / model.name.replace(":", "_"),
            context_tokens=settings.foundry.context_tokens,
            parallel=settings.foundry.parallel,
            idle_unload_seconds=settings.foundry.idle_unload_seconds,
        )
    return llama_recipe(
        model.path,
        model.name,
        context_tokens=settings.llama.context_tokens,
        slots=settings.llama.slots,
        threads=settings.llama.threads,
        idle_unload_seconds=settings.llama.idle_unload_seconds,
    )


def built_in(settings: Settings) -> list[Model]:
    """The model that the configuration names, and the starter; the first one answers where nothing was chosen."""
    models = []
    if isinstance(settings.llama.model, Path):
        models.append(model_at(settings.llama.model))
    starter = starter_model_path()
    if starter is not None:
        models.append(
            Model(
                name=STARTER_NAME,
                engine="llama",
                source="starter",
                path=starter,
                size_bytes=starter.stat().st_size,
                context_tokens=8192,
                license="Apache-2.0",
                added_at=datetime.fromtimestamp(0, UTC),
            )
        )
    return models


def model_at(path: Path) -> Model:
    """The model that the configuration names, as far as it can be told: its engine says best what is wrong with it."""
    try:
        return inspect(path)
    except HomewardError:
        size = path.stat().st_size if path.is_file() else 0
        now = datetime.now(UTC)
        return Model(
            name=path.stem, engine="llama", source="own", path=path, size_bytes=size, context_tokens=None, added_at=now
        )


def foundry_missing(settings: Settings) -> str:
    """Why Foundry Local can't be used; empty where it can."""
    if not settings.foundry.enabled:
        return "Foundry Local is switched off. Set `enabled = true` under [foundry] in homeward.toml."
    if not installed():
        return "Foundry Local is not installed, or has no build for this system: pip install foundry-local-sdk."
    return ""
