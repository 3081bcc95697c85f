"""What Foundry's file and command say about its address, whatever they say."""

import asyncio
import json
import os
from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeward.discovery import Refused, Root
from homeward.discovery.foundry_address import (
    Clue,
    address_in_daemon_file,
    address_in_server_status,
    address_in_service_status,
    foundry_clues,
    output_of,
)

from .conftest import Environment, Install

HERE = Root("127.0.0.1", 50084)
STATUS = {"running": True, "pid": 4711, "webUrls": ["http://127.0.0.1:50084"], "eps": {"cpu": "ready"}}


@pytest.mark.parametrize(
    "output",
    [
        json.dumps(STATUS),
        json.dumps(STATUS, indent=2),
        json.dumps({**STATUS, "running": False}),  # it is known to say so of a running server
        json.dumps({**STATUS, "webUrls": ["http://127.0.0.1:50084/", "http://127.0.0.1:50085"]}),
        json.dumps({**STATUS, "webUrls": ["http://192.168.1.5:80", "http://127.0.0.1:50084"]}),
        "⠋ Checking the server...\r\n⠙ Checking {0} of {1}\n" + json.dumps(STATUS, indent=2) + "\nDone {ok}\n",
        "\ufeff" + json.dumps(STATUS),
        "{}" + json.dumps(STATUS),
    ],
)
def test_the_new_commands_address(output: str) -> None:
    """Alone or among other lines; what it says about running is not believed."""
    assert address_in_server_status(output) == HERE


@pytest.mark.parametrize(
    "output",
    [
        "",
        "Unrecognized command or argument 'server'.",
        '{"running": false, "webUrls": []}',
        '{"running": false, "webUrls": null}',
        '{"running": true}',
        '{"webUrls": "http://127.0.0.1:50084"}',
        '{"webUrls": [50084]}',
        '{"webUrls": ["http://127.0.0.1:50084"',
        '{"webUrls": ["http://evil.example:50084"]}',
        '{"webUrls": ["http://127.0.0.1.evil.example:80", "http://localhost@evil.example/"]}',
        "{" * 200_000,
        '{"a":' * 200_000,
        "[" * 200_000 + "{",
    ],
)
def test_the_new_commands_other_words(output: str) -> None:
    """Not running, an older command, foreign hosts, garbage: no address, and a sentence."""
    refused = address_in_server_status(output)
    assert isinstance(refused, Refused)
    assert refused.reason.startswith("“foundry server status” names ")


@pytest.mark.parametrize(
    "output",
    [
        "🟢 Model management service is running on http://127.0.0.1:50084/openai/status\r\n",
        "🟢 Service is already running on http://127.0.0.1:50084/.\n",
        "Exception: Request to local service failed. Uri:http://127.0.0.1:50084/openai/status\nAn error occurred",
        "\ufffd\ufffd http://127.0.0.1:50084",
    ],
)
def test_the_old_commands_address(output: str) -> None:
    """The first one, in whatever sentence."""
    assert address_in_service_status(output) == HERE


@pytest.mark.parametrize(
    "output",
    [
        "",
        "🔴 Model management service is not running!\nTo start the service, run: foundry service start\n",
        "running on http://evil.example:80/ and http://127.0.0.1:50084/",
        "running on http://localhost@evil.example:80/",
        "running on http://127.0.0.1/",
    ],
)
def test_the_old_commands_other_words(output: str) -> None:
    """No address of this machine, a sentence."""
    assert isinstance(address_in_service_status(output), Refused)


@pytest.mark.parametrize(
    ("content", "known"),
    [
        (b'{"pid": 1, "web_urls": ["http://127.0.0.1:50084"], "daemon_version": "0.10.3"}', True),
        (b'{"pid": 1, "web_urls": []}', False),
        (b'{"web_urls": ["http://10.0.0.1:50084"]}', False),
        (b'{"port": 50084}', False),
        (b'{"web_urls": 1}', False),
        (b'{"web_ur', False),
        (b"\xff\xfe{\x00}\x00", False),
        (b"", False),
        (b"[" * 200_000, False),
    ],
)
def test_the_daemons_file(content: bytes, known: bool) -> None:
    """Whole, empty, cut short, foreign, not JSON."""
    address = address_in_daemon_file(content)
    assert address == HERE if known else isinstance(address, Refused)


@given(text=st.text(), before=st.text(st.characters(exclude_characters="{"), max_size=40))
def test_any_text_is_read_without_complaint(text: str, before: str) -> None:
    """And what stands before the JSON doesn't hide it."""
    for read in (address_in_server_status, address_in_service_status):
        assert isinstance(read(text), Root | Refused)
    assert isinstance(address_in_daemon_file(text.encode()), Root | Refused)
    assert address_in_server_status(before + json.dumps(STATUS) + text) == HERE


async def clues(environment: Environment, *, command_seconds: float = 60) -> list[Clue]:
    return [clue async for clue in foundry_clues(environment, command_seconds=command_seconds)]


def sentences(found: list[Clue]) -> list[str]:
    return [clue.address.reason for clue in found if isinstance(clue.address, Refused)]


async def test_without_file_and_command_it_is_not_installed(
    environment: Environment, install_foundry: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One clue says so; only the environment that is passed counts."""
    assert sentences(await clues(environment)) == ["The foundry command is not installed."]
    install_foundry("echo on http://127.0.0.1:50084")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert sentences(await clues({})) == ["The foundry command is not installed."]


async def test_the_file_comes_first_then_the_commands(
    environment: Environment, install_foundry: Install, write_daemon_file: Install
) -> None:
    """And each clue says where it is from."""
    write_daemon_file('{"web_urls": ["http://127.0.0.1:1"]}')
    install_foundry(
        """case "$*" in
        "server status -o json") echo '{"webUrls": ["http://127.0.0.1:2"]}';;
        "service status") echo 'on http://127.0.0.1:3/openai/status';;
        *) exit 9;;
        esac"""
    )
    assert await clues(environment) == [
        Clue("foundry-server", "~/.foundry/daemon.json", Root("127.0.0.1", 1)),
        Clue("foundry-server", "foundry server status", Root("127.0.0.1", 2)),
        Clue("foundry-service", "foundry service status", Root("127.0.0.1", 3)),
    ]


async def test_an_exit_status_or_broken_letters_do_not_hide_an_address(
    environment: Environment, install_foundry: Install
) -> None:
    """Older commands fail in odd ways and print in the console's own encoding."""
    install_foundry("""printf '\\377\\376 \\200 http://127.0.0.1:50084/openai/status\\n'; exit 3""")
    assert [clue.address for clue in await clues(environment)][1:] == [HERE]


async def test_no_other_words_are_given_to_the_command(
    environment: Environment, install_foundry: Install, tmp_path: Path
) -> None:
    """`service list`, for one, would start a service."""
    install_foundry(f'echo "$*" >> {tmp_path}/said')
    await clues(environment)
    assert (tmp_path / "said").read_text().splitlines() == ["server status -o json", "service status"]


async def test_the_command_gets_no_secrets_and_is_told_not_to_report(
    environment: Environment, install_foundry: Install, tmp_path: Path
) -> None:
    """The rest of the environment it gets, as when the user runs it."""
    install_foundry(f"/usr/bin/env > {tmp_path}/environment")
    secrets = {"API_KEY": "s3cret", "AZURE_OPENAI_API_KEY": "s3cret", "GITHUB_token": "s3cret", "PGPASSWORD": "s3cret"}
    await clues({**environment, **secrets, "LOCALAPPDATA": "kept"})
    text = (tmp_path / "environment").read_text()
    assert "s3cret" not in text
    assert {"LOCALAPPDATA=kept", "CI=true", "ORT_TELEMETRY_DISABLED=1"} <= set(text.splitlines())


async def test_a_command_that_hangs_is_given_up_and_not_asked_again(
    environment: Environment, install_foundry: Install, tmp_path: Path
) -> None:
    """The second question would hang as well."""
    install_foundry(f'echo "$*" >> {tmp_path}/said; exec /bin/sleep 600')
    found = await clues(environment, command_seconds=0.5)
    assert sentences(found) == ["The foundry command did not answer within 0.5 s."]


async def test_a_program_that_cannot_run_is_said_to_be_one(environment: Environment) -> None:
    """Here: text without an interpreter."""
    program = Path(environment["PATH"]) / "foundry"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)
    assert sentences(await clues(environment)) == ["The foundry command is installed, but could not be run."]


async def test_a_program_in_a_relative_folder_is_not_the_users(
    environment: Environment, install_foundry: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever can put a file into the working directory must not get it run."""
    install_foundry("echo on http://127.0.0.1:50084")
    monkeypatch.chdir(environment["PATH"])
    assert sentences(await clues({**environment, "PATH": "."})) == ["The foundry command is not installed."]


async def test_a_search_that_is_cancelled_leaves_no_process(environment: Environment, tmp_path: Path) -> None:
    """Neither the command nor what it has started."""
    pids = await _started(tmp_path, "/bin/sleep 600 & echo $$ $!; wait", environment, cancel=True)
    _, alive = psutil.wait_procs([process for pid in pids for process in _processes(pid)], timeout=10)
    assert alive == []


async def test_what_the_command_leaves_running_is_neither_waited_for_nor_ended(
    environment: Environment, tmp_path: Path
) -> None:
    """It holds the command's output open, as a server does that was started by it."""
    _, child = await _started(tmp_path, "/bin/sleep 600 & echo $$ $!", environment, cancel=False)
    (process,) = _processes(child)
    process.kill()


async def _started(tmp_path: Path, script: str, environment: Environment, *, cancel: bool) -> list[int]:
    """Runs a script that writes process ids into a pipe, and gives these once it has."""
    pipe = tmp_path / "pids"
    os.mkfifo(pipe)
    script = script.replace("echo $$ $!", f"echo $$ $! > {pipe}")
    running = asyncio.create_task(output_of(["/bin/sh", "-c", script], environment, seconds=60))
    pids = [int(pid) for pid in (await asyncio.to_thread(pipe.read_text)).split()]
    if cancel:
        running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    return pids


def _processes(pid: int) -> list[psutil.Process]:
    """Without the dead whom nobody has buried yet."""
    try:
        process = psutil.Process(pid)
        return [process] if process.status() != psutil.STATUS_ZOMBIE else []
    except psutil.NoSuchProcess:
        return []


async def test_only_the_beginning_of_endless_output_is_read(environment: Environment) -> None:
    """It ends at its own limit; ours is on what is read of it."""
    output = await output_of(["/bin/sh", "-c", "/usr/bin/yes | /usr/bin/head -c 3000000"], environment, seconds=60)
    assert len(output) == 256 * 1024
