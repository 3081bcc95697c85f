"""The same wiring for those who run Open WebUI in Docker: a file of settings, and the command to type."""

import shlex
from pathlib import Path

import msgspec

from homeward.app.open_webui.install import VERSION
from homeward.app.open_webui.profile import SECRETS, Wiring, profile

IMAGE = f"ghcr.io/open-webui/open-webui:v{VERSION}"
VOLUME = "homeward-open-webui:/app/backend/data"
HOST = "host.docker.internal"
"""This machine, as Docker Desktop calls it inside a container."""


class Container(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody needs who runs Open WebUI in Docker."""

    settings: str
    """For `--env-file`: a variable on each line; never a key."""
    command: str
    """One line for a shell; never a key."""
    notes: tuple[str, ...]
    """What else has to be so, a sentence each."""


def container(wiring: Wiring, gateway_port: int, settings_file: Path, *, platform: str) -> Container:
    """`wiring` is the one without Docker. A key goes in by the shell's own variables.

    On Linux the container shares this machine's network, so that Homeward need not listen to more than this machine.
    """
    notes = ["Homeward has to run as long as Open WebUI does: homeward up"]
    if platform == "linux":
        network = ["--network", "host", "-e", "HOST=127.0.0.1", "-e", f"PORT={wiring.port}"]
    else:
        network = ["-p", f"127.0.0.1:{wiring.port}:8080", f"--add-host={HOST}:host-gateway"]
        wiring = msgspec.structs.replace(wiring, gateway=f"http://{HOST}:{gateway_port}")
        notes.append(f'homeward.toml needs, under [gateway]: hosts = ["{HOST}:{gateway_port}"]')
    secrets = sorted(SECRETS) if wiring.key else []
    if secrets:
        notes.append(f"Set {' and '.join(secrets)} in this shell to your Homeward key first.")
    keys = [word for name in secrets for word in ("-e", name)]
    line = ["docker", "run", "--rm", *network, "--env-file", str(settings_file), *keys, "-v", VOLUME, IMAGE]
    settings = {name: value for name, value in profile(wiring).items() if name not in secrets}
    return Container(
        settings="".join(f"{name}={value}\n" for name, value in settings.items()),
        command=shlex.join(line),
        notes=tuple(notes),
    )
