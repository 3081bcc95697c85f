"""The life of a worker: it serves connections as the whole gateway does, and has the keeper for what is shared."""

import asyncio
import pickle
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from starlette.types import ASGIApp

from homeward.app.answering import Answerers
from homeward.app.completing import completing
from homeward.app.compose import Close, Parts, gateway_app, opened_history, running
from homeward.app.embedding import ENGINE
from homeward.app.serve import Server, first_of, server_config
from homeward.app.workers.handover import receiving
from homeward.app.workers.link import Link
from homeward.app.workers.messages import Leaving, Up
from homeward.app.workers.stand_ins import SharedEngines, SharedHealth, SharedLine, SharedReceipts, SharedSpend
from homeward.backends import Connections
from homeward.config import Settings
from homeward.gateway import Sender
from homeward.gateway.responses_store import NothingKept, ResponseStore
from homeward.models.errors import ShelfError
from homeward.observability.logs import configure

log = structlog.get_logger(__name__)


async def work(end: socket.socket, way: socket.socket) -> None:
    """Serve until the keeper says so, is gone, or this process is told to end.

    Args:
        end: this end of the channel to the keeper.
        way: where connections come from.

    Raises HomewardError: it can't begin.
    """
    link = Link()
    start = await link.open(end)
    settings: Settings = pickle.loads(start.settings)  # noqa: S301 - from the process that started this one
    configure(debug=settings.debug, log_format=settings.log_format)
    # A terminal and a supervisor signal all processes at once: only the keeper knows which signal is the second.
    for each in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(each, link.stopping.set)
    parts = Parts(settings, page=False)
    try:
        async with assembled(settings, parts, link, start.port) as (app, close):
            await serve(parts, app, close, link, way)
    finally:
        link.close()


async def serve(parts: Parts, app: ASGIApp, close: Close, link: Link, way: socket.socket) -> None:
    """Everything between the first connection and the last."""
    server = Server(server_config(app))
    serving = asyncio.create_task(server.serve(sockets=[]))
    await server.up.wait()
    taking: set[asyncio.Task[None]] = set()

    def take(connection: socket.socket) -> None:
        task = asyncio.create_task(server.take(connection))
        taking.add(task)
        task.add_done_callback(taking.discard)

    with receiving(way, take):
        parts.serving = True
        link.send(Up())
        await first_of(link.stopping.wait(), asyncio.shield(serving))
        link.send(Leaving())
        parts.draining = True
        await first_of(close(parts.settings.drain_seconds), link.hurry.wait())
        await close(0)
        server.should_exit = True
        await serving


@asynccontextmanager
async def assembled(settings: Settings, parts: Parts, link: Link, port: int) -> AsyncIterator[tuple[ASGIApp, Close]]:
    """The gateway, with stand-ins for what its keeper has."""
    async with AsyncExitStack() as stack:
        connections = await stack.enter_async_context(Connections())
        answering = parts.answering = Answerers(
            settings, connections, SharedEngines(link), own_url=f"http://127.0.0.1:{port}"
        )
        for name, backend in answering.backends.items():
            backend.line, backend.health = SharedLine(link, name), SharedHealth(link, name)
        answering.embedder.line = SharedLine(link, ENGINE)
        await asyncio.to_thread(answering.library.refresh)
        await stack.enter_async_context(running(follow_shelf(answering, link)))
        completer = await stack.enter_async_context(completing(settings, answering, SharedSpend(link)))
        store: ResponseStore = NothingKept()
        if settings.history.enabled:
            history = await stack.enter_async_context(opened_history(settings, deletes_old=False))
            store = history.responses
        sender = Sender(completer, SharedReceipts(link))
        yield gateway_app(parts, answering, sender, store, port), sender.close


async def follow_shelf(answering: Answerers, link: Link) -> None:
    """Read the shelf anew for ever, each time that the keeper has found it changed."""
    while True:
        await link.shelf_changed.wait()
        link.shelf_changed.clear()
        try:
            await asyncio.to_thread(answering.library.refresh)
        except ShelfError as error:
            log.warning("shelf_unreadable", code=error.code, detail=error.detail)
