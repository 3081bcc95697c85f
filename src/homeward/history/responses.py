"""Answers of `/v1/responses`, kept so that a program can read them again and go on from them.

A conversation is a chain of responses, each of which names the one before it. Its pieces belong together: it
is kept for as long as its newest response, and goes as a whole.
"""

from collections.abc import Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import Connection, delete, func, literal, select

from homeward.history.errors import RefusedError
from homeward.history.incoming import storable, storable_text
from homeward.history.tables import insert_unless_there, responses
from homeward.protocol.responses import StoredResponse

T = TypeVar("T")

MOST_RESPONSES = 1000
"""In one conversation, and named by one request."""
MOST_BYTES = 20_000_000
"""Of these together; a request may be about as large."""

_columns = [responses.c[name] for name in ("id", "owner", "previous_id", "created_at", "stays_home", "input", "body")]


class Run(Protocol):
    """Carries work out in a transaction."""

    def __call__(self, work: Callable[[Connection], T]) -> Awaitable[T]:
        """What `work` gives. Raises HistoryError."""
        ...


class Responses:
    """The responses of a history. Every method raises HistoryError where the database fails."""

    def __init__(self, read: Run, write: Run) -> None:
        self._read = read
        self._write = write

    async def save(self, response: StoredResponse) -> None:
        """Keep one; a second time changes nothing."""
        row = storable(response)
        await self._write(lambda connection: _save(connection, row))

    async def get(self, response_id: str, owner: str) -> StoredResponse | None:
        """The response with this id; None also for one of another owner."""
        return (await self.get_all([response_id], owner)).get(response_id)

    async def get_all(self, response_ids: Collection[str], owner: str) -> dict[str, StoredResponse]:
        """Those of them that there are, by id. Raises RefusedError: they are too many, or too long together."""
        wanted = [storable_text(each) for each in response_ids]
        if len(wanted) > MOST_RESPONSES:
            raise _too_long()
        found = await self._read(lambda connection: _load(connection, wanted, storable_text(owner)))
        return {each.id: each for each in found}

    async def conversation(self, last_id: str, owner: str) -> tuple[StoredResponse, ...] | None:
        """The responses up to and with this one, oldest first; None where one of them is not there any more.

        Raises RefusedError: they are too many, or too long together.
        """
        last, whose = storable_text(last_id), storable_text(owner)
        return await self._read(lambda connection: _conversation(connection, last, whose))

    async def delete(self, response_id: str, owner: str) -> bool:
        """Delete one for good; whether it was there."""
        wanted, whose = storable_text(response_id), storable_text(owner)
        gone = delete(responses).where(responses.c.id == wanted, responses.c.owner == whose)
        return await self._write(lambda connection: connection.execute(gone).rowcount > 0)

    async def delete_before(self, moment: datetime) -> int:
        """Delete the conversations whose newest response is older; how many responses that were."""
        newest = func.max(responses.c.created_at)
        old = select(responses.c.conversation).group_by(responses.c.conversation).having(newest < moment)
        gone = delete(responses).where(responses.c.conversation.in_(old))
        return await self._write(lambda connection: connection.execute(gone).rowcount)


def _save(connection: Connection, response: StoredResponse) -> None:
    before = select(responses.c.conversation).where(
        responses.c.id == response.previous_id, responses.c.owner == response.owner
    )
    values: dict[str, Any] = {name: getattr(response, name) for name in response.__struct_fields__}
    values["conversation"] = connection.execute(before).scalar_one_or_none() or response.id
    values["bytes"] = len(msgspec.json.encode((response.input, response.body)))
    insert_unless_there(connection, responses, values)


def _load(connection: Connection, ids: Sequence[str], owner: str) -> list[StoredResponse]:
    these = (responses.c.id.in_(ids), responses.c.owner == owner)
    if (
        connection.execute(select(func.coalesce(func.sum(responses.c.bytes), 0)).where(*these)).scalar_one()
        > MOST_BYTES
    ):
        raise _too_long()
    return [StoredResponse(**row) for row in connection.execute(select(*_columns).where(*these)).mappings()]


def _conversation(connection: Connection, last_id: str, owner: str) -> tuple[StoredResponse, ...] | None:
    ids = _chain(connection, last_id, owner)
    if ids is None:
        return None
    found = {each.id: each for each in _load(connection, ids, owner)}
    return tuple(found[each] for each in reversed(ids))


def _chain(connection: Connection, last_id: str, owner: str) -> list[str] | None:
    """The ids from the last one to the first; None where the chain does not reach a first one."""
    link = select(responses.c.id, responses.c.previous_id, literal(1).label("number"))
    chain = link.where(responses.c.id == last_id, responses.c.owner == owner).cte("chain", recursive=True)
    further = select(responses.c.id, responses.c.previous_id, chain.c.number + 1).where(
        responses.c.id == chain.c.previous_id, responses.c.owner == owner, chain.c.number <= MOST_RESPONSES
    )
    chain = chain.union_all(further)
    links = connection.execute(select(chain.c.id, chain.c.previous_id).order_by(chain.c.number)).all()
    if len(links) > MOST_RESPONSES:
        raise _too_long()
    if not links or links[-1].previous_id is not None:
        return None
    return [each.id for each in links]


def _too_long() -> RefusedError:
    return RefusedError("The conversation before this request is too long.", next_step="Begin a new one.")
