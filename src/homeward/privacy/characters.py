"""Characters that look like others, or like nothing: what each stands for in a comparison."""
# ruff: noqa: RUF001

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

_MARKS = (
    "\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\u3099\u309a\ufe00-\ufe0f\ufe20-\ufe2f\U000e0100-\U000e01ef"
)
_CLUSTER = re.compile(
    "[\u1100-\u115f][\u1160-\u11a7][\u11a8-\u11ff]?"  # a Hangul syllable in pieces
    f"|.[{_MARKS}]{{1,4}}"  # few: Unicode's order of many marks takes quadratic time
    "|.",
    re.DOTALL,
)
_KOREAN = re.compile("[\t\n\r\x20-\x7e가-힣]*")
_LOOKALIKES = {
    ord(like): letter
    for likes, letters in (
        ("аеорсухіјѕԁԛԝһӏкАВЕКМНОРСТХУІЈЅԌ", "aeopcyxijsdqwhlkABEKMHOPCTXYIJSG"),  # Cyrillic
        ("οαρνικυτχϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧϹ", "oapvikutxcjABEZHIKMNOPTYXC"),  # Greek
        ("օսոհցՕՍıɡɑɩʋᴠ", "ounhgOUigaivv"),  # Armenian, and other Latin
        ("−˗⁃➖∶ː⁄∕。", "----:://."),
    )
    for like, letter in zip(likes, letters, strict=True)
}
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180e\u2800\u3164\uffa0")
_BY_CATEGORY = {"Zs": " ", "Zl": "\n", "Zp": "\n", "Pd": "-", "Cf": "", "Cc": "", "Me": ""}


def folded(text: str) -> Iterator[tuple[str, str]]:
    """The text in clusters (a character with its marks), each with what it is compared as.

    That is in NFKC, with Latin letters instead of their look-alikes, ASCII digits, one kind of space and dash, and
    nothing for what can't be seen.
    """
    for match in _CLUSTER.finditer(text):
        cluster = match.group()
        yield cluster, _fold(cluster)


def is_settled(text: str) -> bool:
    """Whether nothing in it folds to anything else; fast."""
    return _KOREAN.fullmatch(text) is not None or all(map(_is_settled, set(text)))


@lru_cache(maxsize=16_384)
def _is_settled(character: str) -> bool:
    return _fold(character) == character and not "\u1100" <= character <= "\u11ff"  # these join others


@lru_cache(maxsize=16_384)
def _fold(cluster: str) -> str:
    return "".join(_folded(character) for character in unicodedata.normalize("NFKC", cluster).translate(_LOOKALIKES))


def _folded(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return str(unicodedata.decimal(character))
    if character in _INVISIBLE or (category == "Mn" and _belongs_to_no_script(character)):
        return ""
    return character if character in "\t\n\r" else _BY_CATEGORY.get(category, character)


def _belongs_to_no_script(mark: str) -> bool:
    """A vowel sign of Hindi or Thai is part of the word; an accent that NFKC couldn't put on its letter is noise."""
    return unicodedata.name(mark, "").startswith(("COMBINING", "VARIATION SELECTOR"))
