"""An answer while it is being written: one task per thread, any number of pages that look at it.

It belongs to the thread, not to a page: a reload, a second tab or a lost connection finds it again as far as it
has come, and can stop it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from uuid import UUID

import msgspec
import structlog

from homeward.chat.modes import Wish
from homeward.chat.question import Asking
from homeward.chat.tab import OpenTab
from homeward.chat.texts import Language
from homeward.chat.viewer import Viewer
from homeward.chat.views import Mark, View, step_view
from homeward.history import Step
from homeward.protocol.receipt import Receipt

log = structlog.get_logger(__name__)

CHECKPOINT_SECONDS = 3.0
"""How often a growing answer is put on disk."""


def pause_after(characters: int) -> float:
    """Seconds until the next frame, for an answer of so many characters.

    The page draws the whole answer anew with each frame, so frames must become rarer as it grows: at one frame
    per token 2,000 words with code take ten times as long to show as to write (measured in Chromium).
    """
    return min(0.5, 0.05 + characters / 40_000)


class LiveAnswer:
    """The text of one answer on its way to its viewers, and to disk now and then."""

    def __init__(
        self,
        step: Step,
        run: Step,
        save: Callable[[Step], Awaitable[None]],
        *,
        until: UUID,
        wish: Wish,
        earlier: tuple[Receipt, ...] = (),
    ) -> None:
        """An answer that is about to be written, or to be continued.

        Args:
            step: the answer as far as it is written.
            run: the step above it.
            save: stores a checkpoint.
            until: the last message that the model reads.
            wish: who is to write it.
            earlier: the receipts of what is written already.
        """
        self.step = step
        self.run = run
        self.until = until
        self.wish = wish
        self.asking: Asking | None = None
        """What the user is being asked before anything is sent."""
        self.tab: OpenTab | None = None
        """The page that writes it, where that is one."""
        self.receipt: Receipt | None = None
        """As far as it is known, once there are words."""
        self.earlier = earlier
        self.viewers: set[Viewer] = set()
        self.cause: str | None = None
        """Why it was ended, where it wasn't the user: a key of `texts.SENTENCES`."""
        self.task: asyncio.Task[None] | None = None
        self._save = save
        self._written = [step.text]
        self._sent = len(step.text)
        self._length = len(step.text)
        self._started = False
        self._more = asyncio.Event()
        self._pump: asyncio.Task[None] | None = None

    @property
    def thread_id(self) -> UUID:
        """The conversation that it belongs to."""
        return self.step.thread_id

    @property
    def text(self) -> str:
        """All that was written so far."""
        if len(self._written) > 1:
            self._written = ["".join(self._written)]
        return self._written[0]

    def end(self, cause: str | None = None) -> None:
        """Stop it: by the user, or for the cause named. What was written stays."""
        if self.task and not self.task.done():
            self.cause = cause
            self.task.cancel()

    async def tell(self, event: str, make: Callable[[Language], object] | None = None) -> None:
        """Send an event to all who look, each in its language."""
        for viewer in tuple(self.viewers):
            await viewer.emit(event, make(viewer.language) if make else {})

    def view(self, language: Language) -> View:
        """The answer as its viewers have it by now."""
        shown = msgspec.structs.replace(self.step, text=self.text[: self._sent], status="streaming")
        return step_view(shown, language)

    def begins(self, receipt: Receipt) -> None:
        """The first words are about to come. Where another model wrote what is there, a line will say so."""
        self.receipt = receipt
        written_by = [(each.backend, each.model) for each in self.earlier if each.place is not None]
        if not self._length or receipt.place is None or written_by[-1:] == [(receipt.backend, receipt.model)]:
            return
        mark = Mark(at=self._length, backend=receipt.backend, place=receipt.place, model=receipt.model)
        marks = [*self.step.metadata.get("marks", []), msgspec.to_builtins(mark)]
        self.step = msgspec.structs.replace(self.step, metadata={**self.step.metadata, "marks": marks})

    def write(self, text: str) -> None:
        """Take the next piece; it is shown with the next frame."""
        self._written.append(text)
        self._length += len(text)
        self._more.set()
        if self._pump is None:
            self._pump = asyncio.create_task(self._frames())

    async def finish(self) -> str:
        """Show the rest and give back the whole text."""
        if self._pump is not None:
            self._pump.cancel()
            await asyncio.gather(self._pump, return_exceptions=True)
        await self._frame()
        return self.text

    async def _frames(self) -> None:
        loop = asyncio.get_running_loop()
        saved = loop.time()
        while True:
            await self._more.wait()
            self._more.clear()
            await self._frame()
            if loop.time() - saved >= CHECKPOINT_SECONDS:
                saved = loop.time()
                await self._checkpoint()
            await asyncio.sleep(pause_after(self._length))

    async def _frame(self) -> None:
        """Send what was not sent yet, as one event."""
        pending = self.text[self._sent :]
        if not pending:
            return
        self._sent = self._length
        if self._started:
            token = {"id": str(self.step.id), "token": pending, "isSequence": False, "isInput": False}
            await self.tell("stream_token", lambda _: token)
        else:
            self._started = True
            await self.tell("stream_start", self.view)

    async def _checkpoint(self) -> None:
        """Put what is written on disk; a failure is told at the end, when it matters."""
        try:
            await self._save(msgspec.structs.replace(self.step, text=self.text, status="streaming"))
        except Exception as error:  # noqa: BLE001 - a lost checkpoint must not end the answer
            log.warning("checkpoint_failed", error=type(error).__name__)
