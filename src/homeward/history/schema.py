"""Which tables a database holds, and bringing them up to date."""

from typing import Literal

from sqlalchemy import Connection, column, inspect, select, table

from homeward.history.migrations import VERSION_TABLE, Migrations
from homeward.history.tables import metadata
from homeward.protocol.errors import HistoryError

State = Literal["empty", "older", "current"]


def state_of(connection: Connection, migrations: Migrations) -> State:
    """How far the database's tables are.

    Raises `HistoryError` for tables of a newer version, and for those of another program.
    """
    present = inspect(connection)
    if not present.has_table(VERSION_TABLE):
        foreign = set(present.get_table_names())
        if connection.dialect.name != "sqlite":
            foreign &= set(metadata.tables)  # a server's database may be shared, a file belongs to one program
        if foreign:
            raise HistoryError(
                f"The history's database holds tables of another program: {', '.join(sorted(foreign))}.",
                next_step="Give Homeward a database of its own.",
            )
        return "empty"
    version = table(VERSION_TABLE, column("version_num"))
    revision = connection.execute(select(version.c.version_num)).scalar_one_or_none()
    if revision is None:
        return "empty"
    if revision not in migrations.revisions:
        raise HistoryError(
            f"The history was written by a newer version of Homeward: its revision is {revision}, and this"
            f" program knows {migrations.head}.",
            next_step="Install that version again, or put back the copy made before the upgrade.",
        )
    return "current" if revision == migrations.head else "older"


def upgrade(connection: Connection, migrations: Migrations) -> None:
    """Run what is missing, inside the connection's transaction: all of it takes effect, or nothing.

    Raises `HistoryError` as `state_of` does, which another process may have changed since it was asked.
    """
    if state_of(connection, migrations) == "current":
        return
    # Imported here: most starts find the tables up to date, and Alembic would be a third of the import time.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations.folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
