"""A child as its parent sees it: started in a group of its own, listened to, ended without remainder.

Built on asyncio's subprocess protocol and not on its streams: `Process.wait()` does not return while a
descendant holds the pipes open, `process_exited` is called all the same. And nothing is buffered here,
however much it prints.

Start it from the event loop of the main thread (why: `child`). Windows has no process groups to signal:
there the child is asked with CTRL_BREAK and ended together with its descendants, found by psutil. Untested
on macOS and Windows.
"""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from typing import Self, cast

import msgspec
import structlog

from homeward.engines.log_tail import LineSplitter, LogTail, printable
from homeward.engines.machine import kill_process_tree
from homeward.engines.recipe import INHERITED_ENVIRONMENT, Recipe

_log = structlog.get_logger("homeward.engines")

_LAST_WORDS_SECONDS = 0.5
"""After its exit, for what it wrote last to come through the pipes."""
_REAP_SECONDS = 10.0
"""After SIGKILL. Only a process that hangs in the kernel takes longer; it is left behind; the log says so."""
_LOGGED_LINES_PER_SECOND = 50
_LONGEST_REASON = 500


class Listening(msgspec.Struct, frozen=True, tag_field="event", tag="listening"):
    """It can answer."""

    url: str


class Progress(msgspec.Struct, frozen=True, tag_field="event", tag="progress"):
    """It is loading."""

    fraction: float


class Failed(msgspec.Struct, frozen=True, tag_field="event", tag="failed"):
    """It cannot get ready."""

    reason: str


_REPORTS = msgspec.json.Decoder(Listening | Progress | Failed)
_NEW_GROUP_ON_WINDOWS: int = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)


class ChildProcess(asyncio.SubprocessProtocol):
    """One child, from its start to its end. Made by `spawn`, ended by `end`, which must be called."""

    def __init__(self, name: str, api_key: str) -> None:
        self.tail = LogTail(secret=api_key)
        self.url = ""
        """Where it listens, once it said so."""
        self.reason = ""
        """Why it cannot get ready, once it said so."""
        self.exited = asyncio.Event()
        self.news = asyncio.Event()
        """Set at each sign of life and at the end; whoever waits for it clears it."""
        self._name = name
        self._transport: asyncio.SubprocessTransport | None = None
        self._ended = False
        self._splitters = {1: LineSplitter(64 * 1024), 2: LineSplitter()}
        self._open_pipes = {1, 2}
        self._pipes_closed = asyncio.Event()
        self._allowance = _Allowance(_LOGGED_LINES_PER_SECOND)

    @classmethod
    async def spawn(cls, recipe: Recipe, api_key: str) -> Self:
        """Start the child and tell it its settings.

        Raises:
            OSError: the program cannot be run.
        """
        # Encoded before there is a child that a mistake in it would strand.
        line = msgspec.json.encode({**recipe.settings, "api_key": api_key}) + b"\n"
        loop = asyncio.get_running_loop()
        transport, protocol = await loop.subprocess_exec(
            lambda: cls(recipe.name, api_key),
            *recipe.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(os.environ, recipe),
            start_new_session=True,
            creationflags=_NEW_GROUP_ON_WINDOWS,
        )
        stdin = cast("asyncio.WriteTransport", transport.get_pipe_transport(0))
        stdin.write(line)  # and it stays open: its end would end the child
        return protocol

    @property
    def pid(self) -> int:
        """Process id, which is its group's id as well."""
        return self._subprocess.get_pid()

    @property
    def exit_code(self) -> int | None:
        """None while it runs; a signal's number is negative, as in `subprocess`."""
        return self._subprocess.get_returncode()

    async def last_words(self) -> None:
        """Wait, briefly, until everything it wrote before its exit has been read."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS_SECONDS):
                await self._pipes_closed.wait()

    async def end(self, grace_seconds: float) -> None:
        """SIGTERM to the group, the grace (0: none), SIGKILL to the group; return when the child is reaped.

        The second signal goes out in any case: it is for descendants that outlived the child.
        """
        if self._ended:
            return
        try:
            if grace_seconds > 0 and not self.exited.is_set():
                _signal_group(self.pid, hard=False)
                await self._exit_within(grace_seconds)
        finally:  # also where this wait is cancelled: nothing of the child may stay
            self._ended = True
            _signal_group(self.pid, hard=True)
            try:
                if not await self._exit_within(_REAP_SECONDS):
                    _log.error("engine.child_left_behind", engine=self._name, pid=self.pid)
            finally:
                self._subprocess.close()

    async def _exit_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.exited.wait()
        return self.exited.is_set()

    @property
    def _subprocess(self) -> asyncio.SubprocessTransport:
        assert self._transport is not None
        return self._transport

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The child runs."""
        self._transport = cast("asyncio.SubprocessTransport", transport)

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        """It wrote something."""
        for line in self._splitters[fd].feed(data):
            self._take(fd, line)
        self.news.set()

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:  # noqa: ARG002 — asyncio's
        """It closed a pipe."""
        if fd in self._open_pipes:
            for line in self._splitters[fd].flush():
                self._take(fd, line)
            self._open_pipes.discard(fd)
            if not self._open_pipes:
                self._pipes_closed.set()

    def process_exited(self) -> None:
        """It is gone and reaped."""
        self.exited.set()
        self.news.set()

    def _take(self, fd: int, line: bytes) -> None:
        if fd == 1 and self._understand(line):
            return
        text = self.tail.add(line)
        if self._allowance.take():
            _log.debug("engine.output", engine=self._name, line=text)

    def _understand(self, line: bytes) -> bool:
        try:
            report = _REPORTS.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return False  # something that native code printed
        match report:
            case Listening():
                self.url = report.url
            case Failed():
                self.reason = printable(report.reason, _LONGEST_REASON)
            case Progress():
                pass  # as a sign of life it has done its work already
        return True


class _Allowance:
    """So many lines a second go to the log; a child that prints without end must not fill the disk."""

    def __init__(self, per_second: int) -> None:
        self._per_second = per_second
        self._second = 0
        self._left = per_second

    def take(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            self._second, self._left = second, self._per_second
        self._left -= 1
        return self._left >= 0


def _environment(ours: Mapping[str, str], recipe: Recipe) -> dict[str, str]:
    names = INHERITED_ENVIRONMENT | recipe.environment
    return {name: value for name, value in ours.items() if name in names}


def _signal_group(pid: int, *, hard: bool) -> None:
    # The group keeps its number while a member lives. If none does, nobody else can have got that number yet:
    # this follows within moments of the child's end.
    with contextlib.suppress(OSError):  # it is gone; macOS says EPERM for a group of zombies
        if sys.platform != "win32":
            os.killpg(pid, signal.SIGKILL if hard else signal.SIGTERM)
        elif hard:
            kill_process_tree(pid)
        else:
            os.kill(pid, signal.CTRL_BREAK_EVENT)
