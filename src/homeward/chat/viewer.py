"""A page, as those see it that tell it something."""

from typing import Protocol

from homeward.chat.texts import Language


class Viewer(Protocol):
    """A page that looks at a thread; equal to itself after its connection was lost and came back."""

    language: Language

    async def emit(self, event: str, data: object) -> None:
        """Send one event of Chainlit's protocol; a page that is gone takes it silently."""
        ...
