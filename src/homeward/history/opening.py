"""From a URL to a database that is ready to be used."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from homeward.history.database import PATIENCE_SECONDS, Database
from homeward.history.migrations import MIGRATIONS, Migrations
from homeward.history.sqlite import SqliteFile
from homeward.protocol.errors import HistoryError

_EXAMPLES = "Use sqlite:////folder/history.db or postgresql://user@host/database."


async def open_database(
    url: str | Path, *, migrate: bool, patience_seconds: float, migrations: Migrations = MIGRATIONS
) -> Database:
    """The database that `url` names, its tables up to date; raises `HistoryError` where it cannot be used."""
    place = _place(url)
    if isinstance(place, Path):
        return await SqliteFile.open(place, migrate=migrate, migrations=migrations, patience_seconds=patience_seconds)
    with _packages_of_postgresql():
        from homeward.history.postgresql import PostgresServer

        return await PostgresServer.open(place, migrations=migrations, patience_seconds=patience_seconds)


async def migrate(url: str | Path) -> str:
    """Create the tables that `url` names or bring them up to date; the revision they have then.

    On PostgreSQL this is a step of its own before the program is started; with SQLite, opening does it too.
    Raises `HistoryError` where the database cannot be used, or was written by a newer version.
    """
    place = _place(url)
    if isinstance(place, Path):
        file = await SqliteFile.open(place, migrate=True, migrations=MIGRATIONS, patience_seconds=PATIENCE_SECONDS)
        await file.close()
        return MIGRATIONS.head
    with _packages_of_postgresql():
        from homeward.history.postgresql import PostgresServer

        await PostgresServer.migrate(place, migrations=MIGRATIONS, patience_seconds=PATIENCE_SECONDS)
    return MIGRATIONS.head


@contextlib.contextmanager
def _packages_of_postgresql() -> Iterator[None]:
    """Only those who want PostgreSQL install what it needs, so it is imported only when it is asked for."""
    try:
        yield
    except ImportError as error:
        raise HistoryError(
            "PostgreSQL needs packages that are not installed.", next_step="Install `homeward[postgres]`."
        ) from error


def _place(url: str | Path) -> Path | URL:
    if isinstance(url, Path):
        return url
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        # The URL may hold a password, and SQLAlchemy's error the URL.
        raise HistoryError("The history's URL cannot be read.", next_step=_EXAMPLES) from error
    kind = parsed.get_backend_name() if parsed.drivername != "postgres" else "postgresql"
    if kind == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise HistoryError("The history needs a file, memory does not last.", next_step=_EXAMPLES)
        return Path(parsed.database)
    if kind == "postgresql":
        return parsed
    raise HistoryError(f"The history cannot be kept in {kind}.", next_step=_EXAMPLES)
