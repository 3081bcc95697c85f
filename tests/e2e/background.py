"""Servers of the tests' own, in a thread beside them: Playwright keeps a loop in the main one."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, TypeVar

SECONDS = 120
"""That nothing here takes, on a machine however busy."""

T = TypeVar("T")
R = TypeVar("R")


class Background(Generic[T]):
    """An async context manager that is open in a thread until `close`; `value` is what it gave.

    Raises TimeoutError where it does not open.
    """

    def __init__(self, opening: AbstractAsyncContextManager[T]) -> None:
        self._opening = opening
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.value = self.run(self._opening.__aenter__())

    def run(self, work: Coroutine[Any, Any, R]) -> R:
        """What a coroutine gives that runs there. Raises what it raises, and TimeoutError."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    def close(self) -> None:
        """End it, and whatever it is still doing."""
        self.run(self._opening.__aexit__(None, None, None))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()
