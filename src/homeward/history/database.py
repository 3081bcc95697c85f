"""What the store asks of a database; `sqlite` and `postgresql` are the two there are."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import Connection

T = TypeVar("T")

PATIENCE_SECONDS = 5.0
"""How long one call may wait in all: for others before it, for a lock, or for a server that restarts."""


class Database(Protocol):
    """Runs transactions; `work` is plain SQLAlchemy and the same for both."""

    async def read(self, work: Callable[[Connection], T], deadline: float) -> T:
        """What `work` finds in one snapshot; waits until `deadline` (`time.monotonic`) for its turn."""

    async def write(self, work: Callable[[Connection], T], deadline: float) -> T:
        """Carry `work` out as one transaction; it may be run again, so it must give the same result twice."""

    async def close(self) -> None:
        """Let go of all connections."""


def json_to(value: Any) -> str:
    """How JSON columns are written."""
    return msgspec.json.encode(value).decode()


def json_from(text: str | bytes) -> Any:
    """How JSON columns are read."""
    return msgspec.json.decode(text)
