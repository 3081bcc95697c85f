"""All the forms in which a text is looked at: as it is, without disguise, unescaped, decoded.

The work is linear in the text's length: each form is at most as long as the one it came from, and they are few.
"""

import binascii
import html
import re
import sys
from collections.abc import Iterator

import msgspec

from homeward.privacy import characters
from homeward.privacy.budget import Budget
from homeward.privacy.expressions import compiled
from homeward.privacy.spans import Span
from homeward.privacy.views import Change, View

UNESCAPE_ROUNDS = 3
DECODE_LEVELS = 3
OPAQUE_BYTES = 512
"""Encoded data of this length that is not text is reported; shorter ones are hashes, identifiers, signatures."""

_PLAIN = b"\t\n\r" + bytes(range(0x20, 0x7F))
_FOLDABLE = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xff]+")
_ESCAPE = re.compile(
    rb"%[0-9A-Fa-f]{2}(?:%[0-9A-Fa-f]{2})*"
    rb"|&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});"
    rb"""|\\(?:u\{[0-9A-Fa-f]{1,6}\}|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[nrtbf"'/])"""
)
"""`re` here and above, as each attempt ends after a few bytes or in a match: that is linear, and faster than RE2."""
_SIGNS = {b"n": b"\n", b"r": b"\n", b"t": b"\t", b"b": b" ", b"f": b" "}

_ENCODED = r"[A-Za-z0-9+/_-]{16,}={0,2}"
_LINE = 60
_ENCODED_LINES = rf"(?:[A-Za-z0-9+/]{{{_LINE},80}}\r?\n[ \t]{{0,8}})+[A-Za-z0-9+/]{{1,80}}={{0,2}}"
_TAGS = r"[\x{E0020}-\x{E007E}]{4,}"
_TAG_BEGINS = "\U000e0020".encode()[:2]
_HEXADECIMAL = b"0123456789ABCDEFabcdef"
_STANDARD = bytes.maketrans(b"-_", b"+/")
_SEGMENT_STEPS = 128
_ALL_TEXT = 0.9
_HALF = 0.5
_ALPHABET = 16
"""Different characters that a long stretch has to have to be more than a ruler, a DNA sequence or digits of pi."""
_TEXT = r"[\t\n\r\x20-\x7E\x{A0}-\x{D7FF}\x{E000}-\x{FFFC}\x{10000}-\x{10FFFF}]{8,}"


Hidden = tuple[bytes, Span]
"""A text, and where it is hidden."""


class Reading(msgspec.Struct, frozen=True):
    """A text in all its forms."""

    views: list[View]
    """The text itself first."""
    unreadable: list[Span]
    """What is encoded and could not be decoded, where it stands in the text."""


def read(data: bytes, budget: Budget) -> Reading:
    """Raises `OutOfStepsError` where the forms would be longer together than the budget has steps."""
    reading = Reading([], [])
    _read(View(data), 0, reading, budget)
    return reading


def _read(view: View, level: int, reading: Reading, budget: Budget) -> None:
    def keep(form: View) -> View:
        if not reading.views or form is not reading.views[-1]:
            budget.spend(len(form.data))
            reading.views.append(form)
        return form

    current = keep(_folded(keep(view)))
    for _ in range(UNESCAPE_ROUNDS):
        unescaped = _unescaped(current)
        if unescaped is current:
            break
        current = keep(_folded(unescaped))
    else:
        if _unescaped(current) is not current:
            reading.unreadable.append(current.locate(0, len(current.data)))
    hidden = (view, _tagged(view)), (current, _decoded(current, level, reading, budget))
    for origin, texts in hidden:
        if texts:
            _read(origin.decoded(texts), level + 1, reading, budget)


def _decoded(view: View, level: int, reading: Reading, budget: Budget) -> list[Hidden]:
    """What is encoded in a view; it notes what can't be read."""
    found: list[Hidden] = []
    for start, end in _encoded_segments(view):
        budget.spend(_SEGMENT_STEPS)
        segment = view.data[start:end]
        texts, share = _decode(segment)
        too_deep = level == DECODE_LEVELS and share > _ALL_TEXT
        if too_deep or (share < _HALF and len(segment) >= OPAQUE_BYTES and len(set(segment)) >= _ALPHABET):
            reading.unreadable.append(view.locate(start, end))
        elif level < DECODE_LEVELS:
            found += [(text, (start, end)) for text in texts]
    return found


def _tagged(view: View) -> list[Hidden]:
    """What is written in the tags that Unicode has for each ASCII character and nobody sees."""
    if _TAG_BEGINS not in view.data:
        return []
    return [
        ("".join(chr(ord(tag) - 0xE0000) for tag in match.group().decode()).encode(), match.span())
        for match in compiled(_TAGS).finditer(view.data)
    ]


def folded(text: str) -> str:
    """A text without disguise, as its second view shows it."""
    return _folded(View(text.encode(errors="replace"))).data.decode()


def _folded(view: View) -> View:
    return view.rewritten(_foldings(view.data))


def _foldings(data: bytes) -> Iterator[Change]:
    if not data.translate(None, _PLAIN) or characters.is_settled(data.decode(errors="surrogateescape")):
        return
    for run in _FOLDABLE.finditer(data):
        end = max(0, run.start() - 1)  # it may begin with an accent of the letter before it
        for old, new in characters.folded(data[end : run.end()].decode(errors="surrogateescape")):
            start, end = end, end + len(old.encode(errors="surrogateescape"))
            if new != old:
                yield start, end, new.encode(errors="surrogateescape")


def _unescaped(view: View) -> View:
    if not (b"%" in view.data or b"&" in view.data or b"\\" in view.data):
        return view
    changes = ((*escape.span(), _unescape(escape.group())) for escape in _ESCAPE.finditer(view.data))
    return view.rewritten(change for change in changes if change[2] != view.data[change[0] : change[1]])


def _unescape(escape: bytes) -> bytes:
    if escape.startswith(b"%"):
        return bytes.fromhex(escape.replace(b"%", b"").decode())
    if escape.startswith(b"&"):
        return html.unescape(escape.decode()).encode(errors="replace")
    if escape[1:2] not in (b"u", b"x"):
        return _SIGNS.get(escape[1:], escape[1:])
    number = int(escape[2:].strip(b"{}"), 16)
    return chr(number).encode(errors="replace") if number <= sys.maxunicode else b"?"


def _encoded_segments(view: View) -> Iterator[Span]:
    longest = 0
    for match in compiled(_ENCODED).finditer(view.data):
        start, end = match.span()
        longest = max(longest, end - start)
        yield start, end
    if longest >= _LINE:
        for match in compiled(_ENCODED_LINES).finditer(view.data):
            yield match.span()


def _decode(segment: bytes) -> tuple[list[bytes], float]:
    """The texts that it may encode, and how much of the best one is text, from 0 to 1."""
    texts: list[bytes] = []
    best = 0.0
    decodings = [decoded for decoded in _decodings(segment) if decoded]
    if compiled(_TEXT).search(b"\0".join(decodings)) is None:
        return [], 0.0
    for decoded in decodings:
        text = b"\n".join(match.group() for match in compiled(_TEXT).finditer(decoded))
        share = len(text) / len(decoded)
        if share > _ALL_TEXT:
            return [text], share
        if text:
            texts.append(text)
        best = max(best, share)
    return texts, best


def _decodings(segment: bytes) -> Iterator[bytes]:
    """Its bytes, as hexadecimal digits and as base64 that begins at any of its first four characters."""
    letters = b"".join(segment.split()).rstrip(b"=").translate(_STANDARD)
    if not letters.translate(None, _HEXADECIMAL):
        yield bytes.fromhex(letters[: len(letters) // 2 * 2].decode())
    for skipped in range(4):
        rest = letters[skipped:]
        whole = rest[: len(rest) - (len(rest) % 4 == 1)]
        yield binascii.a2b_base64(whole + b"=" * (-len(whole) % 4)).replace(b"\0", b"")  # UTF-16 becomes ASCII
