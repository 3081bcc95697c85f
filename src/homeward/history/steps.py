"""Steps: the messages of a conversation and the work in between. All functions run inside one transaction."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Connection, Uuid, case, delete, insert, literal, select, text, update

from homeward.history import threads
from homeward.history.errors import RefusedError
from homeward.history.order import in_order, nearest_kept
from homeward.history.rows import ALTERNATIVE, ROLES, Element, Step, Turn
from homeward.history.tables import elements, receipts, steps
from homeward.history.tables import threads as thread_rows

_columns = [steps.c[name] for name in Step.__struct_fields__]
_CONTENTS = ("text", "status", "is_error", "started_at", "ended_at", "metadata", "favorite", "generation")
"""What a step says and how that came about; the rest is its place in the conversation."""


def save(connection: Connection, step: Step, *, user_id: UUID | None, clear_text: bool) -> None:
    """Insert the step, or change what is not empty in it; see `History.save_step`."""
    threads.claim(connection, step.thread_id, user_id)
    changes = not_empty(step)
    if clear_text:
        changes["text"] = step.text
    if "metadata" in changes:
        changes["favorite"] = changes["metadata"].get("favorite") is True
    stored = connection.execute(
        select(
            steps.c.thread_id,
            (steps.c.text != changes.get("text", steps.c.text)).label("text"),
            (steps.c.status != changes.get("status", steps.c.status)).label("status"),
        ).where(steps.c.id == step.id)
    ).one_or_none()
    if stored is None:
        changes.setdefault("created_at", datetime.now(UTC))
        connection.execute(insert(steps).values(**changes))
    elif stored.thread_id != step.thread_id:
        raise RefusedError("A step with this id belongs to another conversation.")
    else:
        changes = {name: value for name, value in changes.items() if name not in {"id", "thread_id", "created_at"}}
        connection.execute(update(steps).where(steps.c.id == step.id).values(**changes))
    if stored is None or stored.text or stored.status:
        threads.touch(connection, step.thread_id)


def not_empty(row: Step | Element) -> dict[str, Any]:
    """The fields that say something new; False and 0 do."""
    fields = {name: getattr(row, name) for name in row.__struct_fields__}
    return {name: value for name, value in fields.items() if value is not None and value not in ("", {}, [])}


def of_thread(connection: Connection, thread_id: UUID) -> tuple[Step, ...]:
    """All steps of the thread, parents before their children."""
    rows = connection.execute(select(*_columns).where(steps.c.thread_id == thread_id).order_by(steps.c.seq))
    return in_order(Step(**row) for row in rows.mappings())


def favorites(connection: Connection, user_id: UUID) -> tuple[Step, ...]:
    """The user's favourites, the newest first."""
    rows = connection.execute(
        select(*_columns)
        .join(thread_rows)
        .where(thread_rows.c.user_id == user_id, text("steps.favorite"))
        .order_by(steps.c.seq.desc())
    )
    return tuple(Step(**row) for row in rows.mappings())


def turns(connection: Connection, thread_id: UUID, until: UUID | None) -> tuple[Turn, ...]:
    """The messages of the thread up to `until`, as the model's prompt needs them."""
    light = ("id", "thread_id", "parent_id", "kind", "status", "is_error")
    said = case((steps.c.kind.in_(ROLES), steps.c.text), else_="").label("text")
    query = select(*(steps.c[name] for name in light), said).where(steps.c.thread_id == thread_id)
    ordered = in_order(Step(**row) for row in connection.execute(query.order_by(steps.c.seq)).mappings())
    if until is not None:
        end = next((number for number, step in enumerate(ordered) if step.id == until), None)
        if end is None:
            raise RefusedError("This message is not stored in this conversation.")
        ordered = ordered[: end + 1]
    spoken = (step for step in ordered if step.text and not _tells_of_an_error(step))
    rows = [{"step_id": step.id, "role": step.kind, "text": step.text, "status": step.status} for step in spoken]
    return msgspec.convert(rows, tuple[Turn, ...])


def _tells_of_an_error(step: Step) -> bool:
    """Whether the text was written by the program; a partial answer is the model's, however it is shown."""
    return bool(step.is_error) and step.status in {"complete", "failed"}


def remove_one(connection: Connection, thread_id: UUID, step_id: UUID) -> bool:
    """Delete one step with what hangs on it; its children move up to its parent."""
    threads.lock(connection, thread_id)
    return _remove(connection, thread_id, steps.c.id == step_id) > 0


def remove_later(connection: Connection, thread_id: UUID, step_id: UUID) -> int:
    """Delete all steps that were first saved after this one, with what hangs on them; the number of steps.

    Another answer to an earlier question stays, whenever it was written.
    """
    threads.lock(connection, thread_id)
    query = select(steps.c.seq).where(steps.c.id == step_id, steps.c.thread_id == thread_id)
    seq = connection.execute(query).scalar_one_or_none()
    if seq is None:
        raise RefusedError("This message is not stored in this conversation.")
    before = select(steps.c.id).where(steps.c.thread_id == thread_id, steps.c.seq <= seq).scalar_subquery()
    stays = (steps.c.kind == ALTERNATIVE) & steps.c.parent_id.in_(before)
    removed = _remove(connection, thread_id, (steps.c.seq > seq) & ~stays)
    threads.touch(connection, thread_id)
    return removed


def swap_contents(connection: Connection, thread_id: UUID, first: UUID, second: UUID) -> None:
    """Let two steps of the thread change places; see `History.swap_contents`."""
    threads.lock(connection, thread_id)
    both = steps.c.id.in_((first, second)) & (steps.c.thread_id == thread_id)
    query = select(steps.c.id, *(steps.c[name] for name in _CONTENTS)).where(both)
    rows = {row["id"]: {name: row[name] for name in _CONTENTS} for row in connection.execute(query).mappings()}
    if rows.keys() != {first, second}:
        raise RefusedError("One of these answers is not stored in this conversation.")
    connection.execute(update(steps).where(steps.c.id == first).values(**rows[second]))
    connection.execute(update(steps).where(steps.c.id == second).values(**rows[first]))
    other = case((receipts.c.step_id == first, literal(second, Uuid())), else_=literal(first, Uuid()))
    connection.execute(update(receipts).where(receipts.c.step_id.in_((first, second))).values(step_id=other))
    threads.touch(connection, thread_id)


def _remove(connection: Connection, thread_id: UUID, doomed: ColumnElement[bool]) -> int:
    here = steps.c.thread_id == thread_id
    rows = connection.execute(select(steps.c.id, steps.c.parent_id).where(here, doomed))
    parents = {row.id: row.parent_id for row in rows}
    ids = select(steps.c.id).where(here, doomed).scalar_subquery()
    children = select(steps.c.id, steps.c.parent_id).where(here, ~doomed, steps.c.parent_id.in_(ids))
    for child in connection.execute(children).all():
        heir = nearest_kept(child.parent_id, parents)
        connection.execute(update(steps).where(steps.c.id == child.id).values(parent_id=heir))
    connection.execute(delete(elements).where(elements.c.thread_id == thread_id, elements.c.step_id.in_(ids)))
    connection.execute(delete(steps).where(here, doomed))  # feedback and receipts go with them
    return len(parents)


def interrupt_streaming(connection: Connection) -> int:
    """Mark answers that no living process is writing; the number of them."""
    # Literally as in the index's condition, or the index would not be used.
    unfinished = update(steps).where(text("status = 'streaming'")).values(status="interrupted")
    return connection.execute(unfinished).rowcount
