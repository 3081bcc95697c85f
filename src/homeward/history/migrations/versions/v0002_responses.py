"""Responses, and receipts of answers that are in no conversation."""

from alembic import op
from sqlalchemy import JSON, Boolean, Column, DateTime, Integer, Text, Uuid
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"

_json = JSON().with_variant(postgresql.JSONB(), "postgresql")
_time = DateTime(timezone=True)


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "responses",
        Column("id", Text, primary_key=True),
        Column("owner", Text, nullable=False),
        Column("conversation", Text, nullable=False),
        Column("previous_id", Text),
        Column("created_at", _time, nullable=False),
        Column("stays_home", Boolean, nullable=False),
        Column("bytes", Integer, nullable=False),
        *(Column(name, _json, nullable=False) for name in ("input", "body")),
    )
    op.create_index("ix_responses_conversation_created_at", "responses", ["conversation", "created_at"])
    op.create_table(
        "api_receipts",
        Column("id", Uuid(), primary_key=True),
        Column("created_at", _time, nullable=False, index=True),
        Column("data", _json, nullable=False),
    )
