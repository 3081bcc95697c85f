"""The life of a gateway with several workers: the process that was started keeps what must be one, and serves no HTTP.

It holds the data folder and the port, runs the engines, and starts the workers, which do the rest.
"""

import asyncio
import pickle
import socket
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack

from homeward.app.answering import Answering
from homeward.app.completing import check_rules, spend_so_far
from homeward.app.compose import Parts, opened_history, running, with_engines
from homeward.app.recent_receipts import RecentReceipts
from homeward.app.rows import FOUNDRY, LLAMA
from homeward.app.serve import SHUTTING_DOWN, bound, first_of, signals, tell_when_ready
from homeward.app.workers.crew import Crew
from homeward.app.workers.messages import Start
from homeward.app.workers.shared import Shared
from homeward.gateway import Receipts
from homeward.protocol.errors import ConfigError

Announce = Callable[[str], None]


def run(parts: Parts, announce: Announce) -> None:
    """Serve with as many workers as the settings say, until SIGTERM or Ctrl+C: see `serve.run`.

    Raises:
        ConfigError: what `serve.run` does, or this system can't have several workers.
        HomewardError: the workers end again and again.
    """
    if sys.platform == "win32":
        raise ConfigError("Several workers are not possible on Windows.", next_step="Leave out --workers, or say 1.")
    check_rules(parts.settings)
    with bound(parts.settings, announce) as (sock, url):
        asyncio.run(keep(parts, sock, url, announce))


async def keep(parts: Parts, sock: socket.socket, url: str, announce: Announce) -> None:
    """Everything between binding the port and the end of the process."""
    settings = parts.settings
    port = int(sock.getsockname()[1])
    stopping = asyncio.Event()
    with signals(stopping) as hurry:
        async with AsyncExitStack() as stack:
            answering = await stack.enter_async_context(with_engines(settings, parts, port))
            receipts: Receipts = RecentReceipts()
            if settings.history.enabled:  # opened here first: its tables are made or changed before a worker looks
                receipts = await stack.enter_async_context(opened_history(settings))
            shared = Shared(answering, await spend_so_far(settings), receipts)
            stack.push_async_callback(shared.close)
            await stack.enter_async_context(running(followed(answering, shared)))
            crew = Crew(shared, Start(pickle.dumps(settings), port), sock, settings.gateway.workers)
            await stack.enter_async_context(running(told_when_ready(crew, parts, url, announce)))
            working = asyncio.create_task(crew.work(stopping, hurry, settings.drain_seconds))
            await first_of(stopping.wait(), asyncio.shield(working))
            if stopping.is_set():
                announce(SHUTTING_DOWN)
            await working


async def followed(answering: Answering, shared: Shared) -> None:
    """Tell the workers for ever of the engine in use, and of what changes on the shelf."""

    def follow() -> None:
        choice = answering.library.in_use
        if choice is not None and choice.backend in (LLAMA, FOUNDRY) and not answering.why_not(choice):
            shared.follow(choice.model)

    def changed() -> None:
        shared.shelf_changed()
        follow()

    follow()
    await answering.follow_shelf(changed)


async def told_when_ready(crew: Crew, parts: Parts, url: str, announce: Announce) -> None:
    """Once all workers are there, say whether a model can answer."""
    await crew.listens.wait()
    await tell_when_ready(parts, url, announce)
