"""Our records in the shapes that Chainlit's page draws: threads, their steps, and what stands under an answer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import msgspec

from homeward.chat.markdown import for_the_page
from homeward.chat.texts import Language, place_name, say, who
from homeward.history import ALTERNATIVE, Feedback, Step, Thread
from homeward.privacy.words import INCOMPLETE, kind_name
from homeward.protocol.place import Place

View = dict[str, Any]
"""What goes over the socket, in Chainlit's `StepDict`, `ElementDict` or `ThreadDict` shape."""

KINDS = {"user": "user_message", "assistant": "assistant_message", "system": "system_message"}
ANSWERS = ("assistant", ALTERNATIVE)
RUN_NAME = "on_message"
"""Chainlit's page knows a question's run by this name: it shows the cursor, the copy button, the thumbs."""

STAYS_HOME = "stays_home"
"""In a thread's metadata: true once it held findings that keep it on this device, for good."""
STAYS_HOME_KINDS = "stays_home_kinds"
STAYS_HOME_AT = "stays_home_at"
"""The answer under which that is said."""

NAMESPACE = UUID("6a1f9d34-6d5b-4a34-9c43-0f0a6a0d5b11")


class Mark(msgspec.Struct, frozen=True):
    """Where in an answer's text another model's words begin; kept in the step's metadata under `marks`."""

    at: int
    """Characters of the text before it."""
    backend: str
    place: Place
    model: str


def timestamp(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, as the page wants it."""
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def step_view(step: Step, language: Language, feedback: Feedback | None = None) -> View:
    """A step as Chainlit's `StepDict`."""
    return {
        **step.extra,
        "id": str(step.id),
        "threadId": str(step.thread_id),
        "parentId": str(step.parent_id) if step.parent_id else None,
        "name": step.name,
        "type": KINDS["assistant"] if step.kind == ALTERNATIVE else KINDS.get(step.kind, step.kind),
        "input": step.input,
        "output": for_the_page(with_marks(step, language)) if step.kind in ANSWERS else step.text,
        "createdAt": timestamp(step.created_at),
        "start": timestamp(step.started_at),
        "end": timestamp(step.ended_at),
        "streaming": step.status == "streaming",
        "isError": bool(step.is_error),
        "waitForAnswer": bool(step.wait_for_answer),
        "metadata": step.metadata,
        "tags": step.tags,
        "modes": step.modes or None,
        "command": step.command,
        "generation": step.generation or None,
        "showInput": step.show_input if step.show_input is not None else False,
        "defaultOpen": bool(step.default_open),
        "autoCollapse": bool(step.auto_collapse),
        "language": step.language,
        "icon": step.icon,
        "feedback": feedback_view(feedback),
    }


def with_marks(step: Step, language: Language) -> str:
    """An answer's text, with a line wherever another model went on."""
    marks = msgspec.convert(step.metadata.get("marks", []), list[Mark])
    pieces, begin = [], 0
    for mark in marks:
        called = who(mark.backend, mark.place, mark.model, language)
        where = "" if mark.place is Place.DEVICE else f" ({place_name(mark.place, language)})"
        line = say("continued_by", language).format(who=f"{called}{where}")
        pieces += [step.text[begin : mark.at], f"\n\n---\n\n*{line}*\n\n"]
        begin = mark.at
    return "".join([*pieces, step.text[begin:]])


def feedback_view(feedback: Feedback | None) -> View | None:
    """A thumb as the page wants it."""
    if feedback is None:
        return None
    return {
        "id": str(feedback.id),
        "forId": str(feedback.step_id),
        "value": feedback.value,
        "comment": feedback.comment,
    }


def element_view(name: str, key: UUID | str, step_id: UUID, thread_id: UUID, props: View) -> View:
    """A custom element (`public/elements/NAME.jsx`) under a step, as Chainlit's `ElementDict`.

    The same name and key give the same element: sent again, it replaces what is shown.
    """
    return {
        "id": str(uuid5(NAMESPACE, f"{name} {key}")),
        "threadId": str(thread_id),
        "forId": str(step_id),
        "type": "custom",
        "name": name,
        "display": "inline",
        "mime": "application/json",
        "url": None,
        "chainlitKey": None,
        "props": props,
    }


def home_note_view(thread_id: UUID, step_id: UUID, kinds: Sequence[str], language: Language) -> View:
    """The line that says why a thread stays on this device; `kinds` is empty where it could not be checked."""
    english, korean = INCOMPLETE
    sentence = korean if language == "ko" else english
    if kinds:
        names = ", ".join(kind_name(kind, language) for kind in kinds)
        sentence = say("stays_home", language).format(kinds=names)
    return element_view("Home", thread_id, step_id, thread_id, {"sentence": sentence})


def home_note_of(thread: Thread, language: Language) -> list[View]:
    """The same for a stored thread: under the answer where it was noted, or the first one where that is gone."""
    answers = [str(step.id) for step in thread.steps if step.kind in ANSWERS]
    if not answers or thread.metadata.get(STAYS_HOME) is not True:
        return []
    noted = thread.metadata.get(STAYS_HOME_AT)
    anchor = UUID(noted if noted in answers else answers[0])
    return [home_note_view(thread.id, anchor, thread.metadata.get(STAYS_HOME_KINDS, []), language)]
