"""A program that puts attempts on record, and says on stdout what it was told is written.

Run: python auditor.py FILE ROUNDS [leave | torn]   Says `begun ID` and `ended ID` for each attempt; with `leave`, the
last one is begun only, and it waits for stdin to end. With `torn`, the disk takes only half of each line, and it says
nothing.
"""

import asyncio
import os
import sys
from contextlib import suppress
from pathlib import Path
from uuid import UUID, uuid4

from homeward.observability.audit import Audit, AuditBegun, append
from homeward.observability.audit.lines import encode
from homeward.protocol.place import Place


def begun(request: UUID) -> AuditBegun:
    return AuditBegun(
        request=request, attempt=1, place=Place.CLOUD, backend="azure", host="a.example", model="m" * 50, rule="cloud"
    )


def tell(*words: object) -> None:
    """One line, written at once: a buffer would die with the process."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def work(path: Path, rounds: int, *, leave: bool) -> None:
    audit = Audit(path)
    for number in range(rounds):
        request = uuid4()
        entry = await audit.begin(begun(request))
        tell("begun", request)
        if leave and number == rounds - 1:
            sys.stdin.read()
        await entry.end(bytes_out=number, cost=0.0)
        tell("ended", request)
    await audit.close()


def tear(path: Path, rounds: int) -> None:
    """Write lines of which half is lost."""
    whole_write = os.write

    def half_write(file: int, data: bytes) -> int:
        return whole_write(file, data[: len(data) // 2])

    os.write = half_write  # type: ignore[assignment]
    for _ in range(rounds):
        with suppress(OSError):
            append(path, encode(begun(uuid4())))


if __name__ == "__main__":
    if "torn" in sys.argv:
        tear(Path(sys.argv[1]), int(sys.argv[2]))
        sys.exit()
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2]), leave="leave" in sys.argv))
