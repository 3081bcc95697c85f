"""The page that asked, where it answers itself: what is said between it and us while one answer is written.

A card in place of the answer (`public/elements/Tab.jsx`) has the page do what its props say, and comes back with
words as actions. A page's ids and words are a client's: they are checked, and taken from that page alone.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal
from uuid import UUID, uuid4

import msgspec
import structlog

from homeward.backends import TabModel
from homeward.chat.said import SENTENCES
from homeward.chat.texts import say
from homeward.chat.viewer import Viewer
from homeward.chat.views import View, element_view, step_view
from homeward.history import Step
from homeward.protocol.chat import ChatRequest, Chunk, Usage
from homeward.protocol.errors import PageError

log = structlog.get_logger(__name__)

SILENCE_SECONDS = 75.0
"""A page says every few seconds that it lives; browsers let one that is hidden do so once a minute."""

AWAY_SECONDS = 10.0
"""A page whose connection was lost comes back within that, or was closed."""


class Waiting(msgspec.Struct, frozen=True, tag_field="about", tag="waiting"):
    """It lives: it asks its user, downloads, loads or reads."""


class Ready(TabModel, frozen=True, kw_only=True, tag_field="about", tag="ready"):
    """Its model is loaded."""


class Wrote(msgspec.Struct, frozen=True, tag_field="about", tag="wrote"):
    """The next piece of the answer."""

    text: str


class Ended(msgspec.Struct, frozen=True, tag_field="about", tag="ended"):
    """The answer is whole, or as long as it may become."""

    finish: Literal["stop", "length"]
    read: int | None = None
    written: int | None = None


class Failed(msgspec.Struct, frozen=True, tag_field="about", tag="failed"):
    """There will be no more."""

    cause: str
    detail: str = ""


Word = Waiting | Ready | Wrote | Ended | Failed


class OpenTab:
    """One page while it writes one answer; see `homeward.backends.Tab`."""

    def __init__(self, viewer: Viewer, step: Step) -> None:
        self.id: UUID = uuid4()
        self.viewer = viewer
        self._step = step
        self._words: asyncio.Queue[Word] = asyncio.Queue()
        self._props: View = {"id": str(self.id), "do": "load"}
        self._leaving: asyncio.TimerHandle | None = None

    async def load(self) -> TabModel:
        """Show the card, which asks before it downloads, and wait until the page's model is ready. Raises PageError."""
        await self.viewer.emit("new_message", step_view(self._step, self.viewer.language))
        await self._show()
        async for word in self._heard():
            if isinstance(word, Ready):
                return word
        raise AssertionError  # it goes on until something is said that ends it

    async def write(self, request: ChatRequest) -> AsyncGenerator[Chunk, None]:
        """Have the page answer. Raises PageError."""
        sampling = request.sampling
        wishes = {"max_tokens": sampling.max_tokens, "temperature": sampling.temperature}
        messages = [{"role": each.role, "content": each.text} for each in request.messages]
        self._props = {"id": str(self.id), "do": "write", "messages": messages, **wishes}
        await self._show()
        async for word in self._heard():
            if isinstance(word, Wrote):
                yield Chunk(text=word.text)
            elif isinstance(word, Ended):
                yield Chunk(finish_reason=word.finish, usage=usage_of(word))
                return

    def view(self) -> View:
        """The card."""
        return element_view("Tab", self.id, self._step.id, self._step.thread_id, self._props)

    def hear(self, word: Word) -> None:
        """The page said something."""
        self._words.put_nowait(word)

    def away(self) -> None:
        """The page's connection is lost: perhaps for a moment."""
        self.back()
        gone = Failed("gone")
        self._leaving = asyncio.get_running_loop().call_later(AWAY_SECONDS, self._words.put_nowait, gone)

    def back(self) -> None:
        """The page is there again."""
        if self._leaving:
            self._leaving.cancel()

    async def close(self) -> None:
        """Take the card away; the page stops what it is doing."""
        self.back()
        await self.viewer.emit("remove_element", {"id": self.view()["id"]})

    async def _show(self) -> None:
        await self.viewer.emit("element", self.view())

    async def _heard(self) -> AsyncIterator[Word]:
        """What the page says, until it fails or falls silent."""
        while True:
            try:
                word = await asyncio.wait_for(self._words.get(), SILENCE_SECONDS)
            except TimeoutError:
                word = Failed("gone")
            if isinstance(word, Failed):
                cause = f"tab_{word.cause}" if f"tab_{word.cause}" in SENTENCES else "tab_failed"
                raise PageError(cause, say(cause, "en"), detail=f"{word.cause} {word.detail}"[:500])
            yield word


class Tabs:
    """All pages that are answering."""

    def __init__(self) -> None:
        self._open: dict[UUID, OpenTab] = {}

    @asynccontextmanager
    async def open(self, viewer: Viewer, step: Step) -> AsyncIterator[OpenTab]:
        """For one answer."""
        tab = OpenTab(viewer, step)
        self._open[tab.id] = tab
        try:
            yield tab
        finally:
            del self._open[tab.id]
            await asyncio.shield(tab.close())

    def hear(self, viewer: Viewer, tab_id: UUID, said: Any) -> bool:
        """A page said something; False where nobody listens, so that it may stop."""
        tab = self._open.get(tab_id)
        if tab is None or tab.viewer != viewer:
            return False
        try:
            tab.hear(msgspec.convert(said, Word))
        except msgspec.ValidationError as error:
            log.warning("tab_not_understood", detail=str(error))
            return False
        return True

    def away(self, viewer: Viewer) -> None:
        """A page's connection is lost."""
        for tab in self._of(viewer):
            tab.away()

    def back(self, viewer: Viewer) -> None:
        """It is there again."""
        for tab in self._of(viewer):
            tab.back()

    def _of(self, viewer: Viewer) -> list[OpenTab]:
        return [tab for tab in self._open.values() if tab.viewer == viewer]


def usage_of(word: Ended) -> Usage | None:
    """Tokens as the page counted them."""
    if word.read is None or word.written is None:
        return None
    return Usage(prompt_tokens=word.read, completion_tokens=word.written)
