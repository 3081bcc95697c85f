"""The history in one SQLite file of this process.

Statements run in threads, never on the event loop: one thread that writes, so that the writers of this
process queue up in order instead of competing for SQLite's lock, and a few that read, each from its own
snapshot (WAL). A whole transaction is one visit to its thread. That takes half the time of aiosqlite, which
changes threads for each statement, and a caller that goes away cannot leave a transaction half done.
"""

import asyncio
import contextlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from homeward.history.database import json_from, json_to
from homeward.history.errors import failure, reason_of, translated
from homeward.history.migrations import Migrations
from homeward.history.schema import state_of, upgrade
from homeward.protocol.errors import HistoryError

T = TypeVar("T")
log = structlog.get_logger(__name__)

_READERS = 3
_OLDEST_SQLITE = (3, 34)  # the first with FTS5's trigram tokenizer
_CHECKED_BYTES = 64 * 2**20
"""A file up to this size is checked as a whole when it is opened, in 0.1 s; a larger one as it is read."""


class SqliteFile:
    """One file, its writer and its readers."""

    def __init__(self, path: Path, patience_seconds: float) -> None:
        self._path = path
        self._patience_seconds = patience_seconds
        self._writer = _engine(path, patience_seconds, "BEGIN IMMEDIATE", _WRITES, connections=1)
        self._reader = _engine(path, patience_seconds, "BEGIN", _READS, connections=_READERS)
        self._writing = ThreadPoolExecutor(1, "history-write")
        self._reading = ThreadPoolExecutor(_READERS, "history-read")

    @classmethod
    async def open(cls, path: Path, *, migrate: bool, migrations: Migrations, patience_seconds: float) -> "SqliteFile":
        """Open the file, create it where there is none, bring its tables up to date.

        Raises `HistoryError` where the file cannot be used; it is never overwritten.
        """
        if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
            needed = ".".join(map(str, _OLDEST_SQLITE))
            raise HistoryError(
                f"Python's SQLite is {sqlite3.sqlite_version}, which is too old for the history.",
                next_step=f"Use a Python with SQLite {needed} or newer.",
            )
        database = cls(path, patience_seconds)
        try:
            await _in_thread(database._writing, lambda: database._prepare(migrate, migrations))
        except BaseException:
            await database.close()
            raise
        return database

    async def read(self, work: Callable[[Connection], T], deadline: float) -> T:
        """What `work` finds in one snapshot."""
        return await _in_thread(self._reading, lambda: _transact(self._reader, work, deadline))

    async def write(self, work: Callable[[Connection], T], deadline: float) -> T:
        """Carry `work` out as one transaction; it waits for SQLite's lock until the deadline."""
        return await _in_thread(self._writing, lambda: _transact(self._writer, work, deadline))

    async def close(self) -> None:
        """Move what stands in the write-ahead log into the file, and let go of it."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._reading.shutdown()
        self._writing.shutdown()
        self._reader.dispose()
        # Closing the last connection does the moving. Where that fails, the log stays beside the file.
        self._writer.dispose()

    def _prepare(self, migrate: bool, migrations: Migrations) -> None:
        deadline = time.monotonic() + self._patience_seconds
        with _explained(self._path):
            _create(self._path)
            if self._path.stat().st_size <= _CHECKED_BYTES:
                _transact(self._reader, self._check, deadline)
            state = _transact(self._reader, lambda connection: state_of(connection, migrations), deadline)
        if state != "current" and not migrate:
            raise HistoryError("The history's tables are not up to date.", next_step="Run `homeward history migrate`.")
        with _explained(self._path):
            if state == "older":
                log.info("history.copied", path=str(_copy(self._path)))
            # Done in any case: only this tells whether the file can be written to.
            _transact(self._writer, lambda connection: upgrade(connection, migrations), deadline)
        if state != "current":
            log.info("history.migrated", revision=migrations.head)

    def _check(self, connection: Connection) -> None:
        found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        if found != "ok":
            raise failure("damaged", detail="quick_check", where=str(self._path))


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Translate what goes wrong while the file is opened, and name the file."""
    try:
        yield
    except HistoryError:
        raise
    except Exception as error:
        raise translated(error, where=str(path)) from error


async def _in_thread(threads: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    return await asyncio.get_running_loop().run_in_executor(threads, work)


_READS = ("query_only = ON",)  # so that looking at another program's file does not change it
_WRITES = (
    "journal_mode = WAL",
    "synchronous = NORMAL",
    "foreign_keys = ON",
    "secure_delete = ON",  # deleted words are not left in free pages
)


def _engine(path: Path, patience_seconds: float, begin: str, pragmas: tuple[str, ...], connections: int) -> Engine:
    engine = create_engine(
        URL.create("sqlite+pysqlite", database=str(path)),
        poolclass=QueuePool,
        pool_size=connections,
        max_overflow=0,
        hide_parameters=True,
        json_serializer=json_to,
        json_deserializer=json_from,
    )

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # the driver begins no transactions by itself
        connection.execute(f"PRAGMA busy_timeout = {int(patience_seconds * 1000)}")
        connection.create_function("folded", 1, _folded, deterministic=True)
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin_transaction(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _folded(name: str | None) -> str | None:
    return name.lower() if name else name


def _transact(engine: Engine, work: Callable[[Connection], T], deadline: float) -> T:
    """Run `work` in a transaction that waits for the lock until the deadline, and at least for a moment."""
    with engine.connect() as connection:
        patience = max(deadline - time.monotonic(), 0.1)
        connection.connection.cursor().execute(f"PRAGMA busy_timeout = {int(patience * 1000)}")
        try:
            with connection.begin():
                return work(connection)
        except (DBAPIError, sqlite3.Error) as error:
            if reason_of(error) not in {"busy", "refused"}:
                connection.invalidate()  # what SQLite has in memory is not trusted after a disk's error
            raise


def _create(path: Path) -> None:
    """Create the file, for its owner's eyes only; where it is there already, see that it can be written."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise failure("not_writable", detail=type(error).__name__, where=str(path)) from error


def _copy(path: Path) -> Path:
    """A copy beside the file, from before a migration; an older copy is never overwritten."""
    target = path.with_name(f"{path.name}.before-upgrade-{datetime.now(UTC):%Y%m%dT%H%M%S%f}Z")
    _create(target)
    try:
        with (
            contextlib.closing(sqlite3.connect(path)) as source,
            contextlib.closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
    except BaseException:
        target.unlink()
        raise
    return target
