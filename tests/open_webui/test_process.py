"""Children end, in every way."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from homeward.app.listen import free_port
from homeward.app.open_webui.process import Child
from tests.open_webui.conftest import Seen, seen_in, wait_until_gone

Start = Callable[..., tuple[Child, Seen]]


@pytest.fixture
def start(environment: Path, tmp_path: Path) -> Iterator[Start]:
    """Starts the stand-in with a behaviour; ended after the test."""
    children: list[Child] = []

    def started(behaviour: str = "") -> tuple[Child, Seen]:
        (tmp_path / "behaviour").write_text(behaviour, encoding="utf-8")
        child = Child(
            environment / "bin/python",
            ["open-webui", "serve", "--port", str(free_port("127.0.0.1"))],
            environment={"DATA_DIR": str(tmp_path), "PATH": os.environ["PATH"]},
            folder=tmp_path,
            log=tmp_path / "log",
        )
        children.append(child)
        return child, seen_in(tmp_path)

    yield started
    for child in children:
        child.end(0)


def test_a_command_of_another_environment_runs(start: Start, tmp_path: Path) -> None:
    """With its arguments, and its words in the log; it leads a group of its own, out of reach of Ctrl+C."""
    child, seen = start()
    assert child.runs
    assert seen["arguments"][:3] == ["open-webui", "serve", "--port"]
    assert seen["pids"] == [child.pid]
    assert os.getpgid(child.pid) == child.pid
    assert (tmp_path / "log").read_text() == "a line of its log\n"


def test_one_that_obeys_is_ended_within_its_grace(start: Start) -> None:
    """And reaped; a second end does nothing."""
    child, seen = start("grandchild")
    child.end(60)
    assert not child.runs
    wait_until_gone(seen["pids"])
    child.end(60)


def test_one_that_does_not_obey_is_killed_with_all_it_started(start: Start) -> None:
    """After the grace."""
    child, seen = start("ignore-sigterm grandchild")
    child.end(0.2)
    assert not child.runs
    wait_until_gone(seen["pids"])


PARENT = """
import os, sys
from pathlib import Path
from homeward.app.open_webui.process import Child
python, port, data = sys.argv[1:]
child = Child(Path(python), ["open-webui", "serve", "--port", port],
    environment={"DATA_DIR": data}, folder=Path(data), log=Path(data, "log"))
sys.stdin.read()
"""


def test_it_does_not_outlive_a_parent_that_was_killed(environment: Path, tmp_path: Path) -> None:
    """Nor does what it started; even where SIGTERM means nothing to it."""
    (tmp_path / "behaviour").write_text("ignore-sigterm grandchild", encoding="utf-8")
    arguments = [str(environment / "bin/python"), str(free_port("127.0.0.1")), str(tmp_path)]
    parent = subprocess.Popen([sys.executable, "-c", PARENT, *arguments], stdin=subprocess.PIPE)
    with parent:
        pids = seen_in(tmp_path)["pids"]
        assert all(psutil.pid_exists(pid) for pid in pids)
        parent.kill()
    wait_until_gone(pids)
