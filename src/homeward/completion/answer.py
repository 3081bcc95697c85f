"""One answer: the walk through its plan, what it told on the way, and its receipt."""

import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime
from uuid import UUID, uuid4

import msgspec
import structlog

from homeward.backends import AnswerStream, Backend, Turn
from homeward.completion.continuing import RepeatedBeginning
from homeward.completion.events import Ended, Event, Text, Waiting
from homeward.completion.window import Count, estimate, fit
from homeward.protocol.address import Address
from homeward.protocol.chat import ChatRequest, FinishReason, Message, Usage
from homeward.protocol.errors import (
    BackendDisconnectedError,
    BackendStatusError,
    BackendUnreachableError,
    HomewardError,
    InvalidRequestError,
    NoBackendError,
)
from homeward.protocol.place import Place
from homeward.protocol.receipt import AttemptRecord, DroppedRecord, Outcome, Receipt
from homeward.routing import Attempt, Plan

log = structlog.get_logger(__name__)

ANSWER_SHARE = 4
"""At least one part in so many of the context window is kept for the answer, however long the conversation."""

TRIES_AFTER_A_FALL = 2
"""How often an engine that falls over a request before its first token is asked: a second fall may be its doing."""

FALLEN = (BackendDisconnectedError, BackendUnreachableError)

REQUEST_IS_WRONG = frozenset({400, 413, 422})
"""Statuses by which a backend says so: another one would say the same."""


class Answer:
    """Carries out one plan. Decides nothing: what the plan doesn't name is never asked.

    Read `events()` once, to its end. The next attempt takes over only before the first piece of text; after it
    an error ends the answer as interrupted. `receipt` is true at any time, also after a cancellation.
    """

    def __init__(self, request: ChatRequest, plan: Plan, backends: Mapping[str, Backend]) -> None:
        self.id: UUID = uuid4()
        self._request = request
        self._plan = plan
        self._backends = backends
        self._created_at = datetime.now(UTC)
        self._started = time.monotonic()
        self._first_token: float | None = None
        self._ended: float | None = None
        self._outcome: Outcome = "stopped"
        self._error: HomewardError | None = None
        self._records: list[AttemptRecord] = []
        self._place: Place | None = None
        self._model = ""
        self._reason = ""
        self._left_out = 0
        self._bytes_out = 0
        self._finish_reason: FinishReason | None = None
        self._usage: Usage | None = None

    async def events(self) -> AsyncGenerator[Event, None]:
        """What happens, ending in `Ended`; closing it early stops the generation."""
        try:
            for attempt in self._plan.attempts:
                for _ in range(TRIES_AFTER_A_FALL):
                    async with aclosing(self._try(attempt)) as pieces:
                        async for piece in pieces:
                            yield piece
                    if not self._fell(attempt):
                        break
                if self._error is None or not self._may_go_on(self._error):
                    break
            else:
                self._error = self._error or nothing_to_ask(self._plan)
            self._outcome = self._how_it_ended()
        finally:
            self._ended = time.monotonic()
        yield Ended(self._error)

    async def _try(self, attempt: Attempt) -> AsyncGenerator[Event, None]:
        """One attempt; its error, if any, is in `_error` afterwards."""
        began = time.monotonic()
        self._error = None
        self._place, self._reason, self._model = attempt.place, attempt.reason, ""
        backend = self._backends[attempt.backend]
        turn: Turn | None = None
        try:
            turn = backend.line.turn()
            async for ahead in turn.ahead():
                yield Waiting("queued", attempt.backend, ahead)
            yield Waiting("loading", attempt.backend)
            async with backend.locate(attempt.model) as address:
                request = await self._fitted(backend, address)
                yield Waiting("reading", attempt.backend)
                async with backend.open_stream(request, at=address) as stream:
                    self._model = address.model
                    async with aclosing(self._relay(stream)) as pieces:
                        async for piece in pieces:
                            yield piece
        except HomewardError as error:
            self._error = error
            log.warning(
                "attempt_failed", backend=attempt.backend, code=error.code, message=error.message, detail=error.detail
            )
        finally:
            if turn is not None:
                turn.end()
            self._records.append(
                AttemptRecord(
                    backend=attempt.backend,
                    place=attempt.place,
                    model=self._model,
                    error=self._error.code if self._error else "",
                    seconds=time.monotonic() - began,
                )
            )

    async def _relay(self, stream: AnswerStream) -> AsyncGenerator[Event, None]:
        """The stream's text as events; its counts into the receipt."""
        repeated = RepeatedBeginning(beginning_of(self._request))
        try:
            async for chunk in stream:
                if chunk.reasoning:
                    self._first_token = self._first_token or time.monotonic()
                    yield Text(chunk.reasoning, reasoning=True)
                if text := repeated.new(chunk.text):
                    self._first_token = self._first_token or time.monotonic()
                    yield Text(text)
                self._finish_reason = chunk.finish_reason or self._finish_reason
                self._usage = chunk.usage or self._usage
        finally:
            self._bytes_out += stream.bytes_out

    async def _fitted(self, backend: Backend, address: Address) -> ChatRequest:
        """The request with the turns that fit this backend's window, and room for the answer."""
        request = msgspec.structs.replace(self._request, model=address.model)
        if address.context_tokens is None:
            return request
        window = address.context_tokens
        wanted = self._request.sampling.max_tokens or window // ANSWER_SHARE
        budget = window - min(wanted, window // ANSWER_SHARE)
        fitted = await fit(request.messages, budget, counting(backend, address))
        self._left_out = fitted.left_out
        room = max(1, min(wanted, window - fitted.prompt_tokens))
        sampling = msgspec.structs.replace(self._request.sampling, max_tokens=room)
        return msgspec.structs.replace(request, messages=fitted.messages, sampling=sampling)

    def _fell(self, attempt: Attempt) -> bool:
        """Whether an engine of ours fell before it said anything: it stands up again, and the request is as new."""
        row = self._backends[attempt.backend].row
        return row.restarts and self._first_token is None and isinstance(self._error, FALLEN)

    def _may_go_on(self, error: HomewardError) -> bool:
        """Whether the next attempt may try: nothing was said yet, and it isn't the request that is wrong."""
        refused = isinstance(error, BackendStatusError) and error.upstream_status in REQUEST_IS_WRONG
        return self._first_token is None and not refused and not isinstance(error, InvalidRequestError)

    def _how_it_ended(self) -> Outcome:
        if self._error is None:
            return "complete"
        return "failed" if self._first_token is None else "interrupted"

    @property
    def error(self) -> HomewardError | None:
        """What ended it; None where it is complete or was stopped by the user."""
        return self._error

    def interrupt(self, error: HomewardError) -> None:
        """Say that an answer whose events are no longer read was ended for this reason, not by the user."""
        self._error = error
        self._outcome = "failed" if self._first_token is None else "interrupted"

    @property
    def receipt(self) -> Receipt:
        """What has happened so far."""
        ended = self._ended or time.monotonic()
        usage = self._usage
        return Receipt(
            id=self.id,
            created_at=self._created_at,
            outcome=self._outcome,
            place=self._place if self._first_token is not None or self._outcome == "complete" else None,
            backend=self._records[-1].backend if self._records else "",
            model=self._model,
            reason=self._reason,
            attempts=tuple(self._records),
            dropped=tuple(DroppedRecord(backend=each.backend, reason=each.reason) for each in self._plan.dropped),
            finish_reason=self._finish_reason,
            first_token_seconds=self._first_token - self._started if self._first_token else None,
            total_seconds=ended - self._started,
            prompt_tokens=usage.prompt_tokens if usage else None,
            completion_tokens=usage.completion_tokens if usage else None,
            cached_tokens=usage.cached_tokens if usage else None,
            tokens_per_second=self._speed(usage, ended),
            left_out_messages=self._left_out,
            bytes_out=self._bytes_out,
            error=self._error.code if self._error else "",
        )

    def _speed(self, usage: Usage | None, ended: float) -> float | None:
        """Tokens per second behind the first one; None where there are too few to tell."""
        if usage is None or usage.completion_tokens < 2 or self._first_token is None or ended <= self._first_token:
            return None
        return (usage.completion_tokens - 1) / (ended - self._first_token)


def beginning_of(request: ChatRequest) -> str:
    """The text of the answer that the request is to continue; empty for a new answer."""
    last = request.messages[-1] if request.messages else None
    return last.content if last is not None and last.role == "assistant" else ""


def counting(backend: Backend, address: Address) -> Count:
    """How this backend counts tokens: exactly where it can, else by a cautious estimate."""

    async def count(messages: Sequence[Message]) -> int:
        exact = await backend.count_tokens(messages, at=address)
        return await estimate(messages) if exact is None else exact

    return count


def nothing_to_ask(plan: Plan) -> NoBackendError:
    """Why there is no answer: each backend that was dropped, and the reason."""
    reasons = "; ".join(f"{each.backend}: {each.reason}" for each in plan.dropped)
    return NoBackendError(
        "No model can answer." + (f" ({reasons})" if reasons else ""),
        next_step="Check the models in the settings, then try again.",
    )
