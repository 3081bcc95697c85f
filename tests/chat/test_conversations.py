"""What the page is told and what is on disk, however an answer ends. The model is a loopback upstream."""

import asyncio
from uuid import uuid4

import pytest

from homeward.chat.exchange import title_of
from tests.backends.fake_upstream import TEXT, FakeUpstream
from tests.chat.conftest import SECONDS, MakeRoom, Page
from tests.completion.conftest import MakeCompleter


async def test_an_answer_is_shown_stored_and_receipted(room_with: MakeRoom) -> None:
    """The same text on the page and on disk, under a run, with one receipt; the composer is free again."""
    room, page = await room_with("ok"), Page()
    await room.ask(page)
    await page.until_told("task_end")
    stored = await room.answer()
    assert page.answers == [stored.text] == [TEXT]
    assert stored.status == "complete"
    thread = await room.thread()
    assert [step.kind for step in thread.steps] == ["user", "run", "assistant"]
    assert thread.name == "Tell me a story."
    assert [each["receipt"]["outcome"] for each in page.receipts] == ["complete"]
    assert page.events[0] == ("task_start", {})
    assert page.events[-1] == ("task_end", {})


async def test_the_question_is_on_disk_before_the_model_is_asked(room_with: MakeRoom) -> None:
    """With a history that can't store, nothing is asked and the page says so."""
    room, page = await room_with("ok"), Page()
    await room.history.close()
    await room.ask(page)
    await page.until_told("task_end")
    assert "Your message was not saved, so nothing was asked." in page.answers[0]
    assert page.count("stream_start") == 0


async def test_the_model_reads_the_whole_thread(room_with: MakeRoom, upstream: FakeUpstream) -> None:
    """System prompt, earlier questions and answers, the new question."""
    room, page = await room_with("ok", system_prompt="Be brief."), Page()
    await room.ask(page, "One?")
    await page.until_told("task_end")
    await room.ask(page, "Two?", first=False)
    await page.until_told("task_end", 2)
    assert [(m["role"], m["content"]) for m in upstream.requests[-1].body["messages"]] == [
        ("system", "Be brief."),
        ("user", "One?"),
        ("assistant", TEXT),
        ("user", "Two?"),
    ]


async def test_stop_keeps_the_text_everywhere(room_with: MakeRoom, upstream: FakeUpstream) -> None:
    """Page and disk have the same partial text, marked as stopped; the upstream is left; the model remembers it."""
    room, page = await room_with("never-ends"), Page()
    await room.ask(page)
    await page.until_written(5)
    await room.conversations.stop(room.thread_id)
    await page.until_told("task_end")
    stored = await room.answer()
    assert stored.status == "stopped"
    assert page.answers == [stored.text]
    assert page.receipts[-1]["receipt"]["outcome"] == "stopped"
    assert page.receipts[-1]["offers"] == ["continue_answer", "try_again"]
    await upstream.quiet()
    turns = await room.history.turns(room.thread_id)
    assert [turn.text for turn in turns] == ["Tell me a story.", stored.text]


async def test_an_answer_that_breaks_off_says_why(room_with: MakeRoom) -> None:
    """The text stays, the sentence stands beside it and never in it; after a reload too, in the reader's language."""
    room, page = await room_with("half-event-rst"), Page()
    await room.ask(page)
    await page.until_told("task_end")
    stored = await room.answer()
    assert (stored.status, stored.text) == ("interrupted", page.answers[0])
    assert "ended" in page.receipts[-1]["problem"] or "broke" in page.receipts[-1]["problem"]
    assert page.receipts[-1]["problem"] not in stored.text
    later = Page("ko")
    assert await room.conversations.show(later, room.thread_id)
    (shown,) = later.receipts
    assert "연결이 끊어졌습니다" in shown["problem"]
    assert shown["receipt"]["outcome"] == "interrupted"


async def test_an_answer_that_never_began_is_no_part_of_the_prompt(
    room_with: MakeRoom,
    upstream: FakeUpstream,
) -> None:
    """It is stored as failed, offered again, and the model never reads it."""
    room, page = await room_with("status-500"), Page()
    await room.ask(page, "One?")
    await page.until_told("task_end")
    assert (await room.answer()).status == "failed"
    assert page.receipts[-1]["offers"] == ["try_again"]
    await room.ask(page, "Two?", first=False)
    await page.until_told("task_end", 2)
    contents = [message["content"] for message in upstream.requests[-1].body["messages"][1:]]
    assert contents == ["One?", "Two?"]


async def test_try_again_replaces_the_answer(room_with: MakeRoom, upstream: FakeUpstream) -> None:
    """One question, one answer, and the model isn't told of the failed one."""
    room, page = await room_with("flaky-2"), Page()
    await room.ask(page)
    await page.until_told("task_end")
    failed = await room.answer()
    await room.conversations.try_again(page, room.thread_id, failed.id, room.user_id)
    await page.until(lambda: TEXT in page.answers)
    await page.until_told("task_end", 3)
    assert [step.kind for step in (await room.thread()).steps] == ["user", "run", "assistant"]
    assert (await room.answer()).status == "complete"
    assert len(upstream.requests) == 3  # each answer may be tried twice


async def test_continue_appends_to_the_same_answer(
    room_with: MakeRoom, completer_of: MakeCompleter, upstream: FakeUpstream
) -> None:
    """Two receipts under one text; the model gets the beginning as its own words, and a repeated one is not shown.

    A line says where the words of another model begin; the stored text has none.
    """
    room, page = await room_with("finish-length"), Page()
    await room.ask(page)
    await page.until_told("task_end")
    first = await room.answer()
    assert page.receipts[-1]["offers"] == ["continue_answer"]
    again = await room_with(completer=completer_of("ok"))  # says the whole text, from its beginning
    await again.conversations.continue_answer(page, room.thread_id, first.id)
    await page.until_told("task_end", 2)
    both = await room.answer()
    assert both.id == first.id
    assert TEXT.startswith(first.text)
    assert both.text == TEXT
    mark = "\n\n---\n\n*From here on: This device · ok*\n\n"
    assert page.answers == [first.text + mark + TEXT.removeprefix(first.text)]
    assert upstream.requests[-1].body["messages"][-1] == {"role": "assistant", "content": first.text}
    assert len((await room.thread()).receipts[both.id]) == 2


async def test_a_model_that_goes_on_with_its_own_words_needs_no_line(room_with: MakeRoom) -> None:
    """And only the last of its receipts makes offers."""
    room, page = await room_with("never-ends"), Page()
    await room.ask(page)
    await page.until_written(5)
    await room.conversations.stop(room.thread_id)
    await page.until_told("task_end")
    first = await room.answer()
    await room.conversations.continue_answer(page, room.thread_id, first.id)
    await page.until_written(len(first.text) + 5)
    await room.conversations.stop(room.thread_id)
    await page.until_told("task_end", 2)
    assert page.answers == [(await room.answer()).text]
    assert [bool(each["offers"]) for each in page.receipts] == [False, True]


async def test_an_edit_drops_what_came_after(room_with: MakeRoom) -> None:
    """On the page and on disk, and other pages are redrawn."""
    room, page, other = await room_with("ok"), Page(), Page()
    first = await room.ask(page, "One?")
    await page.until_told("task_end")
    await room.ask(page, "Two?", first=False)
    await page.until_told("task_end", 2)
    assert await room.conversations.show(other, room.thread_id)
    await room.conversations.edit(page, room.thread_id, first, "Three?", room.user_id)
    await other.until(lambda: len(other.receipts) == 1 and not other.receipts[0]["writing"])
    thread = await room.thread()
    assert [step.text for step in thread.steps if step.kind == "user"] == ["Three?"]
    assert len([step for step in thread.steps if step.kind == "assistant"]) == 1
    assert other.answers == [TEXT]


async def test_a_page_that_comes_later_sees_all_of_it(room_with: MakeRoom) -> None:
    """The text so far, then the rest: nothing twice, nothing missing."""
    room, page, late = await room_with("never-ends"), Page(), Page()
    await room.ask(page)
    await page.until_written(20)
    assert await room.conversations.show(late, room.thread_id)
    assert late.events[-1] == ("task_start", {})
    before = len(late.answers[0])
    await late.until_written(before + 20)
    await room.conversations.stop(room.thread_id)
    await late.until_told("task_end")
    await page.until_told("task_end")
    assert late.answers == page.answers == [(await room.answer()).text]


async def test_an_answer_goes_on_without_pages_and_is_ended_in_time(room_with: MakeRoom) -> None:
    """It is stored as interrupted, with the reason."""
    room, page = await room_with("never-ends", unattended_seconds=0.3), Page()
    await room.ask(page)
    await page.until_written(5)
    room.conversations.detach(page, room.thread_id)
    running = next(task for task in asyncio.all_tasks() if task.get_name().startswith("answer "))
    await asyncio.wait_for(asyncio.wait({running}), SECONDS)
    stored = await room.answer()
    assert stored.status == "interrupted"
    assert stored.metadata["problem"]["key"] == "unattended"


async def test_a_page_that_returns_in_time_keeps_the_answer_going(room_with: MakeRoom) -> None:
    """A reload ends nothing."""
    room, page = await room_with("never-ends", unattended_seconds=0.3), Page()
    await room.ask(page)
    await page.until_written(5)
    room.conversations.detach(page, room.thread_id)
    assert await room.conversations.show(page, room.thread_id)
    await asyncio.sleep(0.5)
    assert (await room.answer()).status == "streaming"


async def test_closing_ends_and_stores_what_runs(room_with: MakeRoom) -> None:
    """After the grace, as interrupted by the shutdown; new questions are refused with a sentence."""
    room, page = await room_with("never-ends"), Page()
    await room.ask(page)
    await page.until_written(5)
    await room.conversations.close(0.1)
    stored = await room.answer()
    assert stored.status == "interrupted"
    assert "shut down" in page.receipts[-1]["problem"]
    await room.ask(page, "More?", first=False)
    assert "shut down" in page.toasts[-1]


async def test_closing_lets_a_short_answer_finish(room_with: MakeRoom) -> None:
    """Within the grace nothing is cut."""
    room, page = await room_with("ok-slow"), Page()
    await room.ask(page)
    await room.conversations.close(SECONDS)
    assert (await room.answer()).status == "complete"


async def test_one_answer_at_a_time_in_a_thread(room_with: MakeRoom) -> None:
    """A second question from another page is refused with a sentence, and not stored."""
    room, page, other = await room_with("never-ends"), Page(), Page()
    await room.ask(page)
    await page.until_written(5)
    await room.ask(other, "Me too?", first=False)
    assert other.toasts == ["An answer is still being written in this chat."]
    assert len([step for step in (await room.thread()).steps if step.kind == "user"]) == 1


async def test_deleting_a_thread_ends_its_answer(room_with: MakeRoom, upstream: FakeUpstream) -> None:
    """Nothing writes into a deleted thread."""
    room, page = await room_with("never-ends"), Page()
    await room.ask(page)
    await page.until_written(5)
    await room.conversations.forget(room.thread_id)
    await room.history.delete_thread(room.thread_id)
    await upstream.quiet()
    assert await room.history.get_thread(room.thread_id) is None


async def test_an_unknown_thread_is_not_shown(room_with: MakeRoom) -> None:
    """The caller is told, and nothing is sent."""
    room, page = await room_with("ok"), Page()
    assert not await room.conversations.show(page, uuid4())
    assert page.events == []


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Short", "Short"),
        ("\n\n  First line\nSecond", "First line"),
        ("word " * 30, "word word word word word word word word word word word word…"),
        ("", ""),
    ],
)
def test_a_thread_is_named_after_its_first_question(question: str, title: str) -> None:
    """Its first line, cut at a word."""
    assert title_of(question) == title
