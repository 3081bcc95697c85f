"""What breaks around a SQLite file, and what the caller is told."""

import asyncio
import contextlib
import itertools
import os
import resource
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event

from homeward.history import History
from homeward.history.sqlite import SqliteFile
from homeward.protocol.errors import HistoryError

from .saying import said, texts, whole

MEGABYTE = "x" * 2**20


@pytest.fixture
async def impatient(file: Path) -> AsyncIterator[History]:
    """A store that does not wait long."""
    async with await History.open(file, patience_seconds=0.4) as history:
        yield history


@contextlib.contextmanager
def locked(file: Path) -> Iterator[sqlite3.Connection]:
    """Another program in the middle of a write."""
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other


def rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names_in(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def content(file: Path) -> bytes:
    return file.read_bytes()


# The file itself


async def test_a_new_file_is_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "a history %41? #1.db"
    async with await History.open(path) as history:
        await history.save_step(said(uuid4()))
        for suffix in ("", "-wal", "-shm"):
            assert rights(path.with_name(path.name + suffix)) == 0o600
    assert names_in(tmp_path) == [path.name], "closing leaves the one file"


async def test_deleted_words_do_not_stay_in_the_file(tmp_path: Path) -> None:
    path, thread_id, secret = tmp_path / "history.db", uuid4(), "Meine Kontonummer ist 12345"
    async with await History.open(path) as history:
        step = said(thread_id, f"{secret} " * 300)
        await history.save_step(step)
        await history.save_step(said(thread_id, "and more", id=step.id))
        await history.save_step(said(thread_id, f"{secret}! " * 300))
        await history.update_thread(thread_id, name=secret)
        assert await history.delete_thread(thread_id)
    assert secret.encode() not in content(path)


async def test_an_empty_file_is_as_good_as_none(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    os.close(os.open(path, os.O_CREAT))
    async with await History.open(f"sqlite:///{path}") as history:
        await history.save_step(said(uuid4()))


async def test_several_can_open_a_new_file_at_once(tmp_path: Path) -> None:
    opened = await asyncio.gather(*(History.open(tmp_path / "history.db") for _ in range(3)))
    thread_id = uuid4()
    for history in opened:
        await history.save_step(said(thread_id))
    for history in opened:
        assert len(await texts(history, thread_id)) == 3
        await history.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "history.db", "", "mysql://u:pw-canary@h/d"])
async def test_a_url_that_names_no_place_is_explained(url: str) -> None:
    with pytest.raises(HistoryError) as caught:
        await History.open(url)
    assert "sqlite:////folder/history.db" in str(caught.value)
    assert "canary" not in str(caught.value) + caught.value.detail


async def test_a_place_that_cannot_be_written_is_explained(tmp_path: Path) -> None:
    """Nothing is created on the way: a folder that is missing may be a disk that is not there."""
    os.close(os.open(tmp_path / "a file", os.O_CREAT))
    for path in (tmp_path / "missing" / "history.db", tmp_path / "a file" / "history.db", tmp_path):
        with pytest.raises(HistoryError, match="cannot be written to") as caught:
            await History.open(path)
        assert str(path) in str(caught.value)
        assert "folder exists" in caught.value.next_step
    assert names_in(tmp_path) == ["a file"]


@contextlib.contextmanager
def nobody() -> Iterator[None]:
    """Root may write anywhere, so root becomes nobody."""
    me = os.geteuid()
    if me == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(me)


@pytest.mark.parametrize("present", [False, True])
def test_a_read_only_folder_is_explained(file: Path, present: bool) -> None:
    """Without the file, and with a file that may be written where its write-ahead log may not."""
    with tempfile.TemporaryDirectory() as name:  # not pytest's: nobody may not enter that
        path = Path(name) / "history.db"
        if present:
            shutil.copyfile(file, path)
            path.chmod(0o666)
        path.parent.chmod(0o555)
        with nobody(), pytest.raises(HistoryError, match="cannot be written to") as caught:
            asyncio.run(History.open(path))
        path.parent.chmod(0o755)
    assert str(path) in str(caught.value)


def _scramble(content: bytes) -> bytes:
    """Enough pages that one of them holds more than the rest of a text, which nothing can tell from another."""
    middle, size = len(content) // 2 // 4096 * 4096, 16 * 4096
    return content[:middle] + os.urandom(size) + content[middle + size :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "no database at all": lambda _content: b"Dear diary, " * 500,
    "cut": lambda content: content[: len(content) // 2],
    "another header": lambda content: b"SQLite format 4" + content[15:],
    "scrambled": _scramble,
}


def damaged(file: Path, damage: str) -> bytes:
    after = DAMAGES[damage](file.read_bytes())
    file.write_bytes(after)
    return after


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_damaged_file_is_explained_and_left_alone(file: Path, damage: str) -> None:
    async with await History.open(file) as history:
        for _ in range(20):
            await history.save_step(said(uuid4(), "x" * 5000))
    before = damaged(file, damage)
    with pytest.raises(HistoryError, match="is damaged") as caught:
        await History.open(file)
    assert str(file) in str(caught.value)
    assert "backup" in caught.value.next_step
    assert content(file) == before


async def fill(history: History, thread_id: UUID, size: int) -> tuple[int, HistoryError]:
    """Save steps until that fails; how many were stored, and the failure."""
    for stored in itertools.count():
        try:
            await history.save_step(said(thread_id, "x" * size))
        except HistoryError as error:
            return stored, error
    raise AssertionError


# Locks


async def test_a_held_lock_is_waited_for(file: Path) -> None:
    async with await History.open(file) as history:
        with locked(file) as other:
            asyncio.get_running_loop().call_later(0.15, other.execute, "ROLLBACK")
            await history.save_step(said(uuid4()))
        assert not history.failures


async def test_a_lock_that_is_not_let_go_is_told_in_time_and_blocks_nobody(impatient: History, file: Path) -> None:
    """Waiting happens off the event loop, and ten who wait do not wait ten times as long."""
    known, lags = uuid4(), [0.0]
    await impatient.save_step(said(known))

    async def tick() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            lags.append(time.perf_counter() - before - 0.005)

    ticking = asyncio.create_task(tick())
    with locked(file):
        started = time.perf_counter()
        writers = [asyncio.create_task(impatient.save_step(said(uuid4()))) for _ in range(5)]
        writers += [asyncio.create_task(impatient.save_step(said(known))) for _ in range(5)]
        assert await impatient.get_user("ann") is None, "reading goes on"
        results = await asyncio.gather(*writers, return_exceptions=True)
        waited = time.perf_counter() - started
    ticking.cancel()
    assert all(isinstance(result, HistoryError) and "is busy" in str(result) for result in results)
    assert "SQLITE_BUSY" in results[0].detail  # type: ignore[union-attr]  # checked above
    assert impatient.failures == {"busy": 10}
    assert 0.3 < waited < 2.0
    assert max(lags) < waited / 2, "a wait on the loop would hold it up for all of that time"
    await impatient.save_step(said(known, "again"))
    assert await texts(impatient, known) == ["Hello", "again"]


# The disk


async def test_a_full_disk_is_told_and_nothing_stored_is_lost(impatient: History) -> None:
    """By SQLite's own limit of pages; works again without a new start."""
    thread_id = uuid4()
    await impatient.save_step(said(thread_id))
    database = impatient._database
    assert isinstance(database, SqliteFile)

    def limit(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA max_page_count = 120")

    event.listen(database._writer, "connect", limit)
    database._writer.dispose()
    stored, error = await fill(impatient, thread_id, 20_000)
    assert (str(error), error.status) == ("The disk is full. Free some space, then try again.", 503)
    assert (impatient.failures, error.detail) == ({"disk_full": 1}, "OperationalError SQLITE_FULL")
    assert len(await texts(impatient, thread_id)) == stored + 1
    event.remove(database._writer, "connect", limit)
    await impatient.save_step(said(thread_id, "and on"))
    assert (await texts(impatient, thread_id))[-1] == "and on"


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A disk of a megabyte; mounting it needs root."""
    with tempfile.TemporaryDirectory() as name:
        mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", name]
        if os.geteuid() or subprocess.run(mount, check=False, capture_output=True).returncode:
            pytest.skip("only root can make a small disk")
        try:
            yield Path(name)
        finally:
            subprocess.run(["umount", name], check=True)


async def test_a_disk_that_is_really_full_is_told_and_works_again_with_room(small_disk: Path) -> None:
    thread_id = uuid4()
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * 400_000)
    async with await History.open(small_disk / "history.db") as history:
        stored, error = await fill(history, thread_id, 10_000)
        assert "disk is full" in str(error)
        more, error = await fill(history, thread_id, 10_000)
        assert (more, "disk is full" in str(error)) == (0, True)
        assert len(await texts(history, thread_id)) == stored
        ballast.unlink()
        await history.save_step(said(thread_id, "and on"))
        assert len(await texts(history, thread_id)) == stored + 1


async def test_a_disk_that_fails_is_told_and_works_again(impatient: History) -> None:
    """No file may grow beyond the limit: the write itself fails, as it does on a dying disk."""
    thread_id = uuid4()
    await impatient.save_step(said(thread_id))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2**20, hard))
    try:
        for _ in range(2):
            with pytest.raises(HistoryError, match="disk reported an error") as caught:
                await impatient.save_step(said(thread_id, MEGABYTE * 3))
            assert caught.value.detail.startswith("OperationalError SQLITE_IOERR")
        assert await texts(impatient, thread_id) == ["Hello"]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    await impatient.save_step(said(thread_id, MEGABYTE * 3))
    assert len((await whole(impatient, thread_id)).steps) == 2


RANDOM_FAULTS = [
    "enable_random name=posix/io/rw/pwrite,probability=0.02,failinfo=28",
    "enable_random name=posix/io/rw/pwrite64,probability=0.02,failinfo=28",
    "enable_random name=posix/io/sync/fdatasync,probability=0.2,failinfo=5",
]
WRITER = """
import asyncio, sys
from pathlib import Path
from uuid import uuid4
from homeward.history import History, Step
from homeward.protocol.errors import HistoryError

async def main():
    stored, errors = 0, []
    for _ in range(50):
        try:
            history = await History.open(Path(sys.argv[1]))
            break
        except HistoryError as error:
            errors.append(error.message)
    thread_id = uuid4()
    for _ in range(300):
        try:
            await history.save_step(Step(id=uuid4(), thread_id=thread_id, kind="user", text="x" * 500))
            stored += 1
        except HistoryError as error:
            errors.append(error.message)
    await history.close()
    print("result", stored, len(errors), *sorted(set(errors)))

asyncio.run(main())
"""


@pytest.mark.skipif(shutil.which("fiu-run") is None, reason="needs Debian's fiu-utils")
def test_random_faults_of_the_disk_lose_nothing_that_was_told(file: Path) -> None:
    rules = [part for rule in RANDOM_FAULTS for part in ("-c", rule)]
    command = ["fiu-run", "-x", *rules, sys.executable, "-c", WRITER, str(file)]
    there = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(command, capture_output=True, text=True, check=True, env=there).stdout
    _, stored, failed, *errors = told[told.index("result") :].split(maxsplit=3)
    assert int(failed) > 0
    assert "disk is full" in str(errors)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM steps").fetchone() == (int(stored),)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")


async def test_a_row_that_cannot_be_read_is_told(impatient: History, file: Path) -> None:
    """Somebody has written to the file with another program."""
    broken, sound = uuid4(), uuid4()
    await impatient.save_step(said(broken))
    await impatient.save_step(said(sound))
    with closing(sqlite3.connect(file)) as other, other:
        other.execute("UPDATE steps SET metadata = '{not json' WHERE thread_id = ?", (broken.hex,))
    with pytest.raises(HistoryError, match="could not be stored or read"):
        await impatient.get_thread(broken)
    assert impatient.failures == {"other": 1}
    assert await texts(impatient, sound) == ["Hello"]


async def test_a_failure_tells_no_words_and_no_statements(impatient: History, file: Path) -> None:
    """Neither the error nor what it was made from may bring a message into a log."""
    with locked(file), pytest.raises(HistoryError) as caught:
        await impatient.save_step(said(uuid4(), "canary in the text", metadata={"canary": "canary"}))
    chain: BaseException | None = caught.value
    while chain is not None:
        assert "canary" not in f"{chain!s} {chain!r} {getattr(chain, 'detail', '')}"
        chain = chain.__cause__
    assert "INSERT" not in str(caught.value) + caught.value.detail
