"""How long to wait after a failure, and when to give up: pure arithmetic on the number of failures.

A failure is a start that did not get ready, or a child that ended or hung after it was. They are counted
until the engine has served steadily for a while; so a model that cannot load and a child that crashes on
every request both run out of tries, however slowly they fail.
"""

import msgspec


class RestartPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """The limits. The defaults are fault F4's: five failed starts within a minute are always too many."""

    first_delay_seconds: float = 0.5
    """Wait after the first failure; doubles with each further one."""
    longest_delay_seconds: float = 30.0
    failures: int = 5
    """With this many failures the engine is left alone."""
    steady_seconds: float = 60.0
    """Service without a failure for this long forgets the earlier ones."""
    cool_down_seconds: float = 60.0
    """For how long it is left alone; after that one more start may be tried, when somebody needs it."""


class Again(msgspec.Struct, frozen=True):
    """Start again after a wait."""

    delay_seconds: float


class GiveUp(msgspec.Struct, frozen=True):
    """Leave it alone."""

    cool_down_seconds: float


def count_failure(earlier: int, served_seconds: float, policy: RestartPolicy) -> int:
    """The number of failures, this one included; the child that failed had served for so long, maybe 0."""
    return 1 if served_seconds >= policy.steady_seconds else earlier + 1


def after_failure(failures: int, jitter: float, policy: RestartPolicy) -> Again | GiveUp:
    """What to do after the n-th failure.

    Args:
        failures: how many there have been, this one included; at least 1.
        jitter: a random number from 0 to 1; it moves the wait by up to a quarter, so that engines that fell
            together don't rise together.
        policy: the limits.
    """
    if failures >= policy.failures:
        return GiveUp(policy.cool_down_seconds)
    doublings = min(failures - 1, 32)  # beyond that the longest delay holds anyway, and floats stay small
    planned = policy.first_delay_seconds * 2**doublings * (0.75 + 0.5 * jitter)
    return Again(min(planned, policy.longest_delay_seconds))
