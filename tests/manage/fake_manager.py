"""A manager that does what a test tells it: a state to show, effects of actions, errors, and a record of calls."""

import threading
from collections.abc import Callable
from typing import Any

import msgspec

from homeward.manage.state import Catalogue, State
from homeward.protocol.errors import HomewardError
from tests.manage.views import CATALOGUE, STATE

Call = tuple[Any, ...]


class FakeManager:
    """Change `now` from any thread: the next look at the state shows it."""

    def __init__(self) -> None:
        self.now = STATE
        self.offers = CATALOGUE
        self.calls: list[Call] = []
        self.errors: dict[str, Exception] = {}
        self.effects: dict[str, Callable[[], None]] = {}
        self.looks = 0
        self._called = threading.Condition()

    def show(self, **changes: Any) -> None:
        """Another state from now on."""
        self.now = msgspec.structs.replace(self.now, **changes)

    def fail(self, action: str, error: Exception | None = None) -> None:
        """Let an action fail; without an error it works again."""
        if error is None:
            self.errors.pop(action, None)
        else:
            self.errors[action] = error

    def effect(self, action: str, **changes: Any) -> None:
        """What an action changes in the state."""
        self.effects[action] = lambda: self.show(**changes)

    def wait_for(self, *call: Any) -> None:
        """Until this was asked for."""
        with self._called:
            assert self._called.wait_for(lambda: call in self.calls, timeout=20), self.calls

    def _do(self, action: str, *arguments: Any) -> None:
        with self._called:
            self.calls.append((action, *arguments))
            self._called.notify_all()
        if action in self.errors:
            raise self.errors[action]
        self.effects.get(action, lambda: None)()

    def state(self) -> State:
        self.looks += 1
        if "state" in self.errors:
            raise self.errors["state"]
        return self.now

    async def catalogue(self) -> Catalogue:
        self._do("catalogue")
        return self.offers

    async def use(self, name: str) -> None:
        self._do("use", name)

    async def add(self, path: str) -> str:
        self._do("add", path)
        return "added"

    async def remove(self, name: str, *, delete_files: bool) -> None:
        self._do("remove", name, delete_files)

    async def verify(self, name: str) -> None:
        self._do("verify", name)

    async def repair(self, name: str) -> None:
        self._do("repair", name)

    async def download(self, variant: str) -> None:
        self._do("download", variant)

    async def cancel(self, variant: str) -> None:
        self._do("cancel", variant)

    async def dismiss(self, variant: str) -> None:
        self._do("dismiss", variant)

    async def search(self) -> None:
        self._do("search")

    async def look_at_devices(self) -> None:
        self._do("devices")

    async def later(self) -> None:
        self._do("later")


class UnusableError(HomewardError):
    """What a manager raises for a path without a model."""

    code = "model_unusable"
    status = 400
    blame = "caller"
