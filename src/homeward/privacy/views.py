"""A text in another form, with the way back: every stretch of the form knows the stretch that it came from."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable

from homeward.privacy.spans import Span

Change = tuple[int, int, bytes]
"""Start and end of what is replaced, not empty, and the new bytes."""

_WHOLE = 0
_BETWEEN = b"\n\n\n"
"""More than any number has between its digits."""


class View:
    """UTF-8 to look at, possibly with broken characters in it.

    It lies in pieces. Each byte of a piece stands for as many bytes of the piece's origin as its scale says (1: it
    was copied, 3: `%41` became `A`), or, with the scale 0, for all of it.
    """

    __slots__ = ("_origins", "_parent", "_starts", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._parent: View | None = None
        self._starts: list[int] = []
        self._origins: list[tuple[int, int, int]] = []

    def decoded(self, texts: Iterable[tuple[bytes, Span]]) -> "View":
        """What stretches of this view encode, one below the other; all of a text stands for all of its stretch."""
        child = View(b"")
        child._parent = self
        pieces: list[bytes] = []
        length = 0
        for text, (start, end) in texts:
            child._add(length, start, end, _WHOLE)
            pieces.append(text)
            length += len(text) + len(_BETWEEN)
        child.data = _BETWEEN.join(pieces)
        return child

    def rewritten(self, changes: Iterable[Change]) -> "View":
        """The view with these changes, which come in order; this one itself where there are none."""
        child = View(b"")
        child._parent = self
        pieces: list[bytes] = []
        length = copied = 0
        for start, end, new in changes:
            if start > copied:
                child._add(length, copied, start, 1)
                pieces.append(self.data[copied:start])
                length += start - copied
            if new:
                scale, uneven = divmod(end - start, len(new))
                child._add(length, start, end, _WHOLE if uneven else scale)
                pieces.append(new)
                length += len(new)
            copied = end
        if copied == 0:
            return self
        if copied < len(self.data):
            child._add(length, copied, len(self.data), 1)
            pieces.append(self.data[copied:])
        child.data = b"".join(pieces)
        return child

    def locate(self, start: int, end: int) -> Span:
        """Where a stretch of this view, not an empty one, stands in the text that everything began with."""
        if self._parent is None:
            return start, end
        first = bisect_right(self._starts, start) - 1
        last = bisect_left(self._starts, end) - 1
        origin_start, _, first_scale = self._origins[first]
        last_start, origin_end, last_scale = self._origins[last]
        if first_scale:
            origin_start += (start - self._starts[first]) * first_scale
        if last_scale:
            origin_end = last_start + (end - self._starts[last]) * last_scale
        return self._parent.locate(origin_start, origin_end)

    def _add(self, at: int, start: int, end: int, scale: int) -> None:
        self._starts.append(at)
        self._origins.append((start, end, scale))
