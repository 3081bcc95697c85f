"""An answer while it is being written: one task per thread, any number of pages that look at it.

It belongs to the thread, not to a page: a reload, a second tab or a lost connection finds it again as far as it
has come, and can stop it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol
from uuid import UUID

import msgspec
import structlog

from homeward.chat.texts import Language
from homeward.chat.views import View, step_view
from homeward.history import Step

log = structlog.get_logger(__name__)

CHECKPOINT_SECONDS = 3.0
"""How often a growing answer is put on disk."""


class Viewer(Protocol):
    """A page that looks at a thread."""

    language: Language

    async def emit(self, event: str, data: object) -> None:
        """Send one event of Chainlit's protocol; a page that is gone takes it silently."""
        ...


def pause_after(characters: int) -> float:
    """Seconds until the next frame, for an answer of so many characters.

    The page draws the whole answer anew with each frame, so frames must become rarer as it grows: at one frame
    per token 2,000 words with code take ten times as long to show as to write (measured in Chromium).
    """
    return min(0.5, 0.05 + characters / 40_000)


class LiveAnswer:
    """The text of one answer on its way to its viewers, and to disk now and then."""

    def __init__(self, step: Step, run: Step, save: Callable[[Step], Awaitable[None]]) -> None:
        """`step` is the answer as far as it is written, `run` the step above it; `save` stores a checkpoint."""
        self.step = step
        self.run = run
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

    async def tell(self, event: str, data: object) -> None:
        """Send an event to all who look."""
        for viewer in tuple(self.viewers):
            await viewer.emit(event, data)

    def view(self) -> View:
        """The answer as its viewers have it by now."""
        return step_view(msgspec.structs.replace(self.step, text=self.text[: self._sent], status="streaming"))

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
            await self.tell("stream_token", token)
        else:
            self._started = True
            await self.tell("stream_start", self.view())

    async def _checkpoint(self) -> None:
        """Put what is written on disk; a failure is told at the end, when it matters."""
        try:
            await self._save(msgspec.structs.replace(self.step, text=self.text, status="streaming"))
        except Exception as error:  # noqa: BLE001 - a lost checkpoint must not end the answer
            log.warning("checkpoint_failed", error=type(error).__name__)
