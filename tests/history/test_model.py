"""Any sequence of saves, edits and deletions against a model of a few lines."""

from uuid import UUID, uuid4

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from homeward.history import History, RefusedError, Step, StepStatus
from homeward.history.incoming import storable_text
from homeward.history.order import in_order, nearest_kept

from .saying import said, whole

STATUSES: list[StepStatus | None] = [None, "streaming", "complete", "stopped", "interrupted", "failed"]
Action = tuple[str, int, int | None, str, StepStatus | None]
RELAXED = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@st.composite
def actions(draw: DrawFn) -> Action:
    return (
        draw(st.sampled_from(["save", "save", "save", "save", "clear", "delete", "delete later", "rename"])),
        draw(st.integers(0, 5)),
        draw(st.none() | st.integers(0, 5)),
        draw(st.text(st.characters(), max_size=8)),
        draw(st.sampled_from(STATUSES)),
    )


class Model:
    """The steps of one thread, in the order of their first save."""

    def __init__(self) -> None:
        self.steps: dict[UUID, Step] = {}

    def save(self, step: Step, *, clear: bool) -> None:
        known = self.steps.get(step.id)
        if known is None:
            self.steps[step.id] = msgspec.structs.replace(step, status=step.status or "complete")
            return
        self.steps[step.id] = msgspec.structs.replace(
            known,
            text=step.text if step.text or clear else known.text,
            status=step.status or known.status,
            parent_id=step.parent_id or known.parent_id,
        )

    def delete(self, doomed: list[UUID]) -> None:
        parents = {step_id: self.steps.pop(step_id).parent_id for step_id in doomed}
        for step in list(self.steps.values()):
            heir = nearest_kept(step.parent_id, parents)
            self.steps[step.id] = msgspec.structs.replace(step, parent_id=heir)

    def later(self, step_id: UUID) -> list[UUID]:
        ids = list(self.steps)
        return ids[ids.index(step_id) + 1 :]


async def _perform(history: History, model: Model, thread_id: UUID, ids: list[UUID], action: Action) -> None:
    what, number, parent, text, status = action
    step_id = ids[number]
    match what:
        case "save" | "clear":
            parent_id = None if parent is None else ids[parent]
            step = said(thread_id, text, id=step_id, status=status, parent_id=parent_id)
            await history.save_step(step, clear_text=what == "clear")
            model.save(msgspec.structs.replace(step, text=storable_text(text)), clear=what == "clear")
        case "delete":
            assert await history.delete_step(thread_id, step_id) is (step_id in model.steps)
            model.delete([step_id] if step_id in model.steps else [])
        case "delete later" if step_id in model.steps:
            doomed = model.later(step_id)
            assert await history.delete_steps_after(thread_id, step_id) == len(doomed)
            model.delete(doomed)
        case "delete later":
            with pytest.raises(RefusedError):
                await history.delete_steps_after(thread_id, step_id)
        case _:
            await history.update_thread(thread_id, name=text, metadata={"n": number})


@settings(max_examples=25, deadline=None, suppress_health_check=RELAXED)
@given(st.lists(actions(), max_size=20))
async def test_the_store_agrees_with_the_model(history: History, sequence: list[Action]) -> None:
    thread_id, ids, model = uuid4(), [uuid4() for _ in range(6)], Model()
    await history.update_thread(thread_id)
    for action in sequence:
        await _perform(history, model, thread_id, ids, action)
    found = [(s.id, s.text, s.status, s.parent_id) for s in (await whole(history, thread_id)).steps]
    expected = [(s.id, s.text, s.status, s.parent_id) for s in in_order(model.steps.values())]
    assert found == expected
    turns = [(turn.step_id, turn.text) for turn in await history.turns(thread_id)]
    assert turns == [(step_id, text) for step_id, text, *_ in expected if text]


@settings(deadline=None)
@given(st.lists(st.none() | st.integers(0, 9), max_size=10))
def test_each_step_has_its_place_once_and_behind_its_parent(parents: list[int | None]) -> None:
    """Whatever the parents are: missing, later, cyclic."""
    thread_id, ids = uuid4(), [uuid4() for _ in range(10)]
    steps = [
        said(thread_id, id=ids[number], parent_id=None if parent is None else ids[parent])
        for number, parent in enumerate(parents)
    ]
    ordered = in_order(steps)
    assert sorted(step.id for step in ordered) == sorted(step.id for step in steps)
    placed: set[UUID] = set()
    for step in ordered:
        assert step.parent_id is None or step.parent_id in placed
        placed.add(step.id)
    assert in_order(ordered) == ordered
    if all(parent is None or parent < number for number, parent in enumerate(parents)):
        assert list(ordered) == steps, "what is in order already is left alone"


@settings(deadline=None)
@given(st.text(st.characters() | st.characters(categories=["Cs"]) | st.just("\x00")))
def test_any_text_becomes_storable_and_loses_nothing_else(text: str) -> None:
    stored = storable_text(text)
    stored.encode()
    assert len(stored) == len(text)
    assert all(new == old or (new == "\ufffd" and (old == "\x00" or "\ud800" <= old <= "\udfff"))
               for new, old in zip(stored, text, strict=True))  # fmt: skip
    assert storable_text(stored) == stored
