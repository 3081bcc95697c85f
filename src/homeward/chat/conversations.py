"""What happens in a conversation: ask, edit, continue, try again, choose, stop, look.

The history is the truth: the model's prompt is built from it, and what the page shows comes back from it. The
user's turn is on disk before anything is asked.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID, uuid4

import structlog

from homeward.chat.exchange import Exchange, exchange_of, own_answer, step_of, title_of
from homeward.chat.live import LiveAnswer
from homeward.chat.modes import Wish, picked_of, picker, wish_of
from homeward.chat.others import others
from homeward.chat.question import Decision
from homeward.chat.receipts import receipt_view, thread_view
from homeward.chat.tab import Tabs
from homeward.chat.texts import Language, say, sentence_of
from homeward.chat.viewer import Viewer
from homeward.chat.views import RUN_NAME, View, step_view
from homeward.chat.writing import Consents, Writer
from homeward.completion import Completer
from homeward.config import ChatSettings
from homeward.history import ALTERNATIVE, History, Step, Thread
from homeward.protocol.errors import HistoryError
from homeward.protocol.receipt import Receipt

log = structlog.get_logger(__name__)

ASSISTANT = "Homeward"
Purpose = Literal["try", "continue"]


class Conversations:
    """All threads that are being looked at or answered in this process."""

    def __init__(
        self,
        history: History,
        completer: Completer,
        settings: ChatSettings,
        consents: Consents,
        *,
        in_browser: bool = False,
    ) -> None:
        """`in_browser`: what pages need to run a model themselves is served."""
        self.in_browser = in_browser
        self.tabs = Tabs()
        self.history = history
        self.completer = completer
        self.settings = settings
        self._writer = Writer(history, completer, consents, settings, self.tabs)
        self._live: dict[UUID, LiveAnswer] = {}
        self._viewers: dict[UUID, set[Viewer]] = {}
        self._unattended: dict[UUID, asyncio.TimerHandle] = {}
        self._beginning: set[UUID] = set()
        self._closing = False

    # -- who looks -----------------------------------------------------------------------------------------

    def attach(self, viewer: Viewer, thread_id: UUID) -> None:
        """A page shows this thread from now on."""
        viewers = self._viewers.setdefault(thread_id, set())
        viewers.add(viewer)
        if live := self._live.get(thread_id):
            live.viewers = viewers
        if timer := self._unattended.pop(thread_id, None):
            timer.cancel()
        self.tabs.back(viewer)

    def detach(self, viewer: Viewer, thread_id: UUID) -> None:
        """A page is gone; an answer that nobody looks at goes on for a while."""
        viewers = self._viewers.get(thread_id, set())
        viewers.discard(viewer)
        self.tabs.away(viewer)
        if viewers:
            return
        self._viewers.pop(thread_id, None)
        if live := self._live.get(thread_id):
            self._unattended[thread_id] = self._end_later(live)

    def _end_later(self, live: LiveAnswer) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()
        return loop.call_later(self.settings.unattended_seconds, live.end, "unattended")

    async def show(self, viewer: Viewer, thread_id: UUID) -> bool:
        """Send the whole thread to a page that opened it; False if there is none.

        An answer that is being written comes as far as it is, and goes on there.
        """
        self.attach(viewer, thread_id)
        if not await self._repaint(viewer, thread_id):
            self.detach(viewer, thread_id)
            return False
        return True

    async def offer_modes(self, viewer: Viewer, thread_id: UUID | None) -> None:
        """Give a page the picker of modes, set to what its thread used last."""
        thread = await self.history.get_thread(thread_id) if thread_id else None
        chosen = picked_of(thread.metadata if thread else None)
        modes = picker(self.completer, chosen, viewer.language, in_browser=self.in_browser)
        await viewer.emit("set_modes", modes)

    def view(self, thread: Thread, language: Language) -> View:
        """A stored thread as the page draws it."""
        return thread_view(thread, self._writer.look(language))

    async def _repaint(self, viewer: Viewer, thread_id: UUID) -> bool:
        thread = await self.history.get_thread(thread_id)
        if thread is None:
            return False
        view = self.view(thread, viewer.language)
        await viewer.emit("first_interaction", {"interaction": "resume", "thread_id": str(thread_id)})
        live = self._live.get(thread_id)
        if live:  # no await between here and the emit: a frame in between would be shown twice or not at all
            shown = live.view(viewer.language)
            view["steps"] = [shown if step["id"] == shown["id"] else step for step in view["steps"]]
            view["elements"] += self._live_elements(live, viewer)
        await viewer.emit("resume_thread", view)
        await viewer.emit("task_start" if live else "task_end", {})
        return True

    def _live_elements(self, live: LiveAnswer, viewer: Viewer) -> list[View]:
        look = self._writer.look(viewer.language)
        elements = [receipt_view(live.step, live.receipt, look, last=False, writing=True)] if live.receipt else []
        if live.tab and live.tab.viewer == viewer:
            elements.append(live.tab.view())
        return elements + ([live.asking.view(live.step, viewer.language)] if live.asking else [])

    # -- what the user does --------------------------------------------------------------------------------

    async def ask(self, viewer: Viewer, question: Step, user_id: UUID, *, first: bool) -> None:
        """Store a new question and begin its answer."""
        async with self._turn(viewer, question.thread_id) as free:
            if not free:
                return
            self.attach(viewer, question.thread_id)
            await viewer.emit("task_start", {})
            try:
                await self.history.save_step(question, user_id=user_id)
                if first or question.modes:
                    name = title_of(question.text) if first else None
                    await self.history.update_thread(question.thread_id, name=name, metadata=question.modes)
            except HistoryError as error:
                await self._not_saved(viewer, question, error)
                return
            if first:
                announced = {"interaction": question.text, "thread_id": str(question.thread_id)}
                await viewer.emit("first_interaction", announced)
            await self._tell_others(viewer, question)
            await self._answer(viewer, question)

    async def edit(self, viewer: Viewer, thread_id: UUID, step_id: UUID, text: str, user_id: UUID) -> None:
        """Change a question, drop what came after it, and ask again, in the same mode."""
        async with self._turn(viewer, thread_id) as free:
            if not free:
                return
            self.attach(viewer, thread_id)
            await viewer.emit("task_start", {})
            question = Step(id=step_id, thread_id=thread_id, kind="user", name="You", text=text)
            try:
                await self.history.save_step(question, user_id=user_id)
                await self.history.delete_steps_after(thread_id, step_id)
                stored = step_of(await self.history.get_thread(thread_id), step_id, "user")
            except HistoryError as error:
                await self._not_saved(viewer, question, error)
                return
            for each in tuple(self._viewers.get(thread_id, ())):
                await self._repaint(each, thread_id)
            await self._answer(viewer, stored or question)

    async def try_again(self, viewer: Viewer, thread_id: UUID, answer_id: UUID, user_id: UUID) -> None:
        """Ask the last question again; its answer so far is dropped."""
        exchange = await self._last(viewer, thread_id, answer_id)
        if exchange is not None:
            await self.edit(viewer, thread_id, exchange.question.id, exchange.question.text, user_id)

    async def continue_answer(
        self, viewer: Viewer, thread_id: UUID, answer_id: UUID, backend: str | None = None
    ) -> None:
        """Let a model write on where the last answer ends: the one that is named, or whichever the policy gives."""
        async with self._turn(viewer, thread_id) as free:
            exchange = await self._last(viewer, thread_id, answer_id) if free else None
            if exchange is None:
                return
            if not exchange.answer.text:
                await self._warn(viewer, "stale")
                return
            self.attach(viewer, thread_id)
            wish = Wish(backend=backend) if backend else wish_of(exchange.question.modes, viewer)
            self._begin(exchange.answer, exchange.run, answer_id, wish, exchange.receipts)

    async def try_with(self, viewer: Viewer, thread_id: UUID, answer_id: UUID, backend: str) -> None:
        """Have the named backend write another answer to the same question, beside the one that is there."""
        async with self._turn(viewer, thread_id) as free:
            if not free:
                return
            exchange = exchange_of(await self.history.get_thread(thread_id), answer_id)
            if exchange is None:
                await self._warn(viewer, "gone")
                return
            step = answer_step(thread_id, exchange.run.id, ALTERNATIVE)
            try:
                await self.history.save_step(step)
            except HistoryError as error:
                await self._warn_of(viewer, error)
                return
            self.attach(viewer, thread_id)
            self._begin(step, exchange.run, exchange.question.id, Wish(backend=backend))

    async def use(self, viewer: Viewer, thread_id: UUID, alternative_id: UUID) -> None:
        """Let another answer take the place of the conversation's own one, and that one stand beside it."""
        async with self._turn(viewer, thread_id) as free:
            if not free:
                return
            thread = await self.history.get_thread(thread_id)
            chosen = step_of(thread, alternative_id, ALTERNATIVE)
            own = own_answer(thread, chosen)
            if chosen is None or own is None or not chosen.text:
                await self._warn(viewer, "gone")
                return
            try:
                await self.history.swap_contents(thread_id, own.id, chosen.id)
            except HistoryError as error:
                await self._warn_of(viewer, error)
                return
            for each in {viewer, *self._viewers.get(thread_id, ())}:
                await self._repaint(each, thread_id)

    async def others(
        self, thread_id: UUID, answer_id: UUID, purpose: Purpose, language: Language
    ) -> list[dict[str, Any]]:
        """Who else could answer, or go on; empty where the answer is gone."""
        thread = await self.history.get_thread(thread_id)
        exchange = exchange_of(thread, answer_id)
        if thread is None or exchange is None:
            return []
        until = answer_id if purpose == "continue" else exchange.question.id
        request = await self._writer.request(thread, until, Wish())
        return await others(self.completer, request, exchange.receipts, language)

    async def decide(self, viewer: Viewer, thread_id: UUID, asking_id: UUID, decision: Decision) -> None:
        """What the user chose on the card that stands in place of an answer."""
        live = self._live.get(thread_id)
        asking = live.asking if live else None
        if asking is None or asking.id != asking_id or not asking.decide(decision):
            await self._warn(viewer, "answered_elsewhere")

    async def stop(self, thread_id: UUID) -> None:
        """End the thread's running answer; what was written stays."""
        if live := self._live.get(thread_id):
            live.end()

    async def forget(self, thread_id: UUID) -> None:
        """End what runs in a thread that is being deleted."""
        if live := self._live.get(thread_id):
            live.end()
            await asyncio.wait({live.task} if live.task else set())
        self._viewers.pop(thread_id, None)

    async def close(self, grace_seconds: float) -> None:
        """Let running answers finish for a while, then end them, and wait until all are stored."""
        self._closing = True
        for live in tuple(self._live.values()):
            if live.asking:  # nobody knows for how long
                live.end("shutdown")
        tasks = {live.task for live in self._live.values() if live.task}
        if tasks:
            await asyncio.wait(tasks, timeout=grace_seconds)
        for live in tuple(self._live.values()):
            live.end("shutdown")
        if tasks:
            await asyncio.wait(tasks)

    # -- how an answer begins ------------------------------------------------------------------------------

    @asynccontextmanager
    async def _turn(self, viewer: Viewer, thread_id: UUID) -> AsyncIterator[bool]:
        """Keep others from changing the thread meanwhile; False, with a sentence, where an answer is being written."""
        if self._closing or thread_id in self._live or thread_id in self._beginning:
            await self._warn(viewer, "shutdown" if self._closing else "busy")
            yield False
            return
        self._beginning.add(thread_id)
        try:
            yield True
        finally:
            self._beginning.discard(thread_id)

    async def _last(self, viewer: Viewer, thread_id: UUID, answer_id: UUID) -> Exchange | None:
        """The thread's last exchange, if this is its answer; says so if not."""
        thread = await self.history.get_thread(thread_id)
        messages = [step for step in thread.steps if step.kind in ("user", "assistant")] if thread else []
        exchange = exchange_of(thread, answer_id) if messages and messages[-1].id == answer_id else None
        if exchange is None:
            await self._warn(viewer, "stale")
        return exchange

    async def _answer(self, viewer: Viewer, question: Step) -> None:
        run = Step(
            id=uuid4(), thread_id=question.thread_id, kind="run", name=RUN_NAME, parent_id=question.id,
            started_at=datetime.now(UTC),
        )  # fmt: skip
        answer = answer_step(question.thread_id, run.id, "assistant")
        try:
            await self.history.save_step(run)
            await self.history.save_step(answer)
        except HistoryError as error:
            await self._not_saved(viewer, question, error)
            return
        self._begin(answer, run, question.id, wish_of(question.modes, viewer))

    def _begin(self, step: Step, run: Step, until: UUID, wish: Wish, earlier: tuple[Receipt, ...] = ()) -> None:
        live = LiveAnswer(step, run, self.history.save_step, until=until, wish=wish, earlier=earlier)
        live.viewers = self._viewers.setdefault(live.thread_id, set())
        self._live[live.thread_id] = live
        writing = self._writer.write(live, lambda: self._ended(live))
        live.task = asyncio.create_task(writing, name=f"answer {live.step.id}")
        if not live.viewers:  # the page left before it began
            self._unattended[live.thread_id] = self._end_later(live)

    def _ended(self, live: LiveAnswer) -> None:
        del self._live[live.thread_id]
        if timer := self._unattended.pop(live.thread_id, None):
            timer.cancel()

    async def _not_saved(self, viewer: Viewer, question: Step, error: HistoryError) -> None:
        """Say under a question that it isn't on disk; nothing was asked."""
        log.warning("question_not_saved", code=error.code, detail=error.detail)
        text = f"{say('not_saved', viewer.language)} {sentence_of(error, viewer.language)}"
        notice = Step(
            id=uuid4(), thread_id=question.thread_id, kind="assistant", name=ASSISTANT, parent_id=question.id,
            text=text, is_error=True, created_at=datetime.now(UTC),
        )  # fmt: skip
        await viewer.emit("new_message", step_view(notice, viewer.language))
        await viewer.emit("task_end", {})

    async def _tell_others(self, viewer: Viewer, question: Step) -> None:
        """Show a question in the other pages that look at its thread."""
        for other in tuple(self._viewers.get(question.thread_id, ())):
            if other is not viewer:
                await other.emit("new_message", step_view(question, other.language))

    async def _warn(self, viewer: Viewer, key: str) -> None:
        await viewer.emit("toast", {"message": say(key, viewer.language), "type": "warning"})

    async def _warn_of(self, viewer: Viewer, error: HistoryError) -> None:
        await viewer.emit("toast", {"message": sentence_of(error, viewer.language), "type": "error"})


def answer_step(thread_id: UUID, run_id: UUID, kind: str) -> Step:
    """An answer before its first word."""
    now = datetime.now(UTC)
    return Step(
        id=uuid4(), thread_id=thread_id, kind=kind, name=ASSISTANT, parent_id=run_id,
        status="streaming", created_at=now, started_at=now,
    )  # fmt: skip
