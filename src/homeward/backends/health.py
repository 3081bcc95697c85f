"""Whether a backend may be asked now: a circuit breaker, as a state machine without tasks.

    closed ── 5 failures in a row ──▶ open, for 30 s ──▶ half open: one request passes
      ▲                                 ▲                    │            │
      └──────────── it succeeds ────────┼────────────────────┘            │
                                        └── it fails: twice as long ──────┘

A failure is what another backend might do better at once: unreachable, too slow, broken off, not the protocol,
status 408 or 5xx. Beside that a backend may ask to be left alone (`Retry-After` with 429 or 503), or refuse the
key: then it rests for a time, and nothing is counted. Other statuses say something about the request alone.
"""

import time
from collections.abc import Callable
from random import Random
from typing import Protocol

import msgspec

from homeward.backends.pace import Pace
from homeward.protocol.errors import (
    BackendDisconnectedError,
    BackendKeyError,
    BackendProtocolError,
    BackendStatusError,
    BackendTimeoutError,
    BackendUnreachableError,
    HomewardError,
)

FAILURES = 5
"""As many in a row, and it rests."""
FIRST_REST_SECONDS = 30.0
LONGEST_REST_SECONDS = 600.0
JITTER = 0.25
"""A rest is longer by up to this share, so that backends which fell together are not tried together."""
KEY_REST_SECONDS = 60.0
"""After its key was refused, or was not there."""
BUSY_REST_SECONDS = 5.0
"""After a 429 that does not say for how long."""
PROBE_SECONDS = 1.0
"""When to look again while the one request that was let through is on its way."""

KEY_STATUSES = frozenset({401, 403})
FAILURE = (BackendUnreachableError, BackendTimeoutError, BackendDisconnectedError, BackendProtocolError)


class Reports(Protocol):
    """Whom a permit tells how it went; it calls exactly one of these, once."""

    def succeeded(self, permit: "Permit", first_token_seconds: float | None, prompt_tokens: int) -> None:
        """`Permit.succeeded` calls it."""
        ...

    def failed(self, permit: "Permit", error: HomewardError) -> None:
        """`Permit.failed` calls it."""
        ...

    def given_up(self, permit: "Permit") -> None:
        """`Permit.given_up` calls it."""
        ...


class AskedHealth(Protocol):
    """A backend's health as a request sees it: a `Health`, or what stands in for one elsewhere."""

    @property
    def why(self) -> str:
        """Why it rests, as a sentence; empty where it may be asked."""
        ...

    @property
    def busy(self) -> bool:
        """Whether it rests because it has too much to do."""
        ...

    def rests_seconds(self) -> float:
        """How long it still has to be left alone; 0 where it may be asked."""
        ...

    def first_token_seconds(self, prompt_tokens: int, most: float) -> float:
        """How long to wait for the first token of an answer to so long a prompt, `most` at most."""
        ...

    async def permit(self) -> "Permit | None":
        """Leave to ask it once; None while it rests. To be ended in every case: see `Permit`."""
        ...


class HealthState(msgspec.Struct, frozen=True, kw_only=True):
    """What decides whether a backend may be asked, as a value."""

    failures: int = 0
    """In a row."""
    openings: int = 0
    """In a row; above 0, only one request at a time may find out if it works again."""
    rests_until: float
    """On the monotonic clock, which is one for all processes of a machine."""
    why: str = ""
    """Why it rests, or rested last."""
    busy: bool = False
    """Whether that is that it has too much to do."""
    probing: bool = False
    """Whether the one request that finds out is on its way."""

    def rests_seconds(self, now: float) -> float:
        """How long it still has to be left alone; 0 where it may be asked."""
        return rests_seconds(self.rests_until, now, probing=self.probing)


def rests_seconds(until: float, now: float, *, probing: bool) -> float:
    """How long a backend that rests until then still has to be left alone; 0 where it may be asked."""
    left = until - now
    if left > 0:
        return left
    return PROBE_SECONDS if probing else 0.0


class Health:
    """One backend's, shared by all its requests; for one event loop. It asks nothing by itself."""

    def __init__(
        self,
        *,
        rests: bool = True,
        clock: Callable[[], float] = time.monotonic,
        random: Random | None = None,
    ) -> None:
        """`rests` is False for what stands up again by itself: it may always be asked, and only its pace is learned.

        Args:
            rests: whether failures have it rest.
            clock: seconds from any moment on; never goes back.
            random: for the jitter.
        """
        self._rests = rests
        self._clock = clock
        self._random = random or Random()  # noqa: S311 - jitter, not a secret
        self._pace = Pace()
        self._failures = 0
        self._openings = 0
        self._rests_until = clock()
        self._probe: Permit | None = None
        self._why = ""
        self._busy = False

    @property
    def is_open(self) -> bool:
        """Whether only one request at a time may find out if it works again, once it has rested."""
        return self._openings > 0

    @property
    def why(self) -> str:
        """Why it rests, as a sentence; empty where it may be asked."""
        return self._why if self.rests_seconds() else ""

    @property
    def busy(self) -> bool:
        """Whether it rests because it has too much to do: it said so with 429."""
        return self._busy and self.rests_seconds() > 0

    def rests_seconds(self) -> float:
        """How long it still has to be left alone; 0 where it may be asked. Never grows by the passing of time."""
        return rests_seconds(self._rests_until, self._clock(), probing=self._probe is not None)

    @property
    def state(self) -> HealthState:
        """All of it, for who shows it elsewhere."""
        return HealthState(
            failures=self._failures,
            openings=self._openings,
            rests_until=self._rests_until,
            why=self._why,
            busy=self._busy,
            probing=self._probe is not None,
        )

    async def permit(self) -> "Permit | None":
        """Leave to ask it once; None while it rests. To be ended in every case: see `Permit`."""
        return self.permit_now()

    def permit_now(self) -> "Permit | None":
        """The same, for who can't wait: here nothing has to be waited for."""
        if self.rests_seconds():
            return None
        permit = Permit(self)
        if self.is_open:
            self._probe = permit
        return permit

    def first_token_seconds(self, prompt_tokens: int, most: float) -> float:
        """How long to wait for the first token of an answer to so long a prompt: what `Pace` learned, or `most`."""
        return self._pace.deadline_seconds(prompt_tokens, most)

    def succeeded(self, permit: "Permit", first_token_seconds: float | None, prompt_tokens: int) -> None:
        """`Permit.succeeded` calls it."""
        if first_token_seconds is not None:
            self._pace.observe(first_token_seconds, prompt_tokens)
        if self.is_open and self._probe is not permit:
            return  # begun before it fell
        self._probe = None
        self._failures = self._openings = 0

    def failed(self, permit: "Permit", error: HomewardError) -> None:
        """`Permit.failed` calls it."""
        if isinstance(error, BackendTimeoutError):
            self._pace.was_late()
        known = self.is_open and self._probe is not permit  # begun before it fell: that has been counted
        self.given_up(permit)
        if not self._rests:
            return
        if seconds := asked_rest_seconds(error):
            self._rest(seconds, error)
        elif is_failure(error) and not known:
            self._failures += 1
            if self.is_open or self._failures >= FAILURES:
                self._open(error)

    def given_up(self, permit: "Permit") -> None:
        """`Permit.given_up` calls it."""
        if self._probe is permit:
            self._probe = None

    def _open(self, error: HomewardError) -> None:
        planned = FIRST_REST_SECONDS * 2.0 ** min(self._openings, 16) * (1 + JITTER * self._random.random())
        self._openings += 1
        self._rest(min(planned, LONGEST_REST_SECONDS), error)

    def _rest(self, seconds: float, error: HomewardError) -> None:
        until = self._clock() + seconds
        if until > self._rests_until:
            self._rests_until, self._why, self._busy = until, error.message, says_busy(error)


class Permit:
    """Leave to ask a backend once. The first of its three ends counts, later ones do nothing.

    So `try: … finally: permit.given_up()` is right whatever happened before; a permit that is never ended may
    keep a backend from being asked again.
    """

    def __init__(self, health: Reports) -> None:
        self._health = health
        self._ended = False

    def succeeded(self, first_token_seconds: float | None, prompt_tokens: int) -> None:
        """It answered, and began after so long; None where its answer came in one piece.

        `prompt_tokens` are those that it had to read: without what it had kept from an earlier request.
        """
        if self._ends():
            self._health.succeeded(self, first_token_seconds, prompt_tokens)

    def failed(self, error: HomewardError) -> None:
        """It ended in this error, before its first token or after."""
        if self._ends():
            self._health.failed(self, error)

    def given_up(self) -> None:
        """The client left, or it was not asked after all: that says nothing about the backend."""
        if self._ends():
            self._health.given_up(self)

    def _ends(self) -> bool:
        ended, self._ended = self._ended, True
        return not ended


def asked_rest_seconds(error: HomewardError) -> float:
    """For how long a backend is to be left alone by what it said, or for want of a key; 0 where it said nothing."""
    if isinstance(error, BackendKeyError):
        return KEY_REST_SECONDS
    if not isinstance(error, BackendStatusError):
        return 0.0
    if error.upstream_status in KEY_STATUSES:
        return KEY_REST_SECONDS
    if error.upstream_status == 429:
        return error.retry_after_seconds or BUSY_REST_SECONDS
    return error.retry_after_seconds or 0.0 if error.upstream_status == 503 else 0.0


def says_busy(error: HomewardError) -> bool:
    """Whether the backend has too much to do."""
    return isinstance(error, BackendStatusError) and error.upstream_status == 429


def is_failure(error: HomewardError) -> bool:
    """Whether the backend failed, rather than the request."""
    if isinstance(error, BackendStatusError):
        return error.upstream_status == 408 or error.upstream_status >= 500
    return isinstance(error, FAILURE)
