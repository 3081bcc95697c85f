"""What breaks around a PostgreSQL server, and what the caller is told."""

import asyncio
import contextlib
import sys
import time
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from homeward.history import History, migrate
from homeward.protocol.errors import HistoryError

from .postgres import PostgresServer
from .saying import said, texts, whole


class Line:
    """A connection to the server that can go silent, or break at the worst moment."""

    def __init__(self, server_port: int) -> None:
        self.port = 0
        self.silent = False
        self.break_after_commit = False
        self._server_port = server_port
        self._writers: list[asyncio.StreamWriter] = []

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator["Line"]:
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()

    def cut(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, thither = await asyncio.open_connection("127.0.0.1", self._server_port)
        self._writers += [writer, thither]
        await asyncio.gather(self._pass_on(reader, thither, there), self._pass_on(there, writer, None))

    async def _pass_on(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, answers: asyncio.StreamReader | None
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if self.silent:
                    continue
                if answers is not None and self.break_after_commit and b"COMMIT" in data:
                    self.break_after_commit = False
                    self.silent = True  # the answer is swallowed
                    target.write(data)
                    await asyncio.sleep(0.2)
                    self.silent = False
                    self.cut()
                    return
                target.write(data)
            target.close()


@pytest.fixture
async def line(postgres: PostgresServer) -> AsyncIterator[Line]:
    async with Line(postgres.port).serving() as line:
        yield line


async def test_a_server_that_restarts_is_hardly_noticed(fragile_postgres: PostgresServer) -> None:
    """Writes in flight are tried again under their ids: all that was told is there, once."""
    told: list[tuple[UUID, str]] = []
    failed: list[HistoryError] = []
    stop = asyncio.Event()

    async def write(history: History) -> None:
        thread_id, number = uuid4(), 0
        while not stop.is_set():
            number += 1
            try:
                await history.save_step(said(thread_id, str(number)))
                told.append((thread_id, str(number)))
            except HistoryError as error:
                failed.append(error)

    async with await History.open(fragile_postgres.url("homeward"), patience_seconds=20) as history:
        writers = [asyncio.create_task(write(history)) for _ in range(4)]
        for _ in range(2):
            await asyncio.sleep(0.3)
            await asyncio.to_thread(fragile_postgres.restart, "immediate")
        restarted = time.perf_counter()
        await history.ensure_user("ann")
        assert time.perf_counter() - restarted < 5, "the pool has healed"
        await asyncio.sleep(0.2)
        stop.set()
        await asyncio.gather(*writers)
        for thread_id in {thread_id for thread_id, _ in told}:
            acknowledged = [text for known, text in told if known == thread_id]
            stored = await texts(history, thread_id)
            assert len(stored) == len(set(stored))
            assert set(acknowledged) <= set(stored)
        assert not failed


async def test_a_write_whose_answer_is_lost_is_stored_once(postgres: PostgresServer, line: Line) -> None:
    """The server has committed, and the connection breaks before it can say so."""
    thread_id, step = uuid4(), said(uuid4())
    async with await History.open(postgres.url("homeward", port=line.port)) as history:
        await history.update_thread(thread_id)
        line.break_after_commit = True
        await history.save_step(said(thread_id, "once"))
        assert line.break_after_commit is False
        assert await texts(history, thread_id) == ["once"]
        await history.save_step(step)
        line.break_after_commit = True
        feedback_id = await history.save_feedback(step.id, 1, user_id=None)
        assert [f.id for f in (await whole(history, step.thread_id)).feedback.values()] == [feedback_id]
        line.break_after_commit = True
        ann = await history.ensure_user(f"ann {thread_id}")
        assert await history.get_user(ann.identifier) == ann


async def test_a_silent_network_is_told_in_time(postgres: PostgresServer, line: Line) -> None:
    async with await History.open(postgres.url("homeward", port=line.port), patience_seconds=0.4) as history:
        thread_id = uuid4()
        await history.save_step(said(thread_id, "before"))
        line.silent = True
        started = time.perf_counter()
        results = await asyncio.gather(
            history.save_step(said(thread_id)), history.get_thread(uuid4()), return_exceptions=True
        )
        assert time.perf_counter() - started < 4
        assert [type(result) for result in results] == [HistoryError] * 2
        assert all("cannot be reached" in str(result) for result in results)
        assert history.failures == {"unreachable": 2}
        line.silent = False
        line.cut()
        await history.save_step(said(thread_id, "after"))
        assert await texts(history, thread_id) == ["before", "after"]


async def test_closing_does_not_wait_for_a_silent_network(postgres: PostgresServer, line: Line) -> None:
    history = await History.open(postgres.url("homeward", port=line.port), patience_seconds=0.4)
    line.silent = True
    started = time.perf_counter()
    await history.close()
    assert time.perf_counter() - started < 3


async def test_an_exhausted_pool_and_a_held_lock_are_told_in_time(postgres: PostgresServer) -> None:
    engine = create_async_engine(postgres.url("homeward").replace("postgresql:", "postgresql+asyncpg:"))
    async with await History.open(postgres.url("homeward"), patience_seconds=0.4) as history:
        async with engine.begin() as other:
            await other.execute(text("LOCK TABLE steps"))
            started = time.perf_counter()
            writers = (history.save_step(said(uuid4())) for _ in range(15))
            results = await asyncio.gather(*writers, return_exceptions=True)
            assert time.perf_counter() - started < 3
        assert [type(result) for result in results] == [HistoryError] * 15
        assert history.failures == {"busy": 15}
        await history.save_step(said(uuid4()))
    await engine.dispose()


async def test_a_server_that_is_not_there_is_explained(postgres: PostgresServer, unused_tcp_port: int) -> None:
    for url in (
        postgres.url("homeward", port=unused_tcp_port),
        postgres.url("missing"),
        postgres.url("homeward", user="nobody"),
        "postgresql://u:pw-canary@x.invalid/homeward",
    ):
        with pytest.raises(HistoryError, match="cannot be reached") as caught:
            await History.open(url)
        assert "address, user, password" in caught.value.next_step
        assert "canary" not in str(caught.value) + caught.value.detail


async def test_a_database_without_our_tables_is_explained_and_left_alone(postgres: PostgresServer) -> None:
    postgres.execute("CREATE DATABASE bare")
    url = postgres.url("bare")
    with pytest.raises(HistoryError, match="no tables of Homeward") as caught:
        await History.open(url)
    assert "homeward history migrate" in caught.value.next_step
    postgres.execute("CREATE TABLE notes (id int)", database="bare")
    results = await asyncio.gather(*(migrate(url) for _ in range(3)))
    assert len(set(results)) == 1, "several at once do it once"
    async with await History.open(url) as history:
        await history.save_step(said(uuid4()))
    postgres.execute("UPDATE homeward_version SET version_num = '9999'", database="bare")
    for attempt in (History.open(url), migrate(url)):
        with pytest.raises(HistoryError, match="newer version"):
            await attempt


async def test_tables_of_another_program_are_not_mixed_with_ours(postgres: PostgresServer) -> None:
    postgres.execute("CREATE DATABASE other")
    postgres.execute('CREATE TABLE threads ("id" UUID PRIMARY KEY, "userIdentifier" TEXT)', database="other")
    for attempt in (History.open(postgres.url("other")), migrate(postgres.url("other"))):
        with pytest.raises(HistoryError, match=r"tables of another program: threads"):
            await attempt


async def test_search_works_where_the_extension_may_not_be_had(postgres: PostgresServer) -> None:
    postgres.execute("CREATE DATABASE modest", "CREATE ROLE modest LOGIN")
    postgres.execute("GRANT ALL ON SCHEMA public TO modest", database="modest")
    url = postgres.url("modest", user="modest")
    await migrate(url)
    async with await History.open(url) as history:
        ann = await history.ensure_user("ann")
        await history.save_step(said(uuid4(), "오늘 날씨가 좋다"), user_id=ann.id)
        assert len((await history.list_threads(ann.id, search="날씨")).threads) == 1
        assert (await history.list_threads(ann.id, search="부산")).threads == ()


async def test_a_missing_driver_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)  # as where it is not installed
    with pytest.raises(HistoryError, match="needs packages that are not installed") as caught:
        await History.open("postgresql://127.0.0.1/homeward")
    assert "homeward[postgres]" in caught.value.next_step
