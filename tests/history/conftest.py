"""Each test of behaviour runs twice: on a SQLite file, and on a real PostgreSQL server."""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import delete

from homeward.history import History, User, migrate
from homeward.history.tables import threads, users

from .postgres import PostgresServer, binaries, serving
from .saying import OpenHistory

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A server with the tables in its database `homeward`."""
    with _server_with_tables() as server:
        yield server


@pytest.fixture(scope="session")
def fragile_postgres() -> Iterator[PostgresServer]:
    """Another one, for tests that hurt it."""
    with _server_with_tables() as server:
        yield server


@contextlib.contextmanager
def _server_with_tables() -> Iterator[PostgresServer]:
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with serving(programs) as server:
        server.execute("CREATE DATABASE homeward")
        asyncio.run(migrate(server.url("homeward")))
        yield server


@pytest.fixture(scope="session")
def empty_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with the tables and nothing in them, to be copied."""
    path = tmp_path_factory.mktemp("history") / "empty.db"
    asyncio.run(migrate(path))
    return path


@pytest.fixture
def file(empty_file: Path, tmp_path: Path) -> Path:
    """A SQLite file of one test's own, up to date and empty."""
    path = tmp_path / "history.db"
    shutil.copy(empty_file, path)
    return path


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A database with tables, which the tests use one after the other."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("shared") / "history.db"
        shutil.copy(request.getfixturevalue("empty_file"), path)
        return f"sqlite:///{path}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.url("homeward")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def store(url: str) -> AsyncIterator[History]:
    """The open store that all tests of one database share: opening one for each would take longer than they do."""
    async with await History.open(url) as store:
        yield store


@pytest_asyncio.fixture(loop_scope="session")
async def history(store: History) -> History:
    """The store with nothing in it."""
    await store._write(lambda connection: [connection.execute(delete(table)) for table in (threads, users)])
    store.failures.clear()
    return store


@pytest_asyncio.fixture(loop_scope="session")
async def open_history(history: History, url: str) -> AsyncIterator[OpenHistory]:
    """Opens the test's database once more with each call."""
    opened: list[History] = []

    async def open_again() -> History:
        opened.append(await History.open(url))
        return opened[-1]

    yield open_again
    for another in opened:
        await another.close()


@pytest_asyncio.fixture(loop_scope="session")
async def ann(history: History) -> User:
    """A user."""
    return await history.ensure_user("ann")


@pytest_asyncio.fixture(loop_scope="session")
async def bob(history: History) -> User:
    """Another user."""
    return await history.ensure_user("bob")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that share a store share its event loop."""
    for item in items:
        if isinstance(item, pytest.Function) and item.path.parent == HERE and "store" in item.fixturenames:
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
