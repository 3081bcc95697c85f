"""The tables, as SQLAlchemy Core knows them; `migrations` creates them, and a test compares the two.

Steps and elements have a `seq` that only grows: it gives the order of a conversation (clocks do not), and on
SQLite it is the row number that the search index refers to. Ids come from outside and give no order.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    TypeDecorator,
    Uuid,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)


class UtcTime(TypeDecorator[datetime]):
    """An aware time in UTC on both databases; SQLite keeps it without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """UTC, and naive for SQLite."""
        if value is None:
            return None
        moment = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


Json = JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
"""A dict or list on the way in and on the way out, on both databases."""
_Seq = BigInteger().with_variant(Integer(), "sqlite")


def _seq() -> Column[int]:
    return Column("seq", _Seq, primary_key=True, autoincrement=True)


def _object(name: str) -> Column[Any]:
    return Column(name, Json, nullable=False, default=dict)


def _thread_id() -> Column[Any]:
    return Column("thread_id", Uuid(), ForeignKey("threads.id", ondelete="CASCADE"), nullable=False)


users = Table(
    "users",
    metadata,
    Column("id", Uuid(), primary_key=True),
    Column("identifier", Text, nullable=False, unique=True),
    Column("display_name", Text),
    _object("metadata"),
    Column("created_at", UtcTime(), nullable=False),
)

threads = Table(
    "threads",
    metadata,
    Column("id", Uuid(), primary_key=True),
    Column("user_id", Uuid(), ForeignKey("users.id", ondelete="CASCADE")),
    Column("name", Text),
    Column("tags", Json, nullable=False, default=list),
    _object("metadata"),
    Column("created_at", UtcTime(), nullable=False),
    Column("updated_at", UtcTime(), nullable=False),
    # A deleted conversation leaves this one empty row, so that a late write cannot bring a piece of it back.
    Column("deleted_at", UtcTime()),
    Index(None, "user_id", "updated_at", "id"),
)

steps = Table(
    "steps",
    metadata,
    _seq(),
    Column("id", Uuid(), nullable=False, unique=True),
    _thread_id(),
    Column("parent_id", Uuid()),  # no foreign key: the parent may be saved later, or never
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False, default=""),
    Column("text", Text, nullable=False, default=""),
    Column("input", Text, nullable=False, default=""),
    Column("status", Text, nullable=False, default="complete"),
    Column("is_error", Boolean),
    Column("wait_for_answer", Boolean),
    Column("created_at", UtcTime(), nullable=False),
    Column("started_at", UtcTime()),
    Column("ended_at", UtcTime()),
    _object("metadata"),
    Column("tags", Json, nullable=False, default=list),
    _object("modes"),
    Column("command", Text),
    _object("generation"),
    Column("show_input", Json),
    Column("default_open", Boolean),
    Column("auto_collapse", Boolean),
    Column("language", Text),
    Column("icon", Text),
    _object("extra"),
    Column("favorite", Boolean, nullable=False, default=False),  # what metadata says, as a column to look up by
    CheckConstraint("status IN ('streaming', 'complete', 'stopped', 'interrupted', 'failed')", name="status"),
    Index(None, "thread_id", "seq"),
    Index(
        "ix_steps_streaming",
        "thread_id",
        sqlite_where=(streaming := text("status = 'streaming'")),
        postgresql_where=streaming,
    ),
    Index(
        "ix_steps_favorite",
        "thread_id",
        sqlite_where=(favorite := text("favorite")),
        postgresql_where=favorite,
    ),
    sqlite_autoincrement=True,
)

elements = Table(
    "elements",
    metadata,
    _seq(),
    Column("id", Uuid(), nullable=False, unique=True),
    _thread_id(),
    Column("step_id", Uuid()),  # no foreign key: the step may be saved later
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False, default=""),
    Column("display", Text),
    Column("mime", Text),
    Column("url", Text),
    Column("object_key", Text),
    Column("size", Text),
    Column("page", Integer),
    Column("language", Text),
    _object("props"),
    Column("auto_play", Boolean),
    _object("player_config"),
    _object("extra"),
    Index(None, "thread_id", "seq"),
    Index(None, "step_id"),
    sqlite_autoincrement=True,
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", Uuid(), primary_key=True),
    Column("step_id", Uuid(), ForeignKey("steps.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("value", SmallInteger, nullable=False),
    Column("comment", Text),
    Column("created_at", UtcTime(), nullable=False),
    CheckConstraint("value IN (0, 1)", name="value"),
)

receipts = Table(
    "receipts",
    metadata,
    Column("id", Uuid(), primary_key=True),
    Column("step_id", Uuid(), ForeignKey("steps.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("data", Json, nullable=False),
)

responses = Table(
    "responses",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),  # name of an API key, empty for none
    Column("conversation", Text, nullable=False),  # id of its first response; no foreign key: that one may be deleted
    Column("previous_id", Text),
    Column("created_at", UtcTime(), nullable=False),
    Column("stays_home", Boolean, nullable=False),
    Column("bytes", Integer, nullable=False),
    Column("input", Json, nullable=False),
    Column("body", Json, nullable=False),
    Index(None, "conversation", "created_at"),
)

api_receipts = Table(
    "api_receipts",
    metadata,
    Column("id", Uuid(), primary_key=True),
    Column("created_at", UtcTime(), nullable=False, index=True),
    Column("data", Json, nullable=False),
)


def insert_unless_there(connection: Connection, table: Table, values: Mapping[str, Any]) -> None:
    """Insert one row, or leave the one that has its key; safe where two programs do so at once."""
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(insert(table).values(**values).on_conflict_do_nothing())
