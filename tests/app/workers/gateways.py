"""A gateway with workers as its user starts it, and clients that know which worker serves them."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import psutil

from homeward.app import consents
from homeward.app.consents import Consent

SECONDS = 60.0
"""For what must happen at all; no test measures how soon."""
QUEUED = {"X-Homeward-Client": "open-webui", "X-Task": ""}
"""Whoever says so is told while it waits in line."""

CONFIGURATION = """
[llama]
enabled = {llama}
[foundry]
enabled = false
[models]
discover = false
[history]
enabled = {history}
[policy]
preset = "{preset}"
places = ["cloud", "device"]
[budget]
{budget}
{cloud}
"""
CLOUD = """
[clouds.up]
url = "{url}"
model = "m"
auth = "none"
input_price = 0.0
output_price = 1_000_000.0
at_a_time = {at_a_time}
"""


class Reply:
    """The head of an answer, whose body comes still."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self._response = response

    async def until(self, text: str) -> str:
        """Its body up to the event that holds this."""
        came = ""
        async with asyncio.timeout(SECONDS):
            while text not in came:
                came += (await self._response.content.readuntil(b"\n\n")).decode()
        return came

    def leave(self) -> None:
        """Go, however far it is."""
        self._response.close()

    async def rest(self) -> str:
        """All that comes still."""
        async with asyncio.timeout(SECONDS):
            return (await self._response.read()).decode()


class Client:
    """One connection, kept open; and the worker at its other end."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._socket = socket.socket()
        connector = aiohttp.TCPConnector(limit=1, socket_factory=self._only_socket)
        self._session = aiohttp.ClientSession(connector=connector)
        self.worker = 0
        self._replies: list[Reply] = []

    async def connect(self) -> "Client":
        """Find out who serves it."""
        assert (await self.get("/healthz"))[0] == 200
        await asyncio.to_thread(self._look, self._socket.getsockname()[1])
        return self

    async def close(self) -> None:
        """Leave, whatever is on its way."""
        for reply in self._replies:
            reply.leave()
        await self._session.close()

    def _only_socket(self, _address: object) -> socket.socket:
        """The one connection: where it is closed, there is no other."""
        self._socket.setblocking(False)
        return self._socket

    def _look(self, own_port: int) -> None:
        [self.worker] = {
            each.pid
            for each in psutil.net_connections("tcp")
            if each.laddr and each.raddr and (each.laddr.port, each.raddr.port) == (self._port, own_port) and each.pid
        }

    async def open(self, headers: dict[str, str] | None = None, **body: Any) -> Reply:
        """Ask; what comes back as soon as its head is there."""
        whole = {"model": "homeward", "messages": [{"role": "user", "content": "Tell me a story."}], **body}
        url = f"http://127.0.0.1:{self._port}/v1/chat/completions"
        self._replies.append(Reply(await self._session.post(url, json=whole, headers=headers)))
        return self._replies[-1]

    async def ask(self, headers: dict[str, str] | None = None, **body: Any) -> tuple[int, str]:
        """Status and body of a whole answer."""
        reply = await self.open(headers, **body)
        return reply.status, await reply.rest()

    async def get(self, path: str) -> tuple[int, str]:
        """Status and body."""
        async with self._session.get(f"http://127.0.0.1:{self._port}{path}") as response:
            return response.status, await response.text()


class Gateway:
    """One that runs."""

    def __init__(self, process: asyncio.subprocess.Process, data: Path, log: Path) -> None:
        self.process = process
        self.data = data
        self.port = 0
        self._log = log
        self._clients = AsyncExitStack()

    async def line(self, beginning: str) -> str:
        """The next line on the terminal that begins so."""
        assert self.process.stdout is not None
        async with asyncio.timeout(SECONDS):
            async for line in self.process.stdout:
                if line.decode().startswith(beginning):
                    return line.decode()
        raise AssertionError(f"it said no more:\n{self.log()}")

    def log(self) -> str:
        """What it wrote on standard error, with its workers."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def children(self, module: str = "homeward.app.workers") -> list[psutil.Process]:
        """The processes that it started and that run this."""
        return [child for child in psutil.Process(self.process.pid).children() if module in child.cmdline()]

    async def client(self) -> Client:
        """A new one; connections are dealt out in turn, so the next one has another worker."""
        client = Client(self.port)
        self._clients.push_async_callback(client.close)
        return await client.connect()

    async def two(self) -> tuple[Client, Client]:
        """Clients of different workers."""
        first, second = await self.client(), await self.client()
        assert first.worker != second.worker
        return first, second

    def signal(self, number: int) -> None:
        """To the keeper alone."""
        self.process.send_signal(number)

    async def close(self) -> None:
        """Whatever state it is in."""
        await self._clients.aclose()
        workers = self.children() if self.process.returncode is None else []
        if self.process.returncode is None:
            self.signal(signal.SIGTERM)
        async with asyncio.timeout(SECONDS):
            await self.process.wait()
        await until(lambda: not any(map(runs, workers)))


def runs(process: psutil.Process) -> bool:
    """Whether it has not ended; nobody may be there to reap it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


async def until(holds: Callable[[], bool | Awaitable[bool]]) -> None:
    """Wait until this is so, in other processes."""
    async with asyncio.timeout(SECONDS):
        while True:
            now = holds()
            if now if isinstance(now, bool) else await now:
                return
            await asyncio.sleep(0.02)


@asynccontextmanager
async def gateway(
    folder: Path,
    *,
    upstream: str = "",
    at_a_time: int = 8,
    budget: str = "",
    history: bool = False,
    workers: int = 2,
    **environment: str,
) -> AsyncIterator[Gateway]:
    """One with this cloud, to which the user has agreed; without one, with the engine of this machine. All are up."""
    data = folder / "data"
    consents.store(data / consents.FILE, {"up": Consent("127.0.0.1", datetime.now(UTC))})
    file = folder / "homeward.toml"
    file.write_text(
        CONFIGURATION.format(
            llama=str(not upstream).lower(),
            history=str(history).lower(),
            preset="cloud-first" if upstream else "local-only",
            budget=budget,
            cloud=CLOUD.format(url=upstream, at_a_time=at_a_time) if upstream else "",
        )
    )
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOMEWARD_")}
    log = folder / "stderr"
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "homeward", "gateway", "--workers", str(workers), "--port", "0"),
            *("--config", str(file), "--data-dir", str(data)),
            env={**inherited, **environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
        )
    started = Gateway(process, data, log)
    try:
        started.port = int((await started.line("Homeward is starting")).rpartition(":")[2])
        await started.line("Ready")
        yield started
    finally:
        await started.close()
