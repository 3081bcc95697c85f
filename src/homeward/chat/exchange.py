"""A question with its answer, found in a stored thread; and what a new question is stored with."""

from uuid import UUID

import msgspec

from homeward.chat.modes import PICKER, picked_of
from homeward.history import Step, Thread
from homeward.protocol.receipt import Receipt

TITLE_CHARACTERS = 60


class Exchange(msgspec.Struct, frozen=True):
    """A question of a thread, the run below it, and its answer."""

    question: Step
    run: Step
    answer: Step
    receipts: tuple[Receipt, ...]


def exchange_of(thread: Thread | None, answer_id: UUID) -> Exchange | None:
    """The answer with the question that it is to; None where one of them is gone."""
    answer = step_of(thread, answer_id, "assistant")
    run = step_of(thread, answer.parent_id, "run") if answer else None
    question = step_of(thread, run.parent_id, "user") if run else None
    if thread is None or answer is None or run is None or question is None:
        return None
    return Exchange(question, run, answer, thread.receipts.get(answer_id, ()))


def step_of(thread: Thread | None, step_id: UUID | None, kind: str) -> Step | None:
    """The thread's step with this id, if it is of this kind."""
    steps = thread.steps if thread else ()
    return next((step for step in steps if step.id == step_id and step.kind == kind), None)


def own_answer(thread: Thread | None, alternative: Step | None) -> Step | None:
    """The conversation's own answer, beside which this one stands."""
    steps = thread.steps if thread and alternative else ()
    return next(
        (
            step
            for step in steps
            if alternative and step.kind == "assistant" and step.parent_id == alternative.parent_id
        ),
        None,
    )


def question_modes(modes: object) -> dict[str, str]:
    """What of a client's modes is stored with its question; empty where the page offers none."""
    return {PICKER: picked_of(modes)} if modes else {}


def title_of(question: str) -> str:
    """A name for a thread: the beginning of its first question."""
    line = next((line.strip() for line in question.splitlines() if line.strip()), "")
    if len(line) <= TITLE_CHARACTERS:
        return line
    return line[:TITLE_CHARACTERS].rsplit(" ", 1)[0] + "…"
