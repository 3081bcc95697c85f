"""One attempt at an answer: one backend, asked once."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, nullcontext
from typing import NamedTuple
from uuid import UUID

import msgspec
import structlog

from homeward.backends import Asked, Chunks, Permit, cost
from homeward.completion.events import Event, Said, Waiting
from homeward.completion.prepared import Prepared
from homeward.completion.relay import Relay
from homeward.completion.texts import with_texts
from homeward.completion.window import Count, estimate, fit, tool_tokens
from homeward.observability.audit import Audit, AuditBegun, Entry
from homeward.observability.spend import Budgeting, Reservation
from homeward.protocol.address import Address
from homeward.protocol.chat import ChatRequest, FinishReason, Message, Usage
from homeward.protocol.errors import (
    BusyError,
    ContextLengthError,
    FindingsError,
    HomewardError,
    NoBackendError,
    RestingError,
)
from homeward.protocol.place import Place
from homeward.protocol.receipt import AttemptRecord
from homeward.routing import Attempt

log = structlog.get_logger(__name__)

ANSWER_SHARE = 4
"""At least one part in so many of the context window is kept for the answer, however long the conversation."""


class Books:
    """What is written down about everything that leaves this device, and what it costs."""

    def __init__(self, audit: Audit, spend: Budgeting) -> None:
        self.audit = audit
        self.spend = spend


class Nth(NamedTuple):
    """Which trial of which answer."""

    answer: UUID
    """The receipt's id."""
    number: int
    """From 1."""


class Trial:
    """Asks one backend once. True at any time, also after a cancellation; read `events` once, to its end."""

    def __init__(
        self,
        attempt: Attempt,
        backend: Asked,
        prepared: Prepared,
        books: Books,
        *,
        still_allowed: Callable[[], bool],
        which: Nth,
        impatient: bool,
    ) -> None:
        """One attempt of the plan in `prepared`.

        Args:
            attempt: which one.
            backend: it names it.
            prepared: the request, and all that was decided about it.
            books: where it is written down.
            still_allowed: whether the rules and consents of this very moment let it be asked.
            which: which trial of which answer.
            impatient: whether another backend waits, so that the first word is late after what it usually needs.
        """
        self.attempt = attempt
        self.hedged = False
        """Whether it began because the one before it was late."""
        self.lost = False
        """Whether the other one spoke first."""
        self.error: HomewardError | None = None
        self.model = ""
        self.first_token: float | None = None
        """On the monotonic clock."""
        self.in_one_piece = False
        """Whether all words came at once, so that nothing tells how fast they were made."""
        self.finish_reason: FinishReason | None = None
        self.usage: Usage | None = None
        self.left_out = 0
        self.masked = 0
        self.bytes_out = 0
        self.cost: float | None = None
        self._backend = backend
        self._request = prepared.request
        self._known = prepared.known
        self._rules = prepared.rules
        self._books = books
        self._still_allowed = still_allowed
        self._which = which
        self._impatient = impatient
        self._began = time.monotonic()
        self._ended: float | None = None
        self._sent_at: float | None = None
        self._refused = False

    @property
    def is_whole(self) -> bool:
        """Whether the backend said that its answer is finished."""
        return self.error is None and self.finish_reason is not None and not self.lost

    @property
    def sent(self) -> bool:
        """Whether the backend was there to be asked."""
        return self._sent_at is not None

    @property
    def record(self) -> AttemptRecord:
        """For the receipt."""
        return AttemptRecord(
            backend=self.attempt.backend,
            place=self.attempt.place,
            model=self.model,
            error=self.error.code if self.error else "lost" if self.lost else "",
            seconds=(self._ended or time.monotonic()) - self._began,
            bytes_out=self.bytes_out,
            cost=self.cost,
            hedged=self.hedged,
        )

    async def events(self) -> AsyncGenerator[Event, None]:
        """What happens; its error, if any, is in `error` afterwards."""
        permit: Permit | None = None
        try:
            permit = await self._permitted()
            async with aclosing(self._ask()) as events:
                async for event in events:
                    yield event
        except HomewardError as error:
            self.error = error
            log.warning(
                "attempt_failed",
                backend=self.attempt.backend,
                code=error.code,
                message=error.message,
                detail=error.detail,
            )
        finally:
            self._ended = time.monotonic()
            if permit is not None:
                self._report(permit)

    async def _permitted(self) -> Permit:
        """Whether it may be asked: the plan was made a moment ago, and things change."""
        row = self._backend.row
        if row.place is not self.attempt.place or (row.leaves_device and self._known.kept_home):
            raise NoBackendError("This backend must not be asked.", detail="the plan doesn't fit the backend")
        permit = await self._backend.health.permit()
        if permit is None:
            health = self._backend.health
            kind = BusyError if health.busy else RestingError
            raise kind(
                health.why or f"{row.source} is left alone for a while.",
                next_step="Try again in a moment.",
                retry_after_seconds=max(1.0, health.rests_seconds()),
            )
        return permit

    def _report(self, permit: Permit) -> None:
        """Tell the backend's health how it went."""
        spoke_at = self.first_token or (self._ended if self.finish_reason else None)
        if self.error is not None:
            permit.failed(self.error)
        elif spoke_at is not None and self._sent_at is not None:
            seconds = None if self.in_one_piece else spoke_at - self._sent_at
            permit.succeeded(seconds, self._tokens_read())
        else:
            permit.given_up()

    def _tokens_read(self) -> int:
        """Of the prompt, those that the backend had not kept from an earlier request."""
        if self.usage is None:
            return self._known.facts.tokens
        return max(0, self.usage.prompt_tokens - self.usage.cached_tokens)

    async def _ask(self) -> AsyncGenerator[Event, None]:
        name = self.attempt.backend
        turn = self._backend.line.turn(background=self._request.background)
        try:
            async for ahead in turn.ahead():
                yield Waiting("queued", name, ahead)
            if self._backend.row.restarts:
                yield Waiting("loading", name)
            async with self._backend.locate(self.attempt.model) as address:
                request, originals = await self._outgoing()
                request = await self._fitted(request, address)
                yield Waiting("reading", name)
                async with aclosing(self._answered(request, address, originals)) as pieces:
                    async for said in pieces:
                        yield said
        finally:
            turn.end()

    async def _answered(
        self, request: ChatRequest, address: Address, originals: Mapping[str, str]
    ) -> AsyncGenerator[Said, None]:
        """What the backend says; its counts into the receipt."""
        relay = Relay(beginning_of(request), originals)
        async with (
            self._on_record(request, address) if self._backend.row.leaves_device else nullcontext(),
            self._open(request, address) as stream,
        ):
            try:
                async for chunk in stream:
                    said = relay.take((chunk, *stream.arrived()))
                    self.finish_reason, self.usage = relay.finish_reason, relay.usage
                    if said:
                        self.first_token = self.first_token or time.monotonic()
                        yield Said(said)
                if said := relay.end():
                    self.first_token = self.first_token or time.monotonic()
                    yield Said(said)
                self.finish_reason = relay.finish_reason
            finally:
                self.bytes_out += stream.bytes_out
                self._refused, self.in_one_piece = stream.refused, stream.in_one_piece

    @asynccontextmanager
    async def _on_record(self, request: ChatRequest, address: Address) -> AsyncIterator[None]:
        """What leaves is written down before it does, and what came of it after."""
        if not self._still_allowed():
            raise NoBackendError(
                f"{self._backend.row.source} may not be asked any more.",
                next_step="Try again: your rules or consents have changed meanwhile.",
            )
        reservation = await self._reserve(request)
        try:
            entry = await self._books.audit.begin(self._begun(request, address))
        except BaseException:
            reservation.settle(0.0)
            raise
        try:
            yield
        except HomewardError as error:
            self.error = error
            raise
        finally:
            await self._close(entry, reservation)

    def _open(self, request: ChatRequest, address: Address) -> AbstractAsyncContextManager[Chunks]:
        self._sent_at = time.monotonic()
        self.model = address.model
        row, health = self._backend.row, self._backend.health
        most = row.deadlines.first_token_seconds
        seconds = health.first_token_seconds(self._known.facts.tokens, most) if self._impatient else most
        return self._backend.open_stream(request, at=address, first_token_seconds=seconds)

    # What goes out

    async def _outgoing(self) -> tuple[ChatRequest, Mapping[str, str]]:
        """The request as it may leave, and what the placeholders in it stand for."""
        inspected = self._known.inspected
        if not self._backend.row.leaves_device or inspected.masks.isdisjoint(inspected.report.counts):
            return self._request, {}
        masked = await self._rules.firewall.masked(inspected)
        try:
            request = with_texts(self._request, masked.parts)
        except ValueError:
            raise FindingsError("What was found in the tools could not be replaced, so they were not sent.") from None
        self.masked = len(masked.originals)
        return request, masked.originals

    async def _fitted(self, request: ChatRequest, address: Address) -> ChatRequest:
        """The request with the turns that fit this backend's window, and room for the answer."""
        request = msgspec.structs.replace(request, model=address.model)
        if address.context_tokens is None:
            return request
        window = address.context_tokens
        wanted = request.sampling.max_tokens or window
        tools = tool_tokens(request.sampling)
        budget = window - min(wanted, window // ANSWER_SHARE) - tools
        if budget <= 0:
            raise ContextLengthError(prompt_tokens=tools, available_tokens=budget + tools)
        fitted = await fit(request.messages, budget, counting(self._backend, address), may_trim=request.may_trim)
        self.left_out = fitted.left_out
        room = max(1, min(wanted, window - tools - fitted.prompt_tokens))
        sampling = msgspec.structs.replace(request.sampling, max_tokens=room)
        return msgspec.structs.replace(request, messages=fitted.messages, sampling=sampling)

    # What is written down

    def _at_most(self, request: ChatRequest) -> float | None:
        """What it may cost; None where no price is known."""
        facts = self._known.facts
        most = Usage(prompt_tokens=facts.tokens, completion_tokens=request.sampling.max_tokens or facts.max_tokens)
        return cost(self._backend.row, most)

    async def _reserve(self, request: ChatRequest) -> Reservation:
        """Set aside what it may cost; requests at the same time can't pass the budget together."""
        limit = self._rules.budget.month if self.attempt.place is Place.CLOUD else None
        reservation = await self._books.spend.reserve(self._at_most(request) or 0.0, limit=limit)
        if reservation is None:
            raise NoBackendError(
                "This month's budget for clouds is spent.", next_step="Raise it under [budget], or answer at home."
            )
        return reservation

    def _begun(self, request: ChatRequest, address: Address) -> AuditBegun:
        record = self._known.record
        return AuditBegun(
            request=self._which.answer,
            attempt=self._which.number,
            place=self.attempt.place,
            backend=self.attempt.backend,
            host=self._backend.row.host,
            model=address.model,
            rule=self.attempt.reason,
            findings=record.findings,
            masked=self.masked > 0,
            may_leave=record.may_leave,
            approved=record.approved,
            at_most_cost=self._at_most(request),
        )

    async def _close(self, entry: Entry, reservation: Reservation) -> None:
        """Write down what left and what it cost; what can't be told counts as the most that it can have been."""
        # Usage that came before the end may still have grown.
        self.cost = cost(self._backend.row, self.usage) if self.usage and self.finish_reason else None
        settled = self.cost if self.bytes_out and not self._refused else 0.0
        reservation.settle(settled)
        stopped = "" if self.finish_reason else "stopped"
        await entry.end(
            bytes_out=self.bytes_out,
            cost=settled,
            prompt_tokens=self.usage.prompt_tokens if self.usage else None,
            completion_tokens=self.usage.completion_tokens if self.usage else None,
            error=self.error.code if self.error else stopped,
        )


def beginning_of(request: ChatRequest) -> str:
    """The text of the answer that the request is to continue; empty for a new answer."""
    last = request.messages[-1] if request.messages else None
    return last.text if last is not None and last.role == "assistant" else ""


def counting(backend: Asked, address: Address) -> Count:
    """How this backend counts tokens: exactly where it can, else by a cautious estimate."""

    async def count(messages: Sequence[Message]) -> int:
        exact = await backend.count_tokens(messages, at=address)
        return await estimate(messages) if exact is None else exact

    return count
