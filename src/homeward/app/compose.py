"""Which concrete classes make up a Homeward: the one place that names them all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp

from homeward.backends import Backend, BackendRow, Connections, Deadlines, Locate
from homeward.chat.conversations import Conversations
from homeward.completion import Completer
from homeward.config import Settings
from homeward.engines.engine import Engine, EngineState
from homeward.engines.llama import llama_recipe
from homeward.engines.starter import HOW_TO_GET_IT, starter_model_path
from homeward.engines.supervisor import SupervisedEngine
from homeward.gate import Gate
from homeward.gate.policy import allowed_origins
from homeward.history import History
from homeward.protocol.address import Address
from homeward.protocol.errors import BackendDisconnectedError, BackendTimeoutError, BackendUnreachableError
from homeward.protocol.place import Place
from homeward.routing import BackendView, Policy, Snapshot
from homeward.status import Readiness, health_routes

log = structlog.get_logger(__name__)

LLAMA = "llama"
STARTER_NAME = "SmolLM2-135M-Instruct"
MAX_BODY_BYTES = 8_000_000


class Parts:
    """A Homeward's working parts, and what can be said of them at any moment."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine: SupervisedEngine | None = None
        self.missing = ""
        """Why there is no engine."""
        self.draining = False
        self.serving = False

    def snapshot(self) -> Snapshot:
        """The backends as they are now."""
        if self.engine is None:
            view = BackendView(name=LLAMA, place=Place.DEVICE, state="failed", reason=self.missing)
            return Snapshot((view,))
        # A failed engine is asked all the same: it starts again once its time is over, and says best why not.
        state = self.engine.status.state
        ready = state is EngineState.READY
        return Snapshot((BackendView(name=LLAMA, place=Place.DEVICE, state="ready" if ready else "loading"),))

    def readiness(self) -> Readiness:
        """Whether a model can answer."""
        status = self.engine.status if self.engine else None
        parts = {LLAMA: status.state.value if status else "absent", "page": "ready" if self.serving else "loading"}
        if self.draining:
            return Readiness(False, "Homeward is shutting down.", parts)
        if status is None:
            return Readiness(False, self.missing, parts)
        if not self.serving or status.state is not EngineState.READY:
            return Readiness(False, status.last_error or "The model is being loaded.", parts)
        return Readiness(True, "", parts)


@asynccontextmanager
async def assembled(settings: Settings, parts: Parts, port: int) -> AsyncIterator[tuple[ASGIApp, Conversations]]:
    """The app, with everything behind it running; all of it ended in reverse order.

    The engine's child is started first: it loads while Chainlit is imported.
    """
    async with AsyncExitStack() as stack:
        backends: dict[str, Backend] = {}
        connections = await stack.enter_async_context(Connections())
        parts.engine = engine = build_engine(settings, parts)
        if engine is not None:
            stack.push_async_callback(engine.close)
            backends[LLAMA] = Backend(llama_row(settings), watched(engine), connections)
            await begin_loading(engine)
        history = await History.open(database_url(settings))
        stack.push_async_callback(history.close)
        completer = Completer(backends, policy=Policy(), snapshot=parts.snapshot)
        conversations = Conversations(history, completer, settings.chat)
        yield page(settings, parts, conversations, port), conversations


def watched(engine: Engine) -> Locate:
    """The engine's lease; whoever finds it silent or broken in use has its health looked at."""

    @asynccontextmanager
    async def lease() -> AsyncIterator[Address]:
        async with engine.lease() as address:
            try:
                yield address
            except (BackendTimeoutError, BackendDisconnectedError, BackendUnreachableError):
                engine.suspect()
                raise

    return lease


async def begin_loading(engine: SupervisedEngine) -> None:
    """Have the engine load on its own; back as soon as its child runs (or can't), which is at once."""
    task = asyncio.create_task(engine.ensure_ready())
    task.add_done_callback(lambda done: done.cancelled() or done.exception())  # the engine's status tells of it
    async for status in engine.changes():
        if status.pid is not None or status.last_error:
            return


def page(settings: Settings, parts: Parts, conversations: Conversations, port: int) -> ASGIApp:
    """The gate with everything that is served behind it. Importing the chat takes seconds."""
    from homeward.chat.mount import create_chat_app

    origins = allowed_origins(settings.host, port)
    model = "starter" if settings.llama.model == "starter" else model_of(settings)[1]
    chat = create_chat_app(conversations, root=settings.data_dir / "page", origins=origins, model=model)
    routes = [
        *health_routes(parts.readiness),
        Route("/v1/{path:path}", no_api, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
        Mount("/", chat),
    ]
    return Gate(Starlette(routes=routes), origins=origins, max_body_bytes=MAX_BODY_BYTES)


async def no_api(_request: Request) -> Response:
    """OpenAI's envelope, so that a client says something sensible until there is a gateway."""
    error = {
        "message": "This version of Homeward has no API yet; it has the chat page.",
        "type": "invalid_request_error",
        "param": None,
        "code": "not_found",
    }
    return JSONResponse({"error": error}, status_code=404)


def build_engine(settings: Settings, parts: Parts) -> SupervisedEngine | None:
    """The llama engine with its model, or None with the reason in `parts.missing`."""
    if not settings.llama.enabled:
        parts.missing = "The engine is switched off. Set `enabled = true` under [llama] in homeward.toml."
        return None
    path, name = model_of(settings)
    if path is None:
        parts.missing = HOW_TO_GET_IT
        return None
    llama = settings.llama
    recipe = llama_recipe(
        path,
        name,
        context_tokens=llama.context_tokens,
        slots=llama.slots,
        threads=llama.threads,
        idle_unload_seconds=llama.idle_unload_seconds,
    )
    return SupervisedEngine(recipe)


def model_of(settings: Settings) -> tuple[Path | None, str]:
    """The GGUF file and the name to show for it."""
    model = settings.llama.model
    if isinstance(model, Path):
        return model, model.stem
    return starter_model_path(), STARTER_NAME


def llama_row(settings: Settings) -> BackendRow:
    """The engine as a backend."""
    chat = settings.chat
    return BackendRow(
        name=LLAMA,
        place=Place.DEVICE,
        tokenizer="llama",
        # llama.cpp notices only by this that its client left while it reads a long prompt.
        body={"return_progress": True},
        deadlines=Deadlines(
            first_token_seconds=chat.first_token_seconds,
            event_seconds=chat.event_seconds,
            total_seconds=chat.total_seconds,
        ),
    )


def database_url(settings: Settings) -> str | Path:
    """Where conversations are kept."""
    return settings.database_url or settings.data_dir / "history.db"
