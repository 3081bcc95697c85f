"""A program that holds conversations until it is killed, and says on stdout what it was told is stored.

Run: python killed_writer.py FILE   Each line on stdin starts one writer, a fork, so that the imports are done once.
It writes `pid N`, then `user ID` for each stored question, `answer ID LENGTH` for each checkpoint of its answer and
`whole ID LENGTH` for its end; when a writer was killed, `gone`.
"""

import asyncio
import os
import sys
from pathlib import Path
from uuid import UUID, uuid4

from homeward.history import History, Step

TEXT = "The quick brown fox says 안녕하세요. " * 40


def tell(*words: object) -> None:
    """One line, written at once: a buffer would die with the process."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


async def converse(history: History, user_id: UUID) -> None:
    thread_id, question, answer = uuid4(), uuid4(), uuid4()
    await history.save_step(Step(id=question, thread_id=thread_id, kind="user", text="Why?"), user_id=user_id)
    tell("user", thread_id, question)
    for end in range(0, len(TEXT) + 1, 150):
        growing = Step(id=answer, thread_id=thread_id, kind="assistant", text=TEXT[:end], status="streaming")
        await history.save_step(growing)
        tell("answer", thread_id, answer, end)
    whole = Step(id=answer, thread_id=thread_id, kind="assistant", text=TEXT, status="complete")
    await history.save_step(whole)
    tell("whole", thread_id, answer, len(TEXT))


async def write(path: Path) -> None:
    history = await History.open(path)
    ann = await history.ensure_user("ann")

    async def go_on() -> None:
        while True:
            await converse(history, ann.id)

    await asyncio.gather(go_on(), go_on())


def main() -> None:
    path = Path(sys.argv[1])
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            tell("pid", os.getpid())
            asyncio.run(write(path))
        os.waitpid(child, 0)
        tell("gone")


if __name__ == "__main__":
    main()
