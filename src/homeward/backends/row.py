"""A backend as data: its name, its place, its deadlines, and how to find it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any

import msgspec

from homeward.backends.line import WAITING_SECONDS
from homeward.protocol.address import Address
from homeward.protocol.chat import Usage
from homeward.protocol.place import Place
from homeward.protocol.wire import MaxTokensField

Locate = Callable[[str], AbstractAsyncContextManager[Address]]
"""Called with a model's name, empty for the backend's own choice. Entered once per request; the address holds
until it is left, so an engine is not unloaded under it."""


class Deadlines(msgspec.Struct, frozen=True, kw_only=True):
    """How long a backend may take, in seconds; all run from the moment in which it has been located."""

    connect_seconds: float = 5.0
    """Until the connection stands: name, TCP and TLS."""
    first_token_seconds: float = 120.0
    """Until the first text: keep-alive comments and empty chunks do not prolong it."""
    event_seconds: float = 30.0
    """From one event to the next, counted while the consumer waits for it; comments do not prolong it."""
    total_seconds: float = 1800.0
    """Until the end of the answer, however busy it is."""


class BackendRow(msgspec.Struct, frozen=True, kw_only=True):
    """What is known about a backend without asking it."""

    name: str
    place: Place
    deadlines: Deadlines = Deadlines()
    headers: dict[str, str] = {}
    """Sent with each request, next to the bearer token of the address."""
    body: dict[str, Any] = {}
    """Fields of the request that this backend knows beyond OpenAI's."""
    max_tokens_field: MaxTokensField = "max_tokens"
    at_a_time: int = 64
    """Requests that it is given at the same time; more wait in line."""
    model: str = ""
    """What it answers with where the user named no model; empty where its address says so."""
    host: str = ""
    """The machine that words go to, as it is named to the user; empty on this device."""
    context_tokens: int | None = None
    """Tokens that prompt and answer share; None where unknown, or where its address says so."""
    input_price: float | None = None
    """Price of a million tokens of the prompt; None where unknown."""
    cached_price: float | None = None
    """The same, for what it had kept from an earlier request; None where they cost as much as the others."""
    output_price: float | None = None
    """Price of a million tokens of the answer; None where unknown."""
    waiting: int = 32
    """Requests that may wait in line; more are refused."""
    waiting_seconds: float = WAITING_SECONDS
    """How long one may wait there."""
    restarts: bool = False
    """Whether a broken connection means that an engine of ours fell, which will stand up again by itself."""
    counts_tokens: bool = False
    """Whether it answers `POST /chat/completions/input_tokens`, as our engines do."""

    @property
    def source(self) -> str:
        """The backend as the subject of an error's sentence."""
        return f"The backend '{self.name}'"

    @property
    def leaves_device(self) -> bool:
        """Whether what is sent to it leaves this machine."""
        return self.place in (Place.NETWORK, Place.CLOUD)

    def __repr__(self) -> str:
        # Headers may hold a key.
        return f"BackendRow(name={self.name!r}, place={self.place!r})"


def cost(row: BackendRow, usage: Usage) -> float | None:
    """What an answer cost, in the currency of the row's prices; None where a price is not known."""
    if row.input_price is None or row.output_price is None:
        return None
    cached_price = row.input_price if row.cached_price is None else row.cached_price
    cached = min(usage.cached_tokens, usage.prompt_tokens)
    prompt = (usage.prompt_tokens - cached) * row.input_price + cached * cached_price
    return (prompt + usage.completion_tokens * row.output_price) / 1_000_000


def fixed(address: Address) -> Locate:
    """For a backend that is always at the same address; its model is the one to ask for where none is named."""

    def locate(model: str) -> AbstractAsyncContextManager[Address]:
        return nullcontext(msgspec.structs.replace(address, model=model) if model else address)

    return locate
