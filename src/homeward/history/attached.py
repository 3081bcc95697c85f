"""What hangs on steps: elements, feedback, receipts. All functions run inside the caller's transaction."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import structlog
from sqlalchemy import Connection, Row, delete, insert, select, update

from homeward.history import threads
from homeward.history.errors import RefusedError
from homeward.history.rows import Element, Feedback, JsonObject
from homeward.history.steps import not_empty
from homeward.history.tables import api_receipts, elements, feedback, receipts, steps
from homeward.history.tables import threads as thread_rows
from homeward.protocol.receipt import Receipt

log = structlog.get_logger(__name__)

_element_columns = [elements.c[name] for name in Element.__struct_fields__]
_feedback_columns = [feedback.c[name] for name in Feedback.__struct_fields__]


def save_element(connection: Connection, element: Element) -> None:
    """Insert the element, or change what is not empty in it."""
    threads.claim(connection, element.thread_id)
    changes = not_empty(element)
    query = select(elements.c.thread_id).where(elements.c.id == element.id)
    stored_in = connection.execute(query).scalar_one_or_none()
    if stored_in is None:
        connection.execute(insert(elements).values(**changes))
    elif stored_in != element.thread_id:
        raise RefusedError("An element with this id belongs to another conversation.")
    else:
        connection.execute(update(elements).where(elements.c.id == element.id).values(**changes))


def get_element(connection: Connection, thread_id: UUID, element_id: UUID) -> Element | None:
    """One element of the thread."""
    query = select(*_element_columns).where(elements.c.id == element_id, elements.c.thread_id == thread_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Element(**row)


def elements_of(connection: Connection, thread_id: UUID) -> tuple[Element, ...]:
    """The thread's elements in the order of their first save."""
    query = select(*_element_columns).where(elements.c.thread_id == thread_id).order_by(elements.c.seq)
    return tuple(Element(**row) for row in connection.execute(query).mappings())


def remove_element(connection: Connection, thread_id: UUID, element_id: UUID) -> bool:
    """Delete one element of the thread; whether it was there."""
    gone = delete(elements).where(elements.c.id == element_id, elements.c.thread_id == thread_id)
    return connection.execute(gone).rowcount > 0


def save_feedback(connection: Connection, step_id: UUID, value: int, comment: str | None, user_id: UUID | None) -> UUID:
    """Set the step's one feedback; its id."""
    row = _thread_of(connection, step_id)
    if row is None:
        raise RefusedError("The message that this feedback is for is not stored.")
    _check_owner(row, user_id)
    threads.lock(connection, row.id)
    query = select(feedback.c.id).where(feedback.c.step_id == step_id)
    feedback_id = connection.execute(query).scalar_one_or_none()
    values: dict[str, object] = {"value": value, "comment": comment}
    if feedback_id is None:
        feedback_id = uuid4()
        values |= {"id": feedback_id, "step_id": step_id, "created_at": datetime.now(UTC)}
        connection.execute(insert(feedback).values(**values))
    else:
        connection.execute(update(feedback).where(feedback.c.id == feedback_id).values(**values))
    return feedback_id


def remove_feedback(connection: Connection, feedback_id: UUID, user_id: UUID | None) -> bool:
    """Delete one feedback; whether it was there."""
    step_id = connection.execute(select(feedback.c.step_id).where(feedback.c.id == feedback_id)).scalar_one_or_none()
    row = None if step_id is None else _thread_of(connection, step_id)
    if row is None:
        return False
    _check_owner(row, user_id)
    connection.execute(delete(feedback).where(feedback.c.id == feedback_id))
    return True


def _thread_of(connection: Connection, step_id: UUID) -> Row[UUID, UUID | None] | None:
    query = select(thread_rows.c.id, thread_rows.c.user_id).join(steps).where(steps.c.id == step_id)
    return connection.execute(query).one_or_none()


def _check_owner(thread: Row[UUID, UUID | None], user_id: UUID | None) -> None:
    """Stricter than for a thread's own writes: nobody rates what nobody owns."""
    if user_id is not None and thread.user_id != user_id:
        raise RefusedError("This conversation belongs to somebody else.")


def feedback_of(connection: Connection, thread_id: UUID) -> dict[UUID, Feedback]:
    """The thread's feedback by step."""
    rows = connection.execute(select(*_feedback_columns).join(steps).where(steps.c.thread_id == thread_id))
    return {row["step_id"]: Feedback(**row) for row in rows.mappings()}


def save_receipt(connection: Connection, thread_id: UUID, step_id: UUID, receipt: Receipt) -> None:
    """Put one more receipt under a step; the same one again changes nothing but its contents."""
    threads.lock(connection, thread_id)
    here = select(steps.c.id).where(steps.c.id == step_id, steps.c.thread_id == thread_id)
    if connection.execute(here).one_or_none() is None:
        raise RefusedError("The answer that this receipt is for is not stored.", next_step="Store it first.")
    owner = connection.execute(select(receipts.c.step_id).where(receipts.c.id == receipt.id)).scalar_one_or_none()
    if owner not in (None, step_id):
        raise RefusedError("This receipt belongs to another answer.")
    connection.execute(delete(receipts).where(receipts.c.id == receipt.id))
    values = {"id": receipt.id, "step_id": step_id, "data": msgspec.to_builtins(receipt)}
    connection.execute(insert(receipts).values(**values))


def get_receipt(connection: Connection, receipt_id: UUID) -> Receipt | None:
    """One receipt, wherever it is."""
    of_steps = select(receipts.c.data).where(receipts.c.id == receipt_id)
    of_programs = select(api_receipts.c.data).where(api_receipts.c.id == receipt_id)
    data = connection.execute(of_steps.union_all(of_programs)).scalars().first()
    return None if data is None else _read_receipt(data)


def receipts_of(connection: Connection, thread_id: UUID) -> dict[UUID, tuple[Receipt, ...]]:
    """The thread's receipts by step, the oldest first."""
    query = select(receipts.c.step_id, receipts.c.data).join(steps).where(steps.c.thread_id == thread_id)
    found: dict[UUID, list[Receipt]] = {}
    for row in connection.execute(query):
        if (read := _read_receipt(row.data)) is not None:
            found.setdefault(row.step_id, []).append(read)
    return {step_id: tuple(sorted(each, key=lambda receipt: receipt.created_at)) for step_id, each in found.items()}


def _read_receipt(data: JsonObject) -> Receipt | None:
    """None for one that this version cannot read: it must not hide the whole conversation."""
    try:
        return msgspec.convert(data, Receipt)
    except msgspec.ValidationError as error:
        log.warning("history.receipt_unreadable", reason=str(error))
        return None
