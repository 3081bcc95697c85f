"""The list of conversations: page by page, by feedback, by search."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from homeward.history import History, RefusedError, User

from .postgres import PostgresServer
from .saying import said

EVERYTHING: list[tuple[str, list[str], list[str]]] = [
    (
        "오늘 서울 날씨가 어때요?",
        ["날씨", "날씨가", "씨가", "날", "서울 어때", "울 날", "?"],
        ["날씨는", "부산"],
    ),
    ("今天天气怎么样", ["天气", "天", "天气怎么"], ["天氣", "气天"]),
    (
        "Ärger mit der Straße in ŁÓDŹ",
        ["ärger", "ÄRGER", "är", "łódź", "straße", "ß", "łó"],
        ["aerger", "lodz"],
    ),
    (
        '100% of "files" in C:\\temp_dir',
        ["100%", "%", "_", '"files"', "\\t", "temp_dir", '"', "C:\\"],
        ["1000%", "tempXdir", "%%"],
    ),
    (
        "The quick brown fox",
        ["QUICK fox", "fox quick", "he", "T q", "brown f"],
        ["quick cat", "quick zz", "foxes"],
    ),
    (
        "SELECT * FROM steps; -- NEAR(a b) OR NOT",
        ["near(a", "OR NOT", "*", "--", "; --"],
        ["AND", "x*"],
    ),
    ("smile 😀 and é", ["😀", "smile 😀", "é"], ["😁"]),
]
"""A text, what finds it, and what does not."""


async def found(history: History, user: User, query: str) -> set[UUID]:
    return {thread.id for thread in (await history.list_threads(user.id, search=query)).threads}


async def test_pages_hold_each_thread_once_the_latest_first(history: History, ann: User, bob: User) -> None:
    ids = [uuid4() for _ in range(11)]
    for thread_id in ids:
        await history.save_step(said(thread_id), user_id=ann.id)
    await history.save_step(said(uuid4()), user_id=bob.id)
    seen: list[UUID] = []
    cursor, sizes = None, []
    while True:
        page = await history.list_threads(ann.id, first=4, cursor=cursor)
        seen += [thread.id for thread in page.threads]
        sizes.append(len(page.threads))
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
        await history.save_step(said(uuid4(), "new on top meanwhile"), user_id=ann.id)
    assert seen == ids[::-1]
    assert sizes == [4, 4, 3]


async def test_a_page_goes_on_where_its_last_thread_was_deleted(history: History, ann: User) -> None:
    ids = [uuid4() for _ in range(4)]
    for thread_id in ids:
        await history.save_step(said(thread_id), user_id=ann.id)
    page = await history.list_threads(ann.id, first=2)
    await history.delete_thread(page.threads[-1].id)
    rest = await history.list_threads(ann.id, first=2, cursor=page.next_cursor)
    assert [thread.id for thread in rest.threads] == [ids[1], ids[0]]
    assert rest.next_cursor is None


async def test_a_cursor_that_is_none_is_refused(history: History, ann: User) -> None:
    for cursor in ("", "x", "2026-01-01_x", f"2026-01-01T00:00:00_{uuid4()}", str(uuid4())):
        with pytest.raises(RefusedError, match="list of conversations"):
            await history.list_threads(ann.id, cursor=cursor)


async def test_the_size_of_a_page_has_its_limits(history: History, ann: User) -> None:
    await asyncio.gather(*(history.update_thread(uuid4(), user_id=ann.id) for _ in range(102)))
    assert len((await history.list_threads(ann.id, first=0)).threads) == 1
    assert len((await history.list_threads(ann.id, first=1000)).threads) == 100
    assert len((await history.list_threads(ann.id)).threads) == 20


async def test_the_list_can_be_filtered_by_either_thumb(history: History, ann: User) -> None:
    up, down, both, none = (uuid4() for _ in range(4))
    for thread_id, values in ((up, [1]), (down, [0]), (both, [0, 1]), (none, [])):
        for value in (*values, None):
            step = said(thread_id)
            await history.save_step(step, user_id=ann.id)
            if value is not None:
                await history.save_feedback(step.id, value, user_id=ann.id)

    async def rated(value: int | None) -> set[UUID]:
        return {thread.id for thread in (await history.list_threads(ann.id, feedback=value)).threads}

    assert await rated(1) == {up, both}
    assert await rated(0) == {down, both}
    assert await rated(None) == {up, down, both, none}


async def test_search_finds_parts_of_messages_and_names(history: History, ann: User, bob: User) -> None:
    for text, hits, misses in EVERYTHING:
        in_message, in_name = uuid4(), uuid4()
        await history.save_step(said(in_message, f"Well: {text}!", "assistant"), user_id=ann.id)
        await history.update_thread(in_name, name=text, user_id=ann.id)
        await history.save_step(said(uuid4(), text), user_id=bob.id)
        for query in hits:
            assert await found(history, ann, query) == {in_message, in_name}, query
        for query in misses:
            assert await found(history, ann, query) == set(), query
        await history.delete_thread(in_message)
        await history.delete_thread(in_name)


async def test_search_follows_what_happens_to_a_message(history: History, ann: User) -> None:
    thread_id = uuid4()
    growing = said(thread_id, "한국어 partial", "assistant", status="streaming")
    await history.save_step(growing, user_id=ann.id)
    assert await found(history, ann, "partial") == set(), "a growing answer is not indexed yet"
    assert await found(history, ann, "한국") == set()
    await history.save_step(said(thread_id, "한국어 whole", "assistant", id=growing.id, status="complete"))
    assert await found(history, ann, "whole") == await found(history, ann, "한국") == {thread_id}
    await history.save_step(said(thread_id, "한국어 edited", "assistant", id=growing.id))
    assert await found(history, ann, "whole") == set()
    assert await found(history, ann, "edited") == {thread_id}
    await history.save_step(said(thread_id, "regrows", "assistant", id=growing.id, status="streaming"))
    assert await found(history, ann, "edited") == await found(history, ann, "regrows") == set()
    await history.recover_interrupted()
    assert await found(history, ann, "regrows") == {thread_id}
    await history.delete_step(thread_id, growing.id)
    assert await found(history, ann, "regrows") == set()


async def test_search_looks_at_messages_only_and_all_words_in_one(history: History, ann: User) -> None:
    thread_id = uuid4()
    for text, kind in (("apples today", "user"), ("pears", "assistant"), ("oranges", "tool")):
        await history.save_step(said(thread_id, text, kind), user_id=ann.id)
    assert await found(history, ann, "apples today") == {thread_id}
    assert await found(history, ann, "apples pears") == set()
    assert await found(history, ann, "oranges") == set()
    assert await found(history, ann, "  ") == {thread_id}, "no words, no filter"


async def test_an_endless_query_is_cut_and_harmless(history: History, ann: User) -> None:
    await history.save_step(said(uuid4(), "x" * 1000), user_id=ann.id)
    for query in ("x" * 100_000, "x " * 100_000, "\x00\ud800", '"' * 500, "%" * 500):
        await history.list_threads(ann.id, search=query)


async def test_sqlite_searches_by_index_and_the_index_is_true(file: Path) -> None:
    """FTS5 compares its index with the messages; the list itself comes in order from an index too."""
    async with await History.open(file) as history:
        ann = await history.ensure_user("ann")
        for number in range(30):
            thread_id = uuid4()
            step = said(thread_id, f"한국어 text {number}", "assistant", status="streaming")
            await history.save_step(step, user_id=ann.id)
            if number % 2:
                await history.save_step(
                    said(thread_id, f"another {number}", "assistant", id=step.id, status="complete")
                )
            if number % 3 == 0:
                await history.delete_thread(thread_id)
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)")
        assert connection.execute("SELECT count(*) FROM search WHERE search MATCH 'another'").fetchone() == (10,)
        plan = connection.execute(
            "EXPLAIN QUERY PLAN SELECT id FROM threads WHERE user_id = 'x' AND (updated_at, id) < ('y', 'z')"
            " ORDER BY updated_at DESC, id DESC LIMIT 20"
        ).fetchall()
        assert len(plan) == 1
        assert "ix_threads_user_id_updated_at_id" in plan[0][3]


def test_postgresql_searches_by_index(postgres: PostgresServer) -> None:
    """The condition that the store sends must be the one that the index was made for."""
    postgres.execute(
        "SET enable_seqscan = off; SET enable_indexscan = off;"
        " DO $$ DECLARE line text; plan text := ''; BEGIN"
        " FOR line IN EXPLAIN SELECT thread_id FROM steps WHERE steps.kind IN ('user', 'assistant', 'system')"
        " AND steps.status <> 'streaming' AND left(steps.text, 100000) ILIKE '%날씨가%' ESCAPE '\\'"
        " LOOP plan := plan || line; END LOOP;"
        " IF plan NOT LIKE '%ix_steps_text_trigrams%' THEN RAISE EXCEPTION '%', plan; END IF; END $$",
        database="homeward",
    )
