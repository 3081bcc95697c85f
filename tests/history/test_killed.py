"""The program is killed in the middle of whatever it does."""

import asyncio
import os
import random
import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from uuid import UUID

from homeward.history import History

from .killed_writer import TEXT
from .saying import whole

WRITER = Path(__file__).with_name("killed_writer.py")
KILLS = 30


class Told:
    """What the killed writers had been told is stored."""

    def __init__(self) -> None:
        self.threads: dict[UUID, UUID] = {}
        self.lengths: dict[UUID, int] = {}
        self.whole: set[UUID] = set()

    def note(self, line: str) -> None:
        kind, thread_id, step_id, *length = line.split()
        self.threads[UUID(step_id)] = UUID(thread_id)
        if kind != "user":
            self.lengths[UUID(step_id)] = int(length[0])
        if kind == "whole":
            self.whole.add(UUID(step_id))


async def _kill_one(writer: asyncio.subprocess.Process, told: Told, seconds: float, *, writing: bool) -> None:
    """Kill a writer so many seconds after its start, or after it has begun to write."""
    assert writer.stdin is not None
    assert writer.stdout is not None
    writer.stdin.write(b"go\n")
    pid = int((await writer.stdout.readline()).split()[1])
    if writing:
        told.note((await writer.stdout.readline()).decode())
    asyncio.get_running_loop().call_later(seconds, os.kill, pid, signal.SIGKILL)
    while (line := (await writer.stdout.readline()).decode()) != "gone\n":
        assert line, "the writer ended by itself"
        told.note(line)


async def test_what_was_told_is_stored_whenever_the_program_is_killed(file: Path) -> None:
    """Every acknowledged turn is there once, the file is sound, and unfinished answers say so."""
    told, chance = Told(), random.Random(1833)
    pipe = asyncio.subprocess.PIPE
    writer = await asyncio.create_subprocess_exec(sys.executable, str(WRITER), str(file), stdin=pipe, stdout=pipe)
    try:
        async with asyncio.timeout(60):
            for number in range(KILLS):
                await _kill_one(writer, told, chance.uniform(0.0, 0.2), writing=number % 3 > 0)
    finally:
        assert writer.stdin is not None
        writer.stdin.close()
        await writer.wait()
    assert told.lengths, "nothing was written before the kills"
    async with await History.open(file) as history:
        for thread_id in set(told.threads.values()):
            steps = {step.id: step for step in (await whole(history, thread_id)).steps}
            assert len(steps) <= 2
            for step_id in (known for known, place in told.threads.items() if place == thread_id):
                text, status = steps[step_id].text, steps[step_id].status
                if step_id in told.whole:
                    assert (text, status) == (TEXT, "complete")
                elif step_id in told.lengths:
                    assert TEXT.startswith(text)
                    assert len(text) >= told.lengths[step_id]
                    assert status == ("complete" if text == TEXT and status == "complete" else "interrupted")
                else:
                    assert (text, status) == ("Why?", "complete")
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
        (streaming,) = connection.execute("SELECT count(*) FROM steps WHERE status = 'streaming'").fetchone()
        assert streaming == 0
        (ownerless,) = connection.execute("SELECT count(*) FROM threads WHERE user_id IS NULL").fetchone()
        assert ownerless == 0
