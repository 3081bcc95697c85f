"""How much a key is used at this moment, and whether that is too much. In memory: each process counts for itself."""

import math
import time
from collections import deque
from collections.abc import Callable

from homeward.gate.refusals import Refusal, over_limit
from homeward.protocol.key_use import KeyLimits

MINUTE = 60.0
FREE_AGAIN_SECONDS = 1.0
"""When to try again where too many requests run: nobody knows how long they will."""

Headers = list[tuple[bytes, bytes]]


class Usage:
    """One key's: when its requests of the last minute began, and how many run."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds from any moment on; never goes back."""
        self._clock = clock
        self._began: deque[float] = deque()
        self._running = 0

    def begin(self, limits: KeyLimits) -> Refusal | None:
        """Count one more request, to be ended by `end`; or say why there may be none now."""
        now = self._clock()
        while self._began and self._began[0] + MINUTE <= now:
            self._began.popleft()
        most, at_once = limits.requests_per_minute, limits.at_once
        if at_once is not None and self._running >= at_once:
            return over_limit(f"{at_once} at once", math.ceil(FREE_AGAIN_SECONDS), self.headers(limits))
        if most is not None and len(self._began) >= most:
            free_at = self._began[len(self._began) - most] + MINUTE
            return over_limit(f"{most} per minute", math.ceil(free_at - now), self.headers(limits))
        if most is not None:
            self._began.append(now)
        self._running += 1
        return None

    def end(self) -> None:
        """One that was counted is through."""
        self._running -= 1

    def headers(self, limits: KeyLimits) -> Headers:
        """What OpenAI's answers say about a limit per minute; none where there is no such limit."""
        most = limits.requests_per_minute
        if most is None:
            return []
        reset = self._began[-1] + MINUTE - self._clock() if self._began else 0.0
        return [
            (b"x-ratelimit-limit-requests", b"%d" % most),
            (b"x-ratelimit-remaining-requests", b"%d" % max(0, most - len(self._began))),
            (b"x-ratelimit-reset-requests", f"{max(0.0, reset):.3f}s".encode()),
        ]
