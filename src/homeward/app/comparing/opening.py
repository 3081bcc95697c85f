"""What can be compared on this machine, with everything that answers a question of the user: policy, privacy, books."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Protocol

import msgspec

from homeward.app.answering import Answering
from homeward.app.comparing.measure import Candidate
from homeward.app.completing import completing
from homeward.app.rows import FOUNDRY, LLAMA
from homeward.backends import Connections
from homeward.completion import Completer
from homeward.config import Settings
from homeward.protocol.chat import ChatRequest, Message, Sampling
from homeward.protocol.receipt import Receipt
from homeward.routing import BackendView, Snapshot


class Comparable(Protocol):
    """Backends, and how they are asked."""

    candidates: tuple[Candidate, ...]

    def agree(self, names: Iterable[str]) -> None:
        """The user agrees, for this once, that prompts go to these."""

    async def ask(self, prompt: str, backend: str, max_tokens: int) -> Receipt:
        """As in `measure.Ask`."""
        ...


class Configured:
    """The backends of the settings, asked as the page asks them: what the policy keeps home stays home."""

    def __init__(self, answering: Answering, completer: Completer) -> None:
        self._answering = answering
        self._completer = completer
        self._agreed: frozenset[str] = frozenset()
        self.candidates = tuple(map(self._candidate, answering.snapshot().backends))
        completer.snapshot = self._snapshot

    def agree(self, names: Iterable[str]) -> None:
        """As in `Comparable`; nothing is stored."""
        self._agreed = frozenset(names)

    async def ask(self, prompt: str, backend: str, max_tokens: int) -> Receipt:
        """As in `measure.Ask`."""
        request = ChatRequest(
            messages=(Message("user", prompt),),
            sampling=Sampling(max_tokens=max_tokens, temperature=0),
            backend=backend,
        )
        answer = await self._completer.complete(request)
        async for _ in answer.events():
            pass
        return answer.receipt

    def _snapshot(self, *_: object) -> Snapshot:
        views = self._answering.snapshot().backends
        agreed = self._agreed
        return Snapshot(
            tuple(msgspec.structs.replace(each, consented=each.consented or each.name in agreed) for each in views)
        )

    def _candidate(self, view: BackendView) -> Candidate:
        settings = self._answering.settings
        own_windows = {LLAMA: settings.llama.context_tokens, FOUNDRY: settings.foundry.context_tokens}
        return Candidate(
            name=view.name,
            place=view.place,
            model=view.model,
            host=self._answering.backends[view.name].row.host,
            context_tokens=view.context_tokens or own_windows.get(view.name),
            input_price=view.input_price,
            output_price=view.output_price,
            consented=view.consented,
        )


@asynccontextmanager
async def configured(settings: Settings) -> AsyncIterator[Comparable]:
    """What these settings give; nothing is asked and no model loaded yet. Raises what `completing` raises."""
    async with Connections() as connections:
        answering = Answering(settings, connections)
        try:
            await asyncio.to_thread(answering.library.refresh)
            async with completing(settings, answering) as completer:
                yield Configured(answering, completer)
        finally:
            await answering.pool.close()
