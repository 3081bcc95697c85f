"""Open WebUI's own environment: made once, used again, made anew where it is not whole or not the right one.

Left out of its packages is what Homeward does for it or what only a download from a model hub could use: its own
embedding models (torch and what belongs to it), speech recognition, and text recognition in images.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from homeward.protocol.errors import ConfigError

VERSION = "0.12.4"
PYTHONS = ((3, 11), (3, 12))
"""That it runs on, by its own declaration."""
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
PROBE_SECONDS = 30

Show = Callable[[str, float], None]
"""Shows a sentence, and which part of the way is done."""


class Home(msgspec.Struct, frozen=True):
    """Where everything of Open WebUI stands."""

    root: Path

    @property
    def environment(self) -> Path:
        """Its virtual environment."""
        return self.root / "environment"

    @property
    def python(self) -> Path:
        """The interpreter of the environment."""
        return self.environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

    @property
    def mark(self) -> Path:
        """Written last: says which requirements are installed as a whole."""
        return self.root / "installed"

    @property
    def install_log(self) -> Path:
        """What the installer said."""
        return self.root / "install.log"

    @property
    def log(self) -> Path:
        """What Open WebUI said since its last start."""
        return self.root / "open-webui.log"

    @property
    def gateway_log(self) -> Path:
        """What a gateway said that this command started."""
        return self.root / "gateway.log"

    @property
    def container_settings(self) -> Path:
        """For Docker's `--env-file`."""
        return self.root / "docker.env"

    @property
    def data(self) -> Path:
        """Its conversations and files."""
        return self.root / "data"


def is_installed(home: Home) -> bool:
    """Whether the environment is whole, and of these requirements."""
    try:
        return home.mark.read_text(encoding="utf-8") == wanted_mark() and home.python.exists()
    except OSError:
        return False


def wanted_mark() -> str:
    """Names the requirements."""
    return hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()


def install(home: Home, show: Show) -> None:
    """Make the environment from its beginning; it takes minutes.

    Raises ConfigError: no suitable Python, or the installer failed.
    """
    uv = shutil.which("uv")
    python = suitable_python(candidates(uv))
    home.mark.unlink(missing_ok=True)
    shutil.rmtree(home.environment, ignore_errors=True)
    with home.install_log.open("w", encoding="utf-8"):
        pass
    total = sum(line[0].isalnum() for line in REQUIREMENTS.read_text(encoding="utf-8").splitlines())
    for command in commands(home, python, uv):
        carry_out(command, home, show, total)
    show(f"Open WebUI {VERSION} is installed.", 1)
    home.mark.write_text(wanted_mark(), encoding="utf-8")


def candidates(uv: str | None) -> list[str]:
    """Interpreters that may be suitable, the likeliest first."""
    named = (shutil.which(f"python{major}.{minor}") for major, minor in reversed(PYTHONS))
    found = [sys.executable, *filter(None, named)]
    if uv:
        bounds = f">={spelled(PYTHONS[0])},<{PYTHONS[-1][0]}.{PYTHONS[-1][1] + 1}"
        found += output_of([uv, "python", "find", "--no-python-downloads", bounds]).split("\n")[:1]
    return found


def suitable_python(candidates: Sequence[str], version_of: "Callable[[str], tuple[int, ...]] | None" = None) -> str:
    """The first one that Open WebUI runs on. Raises ConfigError: none is."""
    version_of = version_of or asked_version
    for candidate in candidates:
        if candidate and version_of(candidate) in PYTHONS:
            return candidate
    raise ConfigError(
        f"Open WebUI {VERSION} needs Python {' or '.join(map(spelled, PYTHONS))}, and there is none on this machine.",
        next_step="Install one, for instance with: uv python install 3.12",
    )


def spelled(version: tuple[int, int]) -> str:
    """As people write it."""
    return f"{version[0]}.{version[1]}"


def asked_version(python: str) -> tuple[int, ...]:
    """An interpreter's major and minor version; empty where it does not run."""
    return tuple(map(int, output_of([python, "-c", "import sys; print(*sys.version_info[:2])"]).split()))


def output_of(command: Sequence[str]) -> str:
    """What a command prints; empty where it fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PROBE_SECONDS, check=True)  # noqa: S603
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def commands(home: Home, python: str, uv: str | None) -> list[list[str]]:
    """What makes the environment: uv where there is one, for it is several times faster; else pip."""
    listed = ["--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)]
    if uv:
        return [
            [python, "-m", "venv", "--without-pip", str(home.environment)],
            [uv, "pip", "install", "--python", str(home.python), *listed],
        ]
    return [
        [python, "-m", "venv", str(home.environment)],
        [str(home.python), "-m", "pip", "install", "--disable-pip-version-check", *listed],
    ]


def carry_out(command: Sequence[str], home: Home, show: Show, total: int) -> None:
    """Run one command of the installation; what it says goes to the log, and line by line to `show`.

    Raises ConfigError: it failed.
    """
    named = 0
    with home.install_log.open("a", encoding="utf-8") as log:
        try:
            process = subprocess.Popen(  # noqa: S603 - our own command line
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                cwd=home.root,
            )
        except OSError as error:
            raise failed(home) from error
        with process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    log.write(line)
                    named += line.startswith("Collecting ")
                    show(line.strip()[:100], min(named / total, 0.99))
            except BaseException:
                process.kill()
                raise
    if process.returncode != 0:
        raise failed(home)


def failed(home: Home) -> ConfigError:
    """What to say when the installer gave up."""
    return ConfigError(
        f"Open WebUI {VERSION} could not be installed; what the installer said stands in {home.install_log}.",
        next_step="Check that PyPI can be reached and 2 GB of the disk are free, then run the command again.",
    )
