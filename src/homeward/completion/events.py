"""What an answer tells while it is made."""

from typing import Literal

import msgspec

from homeward.protocol.chat import Chunk
from homeward.protocol.errors import HomewardError

Phase = Literal["queued", "loading", "reading"]
"""`queued`: others are before it. `loading`: the model is not in memory yet. `reading`: the backend works on the
prompt."""


class Waiting(msgspec.Struct, frozen=True):
    """Nothing to read yet, and why."""

    phase: Phase
    backend: str
    ahead: int = 0
    """While queued: how many wait before it."""


class Said(msgspec.Struct, frozen=True):
    """The next pieces of the answer: all that came at once. Each says something; counts and ends stand elsewhere."""

    chunks: tuple[Chunk, ...]

    @property
    def text(self) -> str:
        """Its words, without what a reasoning model thinks aloud."""
        return "".join([chunk.text for chunk in self.chunks])


class Ended(msgspec.Struct, frozen=True):
    """The last event, exactly once; the receipt is complete then."""

    error: HomewardError | None = None
    """Why the answer failed or broke off; None where it is complete."""


Event = Waiting | Said | Ended
