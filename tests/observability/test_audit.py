"""The audit log: what left is on record before it goes, whatever happens."""

import asyncio
import fcntl
import json
import os
import resource
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeward.observability.audit import (
    Audit,
    AuditBegun,
    AuditEnded,
    AuditNote,
    Unreadable,
    append,
    decode,
    read,
    transfers,
)
from homeward.observability.audit.lines import encode
from homeward.protocol.errors import AuditError

from .auditor import begun

AUDITOR = Path(__file__).with_name("auditor.py")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "audit.jsonl"


@pytest.fixture
async def audit(path: Path) -> AsyncIterator[Audit]:
    audit = Audit(path)
    yield audit
    await audit.close()


def contents(path: Path) -> object:
    (line,) = path.read_bytes().splitlines()
    return json.loads(line)


def rights(path: Path) -> int:
    return path.stat().st_mode & 0o777


async def auditor(*arguments: object) -> asyncio.subprocess.Process:
    """The program beside this file, running."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        sys.executable, str(AUDITOR), *map(str, arguments), stdin=pipe, stdout=pipe
    )


@contextmanager
def disk_with_room_for(path: Path, room_bytes: int) -> Iterator[None]:
    """No file grows beyond so many bytes more than this one has; large enough not to hinder the test itself."""
    append(path, b"\n" * 2**21)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + room_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_an_attempt_is_on_disk_when_begin_returns(audit: Audit, path: Path) -> None:
    """As one line of JSON with the documented fields, in a file that only its user can read."""
    line = begun(uuid4())
    await audit.begin(line)
    assert contents(path) == {
        "event": "begun",
        "v": 1,
        "at": line.at.isoformat().replace("+00:00", "Z"),
        "request": str(line.request),
        "attempt": 1,
        "place": "cloud",
        "backend": "azure",
        "host": "a.example",
        "model": "m" * 50,
        "rule": "cloud",
        "findings": {},
        "masked": False,
        "may_leave": "allow",
        "approved": False,
        "at_most_cost": None,
    }
    assert [rights(path), rights(path.parent)] == [0o600, 0o700]


async def test_an_end_belongs_to_its_beginning(audit: Audit, path: Path) -> None:
    """By request and attempt; what was said of it is what is read, and only the first end counts."""
    first, second = begun(uuid4()), begun(uuid4())
    entry = await audit.begin(first)
    await audit.begin(second)
    await entry.end(bytes_out=1234, cost=0.0003, prompt_tokens=10, completion_tokens=20, error="upstream_timeout")
    await entry.end(bytes_out=0)
    whole, running = transfers(read(path))
    assert (whole.begun, running.begun, running.ended) == (first, second, None)
    assert whole.ended is not None
    assert whole.ended == AuditEnded(
        at=whole.ended.at,
        request=first.request,
        attempt=1,
        bytes_out=1234,
        cost=0.0003,
        prompt_tokens=10,
        completion_tokens=20,
        error="upstream_timeout",
    )


async def test_attempts_at_the_same_time(audit: Audit, path: Path) -> None:
    """Each line is whole, each attempt has its own end."""

    async def one(number: int) -> UUID:
        request = uuid4()
        entry = await audit.begin(begun(request))
        await entry.end(bytes_out=number)
        return request

    requests = await asyncio.gather(*(one(number) for number in range(200)))
    found = transfers(read(path))
    assert {each.begun.request: each.ended and each.ended.bytes_out for each in found} == {
        request: number for number, request in enumerate(requests)
    }


async def test_several_processes_share_the_file(path: Path) -> None:
    """No line is torn by another one's."""
    programs = [await auditor(path, 150) for _ in range(3)]
    await asyncio.gather(*(program.communicate() for program in programs))
    lines = list(read(path))
    assert not [line for line in lines if isinstance(line, Unreadable)]
    assert len(lines) == 3 * 150 * 2
    assert all(each.ended for each in transfers(lines))


async def test_a_program_that_is_killed_leaves_its_attempt_unfinished(path: Path) -> None:
    """Begun without ended: to be seen by whoever looks, and the next program goes on behind it."""
    program = await auditor(path, 3, "leave")
    assert program.stdout is not None
    told = [(await program.stdout.readline()).decode().split() for _ in range(5)]
    os.kill(program.pid, signal.SIGKILL)
    await program.wait()
    assert [event for event, _ in told] == ["begun", "ended", "begun", "ended", "begun"]
    found = transfers(read(path))
    assert [str(each.begun.request) for each in found] == [told[0][1], told[2][1], told[4][1]]
    assert [each.ended is not None for each in found] == [True, True, False]


async def test_whatever_was_told_is_there_after_a_kill_at_any_moment(path: Path) -> None:
    """Nothing could have been sent that is not on record."""
    program = await auditor(path, 1_000_000)
    assert program.stdout is not None
    told = [(await program.stdout.readline()).decode().split() for _ in range(101)]
    os.kill(program.pid, signal.SIGKILL)
    told += [line.split() for line in (await program.stdout.read()).decode().splitlines()]
    await program.wait()
    found = {str(each.begun.request): each for each in transfers(read(path))}
    assert {request for _, request in told} <= set(found)
    assert all(found[request].ended for event, request in told if event == "ended")


@pytest.mark.parametrize("room_bytes", [0, 1, 100])
async def test_nothing_may_be_sent_while_the_disk_is_full(audit: Audit, path: Path, room_bytes: int) -> None:
    """`begin` raises; an end is kept back and written first once there is room; what was cut off stays alone."""
    entry = await audit.begin(begun(uuid4()))
    late = begun(uuid4())
    with disk_with_room_for(path, room_bytes):
        await entry.end(bytes_out=77)  # no error reaches the answer
        with pytest.raises(AuditError, match="disk is full; so nothing was sent"):
            await audit.begin(begun(uuid4()))
    await audit.begin(late)
    lines = list(read(path))
    assert [line for line in lines if isinstance(line, AuditEnded)] == [transfers(lines)[0].ended]
    assert [(each.begun, each.ended and each.ended.bytes_out) for each in transfers(lines)][1:] == [(late, None)]
    assert all(line.why == "damaged" for line in lines if isinstance(line, Unreadable))


async def test_what_was_kept_back_is_written_at_the_end(path: Path) -> None:
    """`close` tries once more."""
    audit = Audit(path)
    entry = await audit.begin(begun(uuid4()))
    with disk_with_room_for(path, 0):
        await entry.end(bytes_out=77)
    assert [each.ended for each in transfers(read(path))] == [None]
    await audit.close()
    assert [each.ended and each.ended.bytes_out for each in transfers(read(path))] == [77]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's always full device")
async def test_a_full_device_is_said_to_be_one() -> None:
    """With what to do about it."""
    audit = Audit(Path("/dev/full"))
    with pytest.raises(AuditError, match="Free some space"):
        await audit.begin(begun(uuid4()))
    await audit.close()


async def test_a_log_that_cannot_be_made(tmp_path: Path) -> None:
    """Its folder is a file: neither an attempt nor a consent goes through."""
    (tmp_path / "data").write_text("")
    audit = Audit(tmp_path / "data" / "audit.jsonl")
    with pytest.raises(AuditError, match="Look at the rights"):
        await audit.begin(begun(uuid4()))
    with pytest.raises(AuditError):
        await audit.note("consent", backend="azure")
    await audit.close()


async def test_a_caller_that_leaves_while_it_ends(path: Path) -> None:
    """The line is written all the same."""
    audit = Audit(path)
    entry = await audit.begin(begun(uuid4()))
    ending = asyncio.create_task(entry.end(bytes_out=5))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await ending
    await audit.close()
    assert [each.ended and each.ended.bytes_out for each in transfers(read(path))] == [5]


async def test_a_caller_that_leaves_while_it_begins(path: Path) -> None:
    """The record says that nothing was sent, so it is neither unfinished nor paid for."""
    audit = Audit(path)
    beginning = asyncio.create_task(audit.begin(begun(uuid4())))
    await asyncio.sleep(0)
    beginning.cancel()
    with pytest.raises(asyncio.CancelledError):
        await beginning
    await audit.close()
    (transfer,) = transfers(read(path))
    assert transfer.ended is not None
    assert (transfer.ended.bytes_out, transfer.ended.cost, transfer.ended.error) == (0, 0.0, "cancelled")


async def test_a_consent_is_on_record(audit: Audit, path: Path) -> None:
    """Among the attempts, without being one."""
    await audit.note("consent", backend="azure", host="a.example", given=True)
    (line,) = read(path)
    assert isinstance(line, AuditNote)
    assert (line.about, line.details) == ("consent", {"backend": "azure", "host": "a.example", "given": True})
    assert transfers([line]) == []


@pytest.mark.skipif(sys.platform == "win32", reason="one process writes there")
async def test_several_processes_write_one_log(path: Path) -> None:
    """No line is lost or torn, also where a full disk takes only half of some of another one's."""
    rounds, writers = 150, 3
    programs = [await auditor(path, rounds) for _ in range(writers)]
    programs.append(await auditor(path, rounds, "torn"))
    said = [(await program.communicate())[0].split() for program in programs]
    lines = list(read(path))
    on_record = {str(each.begun.request) for each in transfers(lines) if each.ended is not None}
    assert {word.decode() for words in said[:writers] for word in words[1::2]} == on_record
    assert len(on_record) == rounds * writers
    assert sum(isinstance(line, Unreadable) for line in lines) == rounds


@pytest.mark.skipif(sys.platform == "win32", reason="one process writes there")
def test_nobody_else_writes_between_the_look_and_the_line(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a line that another process writes in part just then would swallow this one."""
    tried: list[str] = []
    whole_write = os.write

    def write(file: int, data: bytes) -> int:
        with path.open("rb") as another:
            try:
                fcntl.flock(another, fcntl.LOCK_EX | fcntl.LOCK_NB)
                tried.append("could write")
            except BlockingIOError:
                tried.append("waits")
        return whole_write(file, data)

    monkeypatch.setattr(os, "write", write)
    append(path, b"first\n")
    append(path, b"second\n")
    assert tried == ["waits", "waits"]
    assert path.read_bytes() == b"first\nsecond\n"


@given(st.data())
def test_a_log_cut_anywhere(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """All lines before the cut are read, the rest of the torn one is counted, and the next one is not lost."""
    path = tmp_path_factory.mktemp("cut") / "audit.jsonl"
    before = [begun(UUID(int=number)) for number in range(3)]
    for line in before:
        append(path, encode(line))
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    os.truncate(path, cut)
    append(path, encode(begun(UUID(int=9))))
    lines = list(read(path))
    ends = [number for number, byte in enumerate(whole) if byte == ord("\n")]
    kept = sum(end <= cut for end in ends)  # the break of the line itself may be what is missing
    assert [line.request.int for line in lines if isinstance(line, AuditBegun)] == [*range(kept), 9]
    torn = cut not in {0, *ends, *(end + 1 for end in ends)}
    assert [line for line in lines if isinstance(line, Unreadable)] == (
        [Unreadable(kept + 1, "damaged")] if torn else []
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"event":"dreamt","v":2}', "newer"),
        (b'{"event":"ended","v":3,"request":7}', "newer"),
        (b'{"event":"dreamt","v":1}', "damaged"),
        (b'{"event":"note","v":1,"at":"2026-11-22T10:00:00","about":"x"}', "damaged"),  # of which zone?
        (b"[]", "damaged"),
        (b"\xff\x00", "damaged"),
    ],
)
def test_lines_that_say_nothing_to_us(text: bytes, why: str) -> None:
    assert decode(text, 4) == Unreadable(4, why)  # type: ignore[arg-type]


def test_a_field_of_a_newer_version_is_passed_over() -> None:
    line = decode(b'{"event":"note","v":1,"at":"2026-11-22T10:00:00Z","about":"x","more":[1]}', 1)
    assert line == AuditNote(at=datetime(2026, 11, 22, 10, tzinfo=UTC), about="x")


def test_since_looks_at_the_beginning() -> None:
    """An attempt that ended later still belongs to the time before."""
    noon = datetime(2026, 11, 22, 12, tzinfo=UTC)
    early, late = uuid4(), uuid4()
    lines: list[AuditBegun | AuditEnded] = []
    for request, at in ((early, noon - timedelta(seconds=1)), (late, noon)):
        fields = {"request": request, "attempt": 1}
        lines += [
            AuditBegun(**fields, at=at, place="cloud", backend="a", host="h", model="", rule=""),  # type: ignore[arg-type]
            AuditEnded(**fields, at=noon + timedelta(hours=1), bytes_out=1),  # type: ignore[arg-type]
        ]
    assert [each.begun.request for each in transfers(lines, since=noon)] == [late]


def test_no_log_is_an_empty_one(path: Path) -> None:
    assert list(read(path)) == []


def test_a_log_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(AuditError, match="can't be read"):
        list(read(tmp_path))
