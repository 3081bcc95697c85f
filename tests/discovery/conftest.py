"""A machine on which nothing runs: dead ports, an empty home, no `foundry` command."""

import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec
import pytest

from homeward.discovery import Discovery, NotFound, Rules, discover

Environment = dict[str, str]
Install = Callable[[str], None]


@pytest.fixture
def rules() -> Iterator[Rules]:
    """Ports that are taken, so that nobody else gets them, but on which nobody listens."""
    sockets = [socket.socket() for _ in range(4)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    yield Rules(
        ollama_port=ports[0],
        lm_studio_port=ports[1],
        llama_server_port=ports[2],
        vllm_port=ports[3],
        answer_seconds=30,
        catalogue_seconds=60,
        command_seconds=60,
    )
    for each in sockets:
        each.close()


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    """Of a user who has nothing."""
    home, programs = tmp_path / "home", tmp_path / "bin"
    home.mkdir()
    programs.mkdir()
    return {"HOME": str(home), "PATH": str(programs)}


@pytest.fixture
def install_foundry(environment: Environment) -> Install:
    """Installs a `foundry` command with this shell script as its body; `$*` are its arguments."""

    def install(body: str) -> None:
        program = Path(environment["PATH"]) / "foundry"
        program.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        program.chmod(0o755)

    return install


@pytest.fixture
def write_daemon_file(environment: Environment) -> Install:
    """Writes `~/.foundry/daemon.json`."""

    def write(content: str) -> None:
        folder = Path(environment["HOME"]) / ".foundry"
        folder.mkdir()
        (folder / "daemon.json").write_text(content, encoding="utf-8")

    return write


def on(rules: Rules, **ports: int) -> Rules:
    """The rules with other ports."""
    return msgspec.structs.replace(rules, **ports)


def reasons(missing: Discovery | tuple[NotFound, ...]) -> dict[str, list[str]]:
    """Why not, by kind."""
    by_kind: dict[str, list[str]] = {}
    for each in missing.missing if isinstance(missing, Discovery) else missing:
        by_kind.setdefault(each.kind, []).append(each.reason)
    return by_kind


async def at(url: str, rules: Rules, environment: Mapping[str, str], api_key: str = "") -> Discovery:
    """A search with an address of the user's."""
    return await discover(base_url=url, api_key=api_key, environment=environment, rules=rules)
