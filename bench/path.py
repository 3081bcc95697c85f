"""What Homeward itself costs of an answer: its whole path, but the page and the model.

A loopback server in a process of its own sends the same answer of 100 pieces at once, so that what is left is our
work. Asked through the HTTP client alone, through `Backend`, and through `Completer` (findings, facts, decision, walk,
receipt) as a backend of this device and as a cloud, which adds the audit log with its `fsync`.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from bench.completers import completing
from homeward.backends import Backend, BackendRow, Connections, fixed
from homeward.completion import Completer
from homeward.protocol.address import Address
from homeward.protocol.chat import ChatRequest, Message
from homeward.protocol.place import Place
from homeward.routing import BackendView

SENTENCE = "The meeting of the group that plans the new library is moved to the second Tuesday of next month. "
REQUEST = ChatRequest(messages=(Message("user", (SENTENCE * 110)[:10_000]), Message("user", "Why is that?")))
SERVER = """
import asyncio, json
chunk = lambda delta, end=None: "data: " + json.dumps({"choices": [{"index": 0, "delta": delta, "finish_reason": end}]})
body = "\\n\\n".join([*(chunk({"content": " word"}) for _ in range(100)), chunk({}, "stop"), "data: [DONE]", ""])
head = f"HTTP/1.1 200 OK\\r\\nContent-Type: text/event-stream\\r\\nContent-Length: {len(body)}\\r\\n\\r\\n"
async def serve(reader, writer):
    while True:
        try:
            asked = await reader.readuntil(b"\\r\\n\\r\\n")
        except asyncio.IncompleteReadError:
            return
        length = next(int(line[16:]) for line in asked.lower().split(b"\\r\\n") if line.startswith(b"content-length: "))
        await reader.readexactly(length)
        writer.write((head + body).encode())
        await writer.drain()
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**20)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"""

Ask = Callable[[], Awaitable[None]]


async def costs(ask: Ask, times: int) -> tuple[float, float]:
    """Milliseconds of one answer: of the processor in this process, and of the clock; medians of five rounds."""
    await ask()
    rounds = []
    for _ in range(5):
        cpu, clock = time.process_time(), time.perf_counter()
        for _ in range(times):
            await ask()
        rounds.append(((time.process_time() - cpu) / times, (time.perf_counter() - clock) / times))
    return statistics.median(r[0] for r in rounds) * 1000, statistics.median(r[1] for r in rounds) * 1000


async def measure(times: int) -> None:
    """Print the table."""
    server = await asyncio.create_subprocess_exec(sys.executable, "-c", SERVER, stdout=subprocess.PIPE)
    assert server.stdout is not None
    try:
        url = f"http://127.0.0.1:{int(await server.stdout.readline())}/v1"
        async with Connections() as connections:
            await compare(url, connections, times)
    finally:
        server.terminate()
        await server.wait()


async def compare(url: str, connections: Connections, times: int) -> None:
    """All ways to the same answer."""
    body = json.dumps({"messages": [{"role": m.role, "content": m.content} for m in REQUEST.messages]}).encode()

    async def client_alone() -> None:
        async with session.post(f"{url}/chat/completions", data=body) as answer:
            await answer.read()

    async def backend_alone() -> None:
        async with backends["device"].open_stream(REQUEST) as stream:
            async for _ in stream:
                pass

    def whole_path(completer: Completer, backend: str) -> Ask:
        async def ask() -> None:
            answer = await completer.complete(REQUEST)
            async for _ in answer.events():
                pass
            assert answer.receipt.backend == backend, answer.error

        return ask

    address = Address(url=url, model="bench")
    places = {"device": Place.DEVICE, "cloud": Place.CLOUD}
    backends = {
        name: Backend(BackendRow(name=name, place=place), fixed(address), connections) for name, place in places.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        home = (BackendView(name="device", place=Place.DEVICE),)
        away = (BackendView(name="cloud", place=Place.CLOUD, consented=True),)
        async with (
            aiohttp.ClientSession() as session,
            completing(backends, home, Path(folder)) as at_home,
            completing(backends, away, Path(folder)) as in_cloud,
        ):
            ways = {
                "HTTP client alone": client_alone,
                "Backend": backend_alone,
                "whole path, this device": whole_path(at_home, "device"),
                "whole path, cloud": whole_path(in_cloud, "cloud"),
            }
            results = {name: await costs(ask, times) for name, ask in ways.items()}
    base = results["Backend"]
    print(f"| {'way to 100 pieces':24} | processor ms | clock ms | beyond Backend, clock ms |")
    print("|:-------------------------|-------------:|---------:|-------------------------:|")
    for name, (cpu, clock) in results.items():
        print(f"| {name:24} | {cpu:12.2f} | {clock:8.2f} | {clock - base[1]:24.2f} |")
