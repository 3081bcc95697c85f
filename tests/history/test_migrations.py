"""How the tables come to be, and what happens to a file of another version."""

import asyncio
import shutil
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine
from sqlalchemy.ext.asyncio import create_async_engine

from homeward.history import History, migrate
from homeward.history.migrations import MIGRATIONS, VERSION_TABLE, Migrations
from homeward.history.opening import open_database
from homeward.history.tables import metadata
from homeward.protocol.errors import HistoryError

from .postgres import PostgresServer
from .saying import said, texts

TOMORROW = '''"""One more revision."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.execute("ALTER TABLE threads ADD COLUMN colour TEXT")
    op.execute({more!r})
'''


def differences(connection: Connection) -> list[object]:
    """What Alembic would change to make the database equal to `tables`; the search index is no table of ours."""

    def is_ours(name: str | None, kind: str, _parents: object) -> bool:
        return not (kind == "table" and name is not None and name.startswith("search"))

    def is_known(_thing: object, name: str | None, _kind: str, _reflected: bool, _other: object) -> bool:
        return name != "ix_steps_text_trigrams"  # only where the extension may be had

    options = {
        "version_table": VERSION_TABLE,
        "include_name": is_ours,
        "include_object": is_known,
        "compare_type": True,
    }
    differences: list[object] = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
    return differences


def test_the_migrated_sqlite_file_has_the_tables_that_the_store_uses(file: Path) -> None:
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        assert differences(connection) == []
    engine.dispose()


async def test_the_migrated_postgresql_has_the_tables_that_the_store_uses(postgres: PostgresServer) -> None:
    engine = create_async_engine(postgres.url("homeward").replace("postgresql:", "postgresql+asyncpg:"))
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
    await engine.dispose()


def test_the_list_of_revisions_is_that_of_the_folder() -> None:
    script = ScriptDirectory(str(MIGRATIONS.folder))
    revisions = [revision.revision for revision in script.walk_revisions()]
    assert tuple(reversed(revisions)) == MIGRATIONS.revisions
    assert script.get_heads() == [MIGRATIONS.head]


async def test_migrating_twice_does_nothing(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    assert await migrate(path) == await migrate(f"sqlite:///{path}") == MIGRATIONS.head
    assert copies(path) == []


def copies(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.before-upgrade-*"))


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def next_version(folder: Path, more: str) -> Migrations:
    """The program of tomorrow, with one more revision."""
    shutil.copytree(MIGRATIONS.folder, folder)
    (folder / "versions" / "v0003_colour.py").write_text(TOMORROW.format(more=more))
    return Migrations(folder, (*MIGRATIONS.revisions, "0003"))


def columns(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [row[1] for row in connection.execute("PRAGMA table_info(threads)")]


async def open_with(path: Path, migrations: Migrations, *, migrate: bool = True) -> History:
    return History(await open_database(path, migrate=migrate, patience_seconds=5.0, migrations=migrations))


async def test_an_older_file_is_copied_then_upgraded(file: Path, tmp_path: Path) -> None:
    tomorrow, thread_id = next_version(tmp_path / "migrations", "SELECT 1"), uuid4()
    async with await History.open(file) as today:
        await today.save_step(said(thread_id))
    with pytest.raises(HistoryError, match="not up to date"):
        await open_with(file, tomorrow, migrate=False)
    assert copies(file) == []
    async with await open_with(file, tomorrow) as history:
        assert await texts(history, thread_id) == ["Hello"]
    assert "colour" in columns(file)
    (copy,) = copies(file)
    assert rights(copy) == 0o600
    assert "colour" not in columns(copy)
    async with await History.open(copy) as today:
        assert await texts(today, thread_id) == ["Hello"], "the copy is a whole history"
    async with await open_with(file, tomorrow):
        assert copies(file) == [copy], "once is enough"


async def test_a_migration_that_fails_changes_nothing(file: Path, tmp_path: Path) -> None:
    broken, thread_id = next_version(tmp_path / "migrations", "SELECT * FROM nowhere"), uuid4()
    async with await History.open(file) as today:
        await today.save_step(said(thread_id))
    with pytest.raises(HistoryError, match="could not be stored"):
        await open_with(file, broken)
    assert "colour" not in columns(file)
    async with await History.open(file) as today:
        assert await texts(today, thread_id) == ["Hello"]


async def test_a_newer_file_is_refused_and_left_alone(file: Path, tmp_path: Path) -> None:
    tomorrow = next_version(tmp_path / "migrations", "SELECT 1")
    async with await open_with(file, tomorrow):
        pass
    before = await asyncio.to_thread(file.read_bytes)
    for attempt in (History.open(file), migrate(file)):
        with pytest.raises(HistoryError, match=r"newer version .* 0003, .* 0002") as caught:
            await attempt
        assert "Install that version" in caught.value.next_step
    assert await asyncio.to_thread(file.read_bytes) == before


async def test_a_file_of_another_program_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bookmarks.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    before = await asyncio.to_thread(path.read_bytes)
    with pytest.raises(HistoryError, match="another program: bookmarks"):
        await History.open(path)
    assert await asyncio.to_thread(path.read_bytes) == before


async def test_an_upgraded_postgresql_keeps_what_it_holds(postgres: PostgresServer, tmp_path: Path) -> None:
    postgres.execute("CREATE DATABASE older")
    url, thread_id = postgres.url("older"), uuid4()
    await migrate(url)
    async with await History.open(url) as today:
        await today.save_step(said(thread_id))
    tomorrow = next_version(tmp_path / "migrations", "SELECT 1")
    with pytest.raises(HistoryError, match="older version"):
        await open_database(url, migrate=True, patience_seconds=5.0, migrations=tomorrow)
