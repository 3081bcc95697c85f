"""The first tables, and the search index over messages."""

from alembic import op
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Integer,
    SmallInteger,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import DBAPIError

revision = "0001"
down_revision = None

_json = JSON().with_variant(postgresql.JSONB(), "postgresql")
_time = DateTime(timezone=True)
_seq = BigInteger().with_variant(Integer(), "sqlite")

_SEARCHABLE = "{row}.kind IN ('user', 'assistant', 'system') AND {row}.status <> 'streaming'"
_SHOWN = "substr({row}.text, 1, 100000)"


def upgrade() -> None:
    """Create everything."""
    _create_users_and_threads()
    _create_steps()
    _create_what_hangs_on_steps()
    if op.get_bind().dialect.name == "sqlite":
        _create_trigram_index_with_fts5()
    else:
        _create_trigram_index_with_pg_trgm()


def _create_users_and_threads() -> None:
    op.create_table(
        "users",
        Column("id", Uuid(), primary_key=True),
        Column("identifier", Text, nullable=False, unique=True),
        Column("display_name", Text),
        Column("metadata", _json, nullable=False),
        Column("created_at", _time, nullable=False),
    )
    op.create_table(
        "threads",
        Column("id", Uuid(), primary_key=True),
        Column("user_id", Uuid(), ForeignKey("users.id", ondelete="CASCADE")),
        Column("name", Text),
        Column("tags", _json, nullable=False),
        Column("metadata", _json, nullable=False),
        Column("created_at", _time, nullable=False),
        Column("updated_at", _time, nullable=False),
        Column("deleted_at", _time),
    )
    op.create_index("ix_threads_user_id_updated_at_id", "threads", ["user_id", "updated_at", "id"])


def _create_steps() -> None:
    op.create_table(
        "steps",
        Column("seq", _seq, primary_key=True, autoincrement=True),
        Column("id", Uuid(), nullable=False, unique=True),
        Column("thread_id", Uuid(), ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
        Column("parent_id", Uuid()),
        *(Column(name, Text, nullable=False) for name in ("kind", "name", "text", "input", "status")),
        Column("is_error", Boolean),
        Column("wait_for_answer", Boolean),
        Column("created_at", _time, nullable=False),
        Column("started_at", _time),
        Column("ended_at", _time),
        *(Column(name, _json, nullable=False) for name in ("metadata", "tags", "modes")),
        Column("command", Text),
        Column("generation", _json, nullable=False),
        Column("show_input", _json),
        Column("default_open", Boolean),
        Column("auto_collapse", Boolean),
        Column("language", Text),
        Column("icon", Text),
        Column("extra", _json, nullable=False),
        Column("favorite", Boolean, nullable=False),
        CheckConstraint("status IN ('streaming', 'complete', 'stopped', 'interrupted', 'failed')", name="status"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_steps_thread_id_seq", "steps", ["thread_id", "seq"])
    for name, condition in (("streaming", text("status = 'streaming'")), ("favorite", text("favorite"))):
        op.create_index(f"ix_steps_{name}", "steps", ["thread_id"], sqlite_where=condition, postgresql_where=condition)


def _create_what_hangs_on_steps() -> None:
    op.create_table(
        "elements",
        Column("seq", _seq, primary_key=True, autoincrement=True),
        Column("id", Uuid(), nullable=False, unique=True),
        Column("thread_id", Uuid(), ForeignKey("threads.id", ondelete="CASCADE"), nullable=False),
        Column("step_id", Uuid()),
        *(Column(name, Text, nullable=False) for name in ("kind", "name")),
        *(Column(name, Text) for name in ("display", "mime", "url", "object_key", "size")),
        Column("page", Integer),
        Column("language", Text),
        Column("props", _json, nullable=False),
        Column("auto_play", Boolean),
        *(Column(name, _json, nullable=False) for name in ("player_config", "extra")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_elements_thread_id_seq", "elements", ["thread_id", "seq"])
    op.create_index("ix_elements_step_id", "elements", ["step_id"])
    op.create_table(
        "feedback",
        Column("id", Uuid(), primary_key=True),
        Column("step_id", Uuid(), ForeignKey("steps.id", ondelete="CASCADE"), nullable=False, unique=True),
        Column("value", SmallInteger, nullable=False),
        Column("comment", Text),
        Column("created_at", _time, nullable=False),
        CheckConstraint("value IN (0, 1)", name="value"),
    )
    op.create_table(
        "receipts",
        Column("id", Uuid(), primary_key=True),
        Column("step_id", Uuid(), ForeignKey("steps.id", ondelete="CASCADE"), nullable=False, index=True),
        Column("data", _json, nullable=False),
    )


def _create_trigram_index_with_fts5() -> None:
    old, new = _SEARCHABLE.format(row="old"), _SEARCHABLE.format(row="new")
    gone, come = _SHOWN.format(row="old"), _SHOWN.format(row="new")
    drop = f"INSERT INTO search (search, rowid, text) SELECT 'delete', old.seq, {gone} WHERE {old}"
    add = f"INSERT INTO search (rowid, text) SELECT new.seq, {come} WHERE {new}"
    # The view lets FTS5's own 'rebuild' and 'integrity-check' see the same texts as the triggers.
    shown, searchable = _SHOWN.format(row="steps"), _SEARCHABLE.format(row="steps")
    op.execute(f"CREATE VIEW searchable AS SELECT seq, {shown} AS text FROM steps WHERE {searchable}")  # noqa: S608
    op.execute(
        "CREATE VIRTUAL TABLE search USING fts5(text, content='searchable', content_rowid='seq', tokenize='trigram')"
    )
    op.execute(f"CREATE TRIGGER search_insert AFTER INSERT ON steps BEGIN {add}; END")
    op.execute(f"CREATE TRIGGER search_delete AFTER DELETE ON steps BEGIN {drop}; END")
    op.execute(
        "CREATE TRIGGER search_update AFTER UPDATE OF kind, text, status ON steps"
        f" WHEN old.text <> new.text OR ({old}) <> ({new}) BEGIN {drop}; {add}; END"
    )


def _create_trigram_index_with_pg_trgm() -> None:
    """Where the extension may not be had, search reads the messages instead."""
    searchable = _SEARCHABLE.format(row="steps").replace("steps.", "")
    try:
        with op.get_bind().begin_nested():
            op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            # No list of pending entries: with one, PostgreSQL finds the index too dear and reads all messages.
            op.execute(
                "CREATE INDEX ix_steps_text_trigrams ON steps USING gin (left(text, 100000) gin_trgm_ops)"
                f" WITH (fastupdate = off) WHERE {searchable}"
            )
    except DBAPIError:
        pass
