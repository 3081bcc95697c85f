"""An environment with a stand-in for Open WebUI, and what it was started with."""

import contextlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil
import pytest
import uvicorn

FAKE = Path(__file__).with_name("fake_open_webui.py")
SECONDS = 60

Seen = dict[str, Any]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment whose `open-webui` is the stand-in."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(environment)], check=True)
    packages = next(environment.glob("lib*/**/site-packages"))
    shutil.copy(FAKE, packages)
    (packages / "uvicorn.pth").write_text(f"{Path(uvicorn.__file__).parents[1]}\n", encoding="utf-8")
    metadata = packages / "open_webui-0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: open-webui\nVersion: 0\n", encoding="utf-8")
    scripts = "[console_scripts]\nopen-webui = fake_open_webui:main\n"
    (metadata / "entry_points.txt").write_text(scripts, encoding="utf-8")
    return environment


def until(said: Callable[[], Seen | None]) -> Seen:
    """What is said in the end. Raises AssertionError: nothing is."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        if (answer := said()) is not None:
            return answer
        time.sleep(0.05)
    raise AssertionError("It did not get so far.")


def seen_in(data: Path) -> Seen:
    """What the stand-in was started with, once it runs."""
    path = data / "seen.json"
    return until(lambda: json.loads(path.read_text(encoding="utf-8")) if path.exists() else None)


def wait_until_gone(pids: list[int]) -> None:
    """Raises TimeoutExpired: one of them still runs."""
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(pid).wait(SECONDS)


def status_under(host: str, port: int) -> int:
    """How Open WebUI answers when it is called by that name."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/", headers={"Host": f"{host}:{port}"})
        return connection.getresponse().status
    finally:
        connection.close()
