"""How long it takes; reported, not asserted, since other programs use the machine too. Run with `-s` to see it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
from sqlalchemy import Connection, func, insert, select

from homeward.history import History, User
from homeward.history.steps import not_empty
from homeward.history.tables import steps, threads

from .saying import said, whole

THREADS, STEPS = 500, 20
KINDS = ("user", "assistant")
MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = "오늘은 날씨가 좋고 the quick brown fox jumps."


@contextmanager
def timed(what: str, times: int = 1) -> Iterator[None]:
    started = time.perf_counter()
    yield
    print(f"{what}: {(time.perf_counter() - started) * 1000 / times:.1f} ms")  # noqa: T201


def fill(connection: Connection, user_id: UUID, count: int, length: int) -> UUID:
    """Conversations of `length` messages, copied inside the database: the pages are to be timed, not this."""
    first, *copies = [uuid4() for _ in range(count)]
    common = {"user_id": user_id, "name": "Plans", "created_at": MOMENT, "updated_at": MOMENT}
    connection.execute(insert(threads), [{"id": thread_id, **common} for thread_id in (first, *copies)])
    messages = [said(first, f"{WORDS} {number}", KINDS[number % 2], created_at=MOMENT) for number in range(length)]
    connection.execute(insert(steps), [not_empty(message) for message in messages])
    on_server = connection.dialect.name == "postgresql"
    new_id = func.gen_random_uuid() if on_server else func.lower(func.hex(func.randomblob(16)))
    same = [column.name for column in steps.c if column.name not in {"seq", "id", "thread_id"}]
    pairs = steps.join(threads, threads.c.id != steps.c.thread_id)
    source = select(new_id, threads.c.id, *(steps.c[name] for name in same)).select_from(pairs)
    source = source.where(steps.c.thread_id == first, threads.c.id.in_(copies))
    connection.execute(insert(steps).from_select(["id", "thread_id", *same], source))
    return first


async def test_the_times_of_a_long_history(history: History, ann: User, url: str) -> None:
    print(f"\n{url.partition(':')[0]}, {THREADS} threads of {STEPS} steps")  # noqa: T201
    short_thread = await history._write(lambda connection: fill(connection, ann.id, THREADS, STEPS))
    long_thread = await history._write(lambda connection: fill(connection, ann.id, 1, 500))
    queries = {"": "the latest 20", "날씨가": "3 letters", "씨가": "2 letters", "zzz": "3 in none", "qz": "2 in none"}
    for query, what in queries.items():
        with timed(f"list, {what}", 3):
            for _n in range(3):
                page = await history.list_threads(ann.id, search=query)
    with timed("list, second page"):
        first = await history.list_threads(ann.id)
        page = await history.list_threads(ann.id, cursor=first.next_cursor)
    assert len(page.threads) == 20
    with timed("thread of 500 messages"):
        assert len((await whole(history, long_thread)).steps) == 500
    with timed("turns of 500 messages"):
        assert len(await history.turns(long_thread)) == 500
    with timed("user", 50):
        for _n in range(50):
            await history.get_user("ann")
    with timed("new step", 50):
        for _n in range(50):
            await history.save_step(said(short_thread))
    answer = said(short_thread, kind="assistant", status="streaming")
    with timed("checkpoint of a growing answer of 20 kB", 50):
        for number in range(50):
            await history.save_step(msgspec.structs.replace(answer, text="x" * 400 * number))
