"""How often, and after how long, a request is tried anew."""

from random import Random

EARNED_PER_REQUEST = 0.1
MOST_SAVED = 10.0

FIRST_BACKOFF_SECONDS = 0.25
LONGEST_BACKOFF_SECONDS = 2.0


class RetryBudget:
    """What all requests together may spend on further calls, so that a storm of failures is not made worse by us.

    With n requests there are at most 10 + n/10 calls beyond the first one of each: from a hundred requests on,
    never more than 1.2 calls for each. One budget for all backends; for one event loop, so each of several workers has
    its own.
    """

    def __init__(self) -> None:
        self._saved = MOST_SAVED

    def earn(self) -> None:
        """To be called once for each request of a client."""
        self._saved = min(self._saved + EARNED_PER_REQUEST, MOST_SAVED)

    def spend(self) -> bool:
        """Whether one more call may be made for a request, beyond its first one; the call is paid for then."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True


def backoff_seconds(attempt: int, random: Random, retry_after: float | None = None) -> float:
    """How long to wait before the n-th further try of a request, from 1.

    Anything up to a bound that doubles from 0.25 s to 2 s, so that requests which failed together do not come
    back together. Where the backend said when to come again, it is that time and this one behind it.
    """
    bound = min(FIRST_BACKOFF_SECONDS * 2.0 ** min(attempt - 1, 8), LONGEST_BACKOFF_SECONDS)
    return (retry_after or 0.0) + random.uniform(0, bound)
