"""Which concrete classes make up a Homeward: what answers, and the gateway to it. The page is put on top in `page`.

Imports nothing of the page, of the history or of what is managed: a gateway alone is small and starts at once.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from homeward.app.answering import Answerers, Answering
from homeward.app.completing import completing
from homeward.app.keys import KeysInForce
from homeward.app.model_names import ModelNames
from homeward.app.recent_receipts import RecentReceipts
from homeward.backends import Connections
from homeward.completion import Completer
from homeward.config import Settings
from homeward.engines.engine import EngineState
from homeward.engines.pool import EnginePool
from homeward.engines.starter import HOW_TO_GET_IT
from homeward.gate import ApiEntry, Gate, KeyGuard
from homeward.gate.policy import allowed_origins, is_loopback, with_port
from homeward.gateway import Names, Receipts, Sender, gateway_routes, internal_error
from homeward.gateway.embeddings import embeddings_routes
from homeward.gateway.openapi import openapi_route
from homeward.gateway.responses import responses_routes
from homeward.gateway.responses_store import NothingKept, ResponseStore
from homeward.protocol.embeddings import MODEL as EMBEDDING_MODEL
from homeward.status import Readiness, health_routes

if TYPE_CHECKING:
    from homeward.history import History

log = structlog.get_logger(__name__)

Close = Callable[[float], Awaitable[None]]
"""Lets running answers finish for so many seconds, and ends the rest."""

MAX_BODY_BYTES = 8_000_000


class Parts:
    """A Homeward's working parts, and what can be said of them at any moment."""

    def __init__(self, settings: Settings, *, page: bool = True) -> None:
        self.settings = settings
        self.page = page
        """Whether there is one."""
        self.answering: Answerers | None = None
        self.engines: EnginePool | None = None
        """Where this process has them."""
        self.draining = False
        self.serving = False

    def readiness(self) -> Readiness:
        """Whether a model can answer."""
        choice = self.answering.library.in_use if self.answering else None
        status = self.answering.status(choice) if self.answering else None
        parts = {"page" if self.page else "gateway": "ready" if self.serving else "loading"}
        if choice is not None:
            parts[choice.backend] = status.state.value if status else "service"
        if self.draining:
            return Readiness(False, "Homeward is shutting down.", parts)
        if self.answering is None:
            return Readiness(False, "Homeward is starting.", parts)
        if choice is None or (reason := self.answering.why_not(choice)):
            reason = reason if choice else HOW_TO_GET_IT
            return Readiness(self.serving and self.answering.elsewhere, reason, parts)
        if not self.serving or (status is not None and status.state is not EngineState.READY):
            return Readiness(False, (status and status.last_error) or "The model is being loaded.", parts)
        return Readiness(True, "", parts)


@asynccontextmanager
async def assembled_gateway(settings: Settings, parts: Parts, port: int) -> AsyncIterator[tuple[ASGIApp, Close]]:
    """What other programs need, without the page and what is managed on it."""
    async with AsyncExitStack() as stack:
        answering, completer = await stack.enter_async_context(answered(settings, parts, port))
        receipts: Receipts = RecentReceipts()
        store: ResponseStore = NothingKept()
        if settings.history.enabled:
            receipts = history = await stack.enter_async_context(opened_history(settings))
            store = history.responses
        sender = Sender(completer, receipts)
        yield gateway_app(parts, answering, sender, store, port), sender.close


def gateway_app(parts: Parts, answering: Answerers, sender: Sender, store: ResponseStore, port: int) -> ASGIApp:
    """What is served where there is no page."""
    settings = parts.settings
    routes = [*health_routes(parts.readiness), *api_routes(settings, answering, sender, store)]
    return gated(starlette(routes), settings, allowed_origins(settings.host, port), port)


@asynccontextmanager
async def answered(settings: Settings, parts: Parts, port: int) -> AsyncIterator[tuple[Answering, Completer]]:
    """What answers, and the one path to it. The model in use begins to load."""
    async with AsyncExitStack() as stack:
        answering = await stack.enter_async_context(with_engines(settings, parts, port))
        completer = await stack.enter_async_context(completing(settings, answering))
        await stack.enter_async_context(running(answering.follow_shelf()))
        yield answering, completer


@asynccontextmanager
async def with_engines(settings: Settings, parts: Parts, port: int) -> AsyncIterator[Answering]:
    """Everything that can answer, and the engines, which end with it. The model in use begins to load."""
    async with Connections() as connections:
        answering = parts.answering = Answering(settings, connections, own_url=f"http://127.0.0.1:{port}")
        parts.engines = answering.pool
        try:
            await asyncio.to_thread(answering.library.refresh)
            await answering.begin_loading_first()
            yield answering
        finally:
            await answering.pool.close()


@asynccontextmanager
async def opened_history(settings: Settings, *, deletes_old: bool = True) -> AsyncIterator["History"]:
    """Where conversations, receipts and responses are kept. Importing it takes its time.

    `deletes_old`: what is too old is deleted, which one process does for all.
    """
    import homeward.history

    history = await homeward.history.History.open(database_url(settings))
    deleting = running(history.keep_deleting_old(settings.history.responses_days)) if deletes_old else nullcontext()
    try:
        async with deleting:
            yield history
    finally:
        await history.close()


def api_routes(settings: Settings, answering: Answerers, sender: Sender, store: ResponseStore) -> list[BaseRoute]:
    """What is served under `/v1`, and what describes it."""
    names = Names(ModelNames(answering), settings.gateway.aliases)
    embeddings = embeddings_routes(answering.embedder, lambda model: names.ours(model) == EMBEDDING_MODEL)
    further = [*responses_routes(sender, names, store), *embeddings]
    return [*gateway_routes(sender, names, sender.receipts, further), openapi_route()]


@asynccontextmanager
async def running(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Work beside the rest, ended at the end. An error in it is logged, and ends nothing else."""

    async def watched() -> None:
        try:
            await work
        except Exception:
            log.exception("work_stopped")

    task = asyncio.create_task(watched())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
        work.close()  # it may not have begun


def starlette(routes: Sequence[BaseRoute]) -> Starlette:
    """The routes as an app."""
    return Starlette(routes=routes, exception_handlers={Exception: internal_error})


def gated(app: ASGIApp, settings: Settings, origins: Iterable[str], port: int) -> ASGIApp:
    """An app behind the gate and, where programs ask, behind their keys."""
    gateway, for_others = settings.gateway, not is_loopback(settings.host)
    return Gate(
        KeyGuard(app, KeysInForce(settings), required=for_others),
        origins=origins,
        max_body_bytes=MAX_BODY_BYTES,
        api=ApiEntry(
            origins=frozenset(gateway.origins),
            hosts=with_port(gateway.hosts, port),
            max_body_bytes=gateway.max_body_mb * 1_000_000,
        ),
        page_stays_here=for_others,
    )


def database_url(settings: Settings) -> str | Path:
    """Where conversations are kept."""
    return settings.database_url or settings.data_dir / "history.db"
