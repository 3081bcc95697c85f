"""Check digits and other rules that tell an identifier from any row of digits: pure arithmetic.

All take the identifier without separators, upper case, and in the length and characters that its expression allows.
"""

from collections.abc import Iterable

_IBAN_LENGTHS = {
    **dict.fromkeys(("NO",), 15),
    **dict.fromkeys(("BE",), 16),
    **dict.fromkeys(("DK", "FK", "FO", "FI", "GL", "NL", "SD"), 18),
    **dict.fromkeys(("MK", "SI"), 19),
    **dict.fromkeys(("AT", "BA", "EE", "KZ", "LT", "LU", "MN", "XK"), 20),
    **dict.fromkeys(("CH", "CR", "HR", "LI", "LV"), 21),
    **dict.fromkeys(("BG", "BH", "DE", "GB", "GE", "IE", "ME", "RS", "VA"), 22),
    **dict.fromkeys(("AE", "GI", "IL", "IQ", "OM", "SO", "TL"), 23),
    **dict.fromkeys(("AD", "CZ", "ES", "MD", "PK", "RO", "SA", "SE", "SK", "TN", "VG"), 24),
    **dict.fromkeys(("LY", "PT", "ST"), 25),
    **dict.fromkeys(("IS", "TR"), 26),
    **dict.fromkeys(("BI", "DJ", "FR", "GR", "IT", "MC", "MR", "SM"), 27),
    **dict.fromkeys(("AL", "AZ", "BY", "CY", "DO", "GT", "HN", "HU", "LB", "NI", "PL", "SV"), 28),
    **dict.fromkeys(("BR", "EG", "PS", "QA", "UA"), 29),
    **dict.fromkeys(("JO", "KW", "MU", "YE"), 30),
    **dict.fromkeys(("MT", "SC"), 31),
    **dict.fromkeys(("LC",), 32),
    **dict.fromkeys(("RU",), 33),
}
_LETTER_VALUES = {ord("A") + place: str(10 + place) for place in range(26)}
_DOUBLED = str.maketrans("123456789", "246813579")
_VERHOEFF_PRODUCTS = (
    "0123456789", "1234067895", "2340178956", "3401289567", "4012395678",
    "5987604321", "6598710432", "7659821043", "8765932104", "9876543210",
)  # fmt: skip
_VERHOEFF_PERMUTATIONS = (
    "0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258",
)  # fmt: skip
_CODICE_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23)
_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def is_date(month: int, day: int) -> bool:
    """Whether a year may have this day."""
    return 1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]


def weighted(digits: Iterable[str], weights: Iterable[int]) -> int:
    """The sum of each digit times its weight, as far as there are both."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def luhn(digits: str) -> bool:
    """ISO/IEC 7812: payment cards, and more."""
    return sum(map(int, digits[::-2] + digits[-2::-2].translate(_DOUBLED))) % 10 == 0


def issued_card(digits: str) -> bool:
    """Whether an issuer gives out cards that begin so and have this length."""
    first_two, first_four, length = int(digits[:2]), int(digits[:4]), len(digits)
    if first_two in (34, 37):  # American Express
        return length == 15
    if first_four in (1800, 2131):  # JCB's old ones
        return length == 15
    if first_two in (30, 36, 38, 39):  # Diners Club
        return 14 <= length <= 19
    if 2221 <= first_four <= 2720 or 51 <= first_two <= 55:  # Mastercard
        return length == 16
    if digits[0] == "4":  # Visa
        return length in (13, 16, 19)
    if first_two in (50, 56, 57, 58, 67) or first_four in (6304, 604, 6390):  # Maestro
        return True
    if first_two == 35 or digits[0] == "9":  # JCB; cards for use in Korea alone
        return length == 16
    return first_two in (60, 62, 64, 65, 81) and length in (16, 17, 19)  # Discover, UnionPay, RuPay


def iban_length(country: str) -> int:
    """How long its account numbers are; 0 where a country has none."""
    return _IBAN_LENGTHS.get(country, 0)


def iban(account: str) -> bool:
    """ISO 13616: the remainder by 97 is 1."""
    return int((account[4:] + account[:4]).translate(_LETTER_VALUES)) % 97 == 1


def korean_resident(digits: str) -> bool:
    """Date of birth and a digit for century, sex and nationality; those given out since October 2020 end at random."""
    if digits[6] in "3478" and digits[0] > "4":  # born from 2050 on
        return False
    return digits[6] in "12345678" and is_date(int(digits[2:4]), int(digits[4:6]))


def korean_resident_digit(digits: str) -> bool:
    """The check digit of those given out before; of foreigners too, whose one is two greater."""
    remainder = (11 - weighted(digits, (2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5)) % 11) % 10
    return int(digits[12]) in (remainder, (remainder + 2) % 10 if digits[6] in "5678" else remainder)


def us_social_security(digits: str) -> bool:
    """A number that the Social Security Administration gives out, or the tax office's ITIN."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    if area in ("000", "666") or group == "00" or serial == "0000":
        return False
    return area[0] != "9" or 50 <= int(group) <= 99


def uk_health_service(digits: str) -> bool:
    """NHS number: eleven minus the remainder by 11."""
    return (11 - weighted(digits, range(10, 1, -1)) % 11) % 11 == int(digits[9])


def german_tax(digits: str) -> bool:
    """ISO 7064, Mod 11,10."""
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def french_insee(number: str) -> bool:
    """97 minus the remainder by 97; Corsica's departments count as 19 and 18."""
    return 97 - int(number[:13].replace("2A", "19").replace("2B", "18")) % 97 == int(number[13:])


def spanish_identity(number: str) -> bool:
    """DNI and NIE: a letter for the remainder by 23."""
    digits = number[:-1].translate(str.maketrans("XYZ", "012"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[int(digits) % 23] == number[-1]


def italian_tax(code: str) -> bool:
    """Codice fiscale: its odd and even places count differently."""
    values = [int(character) if character.isdigit() else ord(character) - ord("A") for character in code[:15]]
    total = sum(_CODICE_ODD[value] for value in values[::2]) + sum(values[1::2])
    return chr(ord("A") + total % 26) == code[15]


def dutch_service(digits: str) -> bool:
    """BSN: the eleven test."""
    return weighted(digits, (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0


def polish_identity(digits: str) -> bool:
    """PESEL: a date of birth whose month tells the century, and a check digit."""
    month = int(digits[2:4])
    if not is_date(month - 20 if month > 20 else month, int(digits[4:6])):
        return False
    return weighted(digits, (1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1)) % 10 == 0


def brazilian_tax(digits: str) -> bool:
    """CPF: two check digits."""
    return all(weighted(digits, range(length + 1, 1, -1)) * 10 % 11 % 10 == int(digits[length]) for length in (9, 10))


def chinese_resident(number: str) -> bool:
    """A date of birth, and ISO 7064 Mod 11-2."""
    if not is_date(int(number[10:12]), int(number[12:14])):
        return False
    remainder = weighted(number[:17], (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)) % 11
    return "10X98765432"[remainder] == number[17]


def japanese_individual(digits: str) -> bool:
    """My Number: eleven minus the remainder by 11, 0 where that has two digits."""
    remainder = weighted(digits, (6, 5, 4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11
    return (0 if remainder <= 1 else 11 - remainder) == int(digits[11])


def taiwanese_identity(number: str) -> bool:
    """The letter counts as two digits."""
    letter = "ABCDEFGHJKLMNPQRSTUVXYWZIO".index(number[0]) + 10
    return weighted(str(letter) + number[1:], (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)) % 10 == 0


def singaporean_identity(number: str) -> bool:
    """NRIC and FIN: a letter for the remainder by 11."""
    first = number[0]
    total = weighted(number[1:8], (2, 7, 6, 5, 4, 3, 2)) + (3 if first == "M" else 4 if first in "TG" else 0)
    letters = {"S": "JZIHGFEDCBA", "T": "JZIHGFEDCBA", "M": "KLJNPQRTUWX"}.get(first, "XWUTRQPNMLK")
    return letters[10 - total % 11 if first == "M" else total % 11] == number[8]


def indian_identity(digits: str) -> bool:
    """Aadhaar: Verhoeff's check digit."""
    check = 0
    for place, digit in enumerate(reversed(digits)):
        check = int(_VERHOEFF_PRODUCTS[check][int(_VERHOEFF_PERMUTATIONS[place % 8][int(digit)])])
    return check == 0
