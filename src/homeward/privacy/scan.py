"""Looking for personal data and secrets in all parts of a request."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from homeward.privacy.budget import Budget, OutOfStepsError
from homeward.privacy.detector import Detector, Haystack
from homeward.privacy.findings import Finding, Kind, Part, PartReport, Report
from homeward.privacy.patterns import BUILT_IN
from homeward.privacy.reading import read
from homeward.privacy.seams import Seams, pieces_of_one
from homeward.privacy.sieve import Sieve
from homeward.privacy.spans import Span, covers, overlaps, united
from homeward.privacy.users import custom_detectors, word_detectors
from homeward.privacy.views import View

Found = dict[str, list[Span]]
"""Places by kind."""

STEPS = 24_000_000
"""Enough for a request of several megabytes; what takes more stays home."""

_ONE_OF: tuple[tuple[str, ...], ...] = (
    (Kind.CARD, Kind.IBAN, Kind.NATIONAL_ID, Kind.IP, Kind.PHONE),
    (Kind.API_KEY, Kind.PASSWORD),
    (Kind.PASSWORD, Kind.EMAIL),
)
"""Readings of the same characters that exclude each other, the surest first."""


class Scanner:
    """Knows the built-in kinds, and the words and patterns of one user. Safe to share between threads."""

    def __init__(
        self,
        *,
        deny: Sequence[str] = (),
        patterns: Mapping[str, str] | None = None,
        built_in: Sequence[Detector] = BUILT_IN,
    ) -> None:
        """Prepare.

        Args:
            deny: words that must not leave; how they are written, and what is attached to them, does not matter.
            patterns: RE2 expressions by name.
            built_in: what is looked for in any case.

        Raises:
            ConfigError: a word is empty, or a pattern can't be used: which one, and why.
        """
        self._sieve = Sieve((*word_detectors(deny), *custom_detectors(patterns or {}), *built_in))

    def find(self, parts: Iterable[Part], *, steps: int = STEPS) -> Report:
        """What is in a request; never raises, but may be incomplete: then it has to stay home."""
        parts = tuple(parts)
        budget = Budget(steps)
        looked_at = [self._looked_at(part.text, budget) for part in parts]
        found = [kinds or {} for kinds in looked_at]
        for first, last in pieces_of_one(parts):
            if not self._look_across(parts[first:last], found[first:last], budget):
                looked_at[first] = None
        return Report(
            tuple(
                PartReport(name=part.name, findings=_in_order(kinds), complete=looked is not None)
                for part, kinds, looked in zip(parts, found, looked_at, strict=True)
            )
        )

    def _look_across(self, parts: Sequence[Part], found: Sequence[Found], budget: Budget) -> bool:
        """Add what the borders between pieces of one text hide. False where that could not be looked at."""
        seams = Seams([len(part.text) for part in parts])
        text = "".join(part.text for part in parts)
        for window in seams.windows():
            kinds = self._looked_at(text[slice(*window)], budget)
            if kinds is None:
                return False
            for kind, spans in kinds.items():
                for start, end in spans:
                    for number, place in seams.places((start + window[0], end + window[0]), window):
                        found[number].setdefault(kind, []).append(place)
        return True

    def _looked_at(self, text: str, budget: Budget) -> Found | None:
        """All findings by kind, in characters; None where something prevents to look at it all."""
        try:
            return self._findings(text, budget)
        except OutOfStepsError:
            return None
        except Exception:  # noqa: BLE001  # whatever fails here must not be taken for "nothing was found"
            return None

    def _findings(self, text: str, budget: Budget) -> Found:
        data = text.encode(errors="replace")  # half a surrogate pair becomes one `?`: the characters keep their places
        reading = read(data, budget)
        found: Found = {}
        for view in reading.views:
            for kind, span in _surest(self._in_view(view, budget)):
                found.setdefault(kind, []).append(view.locate(*span))
        if reading.unreadable:
            keys = united([*found.get(Kind.PRIVATE_KEY, ()), *found.get(Kind.API_KEY, ())])
            found[Kind.UNREADABLE] = [span for span in reading.unreadable if not covers(keys, span)]
        return _in_characters(data, found)

    def _in_view(self, view: View, budget: Budget) -> Found:
        haystack = Haystack(view.data)
        found: Found = {}
        for detector in self._sieve.worth_trying(haystack):
            found.setdefault(detector.kind, []).extend(detector.find(haystack, budget))
        return found


def _surest(found: Found) -> Iterator[tuple[str, Span]]:
    """All findings in one view, without those that are another reading of a surer one."""
    for kinds in _ONE_OF:
        taken: list[Span] = []
        for kind in filter(found.__contains__, kinds):
            found[kind] = [span for span in found[kind] if not overlaps(span, taken)]
            taken = united([*taken, *found[kind]])
    for kind, spans in found.items():
        for span in spans:
            yield kind, span


def _in_characters(data: bytes, found: Found) -> Found:
    """The same places counted in characters instead of bytes, in one pass over the text."""
    places = {0: 0}
    last = 0
    for offset in sorted({offset for spans in found.values() for span in spans for offset in span}):
        places[offset] = places[last] + len(data[last:offset].decode(errors="ignore"))
        last = offset
    return {kind: [(places[start], places[end]) for start, end in spans] for kind, spans in found.items()}


def _in_order(found: Found) -> tuple[Finding, ...]:
    return tuple(sorted(Finding(*span, kind) for kind, spans in found.items() for span in united(spans)))
