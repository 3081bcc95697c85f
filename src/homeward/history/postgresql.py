"""The history on a PostgreSQL server, which several processes may share."""

import asyncio
import contextlib
import ssl
import time
from collections.abc import Callable
from typing import Any, TypeVar

import structlog
from sqlalchemy import URL, Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from homeward.history.database import json_from, json_to
from homeward.history.errors import detail_of, reason_of, translated
from homeward.history.migrations import Migrations
from homeward.history.schema import state_of, upgrade
from homeward.protocol.errors import HistoryError

T = TypeVar("T")
log = structlog.get_logger(__name__)

_RETRY_PAUSE_SECONDS = 0.2
_MIGRATION_LOCK = 0x686F6D65776172  # any number that other programs are unlikely to use


class PostgresServer:
    """A pool of connections to one database."""

    def __init__(self, url: URL, patience_seconds: float, answer_seconds: float | None) -> None:
        self._patience_seconds = patience_seconds
        self._engine = _engine(url, patience_seconds, answer_seconds)
        self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    @classmethod
    async def open(cls, url: URL, *, migrations: Migrations, patience_seconds: float) -> "PostgresServer":
        """Connect to a database whose tables are up to date.

        Raises `HistoryError` where it cannot be reached, and where its tables must be brought up to date:
        other processes may be using them, so that is done by command, not by whoever starts next.
        """
        # Twice as long as for a lock, so that a silent network is told apart from a busy server.
        server = cls(url, patience_seconds, answer_seconds=2 * patience_seconds)
        try:
            await server._at_start(lambda connection: _check(connection, migrations))
        except BaseException:
            await server.close()
            raise
        return server

    @classmethod
    async def migrate(cls, url: URL, *, migrations: Migrations, patience_seconds: float) -> None:
        """Create the tables or bring them up to date, once, whoever else tries at the same time."""

        def work(connection: Connection) -> None:
            connection.execute(text("SELECT pg_advisory_xact_lock(:number)"), {"number": _MIGRATION_LOCK})
            upgrade(connection, migrations)

        server = cls(url, patience_seconds, answer_seconds=None)  # many rows may have to be changed
        try:
            await server._at_start(work)
            log.info("history.migrated", revision=migrations.head)
        finally:
            await server.close()

    async def read(self, work: Callable[[Connection], T], deadline: float) -> T:
        """What `work` finds in one snapshot."""
        return await _until_connected(self._snapshots, work, deadline)

    async def write(self, work: Callable[[Connection], T], deadline: float) -> T:
        """Carry `work` out as one transaction."""
        return await _until_connected(self._engine, work, deadline)

    async def close(self) -> None:
        """Let go of all connections, also where the other side does not answer the farewell."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience_seconds):
                await self._engine.dispose()

    async def _at_start(self, work: Callable[[Connection], T]) -> T:
        try:
            return await _transact(self._engine, work)
        except HistoryError:
            raise
        except Exception as error:
            raise translated(error) from error


async def _until_connected(engine: AsyncEngine, work: Callable[[Connection], T], deadline: float) -> T:
    """Run `work`; where the server is gone, or goes away meanwhile, again until the deadline.

    A try may have been committed just before its connection broke. All work is written so that a second time
    changes nothing: rows keep the ids that the caller gave them.
    """
    told = False
    while True:
        try:
            return await _transact(engine, work)
        except HistoryError:
            raise
        except Exception as error:
            if reason_of(error) != "unreachable" or time.monotonic() >= deadline:
                raise
            if not told:
                log.warning("history.connection_lost", error=detail_of(error))
            told = True
        await asyncio.sleep(_RETRY_PAUSE_SECONDS)


async def _transact(engine: AsyncEngine, work: Callable[[Connection], T]) -> T:
    async with engine.begin() as connection:
        return await connection.run_sync(work)


def _check(connection: Connection, migrations: Migrations) -> None:
    state = state_of(connection, migrations)
    if state != "current":
        lack = "has no tables of Homeward yet" if state == "empty" else "has tables of an older version"
        raise HistoryError(f"The history's database {lack}.", next_step="Run `homeward history migrate`.")


def _engine(url: URL, patience_seconds: float, answer_seconds: float | None) -> AsyncEngine:
    url, tls = _tls_of(url)
    settings = {
        "application_name": "homeward",
        "lock_timeout": str(int(patience_seconds * 1000)),
        "idle_in_transaction_session_timeout": "60000",
    }
    arguments = {"timeout": patience_seconds, "command_timeout": answer_seconds, "server_settings": settings}
    return create_async_engine(
        url.set(drivername="postgresql+asyncpg"),
        pool_size=5,
        max_overflow=5,
        pool_timeout=patience_seconds,
        pool_pre_ping=True,
        hide_parameters=True,
        json_serializer=json_to,
        json_deserializer=json_from,
        connect_args=arguments | tls,
    )


def _tls_of(url: URL) -> tuple[URL, dict[str, Any]]:
    """The URL without `sslmode` and `sslrootcert`, and what they ask for.

    Whoever asks for encryption also gets the server's certificate checked, which libpq's `require` does not
    do: a conversation shall not be encrypted for a stranger. Without either word, the driver chooses.
    """
    mode, root = url.query.get("sslmode"), url.query.get("sslrootcert")
    rest = url.difference_update_query(["sslmode", "sslrootcert"])
    if mode is None and root is None:
        return rest, {}
    if mode == "disable":
        return rest, {"ssl": False}
    if mode not in (None, "require", "verify-ca", "verify-full") or isinstance(root, tuple):
        raise HistoryError(
            "The history's URL has an sslmode that is not supported.",
            next_step="Use disable or verify-full; sslrootcert=FILE names a certificate of your own.",
        )
    try:
        context = ssl.create_default_context(cafile=root)
    except OSError as error:
        raise HistoryError(
            "The file that sslrootcert names cannot be used.",
            next_step="Name a readable file of PEM certificates.",
        ) from error
    context.check_hostname = mode != "verify-ca"
    return rest, {"ssl": context}
