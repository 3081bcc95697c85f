"""What the user adds: words that must not leave, and patterns."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence

from homeward.privacy.detector import Candidate, Detector, when
from homeward.privacy.expressions import compiled, literal
from homeward.privacy.findings import Kind, custom_kind
from homeward.privacy.reading import folded
from homeward.protocol.errors import ConfigError

_WORDS_TOGETHER = 200
_CUSTOM_STEPS = 4096
"""A user's expression may look far ahead for each match, ours don't: so many matches of it are too much work."""

_ANYWHERE_SYLLABLES = 3
"""A Korean word of this length is hardly ever part of another one."""
_PARTICLES = (
    "(?:씨|님|군|양|선생|선생님|교수|교수님|대리|과장|차장|팀장|부장|이사|사장|대표|원장|박사)?(?:님)?(?:들)?"
    "(?:은|는|이|가|을|를|의|에|에게|에게서|에서|께|께서|와|과|랑|이랑|하고|도|만|로|으로|부터|까지|처럼|보다|마다|한테|밖에"
    "|조차|마저|라도|이라도|나|이나|야|아|이야|여|이여|라는|이라는|라고|이라고|란|이란|인|입니다|이다|예요|이에요|였|이었|다|요)*"
)


def word_detectors(words: Sequence[str]) -> Iterator[Detector]:
    """Raises `ConfigError` for a word of nothing."""
    expressions = [_expression(word) for word in words]
    for first in range(0, len(expressions), _WORDS_TOGETHER):
        together = "|".join(sorted(expressions[first : first + _WORDS_TOGETHER], key=len, reverse=True))
        yield Detector(kind=Kind.DENY_LIST, expression=f"(?i){together}", check=when(_is_the_word), bounded=True)


def custom_detectors(patterns: Mapping[str, str]) -> Iterator[Detector]:
    """Raises `ConfigError` for a pattern that can't be used."""
    for name, expression in patterns.items():
        if not compiled("[a-z0-9][a-z0-9_-]{0,39}").fullmatch(name.encode()):
            raise ConfigError(
                "The name of a pattern may have small Latin letters, digits, - and _, and 40 of them at most.",
                next_step="Rename it.",
            )
        try:
            matches_nothing = compiled(expression).fullmatch(b"") is not None
        except ValueError as error:
            raise ConfigError(
                f"The pattern {name} can't be used: {error}.",
                next_step="Write it in RE2's syntax, which has no look-ahead and no back-references.",
            ) from error
        if matches_nothing:
            raise ConfigError(
                f"The pattern {name} matches a text of no characters, so it would be found everywhere.",
                next_step="Make something in it obligatory.",
            )
        kind = custom_kind(name)
        yield Detector(kind=kind, expression=expression, check=when(_is_something), steps=_CUSTOM_STEPS)


def _is_something(candidate: Candidate) -> bool:
    return candidate.end > candidate.start


def _expression(word: str) -> str:
    """However it is spaced, and in either case; a long Korean name also with a space between its syllables."""
    characters = " ".join(folded(word).split())
    if not characters:
        raise ConfigError("A word of the deny-list is empty.", next_step="Remove it.")
    between = r"\s?" if _is_long_korean(characters) else ""
    return between.join(r"[\s_-]{0,3}" if character == " " else literal(character) for character in characters)


def _is_the_word(candidate: Candidate) -> bool:
    """Not part of a longer word; a Korean particle may be attached to it."""
    text = candidate.text
    if _is_long_korean("".join(text.split())):
        return True
    before = candidate.before(4).decode(errors="ignore")[-1:]
    after = candidate.after(30).decode(errors="ignore")
    if _script(text[0]) == _script(before) != "":
        return False
    if _script(text[-1]) != "HANGUL":
        return _script(text[-1]) != _script(after[:1]) or _script(text[-1]) == ""
    attached = after[: next((place for place, character in enumerate(after) if _script(character) != "HANGUL"), 30)]
    return compiled(_PARTICLES).fullmatch(attached.encode()) is not None


def _is_long_korean(word: str) -> bool:
    return len(word) >= _ANYWHERE_SYLLABLES and all(_script(character) == "HANGUL" for character in word)


def _script(character: str) -> str:
    """Which letters make one word with it; empty for signs, and where words are written without spaces."""
    if not character.isalnum():
        return ""
    name = unicodedata.name(character, "")
    if name.startswith("HANGUL"):
        return "HANGUL"
    return "" if name.startswith(("CJK", "HIRAGANA", "KATAKANA")) else "LETTER"
