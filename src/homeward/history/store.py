"""The conversation store itself: one method for each thing that can be done, each one transaction."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID
from weakref import WeakValueDictionary

import structlog
from sqlalchemy import Connection

from homeward.history import attached, steps, threads, users
from homeward.history.api_receipts import ApiReceipts
from homeward.history.database import PATIENCE_SECONDS, Database
from homeward.history.errors import Reason, RefusedError, failure, reason_of, translated
from homeward.history.export import to_plain
from homeward.history.incoming import (
    as_id,
    identifier,
    label,
    storable,
    storable_json,
    storable_text,
    storable_words,
)
from homeward.history.opening import open_database
from homeward.history.responses import Responses
from homeward.history.rows import AnyId, Element, JsonObject, Page, Step, Thread, Turn, User
from homeward.protocol.errors import HistoryError
from homeward.protocol.receipt import Receipt

T = TypeVar("T")
log = structlog.get_logger(__name__)

_DAY_SECONDS = 86_400.0


class History:
    """Conversations in SQLite or PostgreSQL; made by `History.open`, for one event loop.

    Whatever is asked of one thread happens in the order in which it was asked: writers that are not awaited
    cannot overtake each other, and a read sees the writes before it. A write that has been asked for is
    carried out even if its caller is cancelled. Nothing here blocks the event loop.

    Every method raises `HistoryError` where the database fails: nothing was stored then, and the next call
    tries anew. `RefusedError`, a kind of it, is for what the caller may not do: an id that is no UUID, a
    deleted conversation, somebody else's.
    """

    def __init__(self, database: Database, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self.failures: Counter[Reason] = Counter()
        """How often the database failed, by reason."""
        self.recovered = 0
        """Answers that were found unfinished when the store was opened."""
        self.responses = Responses(self._read, self._write)
        """Answers of `/v1/responses`."""
        self._api_receipts = ApiReceipts(self._write)
        self._database = database
        self._patience_seconds = patience_seconds
        self._lanes: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()
        self._running: set[asyncio.Task[Any]] = set()
        self._closing = self._closed = False

    @classmethod
    async def open(cls, url: str | Path, *, migrate: bool = True, patience_seconds: float = PATIENCE_SECONDS) -> Self:
        """Open `sqlite:////folder/history.db`, the path of such a file, or `postgresql://user@host/database`.

        A missing SQLite file is created, readable by its owner only; older tables in it are brought up to
        date after a copy was made beside it (`migrate=False` refuses instead). PostgreSQL needs
        `migrate(url)` first.
        Answers that a killed process left unfinished become `interrupted`.
        `patience_seconds`: how long one call may wait in all, for others before it, a lock, or a server that restarts.
        """
        database = await open_database(url, migrate=migrate, patience_seconds=patience_seconds)
        history = cls(database, patience_seconds)
        try:
            history.recovered = await history.recover_interrupted()
        except BaseException:
            await history.close()
            raise
        return history

    async def close(self) -> None:
        """Finish what was asked for, then close the database. A second call does nothing."""
        if self._closing:
            return
        self._closing = True
        await self._api_receipts.close()  # which may still write
        self._closed = True
        if self._running:
            await asyncio.wait(self._running)
        await self._database.close()

    async def __aenter__(self) -> Self:
        """Use the store for the length of a block."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        await self.close()

    # Users

    async def get_user(self, name: str) -> User | None:
        """The user with this identifier."""
        return await self._read(lambda connection: users.get(connection, storable_text(name)))

    async def ensure_user(self, name: str, display_name: str | None = None, metadata: JsonObject | None = None) -> User:
        """Create the user with this identifier, or change what is given; metadata merges as in a thread."""
        # Copied before anything is waited for: the caller may go on changing what it has passed.
        known, shown, news = identifier(name), label(display_name), storable_json(metadata)
        return await self._write(lambda connection: users.ensure(connection, known, shown, news))

    # Threads

    async def get_thread(self, thread_id: AnyId) -> Thread | None:
        """The conversation with all that belongs to it; None for unknown and deleted ones."""
        here = as_id(thread_id, "thread's id")
        return await self._read(lambda connection: _whole_thread(connection, here), here)

    async def thread_owner(self, thread_id: AnyId) -> str | None:
        """The owner's identifier; None where the conversation is unknown, deleted, or has no owner yet."""
        here = as_id(thread_id, "thread's id")
        found = await self._read(lambda connection: threads.summary(connection, here), here)
        return found.user_identifier if found else None

    async def list_threads(
        self,
        user_id: AnyId,
        *,
        first: int = 20,
        cursor: str | None = None,
        search: str = "",
        feedback: int | None = None,
    ) -> Page:
        """The user's conversations, the latest first, `first` (1 to 100) at a time; `cursor` from `Page`.

        `search`: each of its words must occur in the same name or message, as a part of it, in any case.
        `feedback`: only those with at least one such value.
        """
        owner = as_id(user_id, "user's id")
        return await self._read(
            lambda connection: threads.page(
                connection, owner, first=first, cursor=cursor, search=search, thumb=feedback
            )
        )

    async def update_thread(
        self,
        thread_id: AnyId,
        *,
        name: str | None = None,
        user_id: AnyId | None = None,
        metadata: JsonObject | None = None,
        tags: list[str] | None = None,
    ) -> None:
        """Change what is given, and create the thread where it is unknown. Does not count as activity.

        `metadata` merges key by key, None deletes a key. The owner is set once; another one is refused.
        """
        here, owner = as_id(thread_id, "thread's id"), _perhaps_id(user_id, "user's id")
        shown, news, words = label(name), storable_json(metadata), storable_words(tags)
        await self._write(
            lambda connection: threads.change(connection, here, name=shown, user_id=owner, metadata=news, tags=words),
            here,
        )

    async def delete_thread(self, thread_id: AnyId) -> bool:
        """Delete the conversation for good: later saves to it are refused. Whether it was there."""
        here = as_id(thread_id, "thread's id")
        return await self._write(lambda connection: threads.remove(connection, here), here)

    async def export_thread(self, thread_id: AnyId) -> dict[str, Any] | None:
        """The conversation as plain values for a JSON file; None for unknown and deleted ones."""
        thread = await self.get_thread(thread_id)
        return to_plain(thread) if thread else None

    # Steps

    async def save_step(self, step: Step, *, user_id: AnyId | None = None, clear_text: bool = False) -> None:
        """Insert the step, or change the one with its id; a thread that is not there yet is created.

        Empty fields keep what is stored; `clear_text` lets an empty text count too. `id`, `thread_id` and
        `created_at` never change. Calling it every few seconds with a growing text costs little.
        `user_id` becomes the owner of a thread without one; a thread of somebody else is refused, and so is a
        step whose id is known in another thread.
        """
        row, owner = storable(step), _perhaps_id(user_id, "user's id")
        await self._write(
            lambda connection: steps.save(connection, row, user_id=owner, clear_text=clear_text),
            row.thread_id,
        )

    async def delete_step(self, thread_id: AnyId, step_id: AnyId) -> bool:
        """Delete one step with what hangs on it; its children move up to its parent. Whether it was there."""
        here, there = as_id(thread_id, "thread's id"), as_id(step_id, "step's id")
        return await self._write(lambda connection: steps.remove_one(connection, here, there), here)

    async def delete_steps_after(self, thread_id: AnyId, step_id: AnyId) -> int:
        """Delete all steps that were first saved after this one, with what hangs on them; their number.

        Other answers (`ALTERNATIVE`) to an earlier question stay.
        """
        here, there = as_id(thread_id, "thread's id"), as_id(step_id, "step's id")
        return await self._write(lambda connection: steps.remove_later(connection, here, there), here)

    async def swap_contents(self, thread_id: AnyId, first_id: AnyId, second_id: AnyId) -> None:
        """Let two steps change places: what they say, how that came about, and their receipts.

        Ids, kinds, parents and the order of the conversation stay as they are.
        """
        here = as_id(thread_id, "thread's id")
        first, second = as_id(first_id, "step's id"), as_id(second_id, "step's id")
        await self._write(lambda connection: steps.swap_contents(connection, here, first, second), here)

    async def turns(self, thread_id: AnyId, until_step_id: AnyId | None = None) -> tuple[Turn, ...]:
        """The messages with a text, in order, up to and including `until_step_id`: what a prompt is made of.

        Partial answers are among them, with their status; texts that tell of an error are not.
        """
        here, end = as_id(thread_id, "thread's id"), _perhaps_id(until_step_id, "step's id")
        return await self._read(lambda connection: steps.turns(connection, here, end), here)

    async def favorite_steps(self, user_id: AnyId) -> tuple[Step, ...]:
        """The steps of the user's threads whose metadata says `"favorite": true`, the newest first."""
        owner = as_id(user_id, "user's id")
        return await self._read(lambda connection: steps.favorites(connection, owner))

    async def recover_interrupted(self) -> int:
        """Mark all answers that are still `streaming` as `interrupted`; how many there were. Done by `open`.

        Where another process is writing one of them, its next save puts that right.
        """
        return await self._write(steps.interrupt_streaming)

    # Receipts

    async def save_receipt(self, step_id: AnyId, thread_id: AnyId, receipt: Receipt) -> None:
        """Store a receipt of an answer that is stored already; one that was continued has several."""
        here, there, row = as_id(thread_id, "thread's id"), as_id(step_id, "step's id"), storable(receipt)
        await self._write(lambda connection: attached.save_receipt(connection, here, there, row), here)

    async def get_receipt(self, receipt_id: AnyId) -> Receipt | None:
        """The receipt with this id, of an answer in a conversation or of one to another program."""
        wanted = as_id(receipt_id, "receipt's id")
        if (noted := self._api_receipts.unwritten(wanted)) is not None:
            return noted
        return await self._read(lambda connection: attached.get_receipt(connection, wanted))

    def keep(self, receipt: Receipt) -> None:
        """Store the receipt of an answer that is in no conversation; `get_receipt` finds it at once.

        Does not wait: it is on disk a moment later, and so are all that came meanwhile.
        """
        self._api_receipts.keep(receipt)

    # Retention

    async def delete_old(self, days: int) -> None:
        """Delete what other programs left here, once it is so many days old: responses and receipts."""
        moment = datetime.now(UTC) - timedelta(days=days)
        gone = await self.responses.delete_before(moment), await self._api_receipts.delete_before(moment)
        if any(gone):
            log.info("history.deleted_old", responses=gone[0], receipts=gone[1])

    async def keep_deleting_old(self, days: int) -> None:
        """Do so now and once a day, until cancelled."""
        while True:
            try:
                await self.delete_old(days)
            except HistoryError as error:
                log.warning("history.old_not_deleted", error=str(error))
            await asyncio.sleep(_DAY_SECONDS)

    # Elements

    async def save_element(self, element: Element) -> None:
        """Insert the element, or change the one with its id; empty fields keep what is stored."""
        row = storable(element)
        await self._write(lambda connection: attached.save_element(connection, row), row.thread_id)

    async def get_element(self, thread_id: AnyId, element_id: AnyId) -> Element | None:
        """One element of the thread."""
        here, there = as_id(thread_id, "thread's id"), as_id(element_id, "element's id")
        return await self._read(lambda connection: attached.get_element(connection, here, there), here)

    async def delete_element(self, thread_id: AnyId, element_id: AnyId) -> bool:
        """Delete one element of the thread; whether it was there."""
        here, there = as_id(thread_id, "thread's id"), as_id(element_id, "element's id")
        return await self._write(lambda connection: attached.remove_element(connection, here, there), here)

    # Feedback

    async def save_feedback(
        self, step_id: AnyId, value: int, comment: str | None = None, *, user_id: AnyId | None
    ) -> UUID:
        """Set the one feedback of a stored step, 1 or 0, and give its id.

        `user_id` must own the thread; None leaves that check to the caller.
        """
        there, owner = as_id(step_id, "step's id"), _perhaps_id(user_id, "user's id")
        if value not in (0, 1):
            raise RefusedError("Feedback is 1 or 0.")
        thumb, words = int(value), None if comment is None else storable_text(comment)
        return await self._write(lambda connection: attached.save_feedback(connection, there, thumb, words, owner))

    async def delete_feedback(self, feedback_id: AnyId, *, user_id: AnyId | None) -> bool:
        """Delete one feedback; whether it was there. `user_id` must own the thread; None: unchecked."""
        there, owner = as_id(feedback_id, "feedback's id"), _perhaps_id(user_id, "user's id")
        return await self._write(lambda connection: attached.remove_feedback(connection, there, owner))

    # How it is done

    async def _read(self, work: Callable[[Connection], T], thread_id: UUID | None = None) -> T:
        return await self._run(self._database.read, work, thread_id)

    async def _write(self, work: Callable[[Connection], T], thread_id: UUID | None = None) -> T:
        return await self._run(self._database.write, work, thread_id)

    async def _run(self, operation: Callable[..., Any], work: Callable[[Connection], T], thread_id: UUID | None) -> T:
        """Do `work` in a task of its own, which goes on when the caller is cancelled.

        A write is to be finished, and a cancelled read would leave a broken connection behind. The order is that of
        the calls: tasks start in the order of their creation, and locks are handed on in the order of waiting.
        """
        if self._closed:
            raise failure("closed")
        lane = asyncio.Lock() if thread_id is None else self._lanes.setdefault(thread_id, asyncio.Lock())
        deadline = time.monotonic() + self._patience_seconds
        task = asyncio.create_task(self._in_lane(lane, operation, work, deadline))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(_log_failure)
            raise

    async def _in_lane(
        self,
        lane: asyncio.Lock,
        operation: Callable[..., Any],
        work: Callable[[Connection], T],
        deadline: float,
    ) -> T:
        try:
            async with lane:
                result: T = await operation(work, deadline)
                return result
        except HistoryError:
            raise
        except Exception as error:
            # Whatever it is: the caller has to hear that nothing was stored, in the way that callers know.
            self.failures[reason_of(error)] += 1
            raise translated(error) from error


def _whole_thread(connection: Connection, thread_id: UUID) -> Thread | None:
    found = threads.summary(connection, thread_id)
    if found is None:
        return None
    return Thread(
        **{name: getattr(found, name) for name in found.__struct_fields__},
        steps=steps.of_thread(connection, thread_id),
        elements=attached.elements_of(connection, thread_id),
        feedback=attached.feedback_of(connection, thread_id),
        receipts=attached.receipts_of(connection, thread_id),
    )


def _perhaps_id(value: AnyId | None, what: str) -> UUID | None:
    return None if value is None else as_id(value, what)


def _log_failure(task: asyncio.Task[Any]) -> None:
    """The caller has gone, so that nobody else would hear of it."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("history.failed_unheard", error=str(error), detail=getattr(error, "detail", ""))
