"""How the tables came to be, step by step; run by Alembic, which is imported only when there is need."""

from pathlib import Path

import msgspec


class Migrations(msgspec.Struct, frozen=True):
    """A folder of migrations, and the revisions in it from the first to the last."""

    folder: Path
    revisions: tuple[str, ...]

    @property
    def head(self) -> str:
        """The revision that this version of the program works with."""
        return self.revisions[-1]


MIGRATIONS = Migrations(Path(__file__).parent, ("0001", "0002"))
"""Listed here too, so that an up-to-date database is recognised without Alembic; a test compares."""

VERSION_TABLE = "homeward_version"
"""Our own name for Alembic's table: the database may hold another program's `alembic_version`."""
