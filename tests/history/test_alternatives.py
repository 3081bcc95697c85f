"""Other answers to a question: kept with it, in no prompt, and able to take the answer's place."""

from uuid import UUID, uuid4

import pytest

from homeward.history import ALTERNATIVE, History, RefusedError, Step

from .saying import receipt, said, whole


async def answered(history: History, thread: UUID) -> tuple[Step, Step, Step, Step]:
    """Question, run, answer, and another answer that was made after the next question."""
    question = said(thread, "One?")
    run = said(thread, "", kind="run", parent_id=question.id)
    own = said(thread, "Own", kind="assistant", parent_id=run.id, status="stopped", metadata={"marks": [1]})
    later = said(thread, "Two?")
    other = said(thread, "Other", kind=ALTERNATIVE, parent_id=run.id)
    for step in (question, run, own, later, other):
        await history.save_step(step)
    return question, own, later, other


async def test_it_is_in_no_prompt(history: History) -> None:
    """Whatever it says."""
    thread = uuid4()
    await answered(history, thread)
    assert [turn.text for turn in await history.turns(thread)] == ["One?", "Own", "Two?"]


async def test_it_goes_with_its_question_and_not_with_a_later_one(history: History) -> None:
    """An edit drops what follows the edited question, not what belongs to an earlier one."""
    thread = uuid4()
    question, _, later, other = await answered(history, thread)
    await history.delete_steps_after(thread, later.id)
    assert other.id in [step.id for step in (await whole(history, thread)).steps]
    await history.delete_steps_after(thread, question.id)
    assert [step.id for step in (await whole(history, thread)).steps] == [question.id]


async def test_two_answers_change_places(history: History) -> None:
    """Texts, how they came about, and receipts; order, kinds and ids stay. A second time undoes it."""
    thread = uuid4()
    _, own, _, other = await answered(history, thread)
    first, second = receipt(), receipt()
    await history.save_receipt(own.id, thread, first)
    await history.save_receipt(other.id, thread, second)
    before = await whole(history, thread)
    await history.swap_contents(thread, own.id, other.id)
    after = await whole(history, thread)
    assert [(step.id, step.kind) for step in after.steps] == [(step.id, step.kind) for step in before.steps]
    stored = {step.id: step for step in after.steps}
    assert (stored[own.id].text, stored[own.id].status, stored[own.id].metadata) == ("Other", "complete", {})
    assert (stored[other.id].text, stored[other.id].status) == ("Own", "stopped")
    assert stored[other.id].metadata == {"marks": [1]}
    assert [each.id for each in after.receipts[own.id]] == [second.id]
    assert [each.id for each in after.receipts[other.id]] == [first.id]
    assert [turn.text for turn in await history.turns(thread)] == ["One?", "Other", "Two?"]
    await history.swap_contents(thread, own.id, other.id)
    assert (await whole(history, thread)).steps == before.steps


async def test_only_within_one_conversation(history: History) -> None:
    """An answer of another one is not taken."""
    thread, elsewhere = uuid4(), uuid4()
    _, own, _, _ = await answered(history, thread)
    _, _, _, foreign = await answered(history, elsewhere)
    with pytest.raises(RefusedError):
        await history.swap_contents(thread, own.id, foreign.id)
    assert [turn.text for turn in await history.turns(thread)] == ["One?", "Own", "Two?"]
