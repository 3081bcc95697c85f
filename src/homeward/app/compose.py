"""Which concrete classes make up a Homeward: the one place that puts them together."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import structlog
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp

from homeward.app.answering import Answering
from homeward.app.completing import completing
from homeward.app.governing import Governing
from homeward.app.managing import Managing, catalogue_of
from homeward.backends import Connections
from homeward.chat.conversations import Conversations
from homeward.config import Settings
from homeward.config.edit import ConfigFile
from homeward.engines.engine import EngineState
from homeward.engines.starter import HOW_TO_GET_IT
from homeward.gate import Gate
from homeward.gate.policy import allowed_origins
from homeward.gateway import gateway_routes
from homeward.history import History
from homeward.manage.policy_routes import policy_routes
from homeward.manage.routes import model_routes
from homeward.status import Readiness, health_routes

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 8_000_000


class Parts:
    """A Homeward's working parts, and what can be said of them at any moment."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.answering: Answering | None = None
        self.draining = False
        self.serving = False

    def readiness(self) -> Readiness:
        """Whether a model can answer."""
        choice = self.answering.library.in_use if self.answering else None
        status = self.answering.status(choice) if self.answering else None
        parts = {"page": "ready" if self.serving else "loading"}
        if choice is not None:
            parts[choice.backend] = status.state.value if status else "service"
        if self.draining:
            return Readiness(False, "Homeward is shutting down.", parts)
        if choice is None or self.answering is None:
            return Readiness(False, HOW_TO_GET_IT, parts)
        if reason := self.answering.why_not(choice):
            return Readiness(False, reason, parts)
        if not self.serving or (status is not None and status.state is not EngineState.READY):
            return Readiness(False, (status and status.last_error) or "The model is being loaded.", parts)
        return Readiness(True, "", parts)


@asynccontextmanager
async def assembled(
    settings: Settings, file: ConfigFile, parts: Parts, port: int
) -> AsyncIterator[tuple[ASGIApp, Conversations]]:
    """The app, with everything behind it running; all of it ended in reverse order. `file` is where rules are saved.

    The engine's child is started first: it loads while Chainlit is imported.
    """
    async with AsyncExitStack() as stack:
        connections = await stack.enter_async_context(Connections())
        answering = parts.answering = Answering(settings, connections, own_url=f"http://127.0.0.1:{port}")
        stack.push_async_callback(answering.pool.close)
        await asyncio.to_thread(answering.library.refresh)
        await answering.begin_loading_first()
        history = await History.open(database_url(settings))
        stack.push_async_callback(history.close)
        completer = await stack.enter_async_context(completing(settings, answering))
        governing = Governing(settings, completer, answering.consents, file)
        conversations = Conversations(history, completer, settings.chat, governing)
        catalogue_engine, catalogue = catalogue_of(settings)
        stack.push_async_callback(catalogue_engine.close)
        managing = Managing(answering, catalogue)
        stack.push_async_callback(managing.close)
        await stack.enter_async_context(running(answering.follow_shelf()))
        await stack.enter_async_context(running(managing.first_look()))
        further = [*model_routes(managing), *policy_routes(governing)]
        yield page(settings, parts, conversations, further, port), conversations


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


def page(
    settings: Settings, parts: Parts, conversations: Conversations, further: Sequence[BaseRoute], port: int
) -> ASGIApp:
    """The gate with everything that is served behind it. Importing the chat takes seconds."""
    from homeward.chat.mount import create_chat_app

    origins = allowed_origins(settings.host, port)
    chat = create_chat_app(conversations, root=settings.data_dir / "page", origins=origins)
    routes = [
        *health_routes(parts.readiness),
        *further,
        *gateway_routes(conversations.history),
        Mount("/", chat),
    ]
    return Gate(Starlette(routes=routes), origins=origins, max_body_bytes=MAX_BODY_BYTES)


def database_url(settings: Settings) -> str | Path:
    """Where conversations are kept."""
    return settings.database_url or settings.data_dir / "history.db"
