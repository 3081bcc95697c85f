"""Conversations as rows: owners, names, metadata, deletion."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from homeward.history import History, RefusedError, User

from .saying import receipt, said, shown, texts, whole


async def test_an_unknown_thread_is_none_everywhere(history: History) -> None:
    unknown = uuid4()
    assert await history.get_thread(unknown) is None
    assert await history.thread_owner(unknown) is None
    assert await history.export_thread(unknown) is None
    assert await history.turns(unknown) == ()
    assert await history.delete_thread(unknown) is False
    assert await history.get_thread(unknown) is None, "asking must not create it"


async def test_a_thread_holds_what_it_was_told(history: History, ann: User) -> None:
    thread_id = uuid4()
    before = datetime.now(UTC)
    await history.update_thread(
        str(thread_id), name="Plans", user_id=str(ann.id), metadata={"chat_profile": "Local"}, tags=["Local"]
    )
    thread = await whole(history, thread_id)
    assert (thread.id, thread.name, thread.user_id, thread.user_identifier) == (
        thread_id,
        "Plans",
        ann.id,
        "ann",
    )
    assert (thread.metadata, thread.tags) == ({"chat_profile": "Local"}, ["Local"])
    assert before <= thread.created_at == thread.updated_at <= datetime.now(UTC)
    assert thread.created_at.utcoffset() == timedelta(0)
    assert (thread.steps, thread.elements, thread.feedback, thread.receipts) == ((), (), {}, {})
    assert await history.thread_owner(thread_id) == "ann"


async def test_metadata_merges_and_none_takes_a_key_out(history: History) -> None:
    """The page writes its whole session there at each disconnect, beside keys that others have set."""
    thread_id = uuid4()
    await history.update_thread(thread_id, metadata={"shared": True, "settings": {"a": 1, "b": 2}, "gone": 1})
    await history.update_thread(thread_id, metadata={"settings": {"a": 3}, "gone": None, "never": None})
    assert (await whole(history, thread_id)).metadata == {"shared": True, "settings": {"a": 3}}


async def test_empty_values_keep_what_is_stored(history: History, ann: User) -> None:
    thread_id = uuid4()
    await history.update_thread(thread_id, name="Plans", user_id=ann.id, metadata={"a": 1}, tags=["x"])
    await history.update_thread(thread_id, name="", metadata={}, tags=[])
    await history.update_thread(thread_id, name=" \n ")
    thread = await whole(history, thread_id)
    assert (thread.name, thread.user_id, thread.metadata, thread.tags) == ("Plans", ann.id, {"a": 1}, ["x"])


async def test_odd_values_are_refused_before_anything_is_stored(history: History) -> None:
    thread_id = uuid4()
    for odd in ({"metadata": ["a"]}, {"metadata": {"a": object()}}, {"tags": "ab"}, {"tags": [1]}):
        with pytest.raises(RefusedError, match="cannot hold a value of this kind"):
            await history.update_thread(thread_id, **odd)  # the point
    assert await history.get_thread(thread_id) is None


async def test_a_name_is_one_line_of_bounded_length(history: History) -> None:
    """The page names a conversation after its first message, however long that is."""
    thread_id = uuid4()
    await history.update_thread(thread_id, name="  What is\n\tthis?\x00 " + "x" * 10_000)
    name = (await whole(history, thread_id)).name
    assert name is not None
    assert name.startswith("What is this?\ufffd xxx")
    assert (len(name), name[-1]) == (255, "…")


async def test_a_step_may_come_before_its_thread(history: History, ann: User) -> None:
    """The page writes both at once and waits for neither: the stub's owner is not cleared later."""
    thread_id = uuid4()
    await history.save_step(said(thread_id), user_id=ann.id)
    assert await history.thread_owner(thread_id) == "ann"
    await history.update_thread(thread_id, name="Plans")
    await history.save_step(said(thread_id, "again"))
    assert await history.thread_owner(thread_id) == "ann"


async def test_a_stub_is_in_no_list_until_somebody_owns_it(history: History, ann: User) -> None:
    thread_id = uuid4()
    await history.save_step(said(thread_id))
    assert await history.thread_owner(thread_id) is None
    assert (await history.list_threads(ann.id)).threads == ()
    await history.update_thread(thread_id, user_id=ann.id)
    assert [thread.id for thread in (await history.list_threads(ann.id)).threads] == [thread_id]


async def test_the_owner_is_set_once(history: History, ann: User, bob: User) -> None:
    thread_id = uuid4()
    await history.update_thread(thread_id, user_id=ann.id, name="Ann's")
    with pytest.raises(RefusedError, match="somebody else"):
        await history.update_thread(thread_id, user_id=bob.id, name="Bob's")
    with pytest.raises(RefusedError, match="somebody else"):
        await history.save_step(said(thread_id, "Bob was here"), user_id=bob.id)
    thread = await whole(history, thread_id)
    assert (thread.user_identifier, thread.name, thread.steps) == ("ann", "Ann's", ())


async def test_an_unknown_owner_is_refused_and_nothing_is_left_behind(history: History) -> None:
    thread_id = uuid4()
    with pytest.raises(RefusedError, match="does not hold"):
        await history.save_step(said(thread_id), user_id=uuid4())
    assert await history.get_thread(thread_id) is None


async def test_only_real_activity_moves_a_thread_up(history: History, ann: User) -> None:
    """Renaming an old conversation, or a thumb on it, must not bring it to the top of the list."""
    old, new = uuid4(), uuid4()
    step = said(old, "first", kind="assistant")
    await history.save_step(step, user_id=ann.id)
    await history.save_step(said(new), user_id=ann.id)

    async def order() -> list[UUID]:
        return [thread.id for thread in (await history.list_threads(ann.id)).threads]

    assert await order() == [new, old]
    await history.update_thread(old, name="Renamed", metadata={"a": 1}, tags=["t"], user_id=ann.id)
    await history.save_feedback(step.id, 1, user_id=ann.id)
    await history.save_receipt(step.id, old, receipt())
    await history.save_element(shown(old))
    await history.save_step(said(old, "first", kind="assistant", id=step.id, metadata={"favorite": True}))
    assert await order() == [new, old]
    await history.save_step(said(old, "first, and more", kind="assistant", id=step.id))
    assert await order() == [old, new], "a new text is activity"
    await history.save_step(said(new))
    assert await order() == [new, old], "a new step is activity"
    await history.save_step(said(old, "", kind="assistant", id=step.id, status="stopped"))
    assert await order() == [old, new], "another status is activity"


async def test_a_deleted_thread_takes_everything_with_it_and_stays_deleted(history: History, ann: User) -> None:
    """Late writes of a page that is still open must not bring pieces of it back."""
    thread_id, other = uuid4(), uuid4()
    step, element, paper = said(thread_id, metadata={"favorite": True}), shown(thread_id), receipt()
    await history.save_step(step, user_id=ann.id)
    await history.save_step(said(other, "stays"), user_id=ann.id)
    await history.save_element(element)
    await history.save_receipt(step.id, thread_id, paper)
    feedback_id = await history.save_feedback(step.id, 1, user_id=ann.id)

    assert await history.delete_thread(thread_id) is True
    assert await history.delete_thread(thread_id) is False
    assert await history.get_thread(thread_id) is None
    assert await history.thread_owner(thread_id) is None
    assert [thread.id for thread in (await history.list_threads(ann.id)).threads] == [other]
    assert (await history.list_threads(ann.id, search="Hello")).threads == ()
    assert await history.favorite_steps(ann.id) == ()
    assert await history.get_element(thread_id, element.id) is None
    assert await history.get_receipt(paper.id) is None
    assert await history.delete_feedback(feedback_id, user_id=ann.id) is False

    with pytest.raises(RefusedError, match="was deleted"):
        await history.save_step(step)
    with pytest.raises(RefusedError, match="was deleted"):
        await history.update_thread(thread_id, metadata={"session": "late"})
    with pytest.raises(RefusedError, match="was deleted"):
        await history.save_element(element)
    assert await history.get_thread(thread_id) is None
    assert await texts(history, other) == ["stays"]


ODD_IDS = [
    "",
    "1",
    "not-a-uuid",
    "7d4448409dc011d1b2455ffdce74fad2",
    "{7d444840-9dc0-11d1-b245-5ffdce74fad2}",
    "7d444840-9dc0-11d1-b245-5ffdce74fad2 ",
    "x' OR '1'='1",
    "'); DROP TABLE steps; --",
]


async def test_every_id_must_be_a_uuid(history: History) -> None:
    good = uuid4()
    for odd in ODD_IDS:
        refusals = [
            history.get_thread(odd),
            history.thread_owner(odd),
            history.list_threads(odd),
            history.update_thread(odd),
            history.update_thread(good, user_id=odd),
            history.delete_thread(odd),
            history.save_step(said(good), user_id=odd),
            history.delete_step(good, odd),
            history.delete_steps_after(odd, good),
            history.turns(good, odd),
            history.favorite_steps(odd),
            history.save_receipt(odd, good, receipt()),
            history.get_receipt(odd),
            history.get_element(good, odd),
            history.delete_element(odd, good),
            history.save_feedback(odd, 1, user_id=None),
            history.delete_feedback(odd, user_id=None),
        ]
        results = await asyncio.gather(*refusals, return_exceptions=True)
        assert [type(result) for result in results] == [RefusedError] * len(refusals)
        assert all("is not a UUID" in str(result) for result in results)
    assert await history.get_thread(good) is None


async def test_an_id_in_capitals_is_the_same_id(history: History) -> None:
    thread_id = uuid4()
    await history.update_thread(str(thread_id).upper(), name="Plans")
    assert (await whole(history, thread_id)).name == "Plans"
