"""The life of `homeward open-webui`: Homeward found or started, Open WebUI installed, started, ended."""

import os
import signal
import socket
import sys
import time
import webbrowser
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from filelock import FileLock, Timeout

from homeward.app.listen import free_port, holder
from homeward.app.open_webui.asking import check_access, running_homeward, status_of
from homeward.app.open_webui.docker import Container, container
from homeward.app.open_webui.install import VERSION, Home, Show, install, is_installed
from homeward.app.open_webui.process import Child
from homeward.app.open_webui.profile import LOOPBACK_NAMES, Wiring, origins, profile
from homeward.config import Settings
from homeward.engines.recipe import INHERITED_ENVIRONMENT
from homeward.protocol.errors import ConfigError, EngineError, EngineStartError

GATEWAY_START_SECONDS = 120
START_SECONDS = 600
"""On a small busy machine it takes minutes; what has ended is noticed at once."""
GRACE_SECONDS = 10
LOOK_SECONDS = 0.25
OF_OTHER_PYTHONS = {"PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV"}


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    port: int
    titles: bool
    config: Path | None


def run(settings: Settings, wish: Wish, announce: Callable[[str], None], show: Show) -> None:
    """Serve until SIGTERM or Ctrl+C, and leave no process behind.

    Raises ConfigError, EngineError: it can't be installed or started, or ended by itself.
    """
    home = Home(settings.data_dir / "open-webui")
    with held(home), interrupted_by_sigterm(), ExitStack() as children:
        try:
            check_port(wish.port)
            gateway = running_homeward(settings.data_dir)
            if gateway:
                check_access(gateway, key_of(settings))
            if not is_installed(home):
                announce(INSTALLING)
                install(home, show)
            running = {}
            if not gateway:
                announce("No Homeward runs on this data folder yet: starting its gateway.")
                running["Homeward's gateway"] = start_gateway(settings, wish.config, home, children)
                gateway = gateway_url(running["Homeward's gateway"], settings, home)
                check_access(gateway, key_of(settings))
            announce(f"Homeward answers at {gateway}. Open WebUI is starting; this takes up to a minute.")
            running["Open WebUI"] = start_open_webui(gateway, settings, wish, home, children)
            url = origins(wish.port)[0]
            wait_until_healthy(running["Open WebUI"], url, home)
            announce(f"Ready: open {url} (Ctrl+C ends it)")
            if settings.open:
                open_page(url)
            watch(running, home)
        except KeyboardInterrupt:
            announce("Open WebUI is ending.")


def prepare_container(settings: Settings, wish: Wish, *, platform: str) -> Container:
    """Write the settings of a container, and say how to run it. Raises ConfigError: they can't be written."""
    gateway = running_homeward(settings.data_dir) or f"http://127.0.0.1:{settings.port}"
    home = Home(settings.data_dir / "open-webui")
    wiring = Wiring(gateway=gateway, page_gateway=gateway, key=key_of(settings), port=wish.port, titles=wish.titles)
    prepared = container(wiring, urlsplit(gateway).port or 80, home.container_settings, platform=platform)
    try:
        make_folders(home)
        home.container_settings.write_text(prepared.settings, encoding="utf-8")
    except OSError as error:
        raise unwritable(home, error) from error
    return prepared


INSTALLING = (
    f"Open WebUI {VERSION} is being installed, once: about 300 MB come from PyPI and take 1 GB of the disk. "
    "This takes one to five minutes. It is a program of its own, under the Open WebUI License."
)


@contextmanager
def held(home: Home) -> Iterator[None]:
    """Keep the folder for this process.

    Raises ConfigError: another one has it, or it can't be written.
    """
    lock = FileLock(home.root / "lock")
    try:
        make_folders(home)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ConfigError(
            "Open WebUI is being installed or runs already on this data folder.",
            next_step="Use that one, or choose another folder with --data-dir.",
        ) from error
    except OSError as error:
        raise unwritable(home, error) from error
    try:
        yield
    finally:
        lock.release()


def make_folders(home: Home) -> None:
    """For this user's eyes only. Raises OSError."""
    home.root.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    home.data.mkdir(mode=0o700, parents=True, exist_ok=True)


def unwritable(home: Home, error: OSError) -> ConfigError:
    """What to say where nothing can be kept."""
    return ConfigError(
        f"The folder {home.root} can't be written: {error.strerror}.",
        next_step="Choose another data folder with --data-dir.",
    )


@contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """Let SIGTERM do what Ctrl+C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def check_port(port: int) -> None:
    """Raises ConfigError: somebody listens there. Asked before minutes are spent."""
    with socket.socket() as probe:
        if sys.platform != "win32":  # there it would let two programs share the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise ConfigError(
                f"Port {port} is taken{holder(port)}.",
                next_step=f"Start with a free one: homeward open-webui --port {free_port('127.0.0.1')}",
            ) from error


def start_gateway(settings: Settings, config: Path | None, home: Home, children: ExitStack) -> Child:
    """A `homeward gateway` with the same settings. Raises EngineStartError."""
    command = ["homeward", "gateway", "--data-dir", str(settings.data_dir)]
    command += ["--config", str(config.absolute())] if config else []
    child = started(Path(sys.executable), command, os.environ, home.root, home.gateway_log)
    children.callback(child.end, settings.drain_seconds + GRACE_SECONDS)
    return child


def gateway_url(child: Child, settings: Settings, home: Home) -> str:
    """Where it answers, once it does. Raises EngineStartError."""
    for _ in looks(GATEWAY_START_SECONDS):
        if url := running_homeward(settings.data_dir):
            return url
        if not child.runs:
            break
    raise EngineStartError(
        f"Homeward's gateway did not start: {last_line(home.gateway_log)}", next_step=f"Its log: {home.gateway_log}"
    )


def start_open_webui(gateway: str, settings: Settings, wish: Wish, home: Home, children: ExitStack) -> Child:
    """Raises EngineStartError."""
    wiring = Wiring(gateway=gateway, page_gateway=gateway, key=key_of(settings), port=wish.port, titles=wish.titles)
    inherited = {name: os.environ[name] for name in INHERITED_ENVIRONMENT - OF_OTHER_PYTHONS if name in os.environ}
    environment = {**inherited, **profile(wiring), "DATA_DIR": str(home.data)}
    command = ["open-webui", "serve", "--host", "127.0.0.1", "--port", str(wish.port)]
    child = started(home.python, command, environment, home.data, home.log, hosts=LOOPBACK_NAMES)
    children.callback(child.end, GRACE_SECONDS)
    return child


def started(
    python: Path,
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    log: Path,
    hosts: Sequence[str] = (),
) -> Child:
    """A child with these (see Child). Raises EngineStartError."""
    try:
        return Child(python, command, environment=environment, folder=folder, log=log, hosts=hosts)
    except OSError as error:
        raise EngineStartError(f"{command[0]} can't be run: {error.strerror}.", detail=repr(error)) from error


def wait_until_healthy(child: Child, url: str, home: Home) -> None:
    """Raises EngineStartError: it ended, or takes too long."""
    for _ in looks(START_SECONDS):
        if status_of(url, "/health") == 200:
            return
        if not child.runs:
            raise EngineStartError("Open WebUI did not start.", next_step=f"Its log says why: {home.log}")
    raise EngineStartError(
        f"Open WebUI does not answer after {START_SECONDS // 60} minutes.", next_step=f"Its log: {home.log}"
    )


def watch(running: Mapping[str, Child], home: Home) -> None:
    """Wait for ever, or for one that ends by itself. Raises EngineError."""
    while True:
        for name, child in running.items():
            if not child.runs:
                raise EngineError(f"{name} ended by itself.", next_step=f"The logs are in {home.root}")
        time.sleep(LOOK_SECONDS)


def looks(seconds: float) -> Iterator[None]:
    """One turn for each look, until the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(LOOK_SECONDS)


def last_line(log: Path) -> str:
    """What a log ends with."""
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing.")


def key_of(settings: Settings) -> str:
    """With which we are let in to Homeward's API; empty where none was given."""
    return settings.gateway.api_key.get_secret_value()


def open_page(url: str) -> None:
    """In the user's browser, where there is a screen."""
    from homeward.app.serve import can_open_browser

    if can_open_browser():
        webbrowser.open(url)
