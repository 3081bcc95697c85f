"""Asking a backend, and what came of it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from homeward.backends import AnswerStream, Backend, Deadlines
from homeward.protocol.chat import ChatRequest, Chunk, Message
from homeward.protocol.errors import HomewardError

KEY = "sk-own-key-1234"
PROMPT = "Tell me a secret story."
REQUEST = ChatRequest(messages=(Message("user", PROMPT),))
PATIENT = Deadlines()
"""None of these passes in a test, however busy the machine is."""
EARLY = Deadlines(first_token_seconds=0.3)
"""For who does not begin."""
BRISK = Deadlines(event_seconds=0.3)
"""For who stops in the middle."""

MakeBackend = Callable[..., Backend]


@dataclass
class Outcome:
    """What the consumer of a stream saw."""

    chunks: list[Chunk] = field(default_factory=list)
    error: HomewardError | None = None
    stream: AnswerStream | None = None

    @property
    def text(self) -> str:
        return "".join(chunk.text for chunk in self.chunks)


async def collect(backend: Backend, request: ChatRequest = REQUEST) -> Outcome:
    """Reads a stream to its end, good or bad."""
    outcome = Outcome()
    try:
        async with backend.open_stream(request) as outcome.stream:
            async for chunk in outcome.stream:
                outcome.chunks.append(chunk)
    except HomewardError as error:
        outcome.error = error
    return outcome
