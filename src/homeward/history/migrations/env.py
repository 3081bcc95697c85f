"""What Alembic executes to run migrations: on the caller's connection, inside the caller's transaction."""

from alembic import context

from homeward.history.migrations import VERSION_TABLE
from homeward.history.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,  # true of SQLite as well, since the caller has begun a real transaction
)
with context.begin_transaction():
    context.run_migrations()
