"""The real `homeward gateway` as a process, over the starter model and clouds that each behave as their model says."""

import asyncio
import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread
from typing import Any

from openai import OpenAI

from homeward.app import consents
from homeward.app.clouds import own_variable
from homeward.app.consents import Consent
from homeward.history import History
from homeward.protocol.embeddings import MODEL as EMBEDDING_MODEL
from homeward.protocol.responses import StoredResponse
from tests.backends.fake_upstream import FakeUpstream, serving

START_SECONDS = 120.0
STARTER = "llama/SmolLM2-135M-Instruct"
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT", "TEMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA")
"""What the process gets of our environment: no keys and no settings."""

NEARBY = "nearby"
"""One that is a machine of the user's own network."""

CLOUDS = {
    "steady": "ok",
    NEARBY: "ok",
    "tools": "calls",
    "likely": "logprobs",
    "thinker": "thinking-reasoning_content",
    "slow": "ok-slow",
    "endless": "never-ends",
    "silent": "no-first-token-silence",
    "broken": "half-event-rst",
    "echo": "echo",
    "body": "body",
    "busy": "429-after-1",
    "down": "status-503",
    "busy-too": "429-after-2",
    "down-too": "status-502",
    "faulty": "status-500",
}
"""Clouds of the configuration, and the behaviour of the upstream that each gets as its model."""

ALIASES = {
    "gpt-6-astra": "steady/ok",
    "gpt-4o": "steady/ok",
    "gpt-4o-mini": STARTER,
    "gpt-3.5-turbo-instruct": "steady/ok",
    "text-embedding-3-small": EMBEDDING_MODEL,
}
"""What OpenAI's tests and everybody's examples ask for."""

STORED = ("resp_677efb5139a88190b512bc3fef8e535d", "response_id")
"""Responses that OpenAI's tests believe to be there, with an item called `after`."""


@contextmanager
def upstream() -> Iterator[tuple[FakeUpstream, asyncio.AbstractEventLoop]]:
    """One in a thread of its own, on this loop; its counters can be read from any other thread."""
    began: Future[tuple[FakeUpstream, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def serve() -> None:
        async with serving() as upstream:
            ending = asyncio.Event()
            began.set_result((upstream, asyncio.get_running_loop(), ending))
            await ending.wait()

    thread = Thread(target=asyncio.run, args=(serve(),), name="upstream")
    thread.start()
    running, loop, ending = began.result(timeout=10)
    try:
        yield running, loop
    finally:
        loop.call_soon_threadsafe(ending.set)
        thread.join()


@dataclass
class House:
    """One that runs."""

    url: str
    """Its root, without `/v1`."""
    upstream: FakeUpstream
    _on_upstream: asyncio.AbstractEventLoop
    """Where it runs."""

    def upstream_is_quiet(self) -> None:
        """Waits until it answers nobody any more."""
        asyncio.run_coroutine_threadsafe(self.upstream.quiet(10), self._on_upstream).result(12)

    @property
    def base_url(self) -> str:
        """What OpenAI's clients are given."""
        return f"{self.url}/v1"

    def ask(self, path: str, **body: Any) -> tuple[int, bytes]:
        """Status and bytes of what comes back for a JSON body; for none, of a GET."""
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(f"{self.base_url}/{path}", data, {"content-type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return int(answer.status), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def client(self, **options: Any) -> OpenAI:
        """The official client, which checks all that it is sent."""
        given = {"max_retries": 0, "api_key": "any", "_strict_response_validation": True, **options}
        return OpenAI(base_url=self.base_url, **given)


@contextmanager
def house(folder: Path, stored: Sequence[str] = STORED) -> Iterator[House]:
    """Serves one until the end; `folder` keeps its configuration, its data and its log."""
    with upstream() as (asked, loop):
        data = folder / "data"
        data.mkdir(parents=True)
        asyncio.run(keep_responses(data / "history.db", stored))
        consents.store(data / consents.FILE, dict.fromkeys(CLOUDS, Consent("127.0.0.1", datetime.now(UTC))))
        file = folder / "homeward.toml"
        file.write_text(configuration(asked.base_url), encoding="utf-8")
        with running(["--data-dir", str(data), "--config", str(file)], folder / "log") as url:
            yield House(url, asked, loop)


def configuration(upstream_url: str) -> str:
    """Everything goes where its model's name says; what names none, to the steady cloud."""
    clouds = "".join(
        f'[clouds.{name}]\nurl = "{upstream_url}"\nmodel = "{model}"\n'
        f'place = "{"network" if name == NEARBY else "cloud"}"\ntotal_seconds = 60\n'
        for name, model in CLOUDS.items()
    )
    aliases = "".join(f'"{alias}" = "{ours}"\n' for alias, ours in ALIASES.items())
    return (
        "[foundry]\nenabled = false\n[models]\ndiscover = false\n[llama]\ncontext_tokens = 512\n"
        '[policy]\npreset = "cloud-first"\nplaces = ["cloud", "device", "network"]\n'
        f"{clouds}[gateway.aliases]\n{aliases}"
    )


async def keep_responses(database: Path, ids: Sequence[str]) -> None:
    """Puts responses into a history as if they had been made. Whoever deletes one, finds it again the next time."""
    async with await History.open(database) as history:
        for each in ids:
            await history.responses.save(
                StoredResponse(
                    id=each,
                    owner="",
                    previous_id=None,
                    created_at=datetime.now(UTC),
                    stays_home=False,
                    input=STORED_INPUT,
                    body=STORED_BODY | {"id": each},
                )
            )
    with closing(sqlite3.connect(database)) as connection:
        columns = [column[1] for column in connection.execute("PRAGMA table_info(responses)")]
        row = ", ".join(f"OLD.{column}" for column in columns)
        kept = " OR ".join(f"OLD.id = '{each}'" for each in ids)
        connection.execute(
            f"CREATE TRIGGER kept AFTER DELETE ON responses WHEN {kept} "
            f"BEGIN INSERT INTO responses ({', '.join(columns)}) VALUES ({row}); END"
        )


TEXT = {"type": "input_text", "text": "Name a river."}
STORED_INPUT = [{"type": "message", "id": name, "role": "user", "content": [TEXT]} for name in ("after", "last")]
STORED_BODY = {
    "object": "response",
    "created_at": 1,
    "model": "steady/ok",
    "output": [],
    "parallel_tool_calls": True,
    "tool_choice": "auto",
    "tools": [],
    "status": "completed",
}


@contextmanager
def running(options: Sequence[str], log: Path) -> Iterator[str]:
    """`homeward gateway` on a free port, ready; its address."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
    environment |= {own_variable(name): "upstream" for name in CLOUDS}
    command = [sys.executable, "-m", "homeward", "gateway", "--port", str(port), *options]
    with log.open("ab") as output:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    try:
        wait_until_ready(process, url, log)
        yield url
    finally:
        end(process)


def end(process: "subprocess.Popen[bytes]") -> None:
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while not is_ready(url):
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"Homeward did not get ready:\n{log.read_text(errors='replace')[-4000:]}")
        time.sleep(0.1)


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:  # nobody listens yet, or a status that says so
        return False
