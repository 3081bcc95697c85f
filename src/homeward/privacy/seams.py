"""The borders inside a text that comes in several parts: an identifier may have been cut there."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from homeward.privacy.findings import Part
from homeward.privacy.spans import Span, united

REACH = 256
"""Characters on either side of a border that are looked at together."""


def pieces_of_one(parts: Sequence[Part]) -> Iterator[Span]:
    """Where parts are pieces of one text: the number of the first one, and of the one behind the last."""
    starts = [number for number, part in enumerate(parts) if not (part.continues and number)]
    for first, last in pairwise([*starts, len(parts)]):
        if last - first > 1:
            yield first, last


class Seams:
    """Pieces of these lengths, at least two, written one behind the other."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self._ends = list(accumulate(lengths))
        self._starts = [0, *self._ends[:-1]]

    def windows(self) -> list[Span]:
        """What has to be looked at again, because a border is near."""
        return united((max(0, end - REACH), min(end + REACH, self._ends[-1])) for end in self._ends[:-1])

    def places(self, span: Span, window: Span) -> Iterator[tuple[int, Span]]:
        """The pieces in which a finding lies, by number, and where there.

        None where it lies within one piece and ends with the window: that may be the stump of something else.
        """
        number = bisect_right(self._ends, span[0])
        crosses = self._ends[number] < span[1]
        cut = span[0] == window[0] > 0 or span[1] == window[1] < self._ends[-1]
        if cut and not crosses:
            return
        while number < len(self._ends) and self._starts[number] < span[1]:
            start, end = self._starts[number], self._ends[number]
            if start < end:
                yield number, (max(span[0], start) - start, min(span[1], end) - start)
            number += 1
