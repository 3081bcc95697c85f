"""Placeholders instead of findings, such as `[EMAIL_1]`, and the way back in a streamed answer."""
# ruff: noqa: RUF001

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import msgspec

from homeward.privacy.findings import Finding, Kind, Part, Report

_INSIDE = r"(?:\\?[ _-]|[A-Za-z0-9])"
_PLACEHOLDER = re.compile(rf"\\\[({_INSIDE}{{2,60}}?)\\\]|[\[［【]({_INSIDE}{{2,60}}?)[\]］】]")
"""As models write it: in either case, with a space or a dash for the line, with Markdown's backslashes.

Of a bounded length, so that `re` is linear here too; it is exact where `re2` refuses broken characters.
"""
_BEGINNING = re.compile(rf"\\?(?:[\[［【]({_INSIDE}{{0,60}}\\?))?\Z")

_LABELS: Mapping[str, str] = {
    Kind.NATIONAL_ID: "ID",
    Kind.API_KEY: "KEY",
    Kind.DENY_LIST: "TERM",
    Kind.UNREADABLE: "DATA",
}


class Masked(msgspec.Struct, frozen=True):
    """Texts without what was found, and what belongs there. Not for the log."""

    parts: tuple[Part, ...]
    originals: Mapping[str, str]
    """By label: `EMAIL_1` for what `[EMAIL_1]` stands for."""

    def __repr__(self) -> str:
        return f"Masked({len(self.originals)} originals)"


def mask(parts: Sequence[Part], report: Report, kinds: Iterable[str]) -> Masked:
    """The parts with a placeholder for each finding of these kinds; the report is that of the same parts.

    The same words get the same placeholder everywhere, and none that stands in a text already.
    """
    wanted = frozenset(kinds)
    taken = {_label(match) for part in parts for match in _PLACEHOLDER.finditer(part.text)}
    numbers: Counter[str] = Counter()
    labels: dict[str, str] = {}

    def placeholder(original: str, kind: str) -> str:
        if original not in labels:
            word = _LABELS.get(kind) or kind.partition(":")[0].upper()
            numbers[word] += 1
            while (label := f"{word}_{numbers[word]}") in taken:
                numbers[word] += 1
            labels[original] = label
        return f"[{labels[original]}]"

    found = [tuple(_apart(looked.findings, wanted)) for looked in report.parts]
    kinds_of = {
        part.text[each.start : each.end]: each.kind for part, here in zip(parts, found, strict=True) for each in here
    }
    masked = tuple(
        Part(part.name, _replaced(part.text, _apart(_everywhere(part.text, here, kinds_of), wanted), placeholder))
        for part, here in zip(parts, found, strict=True)
    )
    return Masked(masked, {label: original for original, label in labels.items()})


def _everywhere(text: str, found: Iterable[Finding], kinds_of: Mapping[str, str]) -> list[Finding]:
    """What was found in a text, and wherever else in it stands what was found anywhere.

    A password is known by the word beside it; the next time it stands alone.
    """
    again = (
        Finding(at, at + len(original), kind) for original, kind in kinds_of.items() for at in _places(text, original)
    )
    return sorted({*found, *again})


def _places(text: str, original: str) -> Iterator[int]:
    at = text.find(original)
    while at >= 0:
        yield at
        at = text.find(original, at + len(original))


def _replaced(text: str, findings: Iterable[Finding], placeholder: Callable[[str, str], str]) -> str:
    pieces: list[str] = []
    at = 0
    for finding in findings:
        pieces += text[at : finding.start], placeholder(text[finding.start : finding.end], finding.kind)
        at = finding.end
    return "".join([*pieces, text[at:]])


def _apart(findings: Iterable[Finding], kinds: frozenset[str]) -> Iterator[Finding]:
    """Those of these kinds; where some overlap, one that covers them, of the kind of the first."""
    current: Finding | None = None
    for finding in findings:
        if finding.kind not in kinds:
            continue
        if current and finding.start < current.end:
            current = Finding(current.start, max(current.end, finding.end), current.kind)
            continue
        if current:
            yield current
        current = finding
    if current:
        yield current


def _label(placeholder: re.Match[str]) -> str:
    return _plain(placeholder[1] or placeholder[2])


def _plain(inside: str) -> str:
    return inside.replace("\\", "").strip().replace(" ", "_").replace("-", "_").upper()


class Unmasker:
    """Puts the originals back into an answer that comes in chunks.

    It holds back only what may still become one of its placeholders. What a model made up, it leaves as it is.
    """

    def __init__(self, originals: Mapping[str, str]) -> None:
        self._originals = originals
        self._held = ""

    def feed(self, chunk: str) -> str:
        """The text that is certain after this chunk."""
        text = self._held + chunk
        pieces: list[str] = []
        at = 0
        for match in _PLACEHOLDER.finditer(text):
            original = self._originals.get(_label(match))
            if original is not None:
                pieces += text[at : match.start()], original
                at = match.end()
        certain = max(at, self._undecided(text))
        self._held = text[certain:]
        return "".join([*pieces, text[at:certain]])

    def end(self) -> str:
        """What was held back; nothing more comes."""
        rest, self._held = self._held, ""
        return rest

    def _undecided(self, text: str) -> int:
        """Where the text's end begins that may be a placeholder's beginning."""
        beginning = _BEGINNING.search(text)
        assert beginning  # the empty one at the end, if no other
        inside = _plain(beginning[1] or "")
        possible = any(label.startswith(inside) for label in self._originals)
        return beginning.start() if possible else len(text)
