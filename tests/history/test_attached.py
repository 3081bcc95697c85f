"""What hangs on steps: elements, feedback, receipts; and conversations as files."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest

from homeward.history import Element, History, RefusedError, User, to_markdown

from .saying import receipt, said, shown, whole


async def test_an_element_comes_back_as_it_was(history: History) -> None:
    thread_id, step_id = uuid4(), uuid4()
    element = Element(
        id=uuid4(),
        thread_id=thread_id,
        step_id=step_id,
        kind="custom",
        name="Receipt",
        display="inline",
        mime="application/json",
        url="/files/1",
        object_key="0f3a",
        size="large",
        page=0,
        language="json",
        props={"place": "device", "list": [1, {"a": None}]},
        auto_play=False,
        player_config={"controls": True},
        extra={"chainlitKey": "k", "path": None},
    )
    await history.save_element(element)
    assert await history.get_element(thread_id, element.id) == element
    assert (await whole(history, thread_id)).elements == (element,)
    changed = msgspec.structs.replace(element, name="", props={"place": "cloud"})
    await history.save_element(changed)
    assert await history.get_element(thread_id, element.id) == msgspec.structs.replace(
        element, props={"place": "cloud"}
    )


async def test_elements_need_neither_content_nor_their_step_and_keep_their_order(history: History) -> None:
    """The page sends a message's elements before, or without waiting for, the message."""
    thread_id = uuid4()
    step = said(thread_id)
    elements = [shown(thread_id, step_id=step.id, name=str(n)) for n in range(3)]
    for element in elements:
        await history.save_element(element)
    await history.save_step(step)
    await history.save_element(msgspec.structs.replace(elements[0], mime="image/png"))
    assert [element.name for element in (await whole(history, thread_id)).elements] == ["0", "1", "2"]


async def test_an_element_belongs_to_its_thread(history: History) -> None:
    thread_id, other = uuid4(), uuid4()
    element = shown(thread_id, name="mine")
    await history.save_element(element)
    with pytest.raises(RefusedError, match="belongs to another conversation"):
        await history.save_element(msgspec.structs.replace(element, thread_id=other, name="theirs"))
    assert await history.get_element(other, element.id) is None
    assert await history.delete_element(other, element.id) is False
    assert await history.get_element(thread_id, element.id) == element
    assert await history.delete_element(thread_id, element.id) is True
    assert await history.delete_element(thread_id, element.id) is False
    assert (await whole(history, thread_id)).elements == ()


async def test_an_odd_element_is_refused_alike_on_both_databases(history: History) -> None:
    thread_id = uuid4()
    oddities: list[dict[str, Any]] = [{"kind": ""}, {"page": 2**31}, {"page": "2"}, {"auto_play": 1}]
    for fields in oddities:
        with pytest.raises(RefusedError, match="cannot hold a value of this kind"):
            await history.save_element(shown(thread_id, **fields))
    assert await history.get_thread(thread_id) is None


async def test_a_step_has_one_feedback_which_can_be_changed(history: History, ann: User) -> None:
    thread_id = uuid4()
    step = said(thread_id, kind="assistant")
    await history.save_step(step, user_id=ann.id)
    first = await history.save_feedback(step.id, 1, user_id=ann.id)
    second = await history.save_feedback(str(step.id), 0, "zu lang\x00", user_id=str(ann.id))
    assert first == second
    feedback = (await whole(history, thread_id)).feedback
    assert list(feedback) == [step.id]
    assert (feedback[step.id].id, feedback[step.id].value, feedback[step.id].comment) == (
        first,
        0,
        "zu lang\ufffd",
    )
    assert feedback[step.id].created_at.utcoffset() is not None
    assert await history.delete_feedback(first, user_id=ann.id) is True
    assert await history.delete_feedback(first, user_id=ann.id) is False
    assert (await whole(history, thread_id)).feedback == {}


async def test_only_the_owner_gives_feedback(history: History, ann: User, bob: User) -> None:
    thread_id, ownerless = uuid4(), uuid4()
    step, nobodys = said(thread_id), said(ownerless)
    await history.save_step(step, user_id=ann.id)
    await history.save_step(nobodys)
    for step_id in (step.id, nobodys.id):
        with pytest.raises(RefusedError, match="somebody else"):
            await history.save_feedback(step_id, 1, user_id=bob.id)
    feedback_id = await history.save_feedback(step.id, 1, user_id=ann.id)
    with pytest.raises(RefusedError, match="somebody else"):
        await history.delete_feedback(feedback_id, user_id=bob.id)
    assert (await whole(history, thread_id)).feedback[step.id].value == 1
    assert await history.delete_feedback(feedback_id, user_id=None) is True, "None: the caller has checked"


async def test_feedback_on_nothing_or_of_another_value_is_refused(history: History, ann: User) -> None:
    step = said(uuid4())
    with pytest.raises(RefusedError, match="not stored"):
        await history.save_feedback(step.id, 1, user_id=ann.id)
    await history.save_step(step, user_id=ann.id)
    with pytest.raises(RefusedError, match="1 or 0"):
        await history.save_feedback(step.id, 2, user_id=ann.id)
    assert await history.delete_feedback(uuid4(), user_id=ann.id) is False


async def test_a_receipt_comes_back_as_it_was(history: History) -> None:
    thread_id = uuid4()
    answer, paper = said(thread_id, kind="assistant"), receipt()
    await history.save_step(answer)
    for _ in range(2):
        await history.save_receipt(answer.id, thread_id, paper)
    assert await history.get_receipt(paper.id) == paper
    assert await history.get_receipt(uuid4()) is None
    assert (await whole(history, thread_id)).receipts == {answer.id: (paper,)}


async def test_a_continued_answer_has_a_receipt_for_each_time(history: History) -> None:
    thread_id = uuid4()
    answer = said(thread_id, kind="assistant")
    later = receipt(created_at=datetime.now(UTC) + timedelta(seconds=1), outcome="interrupted")
    first = receipt()
    await history.save_step(answer)
    await history.save_receipt(answer.id, thread_id, later)
    await history.save_receipt(answer.id, thread_id, first)
    assert (await whole(history, thread_id)).receipts == {answer.id: (first, later)}


async def test_a_receipt_stays_with_its_answer(history: History) -> None:
    thread_id, other = uuid4(), uuid4()
    answer, another, paper = said(thread_id), said(thread_id), receipt()
    with pytest.raises(RefusedError, match="is not stored"):
        await history.save_receipt(answer.id, thread_id, paper)
    await history.save_step(answer)
    await history.save_step(another)
    with pytest.raises(RefusedError, match="is not stored"):
        await history.save_receipt(answer.id, other, paper)
    await history.save_receipt(answer.id, thread_id, paper)
    with pytest.raises(RefusedError, match="another answer"):
        await history.save_receipt(another.id, thread_id, paper)
    assert (await whole(history, thread_id)).receipts == {answer.id: (paper,)}
    await history.delete_step(thread_id, answer.id)
    assert await history.get_receipt(paper.id) is None


async def test_a_conversation_becomes_a_json_file(history: History, ann: User) -> None:
    thread_id = uuid4()
    answer, paper = said(thread_id, "안녕", "assistant"), receipt()
    await history.save_step(answer, user_id=ann.id)
    await history.save_receipt(answer.id, thread_id, paper)
    await history.save_feedback(answer.id, 1, user_id=ann.id)
    await history.save_element(shown(thread_id))
    plain = json.loads(json.dumps(await history.export_thread(thread_id)))
    assert plain["user_identifier"] == "ann"
    assert plain["steps"][0]["text"] == "안녕"
    assert plain["receipts"][str(answer.id)][0]["id"] == str(paper.id)
    assert len(plain["elements"]) == len(plain["feedback"]) == 1


async def test_a_conversation_becomes_a_markdown_file(history: History) -> None:
    thread_id = uuid4()
    await history.update_thread(thread_id, name="Plans")
    await history.save_step(said(thread_id, "Hello", name="Ann"))
    await history.save_step(said(thread_id, "looked it up", "tool"))
    await history.save_step(said(thread_id, "Hi **th", "assistant", status="interrupted"))
    first, second, third = to_markdown(await whole(history, thread_id)).split("\n\n## ")
    assert first == "# Plans"
    assert second.startswith("Ann (2")
    assert second.endswith(" UTC)\n\nHello")
    assert third.startswith("Assistant (2")
    assert third.endswith(" UTC, interrupted)\n\nHi **th\n")
