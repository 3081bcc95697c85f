"""`homeward open-webui` as its user starts it, with a stand-in for Open WebUI and one for Homeward."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from homeward.app.listen import free_port
from homeward.app.open_webui.install import Home, wanted_mark
from tests.open_webui.conftest import seen_in, status_under, wait_until_gone


class Homeward(BaseHTTPRequestHandler):
    """As much of one as the command asks."""

    keys: frozenset[str] = frozenset()

    def do_GET(self) -> None:
        """Well; models for those with a key."""
        allowed = not self.keys or self.headers.get("Authorization") in {f"Bearer {key}" for key in self.keys}
        status = {"/healthz": 200, "/v1/models": 200 if allowed else 401}.get(self.path, 404)
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


class Command:
    """One data folder with a stand-in installed, and the command on it."""

    def __init__(self, data_dir: Path, environment: Path) -> None:
        self.data_dir = data_dir
        self.home = Home(data_dir / "open-webui")
        self.home.data.mkdir(parents=True)
        self.home.environment.symlink_to(environment)
        self.home.mark.write_text(wanted_mark(), encoding="utf-8")
        self.port = free_port("127.0.0.1")
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *options: str, **variables: str) -> subprocess.Popen[str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("HOMEWARD_")}
        process = subprocess.Popen(
            [sys.executable, "-m", "homeward", "open-webui", "--no-open", "--port", str(self.port),
             "--data-dir", str(self.data_dir), *options],
            env={**inherited, **variables},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.started.append(process)
        return process

    def behave(self, words: str) -> None:
        (self.home.data / "behaviour").write_text(words, encoding="utf-8")

    def publish(self, url: str) -> None:
        (self.data_dir / "homeward.address").write_text(json.dumps({"url": url, "pid": 1}), encoding="utf-8")

    def close(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()


def lines_until(process: subprocess.Popen[str], word: str) -> list[str]:
    """Its lines up to the one with this word."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip())
        if word in line:
            return lines
    raise AssertionError(lines)


def said_at_the_end(process: subprocess.Popen[str]) -> str:
    return process.communicate(timeout=60)[0]


@pytest.fixture
def command(tmp_path: Path, environment: Path) -> Iterator[Command]:
    command = Command(tmp_path / "data", environment)
    yield command
    command.close()


Serve = Callable[..., str]


@pytest.fixture
def homeward(command: Command) -> Iterator[Serve]:
    """Serves as the Homeward of the data folder; gives its URL."""
    servers: list[tuple[ThreadingHTTPServer, threading.Thread]] = []

    def serve(*keys: str) -> str:
        handler = type("Handler", (Homeward,), {"keys": frozenset(keys)})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        url = f"http://127.0.0.1:{server.server_port}"
        command.publish(url)
        return url

    yield serve
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def test_it_is_started_with_the_profile_and_ended(command: Command, homeward: Serve) -> None:
    """On this machine only, with nothing of our environment that is none of its business; SIGTERM ends both."""
    url = homeward()
    process = command.start(OPENAI_API_KEY="sk-of-somebody-else", PYTHONPATH="/nowhere", HTTPS_PROXY="http://proxy")
    said = lines_until(process, "Ready")
    assert said[-1] == f"Ready: open http://127.0.0.1:{command.port} (Ctrl+C ends it)"
    seen = seen_in(command.home.data)
    environment: dict[str, Any] = seen["environment"]
    assert seen["arguments"] == ["open-webui", "serve", "--host", "127.0.0.1", "--port", str(command.port)]
    assert environment["OPENAI_API_BASE_URL"] == f"{url}/v1"
    assert environment["OPENAI_API_KEY"] == ""
    assert environment["ENABLE_TITLE_GENERATION"] == "False"
    assert environment["DATA_DIR"] == str(command.home.data)
    assert not {"PYTHONPATH", "HTTPS_PROXY"} & environment.keys()
    process.send_signal(signal.SIGTERM)
    assert said_at_the_end(process) == "Open WebUI is ending.\n"
    assert process.returncode == 0
    wait_until_gone(seen["pids"])


def test_it_answers_under_the_names_of_this_machine_only(command: Command, homeward: Serve) -> None:
    """A page elsewhere whose name points here is none of its own."""
    homeward()
    lines_until(command.start(), "Ready")
    answers = {host: status_under(host, command.port) for host in ("127.0.0.1", "localhost", "evil.example")}
    assert answers == {"127.0.0.1": 200, "localhost": 200, "evil.example": 400}


def test_ctrl_c_ends_it_too(command: Command, homeward: Serve) -> None:
    """With titles, if asked for."""
    homeward()
    process = command.start("--titles")
    lines_until(process, "Ready")
    seen = seen_in(command.home.data)
    assert seen["environment"]["ENABLE_TITLE_GENERATION"] == "True"
    process.send_signal(signal.SIGINT)
    assert "Traceback" not in said_at_the_end(process)
    assert process.returncode == 0
    wait_until_gone(seen["pids"])


def test_a_key_goes_along_by_the_environment(command: Command, homeward: Serve) -> None:
    """Never on a command line."""
    homeward("hw-right")
    process = command.start(HOMEWARD_GATEWAY_API_KEY="hw-right")
    said = lines_until(process, "Ready")
    seen = seen_in(command.home.data)
    assert seen["environment"]["OPENAI_API_KEY"] == seen["environment"]["RAG_OPENAI_API_KEY"] == "hw-right"
    assert "hw-right" not in str(seen["arguments"]) + "".join(said)


@pytest.mark.parametrize("key", ["", "hw-wrong"])
def test_a_homeward_that_wants_a_key_is_not_tried_without(command: Command, homeward: Serve, key: str) -> None:
    """It is said how to get one."""
    homeward("hw-right")
    process = command.start(**({"HOMEWARD_GATEWAY_API_KEY": key} if key else {}))
    said = said_at_the_end(process)
    assert process.returncode == 1
    assert "homeward keys add open-webui" in said
    assert "HOMEWARD_GATEWAY_API_KEY" in said


def test_one_that_does_not_start_is_told_with_its_log(command: Command, homeward: Serve) -> None:
    """In a sentence."""
    homeward()
    command.behave("exit")
    process = command.start()
    said = said_at_the_end(process)
    assert process.returncode == 1
    assert f"Open WebUI did not start. Its log says why: {command.home.log}" in said
    assert "Traceback" not in said
    assert command.home.log.read_text() == "a line of its log\n"


def test_one_that_ends_by_itself_is_told(command: Command, homeward: Serve) -> None:
    """And nothing of it stays."""
    homeward()
    command.behave("grandchild")
    process = command.start()
    lines_until(process, "Ready")
    pids = seen_in(command.home.data)["pids"]
    os.kill(pids[0], signal.SIGKILL)
    assert "Open WebUI ended by itself." in said_at_the_end(process)
    assert process.returncode == 1
    wait_until_gone(pids)


def test_there_is_one_on_a_data_folder(command: Command, homeward: Serve) -> None:
    """Two would write into the same files."""
    homeward()
    lines_until(command.start(), "Ready")
    second = command.start()
    assert "runs already on this data folder" in said_at_the_end(second)
    assert second.returncode == 1


def test_a_port_that_is_taken_is_told_with_a_free_one(command: Command, homeward: Serve) -> None:
    """Before anything else is done."""
    command.port = int(homeward().rsplit(":", 1)[1])
    said = said_at_the_end(command.start())
    assert f"Port {command.port} is taken" in said
    assert "homeward open-webui --port " in said


WITHOUT_MODELS = "port = {port}\n[llama]\nenabled = false\n[foundry]\nenabled = false\n"


def test_without_a_homeward_its_gateway_is_started_and_ended(command: Command) -> None:
    """With the same settings; the word of a Homeward that was killed is not believed."""
    command.publish(f"http://127.0.0.1:{free_port('127.0.0.1')}")
    port = free_port("127.0.0.1")
    (command.data_dir / "homeward.toml").write_text(WITHOUT_MODELS.format(port=port), encoding="utf-8")
    process = command.start()
    lines_until(process, "Ready")
    gateway = json.loads((command.data_dir / "homeward.address").read_text())
    seen = seen_in(command.home.data)
    assert gateway["url"] == f"http://127.0.0.1:{port}"
    assert seen["environment"]["OPENAI_API_BASE_URL"] == f"{gateway['url']}/v1"
    process.send_signal(signal.SIGTERM)
    assert said_at_the_end(process) == "Open WebUI is ending.\n"
    wait_until_gone([gateway["pid"], *seen["pids"]])


def test_a_gateway_that_can_not_start_says_why(command: Command, homeward: Serve) -> None:
    """In its own words."""
    taken = int(homeward().rsplit(":", 1)[1])
    command.publish("http://127.0.0.1:1")
    (command.data_dir / "homeward.toml").write_text(WITHOUT_MODELS.format(port=taken), encoding="utf-8")
    process = command.start()
    said = said_at_the_end(process)
    assert process.returncode == 1
    assert f"Homeward's gateway did not start: Port {taken} is taken" in said
    assert not (command.home.data / "seen.json").exists()


def test_docker_gets_a_file_and_a_line(command: Command, homeward: Serve) -> None:
    """Nothing is started; the line alone is on standard output."""
    url = homeward("hw-right")
    process = command.start("--docker", HOMEWARD_GATEWAY_API_KEY="hw-right")
    said = said_at_the_end(process)
    assert process.returncode == 0
    assert said.startswith(f"docker run --rm --network host -e HOST=127.0.0.1 -e PORT={command.port}")
    settings = command.home.container_settings.read_text()
    assert f"OPENAI_API_BASE_URL={url}/v1\n" in settings
    assert "hw-right" not in settings + said
    assert not (command.home.data / "seen.json").exists()
