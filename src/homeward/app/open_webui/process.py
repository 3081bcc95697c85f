"""A command of some Python environment as a child: in a process group of its own, ended without remainder."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from homeward.engines.machine import kill_process_tree

TIED = Path(__file__).with_name("tied.py")
_NEW_GROUP_ON_WINDOWS: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


class Child:
    """One child; `end` must be called. Where this process is killed, the child ends by itself (see `tied`).

    Ctrl+C in the terminal does not reach it. Untested on macOS and Windows.
    """

    def __init__(
        self,
        python: Path,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        log: Path,
        hosts: Sequence[str] = (),
    ) -> None:
        """Run a console script of the environment of `python`.

        Args:
            python: whose environment has it.
            command: its name and arguments. Not a place for keys.
            environment: all of its variables.
            folder: where it runs.
            log: where its output goes; emptied first.
            hosts: the host names that it answers to as a server; empty leaves that to itself.

        Raises:
            OSError: it can't be run.
        """
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                [
                    str(python),
                    "-P",
                    str(TIED),
                    ",".join(hosts),
                    *command,
                ],  # -P: or the names of our files would hide its modules
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
                creationflags=_NEW_GROUP_ON_WINDOWS,
            )

    @property
    def pid(self) -> int:
        """Its process id, which is its group's id as well."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.poll() is None

    def end(self, grace_seconds: float) -> None:
        """SIGTERM to the group, the grace, SIGKILL to the group; whatever interrupts the grace."""
        try:
            if self.runs:
                self._signal(hard=False)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._process.wait(grace_seconds)
        finally:
            self._signal(hard=True)  # in any case: for descendants that outlived it
            self._process.wait()
            if self._process.stdin:
                self._process.stdin.close()

    def _signal(self, *, hard: bool) -> None:
        # The group keeps its number while a member lives; if none does, nobody else can have got it yet.
        with contextlib.suppress(OSError):  # it is gone; macOS says EPERM for a group of zombies
            if sys.platform != "win32":
                os.killpg(self.pid, signal.SIGKILL if hard else signal.SIGTERM)
            elif hard:
                kill_process_tree(self.pid)
            else:
                os.kill(self.pid, signal.CTRL_BREAK_EVENT)
