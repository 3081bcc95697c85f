"""What the models page can ask for."""

from typing import Protocol

from homeward.manage.state import Catalogue, State


class Manager(Protocol):
    """Does what the user asks of the models of this machine.

    All coroutines raise HomewardError, with a sentence for the user. What takes long (downloads, checks, loading)
    goes on by itself after they return, and `state` tells of it. A model's `name` is the one that `state` gives, a
    `variant` the one that `catalogue` or a download gives.
    """

    def state(self) -> State:
        """Everything at this instant. Asked every second: reads no file and asks nobody."""

    async def catalogue(self) -> Catalogue:
        """What can be downloaded. Asks the catalogue over the network."""

    async def use(self, name: str) -> None:
        """Let this model, or this service's model, answer from now on."""

    async def add(self, path: str) -> str:
        """Put the model at a path, as the user typed it, on the list; its name."""

    async def remove(self, name: str, *, delete_files: bool) -> None:
        """Take a model off the list, and delete the files that were downloaded for it if asked to."""

    async def verify(self, name: str) -> None:
        """Check a model's files."""

    async def repair(self, name: str) -> None:
        """Fetch a damaged model of the catalogue once more."""

    async def download(self, variant: str) -> None:
        """Begin a download, or go on with one."""

    async def cancel(self, variant: str) -> None:
        """End a download; what arrived is kept."""

    async def dismiss(self, variant: str) -> None:
        """Forget a download that is over."""

    async def search(self) -> None:
        """Look for services that run on this machine."""

    async def look_at_devices(self) -> None:
        """Look for graphics and neural processors."""

    async def later(self) -> None:
        """The user doesn't want to switch to the model that is ready."""
