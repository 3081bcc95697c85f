"""Steps and what belongs to them, made with the few fields that a test cares about."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from homeward.history import Element, History, Step, Thread
from homeward.protocol.place import Place
from homeward.protocol.receipt import AttemptRecord, DroppedRecord, Receipt

OpenHistory = Callable[[], Awaitable[History]]


def said(thread_id: UUID, text: str = "Hello", kind: str = "user", **fields: Any) -> Step:
    """One message, with a new id unless one is given."""
    values: dict[str, Any] = {"id": uuid4(), "thread_id": thread_id, "kind": kind, "text": text}
    return Step(**(values | fields))


def shown(thread_id: UUID, **fields: Any) -> Element:
    values: dict[str, Any] = {"id": uuid4(), "thread_id": thread_id, "kind": "image"}
    return Element(**(values | fields))


def receipt(**fields: Any) -> Receipt:
    attempts = (
        AttemptRecord(backend="llama", place=Place.DEVICE, error="engine_error", seconds=0.5),
        AttemptRecord(backend="home-server", place=Place.NETWORK, model="m", seconds=2.0),
    )
    dropped = (DroppedRecord(backend="cloud", reason="the message holds a phone number"),)
    values: dict[str, Any] = {
        "id": uuid4(),
        "created_at": datetime.now(UTC),
        "outcome": "complete",
        "place": Place.NETWORK,
        "attempts": attempts,
        "dropped": dropped,
        "first_token_seconds": 0.25,
        "bytes_out": 0,
    }
    return Receipt(**(values | fields))


async def whole(history: History, thread_id: UUID) -> Thread:
    """The thread, which must be there."""
    thread = await history.get_thread(thread_id)
    assert thread is not None
    return thread


async def texts(history: History, thread_id: UUID) -> list[str]:
    """What was said, in order."""
    return [step.text for step in (await whole(history, thread_id)).steps]
