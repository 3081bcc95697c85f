"""What is said to the user."""

import re

from homeward.privacy import Choice, Kind
from homeward.privacy.words import CHOICES, INCOMPLETE, KINDS, NOT_SEEN, SEEN, kind_name

HANGUL = re.compile("[가-힣]")


def test_every_kind_and_choice_has_a_name_in_both_languages() -> None:
    """None is forgotten, and none is in the wrong place."""
    assert set(KINDS) == set(Kind)
    assert set(CHOICES) == set(Choice)
    for english, korean in (*KINDS.values(), *CHOICES.values(), INCOMPLETE, SEEN, *NOT_SEEN):
        assert not HANGUL.search(english)
        assert HANGUL.search(korean)


def test_a_kind_is_named_in_the_readers_language() -> None:
    """One's own pattern by its own name."""
    assert kind_name("email", "en") == "e-mail address"
    assert kind_name("email", "ko") == "이메일 주소"
    assert kind_name("custom:ticket", "ko") == "ticket"


def test_names_addresses_and_images_are_said_to_be_out_of_reach() -> None:
    """In plain words."""
    said = " ".join(english for english, _ in NOT_SEEN)
    for word in ("Names", "addresses", "images"):
        assert word in said
