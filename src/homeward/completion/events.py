"""What an answer tells while it is made."""

from typing import Literal

import msgspec

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


class Text(msgspec.Struct, frozen=True):
    """The next piece of the answer."""

    text: str
    reasoning: bool = False
    """Thought aloud by a reasoning model; not part of the answer."""


class Ended(msgspec.Struct, frozen=True):
    """The last event, exactly once; the receipt is complete then."""

    error: HomewardError | None = None
    """Why the answer failed or broke off; None where it is complete."""


Event = Waiting | Text | Ended
