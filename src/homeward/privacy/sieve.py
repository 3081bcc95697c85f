"""Which detectors are worth trying on a text: those whose hint is in it."""

from collections.abc import Iterable, Iterator

from homeward.privacy.detector import Detector, Haystack
from homeward.privacy.expressions import Together


class Sieve:
    """Looks for the hints of all detectors in one pass. Safe to share between threads."""

    def __init__(self, detectors: Iterable[Detector]) -> None:
        by_hint: dict[str, list[Detector]] = {}
        for detector in detectors:
            by_hint.setdefault(detector.hint, []).append(detector)
        self._by_hint = tuple(by_hint.values())
        self._hints = Together(tuple(by_hint))

    def worth_trying(self, haystack: Haystack) -> Iterator[Detector]:
        """All that can find something in it, and some that can't. Raises `ValueError` where that can't be told."""
        hints = self._hints.matching(haystack.data)
        if haystack.spaced is not haystack.data:
            hints = [*{*hints, *self._hints.matching(haystack.spaced)}]
        for hint in hints:
            yield from self._by_hint[hint]
