"""What the classifier sees of a prompt: two sets of names, the same in training and in use.

`words` are the tokens, their neighbours and the pieces they are made of; `cues` are the ideas of the lexicon and the
shape of the text. Only the beginning and the end of a long text are read, so the work is bounded: an instruction
stands before or after what it is about.
"""

import itertools
import re
from collections.abc import Iterator, Sequence

import msgspec

from homeward.routing.tasks.lexicon import ideas_in, is_hangul, tokens

HEAD_CHARACTERS = 700
TAIL_CHARACTERS = 500
_MOST_TOKENS = 1500  # some signs become many letters when normalised
_EDGE = 4  # tokens that count as the beginning or the end
_LATIN_PIECES = (3, 5)
_HANGUL_PIECES = (1, 3)

_CODE_LINE = re.compile(
    r"[{};][ \t]*$|^[ \t]*(?:def|class|import|from|#include|fn|func|public|const|let|SELECT)\b", re.M
)
_CALL = re.compile(r"\w\([^()\n]{0,40}\)")
_LIST_ITEM = re.compile(r"^\s*(?:\d+[.)]|[-*•])\s", re.M)


class Features(msgspec.Struct, frozen=True):
    """The names found in one text."""

    words: frozenset[str]
    cues: frozenset[str]


def features(text: str) -> Features:
    """The features of a prompt; any string will do."""
    excerpt = _excerpt(text)
    found = ["0" if token[0].isdigit() else token for token in tokens(excerpt)[:_MOST_TOKENS]]
    return Features(frozenset(_words(found)), frozenset(itertools.chain(_ideas(found), _shape(excerpt))))


def _excerpt(text: str) -> str:
    if len(text) <= HEAD_CHARACTERS + TAIL_CHARACTERS:
        return text
    return f"{text[:HEAD_CHARACTERS]}\n{text[-TAIL_CHARACTERS:]}"


def _words(found: Sequence[str]) -> Iterator[str]:
    if not found:
        return
    for token in set(found):
        yield "w" + token
        yield from _pieces(token)
    for left, right in itertools.pairwise(found):
        yield f"b{left} {right}"
    for token in found[:_EDGE]:
        yield "^" + token
    for token in found[-_EDGE:]:
        yield "$" + token
    yield "^^" + " ".join(found[:2])
    yield "$$" + " ".join(found[-2:])
    last_word = next((token for token in reversed(found) if token.isalpha()), "")
    for length in range(1, 5):  # Korean says at the very end what is wanted, and how politely
        yield "~" + last_word[-length:]


def _pieces(token: str) -> Iterator[str]:
    shortest, longest = _HANGUL_PIECES if is_hangul(token) else _LATIN_PIECES
    marked = f"<{token}>"
    for length in range(shortest, longest + 1):
        for start in range(len(marked) - length + 1):
            yield marked[start : start + length]


def _ideas(found: Sequence[str]) -> Iterator[str]:
    entries: dict[str, set[str]] = {}
    for position, entry, ideas in ideas_in(found):
        for idea in ideas:
            entries.setdefault(idea, set()).add(entry)
            if position < _EDGE:
                yield "^" + idea
            if position >= len(found) - _EDGE:
                yield "$" + idea
    for idea, different in entries.items():
        yield idea
        if len(different) > 1:
            yield "several " + idea
        if len(different) > 3:
            yield "many " + idea
    for one, other in itertools.combinations(sorted(entries), 2):
        yield f"{one} & {other}"
    yield "most " + max(entries, key=lambda idea: (len(entries[idea]), idea), default="nothing")


def _shape(text: str) -> Iterator[str]:
    length = len(text) or 1
    lines = text.splitlines()
    yield f"length {min(9, length.bit_length())}"
    yield f"lines {min(6, len(lines).bit_length())}"
    yield f"digits {min(9, 20 * sum(sign.isdigit() for sign in text) // length)}"
    yield f"signs {min(9, 20 * sum(not (sign.isalnum() or sign.isspace()) for sign in text) // length)}"
    if sum(max(line.count(sign) for sign in ",|;\t") >= 2 for line in lines) >= 2:
        yield "table"
    if len(_LIST_ITEM.findall(text)) >= 2:
        yield "list"
    if text.rstrip().endswith("?"):
        yield "question"
    for name, pattern in (("code line", _CODE_LINE), ("call", _CALL)):
        if pattern.search(text):
            yield name
    for name, sign in (("fence", "```"), ("quote", '"'), ("quote", "“"), ("colon", ":")):
        if sign in text:
            yield name
    yield from _scripts(text)


def _scripts(text: str) -> Iterator[str]:
    hangul = sum("가" <= sign <= "힣" for sign in text)
    latin = sum(sign.isascii() and sign.isalpha() for sign in text)
    other = sum(sign.isalpha() for sign in text) - hangul - latin
    if hangul > latin:
        yield "Hangul"
    if hangul and latin > 8:
        yield "two scripts"
    if other > 3:
        yield "other script"
