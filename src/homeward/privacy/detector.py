"""One way to find one kind: an expression for what looks like it, and a check for what is it."""

from collections.abc import Callable, Iterator

import msgspec

from homeward.privacy.budget import Budget
from homeward.privacy.expressions import compiled
from homeward.privacy.spans import Span

_NOT_DIGITS = bytes(set(range(256)) - set(b"0123456789"))


class Candidate(msgspec.Struct, frozen=True):
    """A match of a detector's expression, with the text around it."""

    data: bytes
    start: int
    end: int

    @property
    def text(self) -> str:
        """As it stands in the view."""
        return self.data[self.start : self.end].decode(errors="replace")

    @property
    def digits(self) -> str:
        """Without what stands between them."""
        return self.data[self.start : self.end].translate(None, _NOT_DIGITS).decode()

    def before(self, length: int) -> bytes:
        """What stands directly before it."""
        return self.data[max(0, self.start - length) : self.start]

    def after(self, length: int) -> bytes:
        """What stands directly behind it."""
        return self.data[self.end : self.end + length]

    def follows(self, expression: str, length: int = 40) -> bool:
        """Whether the expression matches in the text before it."""
        return compiled(expression).search(self.before(length)) is not None

    def precedes(self, expression: str, length: int = 40) -> bool:
        """Whether the expression matches in the text behind it."""
        return compiled(expression).search(self.after(length)) is not None


class Haystack:
    """A view's bytes, and the same with a space for each underscore: one object where there is none."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.spaced = data.replace(b"_", b" ")


Check = Callable[[Candidate], Span | None]
"""The stretch to report, or None where it is something else."""


def anything(candidate: Candidate) -> Span:
    """The expression alone is proof."""
    return candidate.start, candidate.end


def when(test: Callable[[Candidate], bool]) -> Check:
    """All of the candidate, where the test says so."""
    return lambda candidate: (candidate.start, candidate.end) if test(candidate) else None


class Detector(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the table of what is looked for."""

    kind: str
    expression: str
    """RE2's syntax. The candidate is its first group, where it has one and that matched, and else the match."""
    check: Check = anything
    hint: str = ""
    """Matches somewhere in each match of the expression, so that nothing is lost by looking for it first; empty where
    there is no such thing. All hints are looked for in one pass: that is cheap as long as each says little."""
    spaced: bool = False
    """Set where an underscore is as good as a space, as in the names of files."""
    bounded: bool = False
    """Set where a match has a greatest length: then what begins inside a rejected candidate is looked at too."""
    steps: int = 480
    """What checking one candidate takes out of the budget."""

    def find(self, haystack: Haystack, budget: Budget) -> Iterator[Span]:
        """All findings in one view. Raises `OutOfStepsError`."""
        data = haystack.spaced if self.spaced else haystack.data
        expression = compiled(self.expression)
        grouped = expression.groups > 0
        at = 0
        while at < len(data) and (match := expression.search(data, at)):
            budget.spend(self.steps)
            start, end = match.span()
            if grouped and match.span(1) != _NO_GROUP:
                start, end = match.span(1)
            found = self.check(Candidate(data, start, end))
            if found:
                yield found
            at = max(found[1] if found else start + 1 if self.bounded else end, at + 1)


_NO_GROUP = (-1, -1)
