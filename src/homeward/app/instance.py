"""One Homeward per data folder."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from homeward.protocol.errors import ConfigError

LOCK = "homeward.lock"
ADDRESS = "homeward.address"


@contextmanager
def only_instance(data_dir: Path) -> Iterator["Instance"]:
    """Hold the folder for this process; the system gives it back however the process ends.

    Raises ConfigError: another Homeward has it (says where that one listens), or the folder can't be used.
    """
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"The data folder {data_dir} can't be made: {error.strerror}.", next_step="Choose one with --data-dir."
        ) from error
    lock = FileLock(data_dir / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ConfigError(
            f"Homeward already runs on {data_dir}{where(data_dir)}.",
            next_step="Use that one, stop it, or choose another folder with --data-dir.",
        ) from error
    except OSError as error:
        raise ConfigError(
            f"The data folder {data_dir} can't be written: {error.strerror}.",
            next_step="Choose one with --data-dir.",
        ) from error
    try:
        yield Instance(data_dir)
    finally:
        (data_dir / ADDRESS).unlink(missing_ok=True)
        lock.release()


class Instance:
    """This process's hold on its data folder."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir

    def publish(self, url: str) -> None:
        """Leave word where we listen, for whoever tries to start a second one."""
        (self.data_dir / ADDRESS).write_text(json.dumps({"url": url, "pid": os.getpid()}), encoding="utf-8")


def where(data_dir: Path) -> str:
    """What the first instance left word of; empty where it has not got so far."""
    try:
        said = json.loads((data_dir / ADDRESS).read_text(encoding="utf-8"))
        return f", at {said['url']} (process {said['pid']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
