"""Stretches of a text, as pairs of start and end."""

from bisect import bisect_right
from collections.abc import Iterable
from operator import itemgetter

Span = tuple[int, int]


def united(spans: Iterable[Span]) -> list[Span]:
    """In order, and those that overlap as one."""
    together: list[Span] = []
    for start, end in sorted(spans):
        if together and start < together[-1][1]:
            together[-1] = (together[-1][0], max(end, together[-1][1]))
        else:
            together.append((start, end))
    return together


def overlaps(span: Span, others: list[Span]) -> bool:
    """Whether it shares something with one of these, which are `united`."""
    at = bisect_right(others, span[0], key=itemgetter(1))  # the first that ends behind its start
    return at < len(others) and others[at][0] < span[1]


def covers(others: list[Span], span: Span) -> bool:
    """Whether one of these, which are `united`, holds all of it."""
    at = bisect_right(others, span[0], key=itemgetter(0)) - 1  # the last that begins at its start or before
    return at >= 0 and span[1] <= others[at][1]
