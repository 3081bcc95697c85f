"""What the user is asked before anything leaves this device, as a card in place of the answer.

It belongs to the answer that is about to be written: every page that shows the thread shows it, a reload finds it
again, stop and a page that stays away end it. There is no answer by default.
"""

import asyncio
from collections.abc import Iterator
from typing import Literal
from uuid import UUID, uuid4

from homeward.backends import BackendRow, cost
from homeward.chat.texts import Language, kinds_of, money, place_name, say
from homeward.chat.views import View, element_view
from homeward.completion import Prepared
from homeward.history import Step
from homeward.privacy.words import NOT_SEEN
from homeward.protocol.chat import Usage
from homeward.routing import Question

Decision = Literal["agree", "device"]
DECISIONS: tuple[Decision, ...] = ("agree", "device")

Row = tuple[str, list[str]]
"""A label, and what stands beside it."""


class Asking:
    """One question that waits for the user."""

    def __init__(
        self, question: Question, prepared: Prepared, row: BackendRow, *, model: str, also: tuple[str, ...]
    ) -> None:
        """`model` is the one that would answer; `also` names who would be asked if that fails."""
        self.id: UUID = uuid4()
        self.decision: asyncio.Future[Decision] = asyncio.get_running_loop().create_future()
        self._question = question
        self._prepared = prepared
        self._row = row
        self._model = model
        self._also = also

    def decide(self, decision: Decision) -> bool:
        """What the user chose; False where that was known already."""
        if self.decision.done():
            return False
        self.decision.set_result(decision)
        return True

    def view(self, step: Step, language: Language) -> View:
        """The card (`public/elements/Question.jsx`)."""
        about, name = self._question.about, self._row.name
        unseen = [korean if language == "ko" else english for english, korean in NOT_SEEN[:2]]
        props = {
            "id": str(self.id),
            "about": about,
            "title": say(f"{about}_title", language).format(name=name),
            "lead": say(f"{about}_lead", language),
            "rows": [{"label": label, "sentences": sentences} for label, sentences in self._rows(language)],
            "limits": {"label": say("row_limits", language), "sentences": unseen},
            "agree": say(f"{about}_agree", language).format(name=name),
            "device": say("answer_here", language),
            "foot": say(f"{about}_foot", language),
        }
        return element_view("Question", self.id, step.id, step.thread_id, props)

    def _rows(self, language: Language) -> Iterator[Row]:
        row = self._row
        place = place_name(row.place, language)
        yield say("row_to", language), [say("to", language).format(name=row.name, host=row.host, place=place)]
        if self._model:
            yield say("row_model", language), [self._model]
        yield say("row_what", language), list(self._sent(language))
        yield say("row_found", language), list(self._found(language))
        yield say("row_cost", language), [self._cost(language)]
        if self._also:
            yield say("row_also", language), [say("also", language).format(names=", ".join(self._also))]

    def _sent(self, language: Language) -> Iterator[str]:
        messages = self._prepared.request.messages
        spoken = [message for message in messages if message.role != "system"]
        characters = sum(len(message.text) for message in messages)
        key = "messages" if len(spoken) > 1 else "one_message"
        yield say(key, language).format(earlier=len(spoken) - 1, characters=characters)
        if len(spoken) < len(messages):
            yield say("with_instructions", language)

    def _found(self, language: Language) -> Iterator[str]:
        known = self._prepared.known
        if not known.record.findings:
            yield say("found_nothing", language)
        asked_next = self._question.about == "consent" and known.facts.may_leave == "ask"
        for kind, count in sorted(known.record.findings.items()):
            plain = "found_asked_next" if asked_next else "found_as_it_is"
            key = "found_masked" if kind in known.inspected.masks else plain
            (called,) = kinds_of({kind: count}, language)
            yield say(key, language).format(kind=called)

    def _cost(self, language: Language) -> str:
        facts = self._prepared.known.facts
        most = cost(self._row, Usage(prompt_tokens=facts.tokens, completion_tokens=facts.max_tokens))
        if most is None:
            return say("cost_unknown", language)
        return say("cost_at_most", language).format(amount=money(most, self._prepared.rules.budget.currency))
