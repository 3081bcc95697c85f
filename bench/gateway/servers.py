"""A gateway as a process of its own: started, asked whether it is ready, measured from outside, ended."""

import contextlib
import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Set
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil

from bench.gateway.cores import on_cores

START_SECONDS = 120.0
STOP_SECONDS = 20.0
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "TEMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA")
"""What a gateway gets of our environment: no proxies, no keys, no settings."""


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """How a gateway is started and asked."""

    name: str
    command: Callable[[int], list[str]]
    """The command line for a port."""
    environment: Mapping[str, str] = {}
    ready_path: str
    """Answers with 200 as soon as the gateway can be used."""
    models: Mapping[str, str] = {}
    """What a client has to say to get the model of the upstream; without an entry, the same name."""
    key: str = "sk-bench"

    def model(self, upstream_model: str) -> str:
        """What a client has to say to get this model of the upstream."""
        return self.models.get(upstream_model, upstream_model)


class Server:
    """A gateway that runs."""

    def __init__(self, process: psutil.Process, port: int, ready_seconds: float) -> None:
        self.process = process
        self.port = port
        self.ready_seconds = ready_seconds
        """From its start to the first 200."""

    def processes(self) -> list[psutil.Process]:
        """Itself, and all that it started and that still run."""
        return [self.process, *self.process.children(recursive=True)]

    def cpu_seconds(self) -> float:
        """Processor time, user's and system's, of all its processes so far; children that ended included."""
        return sum(map(_cpu_seconds, self.processes()))

    def connections(self) -> list[int]:
        """How many clients each of its processes serves at the moment."""
        return [
            sum(each.laddr.port == self.port and each.status == psutil.CONN_ESTABLISHED for each in connections)
            for connections in (process.net_connections("tcp") for process in self.processes())
        ]

    def rss_megabytes(self) -> float:
        """Resident memory of all its processes; what they share counts for each."""
        return sum(process.memory_info().rss for process in self.processes()) / 1e6


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    # Not all systems tell of children.
    return sum(getattr(times, kind, 0.0) for kind in ("user", "system", "children_user", "children_system"))


@contextmanager
def upstream(on: Set[int]) -> Iterator[Server]:
    """The stub, on these cores."""
    command = [sys.executable, "-m", "bench.gateway.stub"]
    with on_cores(on):
        process = psutil.Popen(command, stdout=subprocess.PIPE, env=dict(os.environ))
    try:
        assert process.stdout is not None
        yield Server(process, int(process.stdout.readline()), 0.0)
    finally:
        _end(process)


@contextmanager
def running(gateway: Gateway, on: Set[int], folder: Path) -> Iterator[Server]:
    """A gateway on these cores, ready; its output goes to a file in `folder`. Raises RuntimeError: it did not start."""
    port = free_port()
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ} | dict(gateway.environment)
    log = folder / f"{gateway.name}.log"
    with log.open("ab") as output, on_cores(on):
        began = time.perf_counter()
        process = psutil.Popen(
            gateway.command(port), env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
        )
    try:
        _wait_until_ready(process, port, gateway.ready_path, log)
        yield Server(process, port, time.perf_counter() - began)
    finally:
        _end(process)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_ready(process: psutil.Popen, port: int, path: str, log: Path) -> None:
    until = time.perf_counter() + START_SECONDS
    while not _says_yes(port, path):
        if process.poll() is not None or time.perf_counter() > until:
            said = log.read_text(errors="replace")[-2000:]
            raise RuntimeError(f"{' '.join(map(str, process.args))} did not get ready:\n{said}")
        time.sleep(0.01)


def _says_yes(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _end(process: psutil.Popen) -> None:
    """End it and all that it started."""
    with contextlib.suppress(psutil.NoSuchProcess):
        children = process.children(recursive=True)
        process.terminate()
        for each in psutil.wait_procs([process, *children], STOP_SECONDS)[1]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
    process.wait()
