"""Trying a backend out, step by step, until it is clear what is wrong with it. No word of the user goes out."""

import ssl
import time
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from homeward.backends.backend import Backend
from homeward.backends.connections import Connections
from homeward.backends.reach import Fault, Unreached, connect, look_up
from homeward.backends.threads import in_thread
from homeward.protocol.address import Address
from homeward.protocol.chat import ChatRequest, Message, Sampling, Usage
from homeward.protocol.errors import (
    BackendKeyError,
    BackendStatusError,
    BackendUnreachableError,
    HomewardError,
    InvalidRequestError,
)

StepName = Literal["key", "name", "connection", "access", "answer", "stream", "usage"]
Result = Literal["ok", "note", "failed"]

PROMPT = ChatRequest(messages=(Message("user", "Say hello."),), sampling=Sampling(max_tokens=16))
"""All that is ever said to a backend that is tried out."""
ACCESS_SECONDS = 10.0
TLS_SECONDS = 10.0
"""For reading the system's certificates."""

NO_LIST = frozenset({404, 405, 501})
"""Statuses of a service that has no list of its models."""
SIGN_IN_TO_NETWORK = 511


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was tried."""

    name: StepName
    result: Result
    """`note`: not tried, or not as it should be, but no obstacle."""
    sentence: str
    next_step: str = ""
    fault: Fault | None = None
    """Where the mistake is, if it failed."""
    seconds: float = 0.0


class Examination(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. Where a step failed, it is the last one."""

    backend: str
    steps: tuple[Step, ...]
    first_token_seconds: float | None = None
    """From the request to the first piece of the answer; None where there was none."""
    total_seconds: float | None = None
    """From the request to the end of the answer; None where it had none."""

    @property
    def ok(self) -> bool:
        """Whether it can be used."""
        return all(step.result != "failed" for step in self.steps)


async def examine(backend: Backend, connections: Connections) -> Examination:
    """Whether a backend can be used, and what is wrong if not. Its answer costs a few tokens.

    `connections` are those that the backend uses.
    """
    return await _Examining(backend, connections).through()


class _Examining:
    """One examination: a step begins with `_begin`, and ends with `_end` or an error."""

    def __init__(self, backend: Backend, connections: Connections) -> None:
        self._backend = backend
        self._connections = connections
        self._steps: list[Step] = []
        self._step: StepName = "key"
        self._began = 0.0
        self._first_token_seconds: float | None = None
        self._total_seconds: float | None = None

    async def through(self) -> Examination:
        """All steps, or those up to the first one that failed."""
        try:
            self._begin("key")
            async with self._backend.locate("") as address:
                self._end("There is one." if address.api_key else "None is sent.")
                await self._reach(address)
                await self._list_models(address)
                await self._have_it_answer(address)
        except HomewardError as error:
            self._end(error.message, "failed", next_step=error.next_step, fault=fault_of(error))
        except Unreached as error:
            self._end(error.sentence, "failed", next_step=error.next_step, fault=error.fault)
        return Examination(
            backend=self._backend.row.name,
            steps=tuple(self._steps),
            first_token_seconds=self._first_token_seconds,
            total_seconds=self._total_seconds,
        )

    async def _reach(self, address: Address) -> None:
        self._begin("name")
        parts = urlsplit(address.url)
        host = parts.hostname or ""
        found = await look_up(host)
        self._end(f"{host} is {found[0]}." if found[0] != host else f"{host} needs no looking up.")
        self._begin("connection")
        secure = parts.scheme == "https"
        tls = (self._connections.tls or await in_thread(ssl.create_default_context, TLS_SECONDS)) if secure else None
        port = parts.port or (443 if secure else 80)
        await connect(host, found, port, tls=tls, seconds=self._backend.row.deadlines.connect_seconds)
        self._end(f"Port {port} answers, and its certificate is right." if secure else f"Port {port} answers.")

    async def _list_models(self, address: Address) -> None:
        self._begin("access")
        if address.query:
            return self._end("Addresses by deployment have no list of models to ask for.", "note")
        try:
            models = await self._backend.probe(at=address, seconds=ACCESS_SECONDS)
        except BackendStatusError as error:
            if error.upstream_status not in NO_LIST:
                raise
            return self._end("It has no list of its models.", "note")
        if address.model in models:
            return self._end(f"It lists {len(models)} models, {address.model} among them.")
        return self._end(f"It lists {len(models)} models, but not {address.model}; the answer will tell.", "note")

    async def _have_it_answer(self, address: Address) -> None:
        self._begin("answer")
        usage: Usage | None = None
        async with self._backend.open_stream(msgspec.structs.replace(PROMPT, model=address.model), address) as stream:
            async for chunk in stream:
                self._first_token_seconds = self._first_token_seconds or time.monotonic() - self._began
                usage = chunk.usage or usage
        self._total_seconds = time.monotonic() - self._began
        self._end(f"{address.model} answers; its first token came after {self._first_token_seconds or 0:.2f} s.")
        self._begin("stream")
        if stream.in_one_piece:
            self._end("Answers come in one piece: nothing is seen before their end.", "note")
        else:
            self._end("Answers come word by word.")
        self._begin("usage")
        if usage is None:
            self._end("It does not say how many tokens an answer takes, so costs can't be told.", "note")
        else:
            self._end(
                f"It counted {usage.prompt_tokens} tokens of the prompt, {usage.completion_tokens} of the answer."
            )

    def _begin(self, step: StepName) -> None:
        self._step = step
        self._began = time.monotonic()

    def _end(self, sentence: str, result: Result = "ok", *, next_step: str = "", fault: Fault | None = None) -> None:
        seconds = time.monotonic() - self._began
        self._steps.append(
            Step(name=self._step, result=result, sentence=sentence, next_step=next_step, fault=fault, seconds=seconds)
        )


def fault_of(error: HomewardError) -> Fault:
    """Where the mistake is that an error tells of."""
    match error:
        case BackendKeyError() | InvalidRequestError():
            return "settings"
        case BackendUnreachableError():
            return "network"
        case BackendStatusError(upstream_status=status):
            if status == SIGN_IN_TO_NETWORK:
                return "network"
            return "settings" if status < 500 and status not in {408, 429} else "service"
        case _:
            return "service"
