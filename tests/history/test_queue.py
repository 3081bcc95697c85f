"""Many writers that nobody waits for: what overtakes what, and what happens to those who leave."""

import asyncio
import contextlib
import gc
import time
from uuid import uuid4

import pytest

from homeward.history import History, User
from homeward.protocol.errors import HistoryError

from .saying import OpenHistory, said, texts, whole


async def test_writers_of_one_thread_keep_the_order_of_their_calls(history: History) -> None:
    """The page starts a task for each write and waits for none."""
    thread_id = uuid4()
    steps = [said(thread_id, str(number)) for number in range(30)]
    tasks = [asyncio.create_task(history.save_step(step)) for step in steps]
    tasks += [asyncio.create_task(history.save_step(said(thread_id, f"{s.text}!", id=s.id))) for s in steps]
    tasks += [asyncio.create_task(_remove(history, thread_id, step.id)) for step in steps[::2]]
    reading = asyncio.create_task(texts(history, thread_id))
    assert await reading == [f"{number}!" for number in range(1, 30, 2)], "a read sees the writes before it"
    await asyncio.gather(*tasks)


async def _remove(history: History, thread_id: object, step_id: object) -> None:
    assert await history.delete_step(str(thread_id), str(step_id)) is True


async def test_threads_do_not_wait_for_each_other_in_vain(history: History, ann: User) -> None:
    threads = [uuid4() for _ in range(20)]
    writers = (
        history.save_step(said(thread_id, str(number)), user_id=ann.id) for number in range(5) for thread_id in threads
    )
    await asyncio.gather(*writers)
    for thread_id in threads:
        assert await texts(history, thread_id) == ["0", "1", "2", "3", "4"]
    gc.collect()
    assert not history._lanes, "nothing is kept for threads that nobody uses"


async def test_a_write_goes_on_when_its_caller_is_cancelled(history: History) -> None:
    """The stop button cancels the page's task in the middle of whatever it does."""
    thread_id = uuid4()
    writers = [asyncio.create_task(history.save_step(said(thread_id, str(number)))) for number in range(10)]
    await asyncio.sleep(0)
    for writer in writers:
        writer.cancel()
    results = await asyncio.gather(*writers, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)
    assert await texts(history, thread_id) == [str(number) for number in range(10)]


async def test_what_is_passed_is_taken_as_it_was_then(history: History) -> None:
    """The page passes its live session, and goes on changing it while the write waits."""
    thread_id = uuid4()
    metadata, tags = {"turn": 1}, ["a"]
    writing = [
        asyncio.create_task(history.update_thread(thread_id, metadata=metadata, tags=tags)),
        asyncio.create_task(history.save_step(said(thread_id, metadata=metadata, tags=tags))),
    ]
    await asyncio.sleep(0)
    metadata["turn"] = 2
    tags.append("b")
    await asyncio.gather(*writing)
    thread = await whole(history, thread_id)
    assert (thread.metadata, thread.tags) == ({"turn": 1}, ["a"])
    assert (thread.steps[0].metadata, thread.steps[0].tags) == ({"turn": 1}, ["a"])


async def test_a_cancelled_read_leaves_nothing_in_the_way(history: History) -> None:
    thread_id = uuid4()
    await history.save_step(said(thread_id))
    for pause in (0.0, 0.001, 0.002):
        reader = asyncio.create_task(history.get_thread(thread_id))
        await asyncio.sleep(pause)
        reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reader
    async with asyncio.timeout(3):
        assert await texts(history, thread_id) == ["Hello"]


async def test_closing_finishes_the_writes_that_were_asked_for(open_history: OpenHistory) -> None:
    thread_id = uuid4()
    history = await open_history()
    writers = [asyncio.create_task(history.save_step(said(thread_id, str(number)))) for number in range(20)]
    await asyncio.sleep(0)
    await history.close()
    await history.close()
    assert all(writer.done() for writer in writers)
    with pytest.raises(HistoryError, match="is closed"):
        await history.save_step(said(thread_id))
    with pytest.raises(HistoryError, match="is closed"):
        await history.get_thread(thread_id)
    assert await texts(await open_history(), thread_id) == [str(number) for number in range(20)]


async def test_a_growing_answer_is_saved_over_and_over_while_others_read(history: History, ann: User) -> None:
    thread_id = uuid4()
    answer = said(thread_id, "", "assistant", status="streaming")
    await history.save_step(said(thread_id), user_id=ann.id)
    seen: list[str] = []

    async def watch() -> None:
        while not seen or seen[-1] != "x" * 40:
            seen.append((await whole(history, thread_id)).steps[-1].text)
            await history.list_threads(ann.id)

    watching = asyncio.create_task(watch())
    for length in range(41):
        await history.save_step(said(thread_id, "x" * length, "assistant", id=answer.id, status="streaming"))
    await asyncio.wait_for(watching, 5)
    lengths = [len(text) for text in seen if text != "Hello"]
    assert lengths == sorted(lengths)


async def test_the_event_loop_goes_on_while_the_database_works(history: History, ann: User) -> None:
    """Ten megabytes in, a search through them, and out again: nobody else notices."""
    thread_id, lags = uuid4(), [0.0]

    async def tick() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            lags.append(time.perf_counter() - before - 0.005)

    ticking = asyncio.create_task(tick())
    await history.save_step(said(thread_id, "날씨 abc " * 100_000), user_id=ann.id)
    await history.list_threads(ann.id, search="씨 bc")
    await whole(history, thread_id)
    ticking.cancel()
    assert max(lags) < 0.25
