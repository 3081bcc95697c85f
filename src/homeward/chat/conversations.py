"""What happens in a conversation: ask, edit, continue, try again, stop, look.

The history is the truth: the model's prompt is built from it, and what the page shows comes back from it. The
user's turn is on disk before anything is asked.
"""

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import structlog

from homeward.chat.live import LiveAnswer, Viewer
from homeward.chat.texts import say, sentence_of
from homeward.chat.views import RUN_NAME, problem_of, receipt_views, step_view, thread_view
from homeward.completion import Answer, Completer, Text, Waiting
from homeward.config import ChatSettings
from homeward.history import History, Step, Turn
from homeward.protocol.chat import ChatRequest, Message, Sampling
from homeward.protocol.errors import BrokenOffError, HistoryError, HomewardError

log = structlog.get_logger(__name__)

ASSISTANT = "Homeward"
TITLE_CHARACTERS = 60
LOADING_NOTICE_SECONDS = 0.5


class Conversations:
    """All threads that are being looked at or answered in this process."""

    def __init__(self, history: History, completer: Completer, settings: ChatSettings) -> None:
        self.history = history
        self.completer = completer
        self.settings = settings
        self._live: dict[UUID, LiveAnswer] = {}
        self._viewers: dict[UUID, set[Viewer]] = {}
        self._unattended: dict[UUID, asyncio.TimerHandle] = {}
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

    def detach(self, viewer: Viewer, thread_id: UUID) -> None:
        """A page is gone; an answer that nobody looks at goes on for a while."""
        viewers = self._viewers.get(thread_id, set())
        viewers.discard(viewer)
        if viewers:
            return
        self._viewers.pop(thread_id, None)
        if live := self._live.get(thread_id):
            loop = asyncio.get_running_loop()
            self._unattended[thread_id] = loop.call_later(self.settings.unattended_seconds, live.end, "unattended")

    async def show(self, viewer: Viewer, thread_id: UUID) -> bool:
        """Send the whole thread to a page that opened it; False if there is none.

        An answer that is being written comes as far as it is, and goes on there.
        """
        self.attach(viewer, thread_id)
        if not await self._repaint(viewer, thread_id):
            self.detach(viewer, thread_id)
            return False
        return True

    async def _repaint(self, viewer: Viewer, thread_id: UUID) -> bool:
        thread = await self.history.get_thread(thread_id)
        if thread is None:
            return False
        view = thread_view(thread, viewer.language)
        await viewer.emit("first_interaction", {"interaction": "resume", "thread_id": str(thread_id)})
        live = self._live.get(thread_id)
        if live:  # no await between here and the emit: a frame in between would be shown twice or not at all
            view["steps"] = [live.view() if step["id"] == str(live.step.id) else step for step in view["steps"]]
        await viewer.emit("resume_thread", view)
        await viewer.emit("task_start" if live else "task_end", {})
        return True

    # -- what the user does --------------------------------------------------------------------------------

    async def ask(self, viewer: Viewer, question: Step, user_id: UUID, *, first: bool) -> None:
        """Store a new question and begin its answer."""
        if not await self._free(viewer, question.thread_id):
            return
        self.attach(viewer, question.thread_id)
        await viewer.emit("task_start", {})
        try:
            await self.history.save_step(question, user_id=user_id)
            if first:
                await self.history.update_thread(question.thread_id, name=title_of(question.text))
        except HistoryError as error:
            await self._not_saved(viewer, question, error)
            return
        if first:
            announced = {"interaction": question.text, "thread_id": str(question.thread_id)}
            await viewer.emit("first_interaction", announced)
        await self._tell_others(viewer, question)
        await self._answer(viewer, question)

    async def edit(self, viewer: Viewer, thread_id: UUID, step_id: UUID, text: str, user_id: UUID) -> None:
        """Change a question, drop what came after it, and ask again."""
        if not await self._free(viewer, thread_id):
            return
        self.attach(viewer, thread_id)
        await viewer.emit("task_start", {})
        question = Step(id=step_id, thread_id=thread_id, kind="user", name="You", text=text)
        try:
            await self.history.save_step(question, user_id=user_id)
            await self.history.delete_steps_after(thread_id, step_id)
        except HistoryError as error:
            await self._not_saved(viewer, question, error)
            return
        for each in tuple(self._viewers.get(thread_id, ())):
            await self._repaint(each, thread_id)
        await self._answer(viewer, question)

    async def try_again(self, viewer: Viewer, thread_id: UUID, answer_id: UUID, user_id: UUID) -> None:
        """Ask the last question again; its answer so far is dropped."""
        thread = await self.history.get_thread(thread_id)
        messages = [step for step in thread.steps if step.kind in ("user", "assistant")] if thread else []
        questions = [step for step in messages if step.kind == "user"]
        if not messages or messages[-1].id != answer_id or not questions:
            await viewer.emit("toast", {"message": say("stale", viewer.language), "type": "warning"})
            return
        await self.edit(viewer, thread_id, questions[-1].id, questions[-1].text, user_id)

    async def continue_answer(self, viewer: Viewer, thread_id: UUID, answer_id: UUID) -> None:
        """Let the model write on where its last answer ends."""
        if not await self._free(viewer, thread_id):
            return
        thread = await self.history.get_thread(thread_id)
        messages = [step for step in thread.steps if step.kind in ("user", "assistant")] if thread else []
        if thread is None or not messages or messages[-1].id != answer_id or not messages[-1].text:
            await viewer.emit("toast", {"message": say("stale", viewer.language), "type": "warning"})
            return
        answer = messages[-1]
        run = next((step for step in thread.steps if step.id == answer.parent_id), None)
        if run is None:
            return
        self.attach(viewer, thread_id)
        self._begin(LiveAnswer(answer, run, self.history.save_step))

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
        tasks = {live.task for live in self._live.values() if live.task}
        if tasks:
            await asyncio.wait(tasks, timeout=grace_seconds)
        for live in tuple(self._live.values()):
            live.end("shutdown")
        if tasks:
            await asyncio.wait(tasks)

    # -- how an answer comes about -------------------------------------------------------------------------

    async def _free(self, viewer: Viewer, thread_id: UUID) -> bool:
        """Whether a new answer may begin in this thread; says so if not."""
        if thread_id not in self._live and not self._closing:
            return True
        key = "shutdown" if self._closing else "busy"
        await viewer.emit("toast", {"message": say(key, viewer.language), "type": "warning"})
        return False

    async def _answer(self, viewer: Viewer, question: Step) -> None:
        now = datetime.now(UTC)
        run = Step(
            id=uuid4(), thread_id=question.thread_id, kind="run", name=RUN_NAME, parent_id=question.id, started_at=now
        )
        answer = Step(
            id=uuid4(), thread_id=question.thread_id, kind="assistant", name=ASSISTANT, parent_id=run.id,
            status="streaming", created_at=now, started_at=now,
        )  # fmt: skip
        try:
            await self.history.save_step(run)
            await self.history.save_step(answer)
        except HistoryError as error:
            await self._not_saved(viewer, question, error)
            return
        self._begin(LiveAnswer(answer, run, self.history.save_step))

    def _begin(self, live: LiveAnswer) -> None:
        live.viewers = self._viewers.setdefault(live.thread_id, set())
        self._live[live.thread_id] = live
        live.task = asyncio.create_task(self._write(live), name=f"answer {live.step.id}")

    async def _write(self, live: LiveAnswer) -> None:
        """Ask the model, pass its words on, and write down how it ended."""
        answer: Answer | None = None
        failure: HomewardError | None = None
        try:
            await live.tell("task_start", {})
            await live.tell("new_message", step_view(live.run))
            answer = self.completer.begin(await self._request(live))
            await self._relay(live, answer)
        except asyncio.CancelledError:
            failure = BrokenOffError(live.cause, say(live.cause, "en")) if live.cause else None
        except HomewardError as error:
            failure = error
        except Exception:
            log.exception("answer_failed")
            failure = HomewardError("Something went wrong inside Homeward.", next_step="Try again; the log says more.")
        await asyncio.shield(self._conclude(live, answer, failure))

    async def _request(self, live: LiveAnswer) -> ChatRequest:
        turns = await self.history.turns(live.thread_id, live.step.id)
        return ChatRequest(
            messages=prompt(self.settings.system_prompt, turns),
            sampling=Sampling(
                max_tokens=self.settings.max_tokens,
                temperature=self.settings.temperature,
                top_p=self.settings.top_p,
            ),
        )

    async def _relay(self, live: LiveAnswer, answer: Answer) -> None:
        notice = asyncio.create_task(tell_loading(live))
        try:
            async with aclosing(answer.events()) as events:
                async for event in events:
                    if isinstance(event, Text) and not event.reasoning:
                        live.write(event.text)
                    elif isinstance(event, Waiting) and event.phase == "queued":
                        await tell_queued(live, event.ahead)
                    elif isinstance(event, Waiting) and event.phase == "reading":
                        notice.cancel()
        finally:
            notice.cancel()

    async def _conclude(self, live: LiveAnswer, answer: Answer | None, failure: HomewardError | None) -> None:
        """Store the answer and its receipt, show both, and give the composer back."""
        if answer is None:
            answer = self.completer.begin(ChatRequest(messages=()))
        if failure is not None:
            answer.interrupt(failure)
        text = await live.finish()
        receipt = answer.receipt
        ended = datetime.now(UTC)
        metadata = {key: value for key, value in live.step.metadata.items() if key != "problem"}
        if answer.error is not None:
            metadata["problem"] = problem_of(answer.error)
        step = msgspec.structs.replace(
            live.step, text=text, status=receipt.outcome, ended_at=ended, metadata=metadata or {"problem": None}
        )
        run = msgspec.structs.replace(live.run, ended_at=ended)
        unsaved: HistoryError | None = None
        try:
            await self.history.save_step(step)
            await self.history.save_receipt(step.id, step.thread_id, receipt)
            await self.history.save_step(run)
        except HistoryError as error:
            log.warning("answer_not_saved", code=error.code, detail=error.detail)
            unsaved = error
        del self._live[live.thread_id]
        if timer := self._unattended.pop(live.thread_id, None):
            timer.cancel()
        await live.tell("new_message", step_view(step))  # the page adds it, or replaces it where it knows it already
        for viewer in tuple(live.viewers):
            for view in receipt_views(step, (receipt,), viewer.language):
                await viewer.emit("element", view)
            if unsaved:
                sentence = f"{say('answer_not_saved', viewer.language)} {sentence_of(unsaved, viewer.language)}"
                await viewer.emit("toast", {"message": sentence, "type": "error"})
        await live.tell("update_message", step_view(run))
        await live.tell("task_end", {})

    async def _not_saved(self, viewer: Viewer, question: Step, error: HistoryError) -> None:
        """Say under a question that it isn't on disk; nothing was asked."""
        log.warning("question_not_saved", code=error.code, detail=error.detail)
        text = f"{say('not_saved', viewer.language)} {sentence_of(error, viewer.language)}"
        notice = Step(
            id=uuid4(), thread_id=question.thread_id, kind="assistant", name=ASSISTANT, parent_id=question.id,
            text=text, is_error=True, created_at=datetime.now(UTC),
        )  # fmt: skip
        await viewer.emit("new_message", step_view(notice))
        await viewer.emit("task_end", {})

    async def _tell_others(self, viewer: Viewer, question: Step) -> None:
        """Show a question in the other pages that look at its thread."""
        for other in tuple(self._viewers.get(question.thread_id, ())):
            if other is not viewer:
                await other.emit("new_message", step_view(question))


async def tell_loading(live: LiveAnswer) -> None:
    """Say that the model is being loaded, unless that is over at once. Cancelled when it is over."""
    await asyncio.sleep(LOADING_NOTICE_SECONDS)
    for viewer in tuple(live.viewers):
        await viewer.emit("toast", {"message": say("loading", viewer.language), "type": "info"})


async def tell_queued(live: LiveAnswer, ahead: int) -> None:
    """Say how many requests are before this one."""
    for viewer in tuple(live.viewers):
        sentence = say("queued", viewer.language).format(ahead=ahead)
        await viewer.emit("toast", {"message": sentence, "type": "info"})


def prompt(system: str, turns: tuple[Turn, ...]) -> tuple[Message, ...]:
    """The conversation as the model reads it. An answer that is to be continued stands last."""
    beginning = (Message("system", system),) if system else ()
    return beginning + tuple(Message(turn.role, turn.text) for turn in turns if turn.text)


def title_of(question: str) -> str:
    """A name for a thread: the beginning of its first question."""
    line = next((line.strip() for line in question.splitlines() if line.strip()), "")
    if len(line) <= TITLE_CHARACTERS:
        return line
    return line[:TITLE_CHARACTERS].rsplit(" ", 1)[0] + "…"
