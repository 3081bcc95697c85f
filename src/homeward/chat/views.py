"""Our records in the shapes that Chainlit's page draws: threads, steps, and the receipt under an answer."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

import msgspec

from homeward.chat.markdown import for_the_page
from homeward.chat.texts import Language, problem_sentence, say
from homeward.history import Feedback, Step, Thread
from homeward.protocol.errors import BrokenOffError, HomewardError
from homeward.protocol.receipt import Receipt

View = dict[str, Any]
"""What goes over the socket, in Chainlit's `StepDict`, `ElementDict` or `ThreadDict` shape."""

KINDS = {"user": "user_message", "assistant": "assistant_message", "system": "system_message"}
RUN_NAME = "on_message"
"""Chainlit's page knows a question's run by this name: it shows the cursor, the copy button, the thumbs."""

RECEIPT_NAMESPACE = UUID("6a1f9d34-6d5b-4a34-9c43-0f0a6a0d5b11")


def timestamp(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, as the page wants it."""
    return moment.isoformat().replace("+00:00", "Z") if moment else None


def step_view(step: Step, feedback: Feedback | None = None) -> View:
    """A step as Chainlit's `StepDict`."""
    return {
        **step.extra,
        "id": str(step.id),
        "threadId": str(step.thread_id),
        "parentId": str(step.parent_id) if step.parent_id else None,
        "name": step.name,
        "type": KINDS.get(step.kind, step.kind),
        "input": step.input,
        "output": for_the_page(step.text) if step.kind == "assistant" else step.text,
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


def problem_of(error: HomewardError) -> dict[str, str]:
    """What an answer's step keeps of the error that ended it: the key to translate, the English sentence."""
    key = error.cause if isinstance(error, BrokenOffError) else error.code
    return {"key": key, "sentence": str(error)}


def receipt_views(step: Step, receipts: Sequence[Receipt], language: Language) -> list[View]:
    """The lines under an answer: one per receipt, problem and offers on the last.

    An answer whose process was killed has no receipt for that time; its line says so.
    """
    broken_off = step.status in ("interrupted", "failed")
    killed = broken_off and (not receipts or receipts[-1].outcome != step.status)
    last = None if killed or not receipts else receipts[-1]
    lines = [receipt_view(step, receipt, language, last=receipt is last) for receipt in receipts]
    if killed:
        lines.append(element_view(step, step.id, killed_props(step, language)))
    return lines


def receipt_view(step: Step, receipt: Receipt, language: Language, *, last: bool) -> View:
    """One receipt as an element of the page; `problem` and offers stand on the last one only."""
    problem = step.metadata.get("problem") if last else None
    props = {
        "receipt": msgspec.to_builtins(receipt),
        "answer": str(step.id),
        "problem": problem_sentence(problem["key"], problem["sentence"], language) if problem else "",
        "offers": offers(step, receipt) if last else [],
    }
    return element_view(step, receipt.id, props)


def killed_props(step: Step, language: Language) -> View:
    """For an answer whose process was killed: nobody was left to write its receipt."""
    return {
        "receipt": {"outcome": step.status, "attempts": [], "dropped": [], "left_out_messages": 0, "bytes_out": 0},
        "answer": str(step.id),
        "problem": say("killed", language),
        "offers": ["continue_answer", "try_again"] if step.text else ["try_again"],
    }


def offers(step: Step, receipt: Receipt) -> list[str]:
    """What the page offers under the thread's last answer; the page hides it on earlier ones."""
    found = []
    if step.text and (receipt.finish_reason == "length" or receipt.outcome in ("stopped", "interrupted")):
        found.append("continue_answer")
    if receipt.outcome != "complete":
        found.append("try_again")
    return found


def element_view(step: Step, element_id: UUID, props: View) -> View:
    """A custom element (`public/elements/Receipt.jsx`) as Chainlit's `ElementDict`."""
    return {
        "id": str(uuid5(RECEIPT_NAMESPACE, str(element_id))),
        "threadId": str(step.thread_id),
        "forId": str(step.id),
        "type": "custom",
        "name": "Receipt",
        "display": "inline",
        "mime": "application/json",
        "url": None,
        "chainlitKey": None,
        "props": props,
    }


def thread_view(thread: Thread, language: Language) -> View:
    """A whole conversation as Chainlit's `ThreadDict`, receipts among its elements."""
    answers = (step for step in thread.steps if step.kind == "assistant")
    return {
        "id": str(thread.id),
        "createdAt": timestamp(thread.created_at),
        "name": thread.name,
        "userId": str(thread.user_id) if thread.user_id else None,
        "userIdentifier": thread.user_identifier,
        "tags": thread.tags,
        "metadata": thread.metadata,
        "steps": [step_view(step, thread.feedback.get(step.id)) for step in thread.steps],
        "elements": [
            view for step in answers for view in receipt_views(step, thread.receipts.get(step.id, ()), language)
        ],
    }
