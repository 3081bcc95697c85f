"""A chat request and the pieces of its answer, in OpenAI's terms."""

from typing import Literal

import msgspec

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]
Mode = Literal["auto", "device", "cloud"]
"""What the user asked for with a message: as the policy says, on this device only, in the cloud first."""


class Message(msgspec.Struct, frozen=True):
    """One turn's half: who speaks, and the text."""

    role: Role
    content: str


class Sampling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an answer is drawn; a field that is None is left to the backend. Names and ranges are OpenAI's."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asks for, before it is known which backend answers."""

    messages: tuple[Message, ...]
    """System prompt first where there is one; the last one is what is to be answered."""
    sampling: Sampling = Sampling()
    backend: str | None = None
    """Name of the backend that the user chose; None leaves the choice to the policy."""
    model: str = ""
    """Name of the model, as that backend knows it; empty leaves the choice to the backend."""
    mode: Mode = "auto"
    stays_home: bool = False
    """Whether it belongs to a conversation that must not leave this device any more."""
    approved: bool = False
    """Whether the user was asked about the findings in it, and agreed."""
    further: tuple[str, ...] = ()
    """Texts that go out with it beside the messages, such as names of files; looked at for findings like these."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens as the backend counted them."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    """Part of the prompt that the backend had kept from an earlier request."""


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """One event of an answer's stream; any field may be empty."""

    text: str = ""
    reasoning: str = ""
    """Text that a reasoning model thinks aloud before it answers."""
    finish_reason: FinishReason | None = None
    usage: Usage | None = None
