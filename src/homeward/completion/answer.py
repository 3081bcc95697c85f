"""One answer: the walk through its plan, what it told on the way, and its receipt."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from random import Random
from typing import Protocol
from uuid import UUID, uuid4

import structlog

from homeward.backends import Asked, RetryBudget, backoff_seconds
from homeward.completion.events import Ended, Event
from homeward.completion.nobody import nothing_to_ask
from homeward.completion.prepared import Prepared
from homeward.completion.racing import race
from homeward.completion.trial import Nth, Trial
from homeward.protocol.chat import Usage
from homeward.protocol.errors import (
    BackendDisconnectedError,
    BackendStatusError,
    BackendUnreachableError,
    EngineError,
    HomewardError,
    ImagesError,
    InvalidRequestError,
)
from homeward.protocol.receipt import DroppedRecord, Outcome, Receipt
from homeward.routing import Attempt

log = structlog.get_logger(__name__)

FALLEN = (BackendDisconnectedError, BackendUnreachableError)

REQUEST_IS_WRONG = frozenset({400, 413, 422})
"""Statuses by which a backend says so: another one would say the same."""

WORTH_ANOTHER_TRY = frozenset({408, 409, 429, 500, 502, 503, 504, 529})

RANDOM = Random()  # noqa: S311 - spreads retries over time

PATIENCE_SECONDS = 5.0
"""Whoever asks to be left alone for longer is not asked again for the same request."""


class MakeTrial(Protocol):
    """Makes the trials of one answer."""

    def __call__(self, attempt: Attempt, *, which: Nth, impatient: bool) -> Trial:
        """One more trial; what is not named here is the same for all of them."""
        ...


class Answer:
    """Carries out one plan. Decides nothing: what the plan doesn't name is never asked.

    Read `events()` once, to its end. The next attempt takes over only before the first piece of text; after it
    an error ends the answer as interrupted. `receipt` is true at any time, also after a cancellation.
    """

    def __init__(
        self,
        prepared: Prepared,
        backends: Mapping[str, Asked],
        make_trial: MakeTrial,
        retries: RetryBudget,
    ) -> None:
        self.id: UUID = uuid4()
        self.plan = prepared.plan
        self._known = prepared.known
        self._backends = backends
        self._make_trial = make_trial
        self._retries = retries
        self._created_at = datetime.now(UTC)
        self._started = time.monotonic()
        self._ended: float | None = None
        self._outcome: Outcome = "stopped"
        self._error: HomewardError | None = None
        self._trials: list[Trial] = []
        self._rest = list(self.plan.attempts)
        self._tried_again = False
        self._current: Trial | None = None

    async def events(self) -> AsyncGenerator[Event, None]:
        """What happens, ending in `Ended`; closing it early stops the generation."""
        try:
            self._retries.earn()
            while (attempt := await self._next()) is not None:
                async with aclosing(self._tried(attempt)) as events:
                    async for event in events:
                        yield event
            if not self.plan.attempts:
                self._error = nothing_to_ask(self.plan)
            self._outcome = self._how_it_ended()
            if self._outcome == "failed" and self._trials and self._fell(self._trials[-1]) and self._trials[-1].sent:
                self._error = home_is_down(self._error)
        finally:
            self._ended = time.monotonic()
        yield Ended(self._error)

    # The walk

    async def _next(self) -> Attempt | None:
        """Who is asked next; None once one has spoken, or nobody is left. Waits before the last one's second try."""
        if not self._trials:
            return self._rest.pop(0) if self._rest else None
        last = self._trials[-1].attempt
        if self._is_over() or self._tried_again:
            return None
        if await self._worth_another_try(last):
            self._tried_again = True
            return last
        return self._rest.pop(0) if self._rest and self._retries.spend() else None

    async def _tried(self, attempt: Attempt) -> AsyncGenerator[Event, None]:
        """One trial; where the policy says so a second one beside it, once the first is late."""
        trial = self._current = self._trial(attempt)
        events = trial.events()
        if self.plan.hedge and self._rest:
            events = race(events, self._late_after(attempt), self._hedge, self._won)
        async with aclosing(events):
            async for event in events:
                yield event
        if not self._spoken:  # neither of two may have spoken, and one be whole all the same
            self._current = next((each for each in self._trials if each.is_whole), self._trials[-1])
        self._error = self._current.error

    def _hedge(self) -> AsyncGenerator[Event, None] | None:
        """The next attempt, while the one before it is late."""
        if not self._retries.spend():
            return None
        trial = self._trial(self._rest.pop(0))
        trial.hedged = True
        return trial.events()

    def _won(self, number: int) -> None:
        """Of the two that were asked at once, this one goes on."""
        racers = self._trials[-2:] if self._trials[-1].hedged else self._trials[-1:]
        for trial in racers:
            trial.lost = trial is not racers[number]
        self._current = racers[number]

    def _late_after(self, attempt: Attempt) -> float:
        backend = self._backends[attempt.backend]
        return backend.health.first_token_seconds(self._known.facts.tokens, backend.row.deadlines.first_token_seconds)

    def _trial(self, attempt: Attempt) -> Trial:
        which = Nth(self.id, len(self._trials) + 1)
        trial = self._make_trial(attempt, which=which, impatient=bool(self._rest) and not self.plan.hedge)
        self._trials.append(trial)
        return trial

    async def _worth_another_try(self, attempt: Attempt) -> bool:
        """Whether the same backend is asked a second time; waits as long as that needs.

        Only where nobody else is left. An engine of ours that fell stands up again by itself, and is waited for.
        """
        if self._rest:
            return False
        backend = self._backends[attempt.backend]
        if self._fell(self._trials[-1]):
            return True
        seconds = self._seconds_to_wait(backend.health.rests_seconds())
        if seconds is None or not self._retries.spend():
            return False
        await asyncio.sleep(seconds)
        return True

    def _seconds_to_wait(self, rests_seconds: float) -> float | None:
        """Before another try of what has just failed and rests for so long now; None where that makes no sense."""
        error = self._error
        match error:
            case BackendStatusError(upstream_status=status) if status not in WORTH_ANOTHER_TRY:
                return None
            case BackendUnreachableError(name_resolves=False):
                return None
            case BackendStatusError() | BackendDisconnectedError() | BackendUnreachableError():
                seconds = backoff_seconds(1, RANDOM, max(rests_seconds, error.retry_after_seconds or 0.0))
                return seconds if seconds <= PATIENCE_SECONDS else None
            case _:
                return None

    def _is_over(self) -> bool:
        """Whether nothing more is to be asked: it is complete, something was said, or the request is to blame."""
        if not self._trials:
            return False
        error = self._error
        return error is None or self._spoken or is_wrong_for_all(error) or self._engines_fallen > 1

    @property
    def _engines_fallen(self) -> int:
        """How many engines of ours fell under this request; a second fall may be its doing."""
        return sum(map(self._fell, self._trials))

    def _fell(self, trial: Trial) -> bool:
        return isinstance(trial.error, FALLEN) and self._backends[trial.attempt.backend].row.restarts

    # How it went

    @property
    def _spoken(self) -> bool:
        return self._current is not None and self._current.first_token is not None

    def _how_it_ended(self) -> Outcome:
        if self._error is None:
            return "complete"
        return "interrupted" if self._spoken else "failed"

    @property
    def error(self) -> HomewardError | None:
        """What ended it; None where it is complete or was stopped by the user."""
        return self._error

    def interrupt(self, error: HomewardError) -> None:
        """Say that an answer whose events are no longer read was ended for this reason, not by the user."""
        self._error = error
        self._outcome = "interrupted" if self._spoken else "failed"

    @property
    def usage(self) -> Usage | None:
        """Tokens, as far as the backend has counted them."""
        return self._current.usage if self._current else None

    @property
    def receipt(self) -> Receipt:
        """What has happened so far."""
        ended = self._ended or time.monotonic()
        trial = self._current
        usage = trial.usage if trial else None
        answered = trial is not None and (self._spoken or self._outcome == "complete")
        costs = [each.cost for each in self._trials if each.cost is not None]
        return Receipt(
            id=self.id,
            created_at=self._created_at,
            outcome=self._outcome,
            place=trial.attempt.place if trial and answered else None,
            backend=trial.attempt.backend if trial else "",
            model=trial.model if trial else "",
            reason=trial.attempt.reason if trial else "",
            facts=self._known.record,
            attempts=tuple(each.record for each in self._trials),
            dropped=tuple(
                DroppedRecord(backend=each.backend, reason=each.reason, sentence=each.sentence)
                for each in self.plan.dropped
            ),
            finish_reason=trial.finish_reason if trial else None,
            first_token_seconds=first_token_seconds(trial, self._started) if trial else None,
            total_seconds=ended - self._started,
            prompt_tokens=usage.prompt_tokens if usage else None,
            completion_tokens=usage.completion_tokens if usage else None,
            cached_tokens=usage.cached_tokens if usage else None,
            tokens_per_second=speed(trial, usage, ended) if trial else None,
            left_out_messages=trial.left_out if trial else 0,
            bytes_out=sum(each.bytes_out for each in self._trials),
            cost=sum(costs) if costs else None,
            masked=max((each.masked for each in self._trials), default=0),
            error=self._error.code if self._error else "",
        )


def first_token_seconds(trial: Trial, started: float) -> float | None:
    """How long the first word was waited for; None where all came at once, or nothing."""
    return None if trial.in_one_piece or trial.first_token is None else trial.first_token - started


def speed(trial: Trial, usage: Usage | None, ended: float) -> float | None:
    """Tokens per second behind the first one; None where there are too few to tell."""
    if (
        trial.in_one_piece
        or usage is None
        or usage.completion_tokens < 2
        or trial.first_token is None
        or ended <= trial.first_token
    ):
        return None
    return (usage.completion_tokens - 1) / (ended - trial.first_token)


def home_is_down(cause: HomewardError | None) -> EngineError:
    """Where an engine of ours fell and nobody else could answer."""
    return EngineError(
        "The model on this device broke down while it worked on this, and nothing else may or can answer.",
        next_step="It is being started again: try again in a moment.",
        detail=cause.code if cause else "",
        retry_after_seconds=5.0,
    )


def is_wrong_for_all(error: HomewardError) -> bool:
    """Whether the request itself is wrong, so that nobody else would answer it either."""
    if isinstance(error, BackendStatusError):
        return error.upstream_status in REQUEST_IS_WRONG
    return isinstance(error, InvalidRequestError) and not isinstance(error, ImagesError)
