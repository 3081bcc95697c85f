"""Where Foundry Local may listen: its port is another one after each start, so it has to be asked for.

The server of CLI 0.10 and later leaves its address in `~/.foundry/daemon.json`, and that file behind when it
ends. Otherwise the user's own `foundry` command tells: `server status` since CLI 0.10, `service status` up to
0.8. Both only look; `foundry service list` would start a service. What is learned here is a hint that has to be
confirmed: the file may be old, and the command says "running" of what is dead and the reverse.
"""

import asyncio
import contextlib
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from homeward.discovery.found import Kind
from homeward.discovery.loopback import Refused, Root, loopback_root

OUTPUT_LIMIT_BYTES = 256 * 1024
"""As much of the command's output, or of its file, as is read."""

_SERVICE_URL = re.compile(r"http://[\w.-]+:\d+", re.ASCII)
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASS|CREDENTIAL", re.IGNORECASE)
_MOST_ATTEMPTS = 20
"""At finding the JSON among other lines."""


class Clue(msgspec.Struct, frozen=True):
    """A place where Foundry may listen, or why this source knows none."""

    kind: Kind
    source: str
    address: Root | Refused


class _Daemon(msgspec.Struct, frozen=True):
    web_urls: list[str] = []


class _Status(msgspec.Struct, frozen=True):
    web_urls: list[str] = msgspec.field(name="webUrls")


async def foundry_clues(environment: Mapping[str, str], *, command_seconds: float) -> AsyncGenerator[Clue, None]:
    """One clue after the other; stop iterating once one is confirmed, for the later ones run a command.

    `environment` says where the user's home and programs are. Each command may take `command_seconds`.
    """
    file = await asyncio.to_thread(_daemon_file, environment)
    if file is not None:
        yield Clue("foundry-server", "~/.foundry/daemon.json", address_in_daemon_file(file))
    program = await asyncio.to_thread(installed_command, environment)
    if program is None:
        yield Clue("foundry-server", "the foundry command", Refused("The foundry command is not installed."))
        return
    for kind, arguments, address_in in _QUESTIONS:
        source = f"foundry {arguments[0]} status"
        try:
            output = await output_of([program, *arguments], environment, seconds=command_seconds)
        except TimeoutError:
            late = f"The foundry command did not answer within {command_seconds:g} s."
            yield Clue(kind, source, Refused(late))
            return
        except OSError:
            yield Clue(kind, source, Refused("The foundry command is installed, but could not be run."))
            return
        yield Clue(kind, source, address_in(output))


def installed_command(environment: Mapping[str, str]) -> str | None:
    """The path of the user's `foundry`; None where there is none."""
    program = shutil.which("foundry", path=environment.get("PATH", ""))
    # Windows looks into the working directory first: a program that lies there is nobody's choice.
    return program if program is not None and Path(program).is_absolute() else None


def address_in_daemon_file(content: bytes) -> Root | Refused:
    """The server's address in the file that it wrote."""
    source = "~/.foundry/daemon.json"
    try:
        urls = msgspec.json.decode(content, type=_Daemon).web_urls
    except (ValueError, RecursionError):
        return Refused(f"The file {source} is not understood.")
    return _first_of(urls, f"The file {source}")


def address_in_server_status(output: str) -> Root | Refused:
    """The address in what `foundry server status -o json` prints: JSON, often with other lines around it."""
    decoder = json.JSONDecoder()
    for brace in itertools.islice(re.finditer(r"\{", output), _MOST_ATTEMPTS):
        try:
            value, _ = decoder.raw_decode(output, brace.start())
            status = msgspec.convert(value, _Status)
        except (ValueError, RecursionError):
            continue
        return _first_of(status.web_urls, "“foundry server status”")
    return Refused("“foundry server status” names no running server.")


def address_in_service_status(output: str) -> Root | Refused:
    """The address in what `foundry service status` prints, or complains about."""
    match = _SERVICE_URL.search(output)
    return _first_of([match[0]] if match else [], "“foundry service status”")


_QUESTIONS: Final[tuple[tuple[Kind, tuple[str, ...], Callable[[str], Root | Refused]], ...]] = (
    ("foundry-server", ("server", "status", "-o", "json"), address_in_server_status),
    ("foundry-service", ("service", "status"), address_in_service_status),
)


async def output_of(command: Sequence[str], environment: Mapping[str, str], *, seconds: float) -> str:
    """The beginning of what a command prints, whatever its exit status.

    Raises:
        TimeoutError: it was still running after `seconds`, and has been killed.
        OSError: it cannot be run.
    """
    # A file, for a process that was started on the way and holds a pipe open would be waited for.
    with tempfile.TemporaryFile() as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
            env=_environment_for_command(environment),
            process_group=0,
        )
        try:
            async with asyncio.timeout(seconds):
                await process.wait()
        finally:
            if process.returncode is None:
                _kill(process)
                await process.wait()
        output.seek(0)
        return output.read(OUTPUT_LIMIT_BYTES).decode("utf-8", errors="replace")


def _first_of(urls: Sequence[str], source: str) -> Root | Refused:
    roots = [loopback_root(url) for url in urls]
    for root in roots:
        if isinstance(root, Root):
            return root
    if roots:
        return Refused(f"{source} names an address that is not on this machine, so it is not used.")
    return Refused(f"{source} names no running server.")


def _daemon_file(environment: Mapping[str, str]) -> bytes | None:
    home = environment.get("USERPROFILE") or environment.get("HOME")
    if not home:
        return None
    try:
        with (Path(home) / ".foundry" / "daemon.json").open("rb") as file:
            return file.read(OUTPUT_LIMIT_BYTES)
    except OSError:
        return None


def _environment_for_command(environment: Mapping[str, str]) -> dict[str, str]:
    """All but what may be a secret; and word to Foundry's runtime that a status is no reason to report home."""
    shared = {name: value for name, value in environment.items() if not _SECRET.search(name)}
    return {**shared, "CI": "true", "ORT_TELEMETRY_DISABLED": "1"}


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        if sys.platform == "win32":
            process.kill()
        else:
            os.killpg(process.pid, signal.SIGKILL)
