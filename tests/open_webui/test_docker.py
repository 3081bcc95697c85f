"""What is printed for Docker."""

from pathlib import Path
from typing import Any

import pytest

from homeward.app.open_webui.docker import Container, container
from homeward.app.open_webui.profile import Wiring, profile

URL = "http://127.0.0.1:8080"
FILE = Path("/data of mine/docker.env")


def prepared(platform: str, **more: Any) -> Container:
    wiring = Wiring(**{"gateway": URL, "page_gateway": URL, "port": 8081, **more})
    return container(wiring, 8080, FILE, platform=platform)


def settings(made: Container) -> dict[str, str]:
    """As Docker reads them: a name, the first =, the rest of the line."""
    return dict(line.split("=", 1) for line in made.settings.splitlines())


def test_on_linux_the_container_shares_the_network() -> None:
    """So the same addresses hold inside, and it listens to this machine alone."""
    made = prepared("linux")
    assert "--network host -e HOST=127.0.0.1 -e PORT=8081" in made.command
    assert settings(made) == profile(Wiring(gateway=URL, page_gateway=URL, port=8081))
    assert not any("hosts" in note for note in made.notes)


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_elsewhere_docker_has_a_name_for_this_machine(platform: str) -> None:
    """Which Homeward has to know; the user's browser still reaches Homeward by its usual address."""
    made = prepared(platform)
    assert "-p 127.0.0.1:8081:8080" in made.command
    assert settings(made)["OPENAI_API_BASE_URL"] == "http://host.docker.internal:8080/v1"
    assert URL in settings(made)["CONTENT_SECURITY_POLICY"]
    assert 'homeward.toml needs, under [gateway]: hosts = ["host.docker.internal:8080"]' in made.notes


@pytest.mark.parametrize("platform", ["linux", "darwin"])
def test_a_key_is_neither_in_the_file_nor_on_the_line(platform: str) -> None:
    """The shell's variables bring it in."""
    made = prepared(platform, key="hw-secret")
    assert "hw-secret" not in made.settings + made.command + "".join(made.notes)
    assert "-e OPENAI_API_KEY -e RAG_OPENAI_API_KEY" in made.command
    assert not {"OPENAI_API_KEY", "RAG_OPENAI_API_KEY"} & settings(made).keys()


def test_the_image_is_the_version_that_was_tried() -> None:
    """And the file's name survives the shell."""
    made = prepared("linux")
    assert made.command.endswith(":v0.12.4")
    assert "--env-file '/data of mine/docker.env'" in made.command
