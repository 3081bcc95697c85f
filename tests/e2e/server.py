"""Homeward as its user starts it: a process of its own, on a free port, with a data folder of the test's."""

import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from uuid import uuid4

SECONDS = 300
"""For whatever it does; nothing here is about speed."""
ENVIRONMENT = {
    "HOMEWARD_CHAT_TEMPERATURE": "0",
    "HOMEWARD_CHAT_MAX_TOKENS": "400",
    "HOMEWARD_LLAMA_CONTEXT_TOKENS": "2048",
}


TRACES = os.environ.get("E2E_TRACES")
"""Where strace writes what each Homeward connects to, while `make test-offline` asks for it; then nothing may leave."""
if TRACES:
    ENVIRONMENT["HOMEWARD_POLICY_PRESET"] = "local-only"


def traced() -> list[str]:
    """What has strace watch the connections of what follows."""
    calls = "trace=connect,sendto,sendmsg,sendmmsg"
    return ["strace", "-D", "-f", "-qq", "-e", calls, "-o", f"{TRACES}/{uuid4()}.trace"] if TRACES else []


def free_port() -> int:
    """One that stays free until it is used: the system gives those from 32768 on to whoever asks for any."""
    while True:
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port := random.randrange(20_000, 30_000)))
            return port


class Server:
    """One running `homeward up`; stopped by whoever started it."""

    def __init__(self, data_dir: Path, *, port: int | None = None, **environment: str) -> None:
        self.data_dir = data_dir
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data_dir.parent / f"{data_dir.name}-{self.port}.log"
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("HOMEWARD_")}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*traced(), sys.executable, "-m", "homeward", "up", "--no-open", "--port", str(self.port),
                 "--data-dir", str(data_dir)],
                env={**inherited, **ENVIRONMENT, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """Status and body; status 0 where nobody answers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path, headers=dict(headers or {}))
            answer = connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            return 0, b""
        finally:
            connection.close()

    def wait_until_ready(self) -> "Server":
        """Raises RuntimeError with the log where it ends or does not get ready in time."""
        self.wait_until(lambda: self.get("/readyz")[0] == 200)
        return self

    def wait_until_alive(self) -> "Server":
        """The same, where no model of its own will ever be ready."""
        self.wait_until(lambda: self.get("/healthz")[0] == 200)
        return self

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Ask again and again. Raises RuntimeError with the log where it ends before, or it does not hold in time."""
        deadline = time.monotonic() + SECONDS
        while not holds():
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"In vain; Homeward's log:\n{self.text()}")
            time.sleep(0.1)

    def engine_pid(self) -> int:
        """The process id of the engine's child."""
        for line in reversed(self.text().splitlines()):
            if "engine.ready" in line or '"engine.ready"' in line:
                return int(line.partition("pid=")[2].split()[0])
        raise AssertionError(self.text())

    def text(self) -> str:
        """What it wrote to the terminal."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def terminate(self) -> int:
        """SIGTERM; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS)

    def kill(self) -> None:
        """SIGKILL: no chance to write anything."""
        self.process.kill()
        self.process.wait(SECONDS)

    def close(self) -> None:
        """Whatever state it is in."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()

    def readiness(self) -> dict[str, object]:
        """What `/readyz` says."""
        answer: dict[str, object] = json.loads(self.get("/readyz")[1])
        return answer


@contextlib.contextmanager
def running(data_dir: Path, port: int | None = None, /, **environment: str) -> Iterator[Server]:
    """A Homeward that can answer, until the end of the block."""
    server = Server(data_dir, port=port, **environment)
    try:
        yield server.wait_until_ready()
    finally:
        server.close()
