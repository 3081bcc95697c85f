"""The writing end of the audit log."""

import asyncio
import errno
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock

import structlog

from homeward.observability.audit.lines import AuditBegun, AuditEnded, AuditNote, Detail, Line, encode
from homeward.protocol.errors import AuditError

log = structlog.get_logger(__name__)


class Audit:
    """The writing end; one per process, any number per file. Making one does nothing."""

    def __init__(self, path: Path) -> None:
        self._path = path
        # One thread: a disk that hangs holds up nothing else, and lines keep their order. What comes while it waits
        # for the disk is written together.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="audit")
        self._lock = Lock()
        self._waiting: list[_Job] = []
        self._at_work = False
        self._owed: list[AuditEnded] = []  # touched by that thread alone

    async def begin(self, begun: AuditBegun) -> "Entry":
        """Put an attempt on record; it is on disk when this returns, and may be sent only then.

        Raises:
            AuditError: it could not be written, so nothing may be sent.
        """
        job = self._submit(begun)
        try:
            await job.written()
        except asyncio.CancelledError:
            # It will be on record all the same: say there that nothing was sent.
            self._thread.submit(self._end_unsent, job, begun)
            raise
        return Entry(begun, self._submit)

    async def note(self, about: str, /, **details: Detail) -> None:
        """Put a consent or a change of the rules on record. Raises AuditError: it could not be written."""
        await self._submit(AuditNote(about=about, details=details)).written()

    async def close(self) -> None:
        """Try once more what could not be written, and end. Nothing may be put on record afterwards."""
        await asyncio.shield(asyncio.wrap_future(self._thread.submit(self._pay_or_keep)))
        self._thread.shutdown(wait=False)

    def _submit(self, line: Line) -> "_Job":
        """Have a line written."""
        job = _Job(line, asyncio.get_running_loop())
        with self._lock:
            self._waiting.append(job)
            idle, self._at_work = not self._at_work, True
        if idle:
            self._thread.submit(self._work)
        return job

    def _work(self) -> None:
        while True:
            with self._lock:
                jobs, self._waiting = self._waiting, []
                self._at_work = bool(jobs)
            if not jobs:
                return
            self._write_together(jobs)

    def _write_together(self, jobs: list["_Job"]) -> None:
        try:
            self._pay()
            append(self._path, b"".join([encode(job.line) for job in jobs]))
        except OSError:  # then each on its own, for some may fit
            for job in jobs:
                job.failure = self._write(job.line)
        for loop in {job.loop for job in jobs}:
            with suppress(RuntimeError):  # it was closed meanwhile, and nobody waits there any more
                loop.call_soon_threadsafe(_tell, [job for job in jobs if job.loop is loop])

    def _write(self, line: Line) -> AuditError | None:
        if isinstance(line, AuditEnded):
            self._write_or_keep(line)
            return None
        try:
            self._pay()
            append(self._path, encode(line))
        except OSError as error:
            return _failure(error)
        return None

    def _write_or_keep(self, ended: AuditEnded) -> None:
        self._owed.append(ended)
        self._pay_or_keep()

    def _pay_or_keep(self) -> None:
        try:
            self._pay()
        except OSError as error:
            # The answer is whole whatever becomes of the log; the next write tries again, and fails if this does.
            log.warning("audit.line_kept_back", lines=len(self._owed), reason=error.strerror)

    def _pay(self) -> None:
        while self._owed:
            append(self._path, encode(self._owed[0]))
            del self._owed[0]

    def _end_unsent(self, job: "_Job", begun: AuditBegun) -> None:
        if job.failure is None:
            unsent = AuditEnded(request=begun.request, attempt=begun.attempt, bytes_out=0, cost=0.0, error="cancelled")
            self._write_or_keep(unsent)


class _Job:
    """A line to be written, and who waits for that."""

    def __init__(self, line: Line, loop: asyncio.AbstractEventLoop) -> None:
        self.line = line
        self.loop = loop
        self.done: asyncio.Future[None] = loop.create_future()
        self.failure: AuditError | None = None

    async def written(self) -> None:
        """Wait until it is on disk; a caller that is cancelled doesn't take the work with it. Raises AuditError."""
        await self.done
        if self.failure is not None:
            raise self.failure


def _tell(jobs: Iterable[_Job]) -> None:
    """One call for all that were written together: each wakes the loop up."""
    for job in jobs:
        if not job.done.done():
            job.done.set_result(None)


class Entry:
    """An attempt on record, to be ended exactly once; a second end is passed over."""

    def __init__(self, begun: AuditBegun, write: Callable[[AuditEnded], _Job]) -> None:
        self._begun = begun
        self._write = write
        self._ended = False

    async def end(
        self,
        *,
        bytes_out: int,
        cost: float | None = None,
        prompt_tokens: int | None = None,
        completion_tokens: int | None = None,
        error: str = "",
    ) -> None:
        """Say how it ended; the fields are those of `AuditEnded`.

        Never fails: a line that can't be written now is kept and tried again before the next one. The line is
        written even where the caller is cancelled while it waits.
        """
        if self._ended:
            return
        self._ended = True
        ended = AuditEnded(
            request=self._begun.request,
            attempt=self._begun.attempt,
            bytes_out=bytes_out,
            cost=cost,
            prompt_tokens=prompt_tokens,
            completion_tokens=completion_tokens,
            error=error,
        )
        await self._write(ended).written()


def append(path: Path, line: bytes) -> None:
    """Add a line, or some; it is on disk when this returns. The file is made for its user alone.

    Raises OSError: it is not in the file, or only a part of it, or it is not certain to be on disk.
    """
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)  # Windows would write "\r\n"
    try:
        file = os.open(path, flags, 0o600)
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(path, flags, 0o600)
    try:
        with _alone(file):
            if not _at_line_start(file):
                line = b"\n" + line
            if os.write(file, line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(file)
    finally:
        os.close(file)


@contextmanager
def _alone(file: int) -> Iterator[None]:
    """Among all processes that write to it.

    Else a line of which another one writes a part only, just after we looked how the file ends, would swallow ours.
    """
    if sys.platform == "win32":
        yield
        return
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def _at_line_start(file: int) -> bool:
    if os.lseek(file, 0, os.SEEK_END) == 0:
        return True
    os.lseek(file, -1, os.SEEK_END)
    return os.read(file, 1) == b"\n"


def _failure(error: OSError) -> AuditError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    reason, cure = (
        ("the disk is full", "Free some space")
        if full
        else ("its file can't be used", "Look at the rights of audit.jsonl in the data folder")
    )
    return AuditError(
        f"The audit log can't be written, because {reason}; so nothing was sent to another machine.",
        next_step=f"{cure}, then try again. Models on this device answer all the same.",
        detail=str(error),
    )
