"""Steps: saved, saved again, put in order, deleted."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args
from uuid import UUID, uuid4

import msgspec
import pytest

from homeward.history import History, RefusedError, Step, StepStatus, User

from .saying import OpenHistory, receipt, said, shown, texts, whole

SEOUL = timezone(timedelta(hours=9))


def full_step(thread_id: UUID, parent_id: UUID) -> Step:
    """A step with a value in every field."""
    return Step(
        id=uuid4(),
        thread_id=thread_id,
        kind="tool",
        parent_id=parent_id,
        name="search 검색",
        text="found\n```json\n{}\n```",
        input='{"q": "날씨"}',
        status="stopped",
        is_error=False,
        wait_for_answer=True,
        created_at=datetime(2026, 2, 3, 4, 5, 6, 789012, tzinfo=UTC),
        started_at=datetime(2026, 2, 3, 4, 5, 7, tzinfo=SEOUL),
        ended_at=datetime(2026, 2, 3, 4, 5, 8, 1, tzinfo=UTC),
        metadata={"favorite": False, "deep": {"list": [1, 2.5, None, "x", {"ü": "\u2028"}]}},
        tags=["a", "b"],
        modes={"place": "local"},
        command="image",
        generation={"provider": "llama", "settings": {"temperature": 0.5}},
        show_input="json",
        default_open=True,
        auto_collapse=False,
        language="python",
        icon="search",
        extra={"futureField": [True, False], "anotherOne": {"x": 1}},
    )


async def test_every_field_comes_back_as_it_was(history: History) -> None:
    thread_id = uuid4()
    parent = said(thread_id)
    step = full_step(thread_id, parent.id)
    await history.save_step(parent)
    await history.save_step(step)
    assert (await whole(history, thread_id)).steps[1] == step


async def test_a_bare_step_comes_back_with_plain_defaults(history: History) -> None:
    thread_id = uuid4()
    before = datetime.now(UTC)
    await history.save_step(said(thread_id, ""))
    (step,) = (await whole(history, thread_id)).steps
    assert step.status == "complete"
    assert step.created_at is not None
    assert before <= step.created_at <= datetime.now(UTC)
    assert (step.metadata, step.tags, step.modes, step.generation, step.extra) == ({}, [], {}, {}, {})
    assert (step.show_input, step.is_error, step.parent_id, step.started_at) == (None, None, None, None)


async def test_saving_twice_is_saving_once(history: History) -> None:
    """So that a writer whose connection broke may simply try again."""
    thread_id = uuid4()
    step = full_step(thread_id, uuid4())
    for _ in range(3):
        await history.save_step(step)
    assert (await whole(history, thread_id)).steps == (msgspec.structs.replace(step, parent_id=None),)


async def test_a_later_save_changes_what_it_brings_and_keeps_the_rest(history: History) -> None:
    thread_id = uuid4()
    parent = said(thread_id)
    step = full_step(thread_id, parent.id)
    await history.save_step(parent)
    await history.save_step(step)
    await history.save_step(
        Step(
            id=step.id,
            thread_id=thread_id,
            kind="llm",
            text="new",
            is_error=True,
            show_input=False,
            metadata={"k": 1},
        )
    )
    assert (await whole(history, thread_id)).steps[1] == msgspec.structs.replace(
        step, kind="llm", text="new", is_error=True, show_input=False, metadata={"k": 1}
    )


async def test_an_empty_text_overwrites_only_when_asked_to(history: History) -> None:
    thread_id = uuid4()
    step = said(thread_id, "the answer")
    await history.save_step(step)
    await history.save_step(said(thread_id, "", id=step.id))
    assert await texts(history, thread_id) == ["the answer"]
    await history.save_step(said(thread_id, "", id=step.id), clear_text=True)
    assert await texts(history, thread_id) == [""]


async def test_the_time_of_creation_never_changes(history: History) -> None:
    thread_id, moment = uuid4(), datetime(2026, 1, 1, tzinfo=UTC)
    step = said(thread_id, created_at=moment)
    await history.save_step(step)
    await history.save_step(said(thread_id, "more", id=step.id, created_at=moment + timedelta(days=1)))
    assert (await whole(history, thread_id)).steps[0].created_at == moment


async def test_a_step_cannot_be_moved_to_another_thread(history: History, ann: User, bob: User) -> None:
    """The page lets its client choose ids: somebody else's must not be taken over."""
    anns, bobs = uuid4(), uuid4()
    step = said(anns, "Ann's words")
    await history.save_step(step, user_id=ann.id)
    with pytest.raises(RefusedError, match="belongs to another conversation"):
        await history.save_step(said(bobs, "Bob's words", id=step.id), user_id=bob.id)
    assert await texts(history, anns) == ["Ann's words"]
    assert await history.get_thread(bobs) is None, "a refused write leaves no stub behind"


WRONG_KINDS: list[dict[str, Any]] = [
    {"kind": ""},
    {"status": "finished"},
    {"created_at": datetime(2026, 1, 1)},  # noqa: DTZ001 - the point
    {"started_at": "yesterday"},
    {"text": 5},
    {"is_error": "yes"},
    {"tags": [1]},
    {"modes": ["local"]},
    {"parent_id": "the one before"},
    {"metadata": {"key": object()}},
    {"show_input": 3.5},
]


async def test_a_value_of_the_wrong_kind_is_refused_on_both_databases(history: History) -> None:
    """Some values come from a browser; SQLite alone would take most of these, and give them back so."""
    thread_id = uuid4()
    for fields in WRONG_KINDS:
        with pytest.raises(RefusedError, match="cannot hold a value of this kind"):
            await history.save_step(said(thread_id, **fields))
    assert await history.get_thread(thread_id) is None


async def test_values_that_json_knows_no_word_for_become_plain(history: History) -> None:
    thread_id = uuid4()
    inside: dict[Any, Any] = {
        "n": float("nan"),
        "i": float("inf"),
        "t": datetime(2026, 1, 1, tzinfo=UTC),
        "tuple": (1,),
        5: "x",
    }
    await history.save_step(said(thread_id, metadata=inside))
    (step,) = (await whole(history, thread_id)).steps
    assert step.metadata == {"n": None, "i": None, "t": "2026-01-01T00:00:00Z", "tuple": [1], "5": "x"}


async def test_letters_that_no_database_holds_are_replaced(history: History) -> None:
    """U+0000 and lone surrogates, alike on both databases, in texts and inside JSON; all else is kept."""
    thread_id = uuid4()
    bad, good = "a\x00b\ud83dc\udfffd", "a\ufffdb\ufffdc\ufffdd"
    kept = "😀 é e\u0301 \u200b\u202e\x01\x1b\r\n\t\u2028 끝"
    step = said(thread_id, bad + kept, name=bad, metadata={bad: [bad, {"k": bad}]}, tags=[bad], command=bad)
    await history.save_step(step, user_id=None)
    await history.update_thread(thread_id, metadata={bad: bad}, tags=[bad])
    thread = await whole(history, thread_id)
    (found,) = thread.steps
    assert (found.text, found.name, found.command, found.tags) == (good + kept, good, good, [good])
    assert found.metadata == {good: [good, {"k": good}]}
    assert (thread.metadata, thread.tags) == ({good: good}, [good])


async def test_ten_megabytes_are_stored(history: History) -> None:
    thread_id = uuid4()
    text = "가나다 abc\n" * (10_000_000 // 16)
    await history.save_step(said(thread_id, text))
    assert await texts(history, thread_id) == [text]


async def test_the_order_is_that_of_the_first_save(history: History) -> None:
    """Not of clocks, which jump, and not of later saves."""
    thread_id, now = uuid4(), datetime.now(UTC)
    steps = [said(thread_id, str(n), created_at=now - timedelta(hours=n)) for n in range(5)]
    for step in steps:
        await history.save_step(step)
    for step in reversed(steps):
        await history.save_step(msgspec.structs.replace(step, ended_at=now))
    assert await texts(history, thread_id) == ["0", "1", "2", "3", "4"]


async def test_parents_stand_before_their_children(history: History) -> None:
    thread_id = uuid4()
    run, tool = said(thread_id, "run", "run"), said(thread_id, "tool", "tool")
    answer = said(thread_id, "answer", "assistant", parent_id=tool.id)
    tool = msgspec.structs.replace(tool, parent_id=run.id)
    for step in (said(thread_id, "question"), answer, tool, run):
        await history.save_step(step)
    steps = (await whole(history, thread_id)).steps
    assert [step.text for step in steps] == ["question", "run", "tool", "answer"]
    assert [step.parent_id for step in steps] == [None, None, run.id, tool.id]


async def test_a_missing_parent_is_left_out(history: History) -> None:
    """The page does not show children of what it does not know."""
    thread_id, elsewhere = uuid4(), said(uuid4())
    await history.save_step(elsewhere)
    for parent_id in (uuid4(), elsewhere.id):
        await history.save_step(said(thread_id, parent_id=parent_id))
    assert [step.parent_id for step in (await whole(history, thread_id)).steps] == [None, None]


async def test_children_of_a_deleted_step_move_up_to_its_nearest_ancestor(history: History) -> None:
    thread_id = uuid4()
    top = said(thread_id, "top", "run")
    middle = said(thread_id, "middle", "run", parent_id=top.id)
    bottom = said(thread_id, "bottom", "assistant", parent_id=middle.id)
    for step in (top, middle, bottom):
        await history.save_step(step)
    assert await history.delete_step(thread_id, middle.id) is True
    assert [(s.text, s.parent_id) for s in (await whole(history, thread_id)).steps] == [
        ("top", None),
        ("bottom", top.id),
    ]
    assert await history.delete_step(thread_id, top.id) is True
    assert [(s.text, s.parent_id) for s in (await whole(history, thread_id)).steps] == [("bottom", None)]


async def test_deleting_a_step_takes_what_hangs_on_it(history: History) -> None:
    thread_id = uuid4()
    step, other = said(thread_id, "one"), said(thread_id, "two")
    elements = [shown(thread_id, step_id=step.id), shown(thread_id, step_id=other.id), shown(thread_id)]
    for each in (step, other):
        await history.save_step(each)
        await history.save_receipt(each.id, thread_id, receipt())
        await history.save_feedback(each.id, 1, user_id=None)
    for element in elements:
        await history.save_element(element)
    assert await history.delete_step(thread_id, step.id) is True
    assert await history.delete_step(thread_id, step.id) is False
    assert await history.delete_step(uuid4(), other.id) is False, "only in its own thread"
    thread = await whole(history, thread_id)
    assert [found.id for found in thread.steps] == [other.id]
    assert [found.id for found in thread.elements] == [elements[1].id, elements[2].id]
    assert (list(thread.feedback), list(thread.receipts)) == ([other.id], [other.id])


async def test_editing_a_message_deletes_all_that_came_after_it(history: History) -> None:
    thread_id = uuid4()
    first, answer, second = said(thread_id, "1"), said(thread_id, "2", "assistant"), said(thread_id, "3")
    tool = said(thread_id, "4", "tool", parent_id=second.id)
    for step in (first, answer, second, tool):
        await history.save_step(step)
        await history.save_element(shown(thread_id, step_id=step.id))
        await history.save_receipt(step.id, thread_id, receipt())
        await history.save_feedback(step.id, 0, user_id=None)
    await history.save_step(said(thread_id, "1, edited", id=first.id))
    assert await history.delete_steps_after(thread_id, first.id) == 3
    assert await history.delete_steps_after(thread_id, first.id) == 0
    thread = await whole(history, thread_id)
    assert [step.text for step in thread.steps] == ["1, edited"]
    assert [element.step_id for element in thread.elements] == [first.id]
    assert (list(thread.feedback), list(thread.receipts)) == ([first.id], [first.id])
    await history.save_step(said(thread_id, "2, anew", "assistant"))
    assert await texts(history, thread_id) == ["1, edited", "2, anew"]


async def test_a_child_that_outlives_its_parent_moves_up(history: History) -> None:
    """The child was saved before the message that is edited, its parent after it."""
    thread_id = uuid4()
    grandparent = said(thread_id, "grandparent", "run")
    parent, step = said(thread_id, "parent", "run", parent_id=grandparent.id), said(thread_id, "edited")
    child = said(thread_id, "child", parent_id=parent.id)
    for each in (grandparent, child, step, parent):
        await history.save_step(each)
    assert await history.delete_steps_after(thread_id, step.id) == 1
    found = {each.text: each.parent_id for each in (await whole(history, thread_id)).steps}
    assert found == {"grandparent": None, "child": grandparent.id, "edited": None}


async def test_editing_a_message_that_is_not_stored_is_refused(history: History) -> None:
    thread_id, other = uuid4(), said(uuid4())
    await history.save_step(said(thread_id))
    await history.save_step(other)
    for step_id in (uuid4(), other.id):
        with pytest.raises(RefusedError, match="not stored in this conversation"):
            await history.delete_steps_after(thread_id, step_id)
        with pytest.raises(RefusedError, match="not stored in this conversation"):
            await history.turns(thread_id, step_id)
    assert await texts(history, thread_id) == ["Hello"]


async def test_a_status_is_kept_until_another_one_is_given(history: History) -> None:
    """The page's own writes do not know it, and come after ours."""
    thread_id = uuid4()
    for status in get_args(StepStatus):
        step = said(thread_id, "par", "assistant", status=status)
        await history.save_step(step)
        await history.save_step(said(thread_id, "partial", "assistant", id=step.id))
        found = (await whole(history, thread_id)).steps[-1]
        assert (found.text, found.status) == ("partial", status)


async def test_answers_of_a_killed_process_become_interrupted(open_history: OpenHistory) -> None:
    thread_id = uuid4()
    first = await open_history()
    assert first.recovered == 0
    growing = said(thread_id, "half an ans", "assistant", status="streaming")
    for step in (said(thread_id), growing, said(thread_id, "done", "assistant", status="stopped")):
        await first.save_step(step)
    second = await open_history()
    assert second.recovered == 1
    assert [(s.text, s.status) for s in (await whole(second, thread_id)).steps] == [
        ("Hello", "complete"),
        ("half an ans", "interrupted"),
        ("done", "stopped"),
    ]
    assert await second.recover_interrupted() == 0
    await first.save_step(said(thread_id, "half an answer", "assistant", id=growing.id, status="complete"))
    assert (await whole(second, thread_id)).steps[1].status == "complete", "the first one was alive after all"


async def test_turns_are_what_a_prompt_is_made_of(history: History) -> None:
    thread_id = uuid4()
    question = said(thread_id, "And then?")
    steps = [
        said(thread_id, "You are kind.", "system"),
        said(thread_id, "Hello"),
        said(thread_id, "looked it up", "tool"),
        said(thread_id, "Hi th", "assistant", status="stopped"),
        said(thread_id, "", "assistant", status="failed"),
        said(thread_id, "The model is busy.", "assistant", status="failed", is_error=True),
        said(thread_id, "Something broke.", "assistant", is_error=True),
        question,
        said(thread_id, "Then we", "assistant", status="interrupted", is_error=True),
        said(thread_id, "growing", "assistant", status="streaming"),
    ]
    for step in steps:
        await history.save_step(step)
    turns = [(turn.role, turn.text, turn.status) for turn in await history.turns(thread_id)]
    assert turns == [
        ("system", "You are kind.", "complete"),
        ("user", "Hello", "complete"),
        ("assistant", "Hi th", "stopped"),
        ("user", "And then?", "complete"),
        ("assistant", "Then we", "interrupted"),
        ("assistant", "growing", "streaming"),
    ]
    until = await history.turns(thread_id, question.id)
    assert [turn.text for turn in until] == ["You are kind.", "Hello", "Hi th", "And then?"]
    assert until[-1].step_id == question.id


async def test_favourites_are_the_owners_steps_that_say_so(history: History, ann: User, bob: User) -> None:
    anns, bobs = uuid4(), uuid4()
    older, newer = (said(anns, text, metadata={"favorite": True, "k": [1]}) for text in ("older", "newer"))
    for step in (
        older,
        newer,
        said(anns, "no", metadata={"favorite": False}),
        said(anns, "odd", metadata={"favorite": "yes"}),
    ):
        await history.save_step(step, user_id=ann.id)
    await history.save_step(said(bobs, "Bob's", metadata={"favorite": True}), user_id=bob.id)
    favorites = await history.favorite_steps(ann.id)
    assert [step.text for step in favorites] == ["newer", "older"]
    assert favorites[0].metadata == {"favorite": True, "k": [1]}
    await history.save_step(msgspec.structs.replace(newer, metadata={}))
    assert len(await history.favorite_steps(ann.id)) == 2, "empty metadata keeps what is stored"
    await history.save_step(msgspec.structs.replace(newer, metadata={"favorite": False}))
    assert [step.text for step in await history.favorite_steps(ann.id)] == ["older"]
