"""Numbers that a state gives to a person."""

from collections.abc import Callable

from homeward.privacy import checks
from homeward.privacy.detector import Candidate, Check, Detector, when
from homeward.privacy.findings import Kind
from homeward.privacy.patterns.shapes import is_part_of_a_number, row_of_digits


def _compact(candidate: Candidate) -> str:
    return "".join(filter(str.isalnum, candidate.text)).upper()


def _with(valid: Callable[[str], bool], *, near: str = "") -> Check:
    """Where it is valid, stands for itself, and, where words are given, stands near one of them."""
    return when(
        lambda candidate: (
            not is_part_of_a_number(candidate)
            and valid(_compact(candidate))
            and (not near or candidate.follows(near) or candidate.precedes(near, 16))
        )
    )


def _any(_number: str) -> bool:
    return True


_DOCUMENT = r"(?i)(?:passport|driver'?s? licen[cs]e|driving licen[cs]e|licen[cs]e (?:number|no)|여권|운전면허)"
_KOREAN_WORDS = r"(?i)주민|외국인등록|거소|resident|\brrn\b"


def _korean_resident(candidate: Candidate) -> bool:
    """In one piece it might be any number: then it needs its check digit or a word."""
    number = _compact(candidate)
    if not checks.korean_resident(number):
        return False
    if len(candidate.text) > len(number):
        return True
    told = candidate.follows(_KOREAN_WORDS) or checks.korean_resident_digit(number)
    return told and not is_part_of_a_number(candidate)


def _us_social_security(candidate: Candidate) -> bool:
    """With spaces or in one piece it needs a word."""
    if is_part_of_a_number(candidate) or not checks.us_social_security(_compact(candidate)):
        return False
    return candidate.text.count("-") == 2 or candidate.follows(r"(?i)\bssn\b|\bitin\b|social security|tax")


def _number(expression: str, check: Check, *, hint: str) -> Detector:
    return Detector(kind=Kind.NATIONAL_ID, expression=expression, check=check, hint=hint, bounded=True, spaced=True)


IDENTITY = (
    _number(r"\b[0-9]{6}\s?-?\s?[0-9]{7}\b", when(_korean_resident), hint=row_of_digits(13)),
    _number(r"\b(?:1[1-9]|2[0-8])-[0-9]{2}-[0-9]{6}-[0-9]{2}\b", _with(_any), hint=row_of_digits(12)),  # driver, Korea
    _number(r"\b[0-9]{3}[- ]?[0-9]{2}[- ]?[0-9]{4}\b", when(_us_social_security), hint=row_of_digits(9)),
    _number(
        r"(?i)\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\b",
        _with(lambda number: number[:2] not in {"BG", "GB", "KN", "NK", "NT", "TN"}),
        hint="(?i)[A-Z] ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",
    ),
    _number(
        r"\b[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}\b",
        _with(checks.uk_health_service, near=r"(?i)\bnhs\b"),
        hint=row_of_digits(10),
    ),
    _number(
        r"\b[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}\b",
        _with(checks.german_tax, near=r"(?i)steuer|idnr|\btin\b|\btax"),
        hint=row_of_digits(11),
    ),
    _number(
        r"\b[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]|[2-9][0-9]) ?(?:[0-9]{2}|2[ABab]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\b",
        _with(checks.french_insee),
        hint=row_of_digits(8),  # behind Corsica's letter
    ),
    _number(
        r"\b(?:[0-9]{8}|[XYZ]-?[0-9]{7})-?[A-HJ-NP-TV-Z]\b",
        _with(checks.spanish_identity),
        hint="[0-9]{7}-?[A-Z]",
    ),
    _number(
        r"\b[A-Za-z]{6}[0-9]{2}[A-EHLMPR-Ta-ehlmpr-t][0-9]{2}[A-Za-z][0-9]{3}[A-Za-z]\b",
        _with(checks.italian_tax),
        hint="[0-9]{2}[A-Za-z][0-9]{2}[A-Za-z][0-9]{3}",
    ),
    _number(
        r"\b[0-9]{9}\b",
        _with(checks.dutch_service, near=r"(?i)\bbsn\b|burgerservice|sofinummer"),
        hint=row_of_digits(9),
    ),
    _number(r"\b[0-9]{11}\b", _with(checks.polish_identity), hint=row_of_digits(11)),
    _number(r"\b[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}\b", _with(checks.brazilian_tax), hint=row_of_digits(11)),
    _number(r"\b[0-9]{11}\b", _with(checks.brazilian_tax, near=r"(?i)\bcpf\b"), hint=row_of_digits(11)),
    _number(
        r"\b[1-9][0-9]{5}(?:19|20)[0-9]{2}[01][0-9][0-3][0-9][0-9]{3}[0-9Xx]\b",
        _with(checks.chinese_resident),
        hint=row_of_digits(13),
    ),
    _number(
        r"\b[0-9]{4}[ -]?[0-9]{4}[ -]?[0-9]{4}\b",
        _with(checks.japanese_individual, near=r"(?i)マイナンバー|個人番号|my ?number"),
        hint=row_of_digits(12),
    ),
    _number(r"\b[A-Z][12][0-9]{8}\b", _with(checks.taiwanese_identity), hint="[A-Z][12][0-9]{8}"),
    _number(r"\b[STFGM][0-9]{7}[A-Z]\b", _with(checks.singaporean_identity), hint="[0-9]{7}-?[A-Z]"),
    _number(r"\b[2-9][0-9]{3} [0-9]{4} [0-9]{4}\b", _with(checks.indian_identity), hint=row_of_digits(12)),
    _number(r"\b[2-9][0-9]{11}\b", _with(checks.indian_identity, near=r"(?i)aadhaa?r|आधार"), hint=row_of_digits(12)),
    _number(
        r"\b[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}\b",
        _with(checks.luhn, near=r"(?i)\bsin\b|social insurance|assurance sociale"),
        hint=row_of_digits(9),
    ),
    Detector(
        kind=Kind.NATIONAL_ID,
        expression=_DOCUMENT + r"[^0-9\n]{0,16}?\b((?:[A-Z]{1,2}-?)?[0-9](?:[- ]?[0-9A-Z]){4,15})\b",
        check=when(lambda candidate: sum(map(str.isdecimal, candidate.text)) >= 6),
        hint=_DOCUMENT,
    ),
)
