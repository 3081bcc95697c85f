"""The life of the program: start, serve, drain, end."""

import asyncio
import contextlib
import signal
import socket
import sys
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from os import environ

import structlog
import uvicorn
from starlette.types import ASGIApp

from homeward.app.compose import Close, Parts
from homeward.app.instance import only_instance
from homeward.app.keys import KeysInForce
from homeward.app.listen import listening_socket
from homeward.app.services import KINDS
from homeward.config import Settings
from homeward.engines.engine import EngineState
from homeward.engines.starter import HOW_TO_GET_IT
from homeward.gate.policy import ANY_ADDRESS, is_loopback

log = structlog.get_logger(__name__)

SHUTTING_DOWN = "Homeward is shutting down; running answers may finish. Press Ctrl+C again to end now."

CLOSE_SECONDS = 3
"""How long open connections may take to close once answers are done."""


Assemble = Callable[[int], AbstractAsyncContextManager[tuple[ASGIApp, Close]]]
"""Puts together what is served at a port."""


def run(parts: Parts, assemble: Assemble, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl+C; `announce` gets sentences for the terminal.

    The first signal lets running answers finish for `settings.drain_seconds`, the second ends at once.
    Raises ConfigError: port taken, data folder in use or not usable, open to other machines without a key.
    """
    with bound(parts.settings, announce) as (sock, url):
        asyncio.run(serve(parts, assemble, sock, url, announce))


@contextlib.contextmanager
def bound(settings: Settings, announce: Callable[[str], None]) -> Iterator[tuple[socket.socket, str]]:
    """Hold the data folder and the port for this process, and say where that is. Raises ConfigError like `run`."""
    has_key = KeysInForce(settings)().asks
    with (
        only_instance(settings.data_dir) as instance,
        listening_socket(settings.host, settings.port, has_key=has_key) as sock,
    ):
        url = page_url(settings.host, int(sock.getsockname()[1]))
        instance.publish(url)
        if not is_loopback(settings.host):
            announce("Other machines may use /v1 with a key; the page is for this machine only.")
        announce(f"Homeward is starting at {url}")
        yield sock, url


def page_url(host: str, port: int) -> str:
    """Where somebody at this machine opens the page."""
    if host in ANY_ADDRESS:
        host = "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def serve(
    parts: Parts, assemble: Assemble, sock: socket.socket, url: str, announce: Callable[[str], None]
) -> None:
    """Everything between binding the port and the end of the process."""
    port = int(sock.getsockname()[1])
    stopping = asyncio.Event()
    with signals(stopping) as hurry:
        async with assemble(port) as (app, close):
            server = Server(server_config(app))
            serving = asyncio.create_task(server.serve(sockets=[sock]))
            parts.serving = True
            ready = asyncio.create_task(tell_when_ready(parts, url, announce))
            await first_of(stopping.wait(), asyncio.shield(serving))
            ready.cancel()
            parts.draining = True
            announce(SHUTTING_DOWN)
            await first_of(close(parts.settings.drain_seconds), hurry.wait())
            await close(0)
            server.should_exit = True
            await serving


async def first_of(*waits: object) -> None:
    """Return when one of these is done; the others are cancelled."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]  # type: ignore[call-overload]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Server(uvicorn.Server):
    """uvicorn without its own signal handling: ours lets answers finish before connections are closed."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.up = asyncio.Event()
        """Set once connections can be served."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say when it is done."""
        await super().startup(sockets)
        self.up.set()

    async def take(self, connection: socket.socket) -> None:
        """Serve a connection that another process has accepted, as one of our own; once we are `up`."""
        loop = asyncio.get_running_loop()

        def protocol() -> asyncio.Protocol:
            made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
                config=self.config, server_state=self.server_state, app_state=self.lifespan.state, _loop=loop
            )
            return made

        await loop.connect_accepted_socket(protocol, connection)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `signals`."""
        yield


def server_config(app: object) -> uvicorn.Config:
    """How connections are served."""
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http="httptools",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws_max_size=8_000_000,
        timeout_graceful_shutdown=CLOSE_SECONDS,
    )


@contextlib.contextmanager
def signals(stopping: asyncio.Event) -> Iterator[asyncio.Event]:
    """Set `stopping` at the first SIGTERM or SIGINT, and the event given back at the second."""
    hurry = asyncio.Event()
    loop = asyncio.get_running_loop()

    def heard(*_: object) -> None:
        (hurry if stopping.is_set() else stopping).set()

    if sys.platform == "win32":
        previous = {each: signal.signal(each, lambda *_: loop.call_soon_threadsafe(heard)) for each in SIGNALS}
        try:
            yield hurry
        finally:
            for each, handler in previous.items():
                signal.signal(each, handler)
    else:
        for each in SIGNALS:
            loop.add_signal_handler(each, heard)
        try:
            yield hurry
        finally:
            for each in SIGNALS:
                loop.remove_signal_handler(each)


SIGNALS = (signal.SIGTERM, signal.SIGINT)


async def tell_when_ready(parts: Parts, url: str, announce: Callable[[str], None]) -> None:
    """Say once that a model can answer, or why none can, and open the page."""
    entry = f"open {url}" if parts.page else f"clients use {url}/v1"
    if parts.settings.open and can_open_browser():
        await asyncio.to_thread(webbrowser.open, url)
    answering, engines = parts.answering, parts.engines
    choice = answering.library.in_use if answering else None
    if answering is None or choice is None or (reason := answering.why_not(choice)):
        reason = reason if answering and choice else HOW_TO_GET_IT
        if answering and answering.elsewhere:
            announce(f"Ready: {entry}; nothing on this device can answer: {reason}")
        else:
            announce(f"{url} is there, but no model can answer: {reason}")
        return
    if answering.library.missing:
        announce(f"{answering.library.missing} is not on this machine; {choice.model} answers meanwhile.")
    if choice.backend in KINDS:
        announce(f"Ready: {entry} ({choice} answers)")
        return
    assert engines, "whoever tells has the engines"
    async for status in engines.engine(choice.model).changes():
        if status.state is EngineState.READY:
            announce(f"Ready: {entry}")
            return
        if status.state is EngineState.FAILED:
            announce(f"{url} is there, but no model can answer: {status.last_error}")


def can_open_browser() -> bool:
    """Whether there is a screen: without one, Python would start a text browser in our terminal."""
    return sys.platform in ("win32", "darwin") or bool(environ.get("DISPLAY") or environ.get("WAYLAND_DISPLAY"))
