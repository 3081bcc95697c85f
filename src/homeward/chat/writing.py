"""How an answer comes about: look at the request, ask the user where that is needed, ask the model, store it all."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID, uuid4

import msgspec
import structlog

from homeward.backends import TabBackend
from homeward.chat.live import LiveAnswer
from homeward.chat.modes import Wish, outside
from homeward.chat.question import Asking, Decision
from homeward.chat.receipts import Look, answer_views, beside_view, problem_of, receipt_view
from homeward.chat.tab import Tabs
from homeward.chat.texts import Language, say, sentence_of
from homeward.chat.views import (
    STAYS_HOME,
    STAYS_HOME_AT,
    STAYS_HOME_KINDS,
    home_note_view,
    step_view,
)
from homeward.completion import Answer, Completer, Prepared, Said, Waiting
from homeward.config import ChatSettings
from homeward.history import ALTERNATIVE, History, Step, Thread, Turn
from homeward.protocol.chat import ChatRequest, Message, Sampling
from homeward.protocol.errors import BrokenOffError, HistoryError, HomewardError
from homeward.protocol.place import Place
from homeward.protocol.receipt import Receipt
from homeward.routing import Question

log = structlog.get_logger(__name__)

LOADING_NOTICE_SECONDS = 0.5


class Consents(Protocol):
    """Where the user's agreement to a backend is kept."""

    async def give(self, backend: str) -> None:
        """From now on, words may be sent there. Raises HomewardError where that can't be stored."""
        ...


class Writer:
    """Writes answers, one at a time in each thread."""

    def __init__(
        self, history: History, completer: Completer, consents: Consents, settings: ChatSettings, tabs: Tabs
    ) -> None:
        self.history = history
        self.completer = completer
        self.consents = consents
        self.settings = settings
        self._tabs = tabs

    def look(self, language: Language) -> Look:
        """How a page is told about answers now."""
        several = len(self.completer.snapshot().backends) > 1
        return Look(language, self.completer.rules.budget.currency, several)

    async def write(self, live: LiveAnswer, ended: Callable[[], None]) -> None:
        """Ask the model, pass its words on, and write down how it ended.

        `ended` is called once it is stored, before the pages are told.
        """
        prepared: Prepared | None = None
        answer: Answer | None = None
        failure: HomewardError | None = None
        try:
            await live.tell("task_start")
            await live.tell("new_message", lambda language: step_view(live.run, language))
            if live.step.kind == ALTERNATIVE:
                await live.tell("new_message", live.view)
                await live.tell("element", lambda language: beside_view(live.step, language))
            async with self._tab(live) as tab:
                prepared = await self._prepare(live, tab)
                answer = self.completer.begin(prepared)
                await self._relay(live, answer)
        except asyncio.CancelledError:
            failure = BrokenOffError(live.cause, say(live.cause, "en")) if live.cause else None
        except HomewardError as error:
            failure = error
        except Exception:
            log.exception("answer_failed")
            failure = HomewardError("Something went wrong inside Homeward.", next_step="Try again; the log says more.")
        if answer is None:
            receipt = unasked(prepared, failure)
        else:
            if failure is not None:
                answer.interrupt(failure)
            receipt, failure = answer.receipt, answer.error
        await asyncio.shield(self._conclude(live, receipt, failure, ended))

    @asynccontextmanager
    async def _tab(self, live: LiveAnswer) -> AsyncIterator[TabBackend | None]:
        """The page that is to answer itself; None where it is not."""
        if live.wish.tab is None:
            yield None
            return
        async with self._tabs.open(live.wish.tab, live.step) as live.tab:
            yield TabBackend(live.tab)

    # -- before anything is asked --------------------------------------------------------------------------

    async def request(self, thread: Thread, until: UUID, wish: Wish) -> ChatRequest:
        """What is asked when the model is to answer the message `until`, or to go on with it."""
        turns = await self.history.turns(thread.id, until)
        return ChatRequest(
            messages=prompt(self.settings.system_prompt, turns),
            sampling=Sampling(
                max_tokens=self.settings.max_tokens,
                temperature=self.settings.temperature,
                top_p=self.settings.top_p,
            ),
            mode=wish.mode,
            backend=wish.backend,
            approved=wish.approved,
            stays_home=thread.metadata.get(STAYS_HOME) is True,
        )

    async def _prepare(self, live: LiveAnswer, tab: TabBackend | None) -> Prepared:
        """A plan that leaves nothing open; each question is put to the user once."""
        wish = live.wish
        answered: set[Question] = set()
        told: set[str] | None = None
        while True:
            prepared = await self._look_at(live, wish, tab)
            question = prepared.plan.question
            if question is None or question in answered:
                return prepared if told is None else only_to(told, prepared)
            answered.add(question)
            also = await self._also(prepared, question)
            decision = await self._ask(live, prepared, question, also)
            if decision == "device":
                wish = Wish(mode="device")
            elif question.about == "consent":
                await self.consents.give(question.backend)
                told = None if told is None else {*told, question.backend}
            else:
                wish = msgspec.structs.replace(wish, approved=True)
                told = {question.backend, *also}

    async def _look_at(self, live: LiveAnswer, wish: Wish, tab: TabBackend | None) -> Prepared:
        thread = await self.history.get_thread(live.thread_id)
        if thread is None:
            raise HistoryError("This conversation is not there any more.", next_step="Begin a new one.")
        prepared = await self.completer.prepare(await self.request(thread, live.until, wish), tab=tab)
        if prepared.known.stays_home and outside(self.completer):
            await self._keep_home(live, thread, prepared)
        return prepared

    async def _keep_home(self, live: LiveAnswer, thread: Thread, prepared: Prepared) -> None:
        """Write down that this thread stays on this device for good, and say so once."""
        noted = thread.metadata.get(STAYS_HOME_AT)
        if noted in [str(step.id) for step in thread.steps]:
            return
        kinds = sorted({*thread.metadata.get(STAYS_HOME_KINDS, []), *prepared.known.record.findings})
        news = {STAYS_HOME: True, STAYS_HOME_KINDS: kinds, STAYS_HOME_AT: str(live.step.id)}
        await self.history.update_thread(thread.id, metadata=news)
        await live.tell("element", lambda language: home_note_view(thread.id, live.step.id, kinds, language))

    async def _ask(self, live: LiveAnswer, prepared: Prepared, question: Question, also: tuple[str, ...]) -> Decision:
        """Show the question to all who look, and wait for one of them to decide."""
        view = next(view for view in self.completer.snapshot().backends if view.name == question.backend)
        row = self.completer.backends[question.backend].row
        asking = live.asking = Asking(question, prepared, row, model=view.model, also=also)
        await live.tell("new_message", live.view)
        await live.tell("element", lambda language: asking.view(live.step, language))
        try:
            return await asking.decision
        finally:
            live.asking = None
            await live.tell("remove_element", lambda language: {"id": asking.view(live.step, language)["id"]})
            if not live.text and live.step.kind != ALTERNATIVE:  # until there are words, the cursor is shown again
                await live.tell("delete_message", live.view)

    async def _also(self, prepared: Prepared, question: Question) -> tuple[str, ...]:
        """Who else would get what was found, if the first one fails."""
        if question.about == "consent":
            return ()
        request = msgspec.structs.replace(prepared.request, approved=True)
        attempts = (await self.completer.prepare(request)).plan.attempts
        names = (each.backend for each in attempts if each.place is not Place.DEVICE)
        return tuple(name for name in names if name != question.backend)

    # -- while it is written -------------------------------------------------------------------------------

    async def _relay(self, live: LiveAnswer, answer: Answer) -> None:
        notice = asyncio.create_task(tell_loading(live))
        if live.tab:  # its card says more
            notice.cancel()
        try:
            async with aclosing(answer.events()) as events:
                async for event in events:
                    if isinstance(event, Said) and (text := event.text):
                        if live.receipt is None:
                            await self._begin(live, answer.receipt)
                        live.write(text)
                    elif isinstance(event, Waiting) and event.phase == "queued":
                        await tell_queued(live, event.ahead)
                    elif isinstance(event, Waiting) and event.phase == "reading":
                        notice.cancel()
        finally:
            notice.cancel()

    async def _begin(self, live: LiveAnswer, receipt: Receipt) -> None:
        """Say who answers as soon as there are words."""
        live.begins(receipt)
        await live.tell(
            "element",
            lambda language: receipt_view(live.step, receipt, self.look(language), last=False, writing=True),
        )

    # -- when it has ended ---------------------------------------------------------------------------------

    async def _conclude(
        self, live: LiveAnswer, receipt: Receipt, error: HomewardError | None, ended: Callable[[], None]
    ) -> None:
        """Store the answer and its receipt, show both, and give the composer back."""
        text = await live.finish()
        now = datetime.now(UTC)
        metadata = {key: value for key, value in live.step.metadata.items() if key != "problem"}
        if error is not None:
            metadata["problem"] = problem_of(error)
        step = msgspec.structs.replace(
            live.step, text=text, status=receipt.outcome, ended_at=now, metadata=metadata or {"problem": None}
        )
        run = msgspec.structs.replace(live.run, ended_at=now)
        unsaved = await self._store(step, run, receipt)
        ended()
        # The page adds the answer, or replaces it where it knows it already.
        await live.tell("new_message", lambda language: step_view(step, language))
        for viewer in tuple(live.viewers):
            for view in answer_views(step, (*live.earlier, receipt), self.look(viewer.language)):
                await viewer.emit("element", view)
            if unsaved:
                sentence = f"{say('answer_not_saved', viewer.language)} {sentence_of(unsaved, viewer.language)}"
                await viewer.emit("toast", {"message": sentence, "type": "error"})
        await live.tell("update_message", lambda language: step_view(run, language))
        await live.tell("task_end")

    async def _store(self, step: Step, run: Step, receipt: Receipt) -> HistoryError | None:
        try:
            await self.history.save_step(step)
            await self.history.save_receipt(step.id, step.thread_id, receipt)
            await self.history.save_step(run)
        except HistoryError as error:
            log.warning("answer_not_saved", code=error.code, detail=error.detail)
            return error
        return None


def unasked(prepared: Prepared | None, failure: HomewardError | None) -> Receipt:
    """The receipt of an answer for which no backend was asked."""
    return Receipt(
        id=uuid4(),
        created_at=datetime.now(UTC),
        outcome="failed" if failure else "stopped",
        facts=prepared.known.record if prepared else None,
        error=failure.code if failure else "",
    )


def only_to(told: Collection[str], prepared: Prepared) -> Prepared:
    """The plan without backends that the user was not told of when they agreed that findings are sent."""
    plan = prepared.plan
    attempts = (each for each in plan.attempts if each.place is Place.DEVICE or each.backend in told)
    return msgspec.structs.replace(prepared, plan=msgspec.structs.replace(plan, attempts=tuple(attempts)))


async def tell_loading(live: LiveAnswer) -> None:
    """Say that the model is being loaded, unless that is over at once. Cancelled when it is over."""
    await asyncio.sleep(LOADING_NOTICE_SECONDS)
    await live.tell("toast", lambda language: {"message": say("loading", language), "type": "info"})


async def tell_queued(live: LiveAnswer, ahead: int) -> None:
    """Say how many requests are before this one."""
    await live.tell("toast", lambda language: {"message": say("queued", language).format(ahead=ahead), "type": "info"})


def prompt(system: str, turns: tuple[Turn, ...]) -> tuple[Message, ...]:
    """The conversation as the model reads it. An answer that is to be continued stands last."""
    beginning = (Message("system", system),) if system else ()
    return beginning + tuple(Message(turn.role, turn.text) for turn in turns if turn.text)
