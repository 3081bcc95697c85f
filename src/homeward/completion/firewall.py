"""The privacy firewall: every text of a request is looked at before anything decides where it may go.

What can't be looked at, in time and completely, counts as if it held secrets: it stays home.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from hashlib import blake2b

import msgspec
import structlog

from homeward.completion.texts import image_names, parts_of
from homeward.config import PrivacySettings
from homeward.privacy import (
    Choice,
    Finding,
    Kind,
    Masked,
    Part,
    PartReport,
    Report,
    Scanner,
    choice_for,
    custom_kind,
    mask,
)
from homeward.protocol.chat import ChatRequest
from homeward.protocol.errors import ConfigError, FindingsError

AT_ONCE_CHARACTERS = 1_000
"""So little is scanned where it is: handing it to a thread would take longer, and the scan can't run away.
(Its expressions take time in proportion to the text.)"""

KEPT_TEXTS = 10_000
"""Of so many texts it is remembered where something was found in them: by a hash, never the text."""

STUMP_CHARACTERS = 4
"""So much of a replaced text's beginning, at the end of a part, is what is left of one that was cut."""

_threads = ThreadPoolExecutor(2, thread_name_prefix="findings")
"""Of our own: where others fill the loop's, texts would not be looked at in time."""

log = structlog.get_logger(__name__)

SECONDS = 2.0
SECONDS_PER_CHARACTER = 2e-6
"""Ten times what a scan needs on a slow core; beyond it, the scanner hangs or the machine does."""


class Inspected(msgspec.Struct, frozen=True):
    """A request's texts and what was seen in them. Not for the log."""

    parts: tuple[Part, ...]
    report: Report
    may_leave: Choice
    masks: frozenset[str]
    """Kinds that are replaced by placeholders before anything leaves this device."""

    def __repr__(self) -> str:
        return f"Inspected({len(self.parts)} parts, {self.may_leave})"


class Firewall:
    """What is found, and what the user wants done with it."""

    def __init__(self, settings: PrivacySettings) -> None:
        """Raises ConfigError: there is no such kind, a word is empty, or a pattern can't be used."""
        self.kinds = frozenset({*Kind, *(custom_kind(name) for name in settings.patterns)})
        self.check(settings.kinds)
        self._scanner = Scanner(deny=settings.deny, patterns=settings.patterns)
        self._seen: OrderedDict[bytes, tuple[Finding, ...]] = OrderedDict()
        self._default = Choice(settings.default)
        self._choices = {kind: Choice(choice) for kind, choice in settings.kinds.items()}

    def check(self, kinds: Iterable[str]) -> None:
        """Raises ConfigError for a kind that nothing is ever found of."""
        if unknown := sorted({*kinds} - self.kinds):
            raise ConfigError(
                f"There is no kind of finding called {', '.join(unknown)}.",
                next_step=f"There are: {', '.join(sorted(self.kinds))}.",
            )

    async def inspect(self, request: ChatRequest) -> Inspected:
        """Look at all texts of a request. Never raises: a failure is a report that says so."""
        parts = parts_of(request)
        report = with_images(await self._look(parts), request)
        choices = {kind: self._choices.get(kind, self._default) for kind in report.counts}
        if choices.get(Kind.IMAGE) is Choice.MASK:
            choices[Kind.IMAGE] = Choice.HOME  # no placeholder can stand in for a picture
        masks = frozenset(kind for kind, choice in choices.items() if choice is Choice.MASK)
        return Inspected(parts, report, choice_for(report, choices), masks)

    async def masked(self, inspected: Inspected) -> Masked:
        """The texts with placeholders, looked at once more.

        Raises:
            FindingsError: something that was to be replaced is still there, or could not be looked for.
        """
        loop = asyncio.get_running_loop()
        masked = await loop.run_in_executor(_threads, mask, inspected.parts, inspected.report, inspected.masks)
        left = await self._look(masked.parts)
        new = left.counts.keys() - inspected.report.counts.keys()
        if not left.complete or new or not inspected.masks.isdisjoint(left.counts) or shows(masked):
            raise FindingsError("What was found in this message could not be replaced, so it was not sent.")
        return masked

    async def _look(self, parts: Sequence[Part]) -> Report:
        """What is in these texts; those that were looked at before, as most of a conversation was, are not again."""
        keys = [blake2b(part.text.encode(errors="surrogatepass")).digest() for part in parts]
        new = {key: part for key, part in zip(keys, parts, strict=True) if key not in self._seen}
        report = await self._scanned(tuple(new.values()))
        found = {key: self._seen[key] for key in keys if key in self._seen}
        for key, each in zip(new, report.parts, strict=True):
            if each.complete:
                found[key] = self._seen[key] = each.findings
        self._forget_oldest(keys)
        return Report(
            tuple(
                PartReport(name=part.name, findings=found.get(key, ()), complete=key in found)
                for key, part in zip(keys, parts, strict=True)
            )
        )

    def _forget_oldest(self, used: Sequence[bytes]) -> None:
        for key in used:
            if key in self._seen:
                self._seen.move_to_end(key)
        while len(self._seen) > KEPT_TEXTS:
            self._seen.popitem(last=False)

    async def _scanned(self, parts: Sequence[Part]) -> Report:
        characters = sum([len(part.text) for part in parts])
        seconds = SECONDS + SECONDS_PER_CHARACTER * characters
        try:
            if characters <= AT_ONCE_CHARACTERS:
                return self._scanner.find(parts)
            async with asyncio.timeout(seconds):
                return await asyncio.get_running_loop().run_in_executor(_threads, self._scanner.find, parts)
        except Exception as error:  # noqa: BLE001 - whatever it is, the words stay home
            log.warning("findings_unknown", error=type(error).__name__, seconds=seconds)
            return Report(tuple(PartReport(name=part.name, complete=False) for part in parts))


def with_images(report: Report, request: ChatRequest) -> Report:
    """A picture can show anything and is not looked at, so that it is there is the finding."""
    images = (PartReport(name=name, findings=(Finding(0, 0, Kind.IMAGE),)) for name in image_names(request))
    return Report((*report.parts, *images))


def shows(masked: Masked) -> bool:
    """Whether something that was replaced still stands somewhere, whole or as the stump of a cut answer."""
    for part in masked.parts:
        for original in masked.originals.values():
            stumps = (original[:length] for length in range(STUMP_CHARACTERS, len(original)))
            if original in part.text or part.text.endswith(tuple(stumps)):
                return True
    return False
