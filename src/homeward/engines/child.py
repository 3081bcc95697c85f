"""The child's side of the protocol between Homeward and the engines it starts; described here and only here.

The parent starts the program in a process group of its own, with no key in its arguments or environment, and

1. writes one line of JSON to the child's stdin: the recipe's settings plus `api_key`, made for this start; then
   it keeps stdin open for as long as it wants the child to live;
2. reads lines of JSON from the child's stdout:
   `{"event": "progress", "fraction": 0.4}` any number of times while it loads (fraction from 0 to 1),
   `{"event": "listening", "url": "http://127.0.0.1:PORT"}` once it can answer,
   `{"event": "failed", "reason": "A plain sentence."}` before it exits without having got ready;
3. reads stderr as the child's log: never parsed, kept as a short tail, and any output at all while
   loading prolongs the wait for `listening`;
4. then asks `GET /health` with that key: 200 is ready. From then on the same, every few seconds, is
   its pulse;
5. ends it with SIGTERM to the group, and with SIGKILL after a grace. On SIGTERM a child exits with code 0.

A child never outlives its parent, however that one ended. On Linux the kernel sends SIGKILL when the thread
that started the child ends (so the parent starts children from its main thread). Everywhere, stdin ends
when the parent does, and a thread that waits for that kills the child's process group. A native call that
holds the interpreter's lock, such as loading a model, delays this second way until it returns; on macOS and
Windows, where it is the only one, a child may live on for the rest of its loading. Untested on macOS and
Windows.

This module imports next to nothing: it is the first thing that a child loads.
"""

import json
import os
import signal
import sys
import threading
from typing import NoReturn

_PR_SET_PDEATHSIG = 1
_LONGEST_SETTINGS = 1 << 20


class Parent:
    """The parent as its child sees it: what it wants, and how to tell it something."""

    def __init__(self, settings: dict[str, object], reports: int) -> None:
        self.settings = settings
        self._reports = reports

    def progress(self, fraction: float) -> None:
        """Tell how far the loading is, from 0 to 1."""
        self._report({"event": "progress", "fraction": fraction})

    def listening(self, url: str) -> None:
        """Tell that requests are answered at this base URL (no path)."""
        self._report({"event": "listening", "url": url})

    def failed(self, reason: str) -> NoReturn:
        """Tell why the child cannot get ready, as a sentence for the user, and exit with code 1."""
        self._report({"event": "failed", "reason": reason})
        os._exit(1)

    def _report(self, report: dict[str, object]) -> None:
        try:
            os.write(self._reports, json.dumps(report).encode() + b"\n")
        except OSError:  # nobody reads any more: the parent is gone
            _end_group()


def attend() -> Parent:
    """Tie this process's life to its parent's and read what it wants; the first thing a child does.

    From here on stdout belongs to the protocol: what native code prints there goes to stderr.
    """
    _die_with_parent()
    reports = os.dup(1)
    os.dup2(2, 1)
    line = sys.stdin.buffer.readline(_LONGEST_SETTINGS)
    if not line.endswith(b"\n"):  # the parent ended before it had said all
        _end_group()
    threading.Thread(target=_end_with_stdin, name="parent", daemon=True).start()
    return Parent(json.loads(line), reports)


def note(line: str) -> None:
    """Write a line to the child's log; never a word of a prompt or an answer."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def _die_with_parent() -> None:
    if sys.platform != "linux":
        return
    import ctypes

    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended just before that was in force
        _end_group()


def _end_with_stdin() -> None:
    # os.read, not sys.stdin: at exit the interpreter must not wait for the lock of a reading buffer
    while os.read(0, 4096):
        pass
    _end_group()


def _end_group() -> NoReturn:
    if sys.platform != "win32" and os.getpgrp() == os.getpid():  # else it was started by hand, from a shell
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(1)
