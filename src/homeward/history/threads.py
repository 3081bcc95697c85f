"""Conversations: their rows, their owners, their list. All functions run inside the caller's transaction."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, Row, Uuid, delete, exists, literal, select, tuple_, update

from homeward.history.errors import RefusedError
from homeward.history.incoming import as_id
from homeward.history.rows import JsonObject, Page, ThreadSummary
from homeward.history.search import matching, words_of
from homeward.history.tables import (
    UtcTime,
    elements,
    feedback,
    insert_unless_there,
    steps,
    threads,
    users,
)

_PAGE_LIMIT = 100

_summaries = (
    select(
        threads.c.id,
        threads.c.user_id,
        users.c.identifier.label("user_identifier"),
        threads.c.name,
        threads.c.tags,
        threads.c.metadata,
        threads.c.created_at,
        threads.c.updated_at,
    )
    .select_from(threads.outerjoin(users))
    .where(threads.c.deleted_at.is_(None))
)


def claim(connection: Connection, thread_id: UUID, user_id: UUID | None = None) -> None:
    """Lock the thread for this transaction; create its row where a step comes first; set its owner, once.

    Raises `RefusedError` for a deleted thread and for one that somebody other than `user_id` owns.
    """
    row = lock(connection, thread_id)
    if row is None:
        now = datetime.now(UTC)
        values = {"id": thread_id, "user_id": user_id, "created_at": now, "updated_at": now}
        insert_unless_there(connection, threads, values)
        row = lock(connection, thread_id)
    if row is None or row.deleted_at is not None:
        raise RefusedError("This conversation was deleted.", next_step="Begin a new one.")
    check_owner(row.user_id, user_id)
    if user_id is not None and row.user_id is None:
        connection.execute(update(threads).where(threads.c.id == thread_id).values(user_id=user_id))


def lock(connection: Connection, thread_id: UUID) -> Row[UUID | None, datetime | None] | None:
    """Keep other programs from changing the thread in this transaction; its owner and time of deletion."""
    rows = select(threads.c.user_id, threads.c.deleted_at).where(threads.c.id == thread_id)
    return connection.execute(rows.with_for_update(key_share=True)).one_or_none()


def check_owner(owner_id: UUID | None, user_id: UUID | None) -> None:
    """Raise `RefusedError` where somebody other than `user_id` owns the thread; None asks for no check."""
    if user_id is not None and owner_id is not None and owner_id != user_id:
        raise RefusedError("This conversation belongs to somebody else.")


def touch(connection: Connection, thread_id: UUID) -> None:
    """Note that something happened in the thread just now."""
    connection.execute(update(threads).where(threads.c.id == thread_id).values(updated_at=datetime.now(UTC)))


def change(
    connection: Connection,
    thread_id: UUID,
    *,
    name: str,
    user_id: UUID | None,
    metadata: JsonObject,
    tags: list[str],
) -> None:
    """Change what is given; an empty value keeps what is stored, metadata merges."""
    claim(connection, thread_id, user_id)
    changes: dict[str, object] = {}
    if name:
        changes["name"] = name
    if tags:
        changes["tags"] = tags
    if metadata:
        stored = connection.execute(select(threads.c.metadata).where(threads.c.id == thread_id)).scalar_one()
        changes["metadata"] = merged(stored, metadata)
    if changes:
        connection.execute(update(threads).where(threads.c.id == thread_id).values(**changes))


def merged(stored: JsonObject, news: JsonObject) -> JsonObject:
    """`stored` with the top-level keys of `news`; a key with None is taken out."""
    return {key: value for key, value in (stored | news).items() if value is not None}


def summary(connection: Connection, thread_id: UUID) -> ThreadSummary | None:
    """The thread without its contents."""
    row = connection.execute(_summaries.where(threads.c.id == thread_id)).mappings().one_or_none()
    return None if row is None else ThreadSummary(**row)


def remove(connection: Connection, thread_id: UUID) -> bool:
    """Delete the thread with all that belongs to it; only its id stays, so that nothing comes back."""
    row = lock(connection, thread_id)
    if row is None or row.deleted_at is not None:
        return False
    connection.execute(delete(elements).where(elements.c.thread_id == thread_id))
    connection.execute(delete(steps).where(steps.c.thread_id == thread_id))
    empty: dict[str, object] = {
        "user_id": None,
        "name": None,
        "tags": [],
        "metadata": {},
        "deleted_at": datetime.now(UTC),
    }
    connection.execute(update(threads).where(threads.c.id == thread_id).values(**empty))
    return True


def page(
    connection: Connection, user_id: UUID, *, first: int, cursor: str | None, search: str, thumb: int | None
) -> Page:
    """One page of the user's threads, the latest first; an index gives them in this order."""
    query = _summaries.where(threads.c.user_id == user_id)
    if cursor is not None:
        moment, thread_id = _read_cursor(cursor)
        place = tuple_(literal(moment, UtcTime()), literal(thread_id, Uuid()))
        query = query.where(tuple_(threads.c.updated_at, threads.c.id) < place)
    if words := words_of(search):
        query = query.where(matching(words, connection.dialect.name))
    if thumb is not None:
        rated = feedback.join(steps, steps.c.id == feedback.c.step_id)
        query = query.where(
            exists().select_from(rated).where(steps.c.thread_id == threads.c.id, feedback.c.value == thumb)
        )
    size = min(max(first, 1), _PAGE_LIMIT)
    query = query.order_by(threads.c.updated_at.desc(), threads.c.id.desc()).limit(size + 1)
    found = [ThreadSummary(**row) for row in connection.execute(query).mappings()]
    more = len(found) > size
    return Page(threads=tuple(found[:size]), next_cursor=_write_cursor(found[size - 1]) if more else None)


def _write_cursor(last: ThreadSummary) -> str:
    return f"{last.updated_at.isoformat()}_{last.id}"


def _read_cursor(cursor: str) -> tuple[datetime, UUID]:
    moment, _, thread_id = cursor.partition("_")
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        raise RefusedError("This is no place in the list of conversations.", next_step="Load the list anew.")
    return parsed, as_id(thread_id, "place in the list of conversations")
