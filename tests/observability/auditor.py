"""A program that puts attempts on record, and says on stdout what it was told is written.

Run: python auditor.py FILE ROUNDS [leave]   Says `begun ID` and `ended ID` for each attempt; with `leave`, the last one
is begun only, and it waits for stdin to end.
"""

import asyncio
import os
import sys
from pathlib import Path
from uuid import UUID, uuid4

from homeward.observability.audit import Audit, AuditBegun
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


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), int(sys.argv[2]), leave="leave" in sys.argv))
