"""What is known about a request before it runs."""

import time
from collections.abc import Callable
from datetime import datetime

import msgspec

from homeward.completion.firewall import Firewall, Inspected
from homeward.completion.window import estimate, images, tool_tokens
from homeward.config.policy import May
from homeward.privacy import Choice
from homeward.protocol.chat import ChatRequest
from homeward.protocol.receipt import FactsRecord
from homeward.routing import Facts
from homeward.routing.tasks import Assessment, assess

ANSWER_TOKENS = 1024
"""Of an answer without a limit, for what it may cost at most."""

MAY: dict[Choice, May] = {
    Choice.HOME: "home",
    Choice.ASK: "ask",
    Choice.MASK: "mask",
    Choice.ALLOW: "allow",
}


class Known(msgspec.Struct, frozen=True):
    """The facts, as the decision needs them and as the receipt keeps them, and the texts with their findings."""

    facts: Facts
    record: FactsRecord
    inspected: Inspected

    @property
    def kept_home(self) -> bool:
        """Whether findings keep this request on this device."""
        return self.facts.stays_home or self.facts.may_leave == "home"

    @property
    def stays_home(self) -> bool:
        """Whether the whole conversation stays there from now on; one that could not be looked at now may be later."""
        return self.facts.stays_home or (self.kept_home and bool(self.facts.findings))


async def gather(
    request: ChatRequest, firewall: Firewall, *, spent: float, now: Callable[[], datetime], assessing: bool = True
) -> Known:
    """Look at a request; `now` gives local time. Never raises: what can't be found out keeps the words at home.

    `assessing`: also what it is about and how demanding it looks.
    """
    began = time.monotonic()
    inspected = await firewall.inspect(request)
    assessed = assess(question_of(request)) if assessing else None
    tokens = await estimate(request.messages) + tool_tokens(request.sampling)
    moment = now()
    has_images = bool(images(request.messages))
    facts = Facts(
        mode=request.mode,
        places=request.places,
        chosen_backend=request.backend,
        chosen_model=request.model,
        task=None if assessed is None or assessed.task.uncertain else assessed.task.task,
        complexity=assessed.complexity.difficulty if assessed else None,
        tokens=tokens,
        max_tokens=request.sampling.max_tokens or ANSWER_TOKENS,
        findings=frozenset(inspected.report.counts),
        may_leave=MAY[inspected.may_leave],
        approved=request.approved,
        stays_home=request.stays_home,
        attachments=has_images or bool(request.further),
        images=has_images,
        weekday=moment.weekday(),
        minute=moment.hour * 60 + moment.minute,
        spent=spent,
    )
    return Known(facts, record(facts, assessed, inspected, time.monotonic() - began), inspected)


def question_of(request: ChatRequest) -> str:
    """What is asked: the last message of the user."""
    return next((message.text for message in reversed(request.messages) if message.role == "user"), "")


def record(facts: Facts, assessed: Assessment | None, inspected: Inspected, seconds: float) -> FactsRecord:
    """The facts without any text, for the receipt."""
    known = FactsRecord(
        mode=facts.mode,
        task=facts.task or "",
        complexity=facts.complexity or "",
        tokens=facts.tokens,
        findings=dict(inspected.report.counts),
        checked=inspected.report.complete,
        may_leave=facts.may_leave,
        approved=facts.approved,
        stays_home=facts.stays_home,
        seconds=round(seconds, 6),
    )
    if assessed is None:
        return known
    return msgspec.structs.replace(
        known,
        task_guess=assessed.task.task,
        task_probability=round(assessed.task.probability, 3),
        complexity_score=round(assessed.complexity.score, 3),
        evidence=assessed.complexity.evidence,
    )
