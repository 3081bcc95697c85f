"""From a request to an answer that has a plan."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Protocol

import msgspec

from homeward.backends import Asked, Backend, BackendRow, RetryBudget
from homeward.completion.answer import Answer
from homeward.completion.facts import gather
from homeward.completion.prepared import Prepared, Rules
from homeward.completion.trial import Books, Nth, Trial
from homeward.protocol.chat import ChatRequest
from homeward.routing import Attempt, BackendView, Snapshot, decide
from homeward.routing.plan import Reason

FORBIDDEN: frozenset[Reason | None] = frozenset(
    {"place_not_allowed", "findings", "findings_unasked", "thread_stays_home", "no_consent"}
)
"""Reasons that count also for an attempt that an earlier plan has."""


class TakeSnapshot(Protocol):
    """Gives the backends' state at the moment of asking."""

    def __call__(self, chosen: str | None = None, model: str = "", /) -> Snapshot:
        """Of those that may answer, and of the one that the request names, with the model that it names."""
        ...


def local_time() -> datetime:
    """Now, where the user is."""
    return datetime.now().astimezone()


class Completer:
    """Answers requests with the configured backends, as the policy says."""

    def __init__(
        self,
        backends: Mapping[str, Backend],
        *,
        rules: Rules,
        books: Books,
        snapshot: TakeSnapshot,
        now: Callable[[], datetime] = local_time,
    ) -> None:
        """The names of the snapshot's backends are the keys of `backends`."""
        self.backends = backends
        self.rules = rules
        self.books = books
        self.snapshot = snapshot
        self._now = now
        self._retries = RetryBudget()

    async def prepare(self, request: ChatRequest, *, thorough: bool = True, tab: Asked | None = None) -> Prepared:
        """Look at a request and decide; what the plan asks of the user is answered by preparing it once more.

        Args:
            request: what is asked.
            thorough: find out what it is about and how demanding it looks, also where no rule asks.
            tab: the page that asks, where its user chose that it answers itself; the request names it then.
        """
        rules = self.rules
        known = await gather(
            request,
            rules.firewall,
            spent=self.books.spend.month(),
            now=self._now,
            assessing=thorough or rules.need_assessment,
        )
        snapshot = self.snapshot(request.backend, request.model)
        if tab is not None:
            snapshot = with_tab(snapshot, tab.row)
        plan = decide(known.facts, snapshot, rules.policy, rules.budget)
        if plan.hedge:  # who comes first is told by the first word
            request = msgspec.structs.replace(request, in_one_piece=False)
        return Prepared(request, known, plan, snapshot, rules, tab)

    def begin(self, prepared: Prepared) -> Answer:
        """The answer to a request; nothing is asked until its events are read."""
        trial = partial(self._trial, prepared)
        return Answer(prepared, self._askable(prepared), trial, self._retries)

    async def complete(self, request: ChatRequest) -> Answer:
        """Prepare and begin, where nobody can be asked: the plan stands as it is."""
        return self.begin(await self.prepare(request))

    def _trial(self, prepared: Prepared, attempt: Attempt, *, which: Nth, impatient: bool) -> Trial:
        backend = self._askable(prepared)[attempt.backend]
        allowed = partial(self._still_allowed, prepared, attempt)
        return Trial(
            attempt,
            backend,
            prepared,
            self.books,
            still_allowed=allowed,
            which=which,
            impatient=impatient,
        )

    def _askable(self, prepared: Prepared) -> Mapping[str, Asked]:
        """By name, the tab that asked among them."""
        return {**self.backends, prepared.tab.row.name: prepared.tab} if prepared.tab else self.backends

    def _still_allowed(self, prepared: Prepared, attempt: Attempt) -> bool:
        """Whether nothing that the user has changed since the plan was made forbids this attempt."""
        rules = self.rules
        snapshot = self.snapshot(prepared.request.backend, prepared.request.model)
        if rules is prepared.rules and snapshot == prepared.snapshot:
            return True
        plan = decide(prepared.known.facts, snapshot, rules.policy, rules.budget)
        reason = next((each.reason for each in plan.dropped if each.backend == attempt.backend), None)
        return reason not in FORBIDDEN


def with_tab(snapshot: Snapshot, row: BackendRow) -> Snapshot:
    """The same, and the tab that asks."""
    return Snapshot((*snapshot.backends, BackendView(name=row.name, place=row.place, sees_images=False)))
