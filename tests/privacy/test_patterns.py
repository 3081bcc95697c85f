"""Every kind is found where it stands, and nothing is found in text that has none."""

import pytest

from homeward.privacy import Kind
from homeward.privacy.patterns import BUILT_IN
from tests.privacy.conftest import Looking
from tests.privacy.samples import NOT_TO_FIND, TO_FIND


@pytest.mark.parametrize(("kind", "sentence", "value"), TO_FIND, ids=lambda text: text[:30])
def test_it_is_found_exactly(looking: Looking, kind: str, sentence: str, value: str) -> None:
    """That kind, that stretch, and nothing else in the sentence."""
    assert looking.found(sentence.format(value)) == [(kind, value)]


@pytest.mark.parametrize("text", NOT_TO_FIND, ids=lambda text: text[:30])
def test_nothing_is_found(looking: Looking, text: str) -> None:
    """Code, logs, maths, tables, dates, books, hashes, versions, Korean prose."""
    assert looking.found(text) == []


def test_all_negatives_together_have_no_findings(looking: Looking) -> None:
    """Nor do they make one by standing next to each other."""
    assert looking.found("\n\n".join(NOT_TO_FIND)) == []


def test_every_built_in_kind_has_a_sample() -> None:
    """A kind without a sample would be a kind without a test."""
    looked_for = {detector.kind for detector in BUILT_IN}
    assert looked_for == {kind for kind, _, _ in TO_FIND} == set(Kind) - {Kind.DENY_LIST, Kind.UNREADABLE, Kind.IMAGE}


def test_many_in_one_text_are_all_found(looking: Looking) -> None:
    """One finding does not hide the next one."""
    text = "\n".join(sentence.format(value) for _, sentence, value in TO_FIND if "PRIVATE" not in value[:40])
    text = text.replace("PuTTY-User-Key-File-3", "x")
    values = [value for _, _, value in TO_FIND if "PRIVATE" not in value[:40] and "PuTTY" not in value]
    words = " ".join(found for _, found in looking.found(text))
    assert [value for value in values if value not in words] == []


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # check digit
        "1234 5678 9012 3452",  # no issuer
        "card 12345678",
        "parcel 123456789012345678901234 home",
        "DE89 3704 0044 0532 0130 01",
        "XX89 3704 0044 0532 0130 00",
        "DE89 3704 0044 0532 0130 001",
        "901301-1234567",  # month 13
        "900101-0234567",  # sex and century
        "900101-9234567",
        "990101-3234567",  # born in 2099
        "9001011234567",  # neither separator nor check digit nor word
        "000-12-3456 666-12-3456 123-00-4567 123-45-0000 912-40-1234",
        "AB 12 34 56 E GB 12 34 56 A",
        "12345678A X1234567A RSSMRA85T10A562T 44051401358 44133201359 529.982.247-24",
        "110105194912310021 11010519491331002X A123456788 S1234567A 2345 6789 0125",
        "256.1.1.1 1.2.3 1.2.3.4.5 0.1.2.3",
        "2001:db8:::1 12::34 fe80: ::ffff",
        "010-12-345 0-10-1234 +12 +99",
        "kim@example kim@@example.com @example.com kim@.com",
        "passport photo 12, driver's license B",
        "AKIA1234 ghp_short hf_12 sk-short key-9f86d081",
        "ghp_" + "x" * 36,
        "api_key = '" + "x" * 32 + "'",
        "curl -u user:${TOKEN} https://x.test",
        "password: SHA256-hashed, password: 12-character minimum, passwort: kim_at_example",
        "DB_PASSWORD=config.db.password1 PASSWORD=DB_PASSWORD_2",
    ],
)
def test_what_only_looks_like_it_is_not_found(looking: Looking, text: str) -> None:
    """Wrong check digits, impossible dates, places and templates instead of values."""
    assert looking.found(text) == []


def test_a_surer_reading_wins(looking: Looking) -> None:
    """A card is not also a phone number, a password in an address not also an e-mail address."""
    assert looking.found("phone 4111 1111 1111 1111") == [(Kind.CARD, "4111 1111 1111 1111")]
    assert looking.found("https://a:b1@example.com") == [(Kind.PASSWORD, "b1")]
    assert looking.found("password: kim@example.com") == [(Kind.EMAIL, "kim@example.com")]


def test_after_a_rejected_number_the_next_one_is_seen(looking: Looking) -> None:
    """What begins inside a candidate that was none is looked at, too."""
    assert looking.found("1234 4111 1111 1111 1111") == [(Kind.CARD, "4111 1111 1111 1111")]
    assert looking.found("99 010-1234-5678") == [(Kind.PHONE, "010-1234-5678")]
