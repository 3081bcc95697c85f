"""Sentences that the server says on the page, in English and Korean.

Texts of buttons and the receipt's labels live where they are shown (`public/`, `translations/`); why something was
decided is said by `homeward.routing.words`, what was found by `homeward.privacy.words`.
"""

from collections.abc import Mapping

from homeward.chat.said import ENDINGS, KOREAN_ERRORS, SENTENCES
from homeward.privacy.words import kind_name
from homeward.protocol.errors import HomewardError
from homeward.protocol.place import Place
from homeward.routing.words import PLACES

OURS = {Place.DEVICE: "this_device", Place.BROWSER: "this_browser"}
"""Places that are called by what they are to the user, not by a backend's name."""

Language = str
"""`en` or `ko`."""


def language_of(tag: str | None) -> Language:
    """The language that we have for a browser's tag (`ko-KR` → `ko`)."""
    return "ko" if (tag or "").lower().startswith("ko") else "en"


def say(key: str, language: Language) -> str:
    """One of our sentences."""
    english, korean = SENTENCES[key]
    return korean if language == "ko" else english


def problem_sentence(key: str, english: str, language: Language) -> str:
    """What went wrong, in the reader's language; English keeps the numbers and names that the error holds.

    `key` is an error's code, or one of our own sentences.
    """
    if key in SENTENCES:
        return say(key, language)
    return KOREAN_ERRORS.get(key, english) if language == "ko" else english


def sentence_of(error: HomewardError, language: Language) -> str:
    """The same for an error at hand."""
    return problem_sentence(error.code, str(error), language)


def ending(code: str, language: Language) -> str:
    """How asking one backend ended, in a few words; `code` is an error's, or one of our own."""
    english, korean = ENDINGS.get(code, ENDINGS["failed"])
    return korean if language == "ko" else english


def place_name(place: Place, language: Language) -> str:
    """A place inside a sentence."""
    english, korean = PLACES[place]
    return korean if language == "ko" else english


def who(name: str, place: Place, model: str, language: Language) -> str:
    """Who answers, as the user knows it: this device, or the backend by its name, and the model."""
    called = say(OURS[place], language) if place in OURS else name
    return " · ".join(filter(None, (called, model)))


def kinds_of(findings: Mapping[str, int], language: Language) -> list[str]:
    """What was found, kind by kind, with the number where there are several."""
    named = [(kind_name(kind, language), count) for kind, count in sorted(findings.items())]
    return [f"{name} ({count})" if count > 1 else name for name, count in named]


def money(amount: float, currency: str) -> str:
    """An amount to read; what is less than the last digit shown is said to be."""
    if 0 < amount < 0.0001:
        return f"< 0.0001 {currency}"
    return f"{amount:,.2f} {currency}" if amount >= 1 or amount == 0 else f"{amount:.4f} {currency}"
