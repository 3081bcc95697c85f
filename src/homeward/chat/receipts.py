"""What stands under an answer: its receipts in words, what the page offers, and another answer's heading."""

from collections.abc import Iterator, Sequence
from typing import Literal
from uuid import UUID

import msgspec

from homeward.chat.texts import Language, ending, kinds_of, money, place_name, problem_sentence, say
from homeward.chat.views import (
    ANSWERS,
    View,
    element_view,
    home_note_of,
    step_view,
    timestamp,
)
from homeward.history import ALTERNATIVE, Step, Thread
from homeward.protocol.errors import BrokenOffError, HomewardError, PageError
from homeward.protocol.place import Place
from homeward.protocol.receipt import AttemptRecord, Outcome, Receipt
from homeward.routing import Attempt, Dropped, Facts, Plan, explain
from homeward.routing.words import rule_sentence

ENDED_BY_US: dict[Outcome, Literal["stopped", "broken_off"]] = {"stopped": "stopped", "interrupted": "broken_off"}


class Look(msgspec.Struct, frozen=True):
    """How a page is to be told about answers."""

    language: Language
    currency: str
    several: bool
    """Whether there is more than one backend, so that another one could be asked."""


def problem_of(error: HomewardError) -> dict[str, str]:
    """What an answer's step keeps of the error that ended it: the key to translate, the English sentence."""
    key = error.cause if isinstance(error, BrokenOffError | PageError) else error.code
    return {"key": key, "sentence": str(error)}


def answer_views(step: Step, receipts: Sequence[Receipt], look: Look) -> list[View]:
    """The lines under an answer: one per receipt, problem and offers on the last.

    An answer whose process was killed has no receipt for that time; its line says so.
    """
    broken_off = step.status in ("interrupted", "failed")
    killed = broken_off and (not receipts or receipts[-1].outcome != step.status)
    last = None if killed or not receipts else receipts[-1]
    lines = [receipt_view(step, receipt, look, last=receipt is last) for receipt in receipts]
    if killed:
        lines.append(receipt_element(step, step.id, killed_props(step, look)))
    if step.kind == ALTERNATIVE:
        lines.insert(0, beside_view(step, look.language))
    return lines


def receipt_view(step: Step, receipt: Receipt, look: Look, *, last: bool, writing: bool = False) -> View:
    """One receipt as an element of the page; `problem` and offers stand on the last one only."""
    problem = step.metadata.get("problem") if last else None
    found = receipt.facts.findings if receipt.facts else {}
    props = {
        "receipt": msgspec.to_builtins(receipt),
        "answer": str(step.id),
        "writing": writing,
        "problem": problem_sentence(problem["key"], problem["sentence"], look.language) if problem else "",
        "offers": offers(step, receipt, look) if last else [],
        "why": list(why(receipt, look.language)),
        "attempts": [attempt_sentence(each, receipt, look) for each in receipt.attempts],
        "findings": kinds_of(found, look.language),
        "cost": money(receipt.cost, look.currency) if receipt.cost is not None else "",
    }
    return receipt_element(step, receipt.id, props)


def receipt_element(step: Step, key: UUID, props: View) -> View:
    """The element for one receipt, or for its place while there is none."""
    return element_view("Receipt", key, step.id, step.thread_id, props)


def killed_props(step: Step, look: Look) -> View:
    """For an answer whose process was killed: nobody was left to write its receipt."""
    offered = ["continue_answer", "try_again"] if step.text else ["try_again"]
    return {
        "receipt": {"outcome": step.status, "attempts": [], "dropped": [], "left_out_messages": 0, "bytes_out": 0},
        "answer": str(step.id),
        "problem": say("killed", look.language),
        "offers": with_others(offered, look) if step.kind != ALTERNATIVE else [],
    }


def offers(step: Step, receipt: Receipt, look: Look) -> list[str]:
    """What the page offers under an answer; all but `try_with` count for the thread's last one only."""
    if step.kind == ALTERNATIVE:
        return []
    found = []
    if step.text and (receipt.finish_reason == "length" or receipt.outcome != "complete"):
        found.append("continue_answer")
    if receipt.outcome != "complete":
        found.append("try_again")
    return with_others(found, look)


def with_others(offered: list[str], look: Look) -> list[str]:
    """The same, with what other backends make possible."""
    if not look.several:
        return offered
    beside = {"continue_answer": ["continue_answer", "continue_with"]}
    return [name for each in offered for name in beside.get(each, [each])] + ["try_with"]


def why(receipt: Receipt, language: Language) -> Iterator[str]:
    """The decision in sentences, as `homeward.routing` says it."""
    if receipt.place is Place.BROWSER:
        yield say("passed_through", language)
    if receipt.facts is None:  # of an older version, or nothing was decided
        if receipt.reason:
            yield rule_sentence(receipt.reason, language)
        return
    record = receipt.facts
    known = {name: getattr(record, name) for name in ("mode", "tokens", "may_leave", "approved", "stays_home")}
    known |= {"task": record.task or None, "complexity": record.complexity or None, "findings": [*record.findings]}
    asked = [
        Attempt(backend=each.backend, place=each.place, model=each.model, reason=receipt.reason)
        for each in receipt.attempts
    ]
    dropped = [{"backend": each.backend, "reason": each.reason, "sentence": each.sentence} for each in receipt.dropped]
    try:
        facts = msgspec.convert(known, Facts)
        plan = Plan(attempts=tuple(asked), dropped=msgspec.convert(dropped, tuple[Dropped, ...]), rule=receipt.reason)
    except msgspec.ValidationError:  # a word that this version does not know
        yield rule_sentence(receipt.reason, language)
        return
    yield from explain(facts, plan, language, kinds_of(record.findings, language))


def attempt_sentence(attempt: AttemptRecord, receipt: Receipt, look: Look) -> str:
    """How asking one backend went, and what of it left the machine."""
    code = attempt.error
    if not code and attempt.backend != receipt.backend:
        code = "overtaken"
    elif not code:
        code = ENDED_BY_US.get(receipt.outcome, "answered")
    sentence = say("attempt", look.language).format(
        name=attempt.backend,
        where=", ".join(filter(None, (place_name(attempt.place, look.language), attempt.model))),
        ending=ending(code, look.language),
        seconds=f"{attempt.seconds:.1f}",
    )
    details = [sentence]
    if attempt.bytes_out:
        details.append(say("attempt_bytes", look.language).format(bytes=attempt.bytes_out))
    if attempt.cost is not None:
        details.append(money(attempt.cost, look.currency))
    return ", ".join(details)


def beside_view(step: Step, language: Language) -> View:
    """The heading of an answer that stands beside the conversation's own one."""
    props = {
        "answer": str(step.id),
        "sentence": say("beside", language),
        "use": say("use", language) if step.text and step.status != "streaming" else "",
    }
    return element_view("Beside", step.id, step.id, step.thread_id, props)


def thread_view(thread: Thread, look: Look) -> View:
    """A whole conversation as Chainlit's `ThreadDict`, receipts among its elements."""
    answers = (step for step in thread.steps if step.kind in ANSWERS)
    lines = [view for step in answers for view in answer_views(step, thread.receipts.get(step.id, ()), look)]
    return {
        "id": str(thread.id),
        "createdAt": timestamp(thread.created_at),
        "name": thread.name,
        "userId": str(thread.user_id) if thread.user_id else None,
        "userIdentifier": thread.user_identifier,
        "tags": thread.tags,
        "metadata": thread.metadata,
        "steps": [step_view(step, look.language, thread.feedback.get(step.id)) for step in thread.steps],
        "elements": [*home_note_of(thread, look.language), *lines],
    }
