"""Check digits: known numbers hold, and any single wrong digit is noticed where the rule promises that."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeward.privacy import checks

VALID: tuple[tuple[Callable[[str], bool], tuple[str, ...]], ...] = (
    (checks.luhn, ("4111111111111111", "5555555555554444", "046454286", "378282246310005")),
    (checks.iban, ("DE89370400440532013000", "GB82WEST12345698765432", "NO9386011117947")),
    (checks.uk_health_service, ("9434765919",)),
    (checks.german_tax, ("86095742719", "47036892816")),
    (checks.french_insee, ("255081416802538",)),
    (checks.spanish_identity, ("12345678Z", "X1234567L", "Y1234567X", "Z1234567R")),
    (checks.italian_tax, ("RSSMRA85T10A562S",)),
    (checks.dutch_service, ("111222333", "123456782")),
    (checks.polish_identity, ("44051401359", "02070803628")),
    (checks.brazilian_tax, ("52998224725", "11144477735")),
    (checks.chinese_resident, ("11010519491231002X", "440524188001010014")),
    (checks.japanese_individual, ("123456789018",)),
    (checks.taiwanese_identity, ("A123456789", "F131104093")),
    (checks.singaporean_identity, ("S1234567D", "T0000001E", "F1234567N", "G1234567X", "M1234567K")),
    (checks.indian_identity, ("234567890124",)),
)
NOTICES_ANY_DIGIT = {
    checks.luhn, checks.iban, checks.uk_health_service, checks.german_tax, checks.french_insee,
    checks.spanish_identity, checks.dutch_service, checks.chinese_resident, checks.indian_identity,
}  # fmt: skip
PAIRS = [(check, number) for check, numbers in VALID for number in numbers]


@pytest.mark.parametrize(("check", "number"), PAIRS)
def test_a_valid_number_holds(check: Callable[[str], bool], number: str) -> None:
    """The examples of those who give them out."""
    assert check(number)


@settings(deadline=None)
@given(pair=st.sampled_from([pair for pair in PAIRS if pair[0] in NOTICES_ANY_DIGIT]), data=st.data())
def test_one_wrong_digit_is_noticed(pair: tuple[Callable[[str], bool], str], data: st.DataObject) -> None:
    """The promise of a check digit."""
    check, number = pair
    places = [place for place, character in enumerate(number) if character.isdigit()]
    place = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[place]]))
    assert not check(number[:place] + digit + number[place + 1 :])


@pytest.mark.parametrize(
    ("digits", "expected"),
    [
        ("9001011234568", True),
        ("0002294123456", True),
        ("9013011234567", False),
        ("9002301234567", False),
        ("9001019234567", False),
        ("9901013234567", False),
        ("0000001234567", False),
    ],
)
def test_a_korean_resident_number_begins_with_a_birthday(digits: str, expected: bool) -> None:
    """Its check digit says nothing since October 2020, so that the date and the seventh digit have to."""
    assert checks.korean_resident(digits) is expected


def test_foreigners_check_digits_are_two_greater() -> None:
    """Those of 2020 and before."""
    citizen = next(
        f"900101123456{digit}" for digit in "0123456789" if checks.korean_resident_digit(f"900101123456{digit}")
    )
    assert not checks.korean_resident_digit(citizen[:12] + str((int(citizen[12]) + 2) % 10))
    foreign = [digit for digit in "0123456789" if checks.korean_resident_digit(f"900101523456{digit}")]
    assert len(foreign) == 2
    assert (int(foreign[0]) - int(foreign[1])) % 10 in (2, 8)


@pytest.mark.parametrize(
    ("digits", "issued"),
    [
        ("340000000000000", True), ("3400000000000000", False),
        ("180000000000000", True), ("213100000000000", True),
        ("30000000000000", True), ("3000000000000", False),
        ("2221000000000000", True), ("2720990000000000", True), ("2721000000000000", False), ("5100000000000000", True),
        ("4000000000000", True), ("40000000000000", False),
        ("630400000000", True), ("060400000000", True), ("500000000000", True),
        ("3500000000000000", True), ("9400000000000000", True), ("94000000000000", False),
        ("6200000000000000", True), ("620000000000", False), ("7000000000000000", False),
    ],
)  # fmt: skip
def test_cards_begin_as_issuers_have_them(digits: str, issued: bool) -> None:
    """And have the length that goes with it."""
    assert checks.issued_card(digits) is issued


def test_the_alternatives_of_social_security_numbers() -> None:
    """The tax office's begin with 9 and have a group from 50 on."""
    assert checks.us_social_security("912701234")
    assert not checks.us_social_security("912401234")
    assert checks.iban_length("GB") == 22
    assert checks.iban_length("US") == 0
