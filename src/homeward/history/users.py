"""The owners of conversations. All functions run inside one transaction of the caller."""

from datetime import UTC, datetime
from uuid import uuid4

from sqlalchemy import Connection, select, update

from homeward.history.rows import JsonObject, User
from homeward.history.tables import insert_unless_there, users
from homeward.history.threads import merged


def get(connection: Connection, identifier: str) -> User | None:
    """The user of that name."""
    row = connection.execute(select(users).where(users.c.identifier == identifier)).mappings().one_or_none()
    return None if row is None else User(**row)


def ensure(connection: Connection, identifier: str, display_name: str, metadata: JsonObject) -> User:
    """Create the user, or change what is given; metadata merges."""
    new = {"id": uuid4(), "identifier": identifier, "created_at": datetime.now(UTC)}
    insert_unless_there(connection, users, new)
    here = users.c.identifier == identifier
    stored = User(**connection.execute(select(users).where(here).with_for_update(key_share=True)).mappings().one())
    changes: dict[str, object] = {}
    if display_name:
        changes["display_name"] = display_name
    if metadata:
        changes["metadata"] = merged(stored.metadata, metadata)
    if not changes:
        return stored
    connection.execute(update(users).where(here).values(**changes))
    return User(**connection.execute(select(users).where(here)).mappings().one())
