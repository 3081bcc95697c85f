"""A real server on loopback, as Homeward runs it, and requests to it as bytes: no client's good manners in between."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import msgspec
from starlette.types import ASGIApp

from homeward.app.serve import Server, server_config


class Answer(msgspec.Struct, frozen=True):
    """What came back."""

    status: int
    headers: dict[str, str]
    """By lower-case name; of doubled ones the last."""
    body: bytes


class Site(msgspec.Struct, frozen=True):
    """Where it listens."""

    port: int

    @property
    def host(self) -> str:
        """What a well-behaved client sends as Host."""
        return f"127.0.0.1:{self.port}"

    async def send(self, raw: bytes) -> Answer:
        """Send bytes on a connection of their own, and read the answer to its end."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(raw)
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.strip().split("\r\n")
            headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            return Answer(int(first.split()[1]), headers, body)
        finally:
            writer.close()

    async def ask(self, method: str, path: str, *lines: str, host: str | None = None, body: bytes = b"") -> Answer:
        """A request with these header lines; `{host}` stands for its own address, and `host` for another one."""
        head = [f"{method} {path} HTTP/1.1", f"Host: {self.host if host is None else host}", *lines]
        if body:
            head.append(f"Content-Length: {len(body)}")
        return await self.send("\r\n".join([*head, "", ""]).encode("latin-1") + body)


@asynccontextmanager
async def serving(make: Callable[[int], ASGIApp]) -> AsyncIterator[Site]:
    """Serve what is made for a port until the end."""
    with socket.create_server(("127.0.0.1", 0)) as sock:  # listens already, so nobody has to wait for the server
        port = int(sock.getsockname()[1])
        server = Server(server_config(make(port)))
        task = asyncio.create_task(server.serve(sockets=[sock]))
        try:
            yield Site(port)
        finally:
            server.should_exit = True
            await task
