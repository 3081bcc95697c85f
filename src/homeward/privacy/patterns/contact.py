"""E-mail addresses and telephone numbers."""

import re
from collections.abc import Callable

from homeward.privacy.detector import Candidate, Detector, when
from homeward.privacy.findings import Kind
from homeward.privacy.patterns.shapes import continues_a_number, looks_like_date, row_of_digits
from homeward.privacy.spans import Span

_IN_LOCAL = r"(?:[A-Za-z0-9._%+'~-]|[^\x00-\x7F])"
_LABEL = r"(?:[A-Za-z0-9-]|[^\x00-\x7F])+"
_TOP = r"(?:xn--[A-Za-z0-9-]{2,59}|[A-Za-z]{2,24}|한국|닷컴|닷넷|中国|中國|香港|台灣|台湾)"
_KNOWN_TOP = "(?:com|net|org|edu|gov|info|io|co|me|dev|app|ai|kr|jp|cn|de|fr|uk|us|eu)"
_AT_SIGN = r"[\[({<]\s?(?:at|@|골뱅이)\s?[\])}>]"
_AT = rf"(?:\s{{0,2}}{_AT_SIGN}\s{{0,2}}|\s?골뱅이\s?)"
_DOT = r"(?:\s{0,2}[\[({<]\s?(?:dot|\.|점|닷)\s?[\])}>]\s{0,2}|\s?(?:점|닷)\s?|\.)"

_ASCII_ONLY = bytes(range(128)) + b"\xff" * 128
_FILES = frozenset(b"png jpg jpeg gif svg webp css js json html htm txt pdf doc docx xls xlsx csv tgz".split())


def _email(candidate: Candidate) -> Span | None:
    """Not `icon@2x.png`, not the user of a Git server; a Korean word may stand directly before an address."""
    local, _, domain = candidate.data[candidate.start : candidate.end].rpartition(b"@")
    name, _, top = domain.rpartition(b".")
    is_file = top.lower() in _FILES
    if local == b"git" or (is_file and b"." not in name):
        return None
    ascii_part = local.translate(_ASCII_ONLY).rpartition(b"\xff")[2].lstrip(b"'")
    start = candidate.start + (len(local) - len(ascii_part) if ascii_part else 0)
    return start, candidate.end - (len(top) + 1 if is_file else 0)


_EXTENSION = r"(?:\s?(?:x|ext\.?|#)\s?[0-9]{1,6}|\b)"
_WORDS = (
    r"(?:\b(?:phone|telephone|tel|mobile|cell|cellphone|fax|hotline|whatsapp|sms|handy|telefon|telefono|landline|desk"
    r"|registered|messages? to|answering at|(?:call|text|dial|ring|reach|contact) (?:me|us|him|her|them|at|on))"
    r"|전화|휴대폰|핸드폰|연락처|팩스|電話|携帯|手机|手機|电话|téléphone|teléfono|móvil)"
)
_FILLER = r"(?:[^A-Za-z0-9+(]{0,4}(?:phone|number|no|nr|is|was|at|on|to|me|us|my|the)){0,4}[^A-Za-z0-9+(]{0,24}"
_DIGITS = r"\+?\(?[0-9](?:[-. /()]{0,3}[0-9]){6,14}" + _EXTENSION
_PLACES = r"[ -]{0,2}\b(?:office|fax|mobile|cell|home|desk)\b"


def _stands_alone(candidate: Candidate) -> bool:
    return not continues_a_number(candidate) and not looks_like_date(candidate.text)


def _without_extension(candidate: Candidate) -> str:
    """Its digits, as far as they are dialled first."""
    return "".join(filter(str.isdecimal, re.split("[xe#]", candidate.text.lower(), maxsplit=1)[0]))


def _korean_mobile(candidate: Candidate) -> bool:
    """The old ones without separators, or in a row with other digits, might be any number; today's 010 is not."""
    digits = candidate.digits
    written_apart = len(candidate.text) > len(digits)
    if digits.startswith("010"):
        return len(digits) == 11 and (written_apart or _stands_alone(candidate))
    return written_apart and _stands_alone(candidate)


def _international(candidate: Candidate) -> bool:
    digits = _without_extension(candidate)
    if not candidate.text.startswith("+") and (len(candidate.text) == len(digits) or candidate.follows(r"[0-9] \z", 2)):
        return False  # 00 and digits in one piece, or in a row of groups: an identifier
    at_line_start = candidate.follows(r"(?:^|\n)\z", 1)
    enough = 11 if at_line_start and len(candidate.text) == len(digits) + 1 else 8  # `+20240131`: a line of a diff
    return enough <= len(digits) <= 17 and not candidate.follows(r"[0-9A-Za-z)\]]\z", 1) and _stands_alone(candidate)


def _national(candidate: Candidate) -> bool:
    """A number with the trunk prefix 0; a row of pairs is no such number where it goes on (a dump in hexadecimal)."""
    alone = not candidate.follows(r"(?:[0-9]|\b[A-Fa-f]{2}) \z", 4) and not candidate.precedes(
        r"\A [0-9A-Fa-f]{2}\b", 4
    )
    return 9 <= len(candidate.digits) <= 11 and alone and _stands_alone(candidate)


def _in_context(candidate: Candidate) -> bool:
    return 7 <= len(_without_extension(candidate)) <= 15 and _stands_alone(candidate)


def _chinese_mobile(candidate: Candidate) -> bool:
    return len(set(candidate.text)) > 3 and _stands_alone(candidate)  # 15000000000 is an amount


def _phone(expression: str, test: Callable[[Candidate], bool], *, hint: str, bounded: bool = True) -> Detector:
    return Detector(kind=Kind.PHONE, expression=expression, check=when(test), hint=hint, bounded=bounded, spaced=True)


CONTACT = (
    Detector(
        kind=Kind.EMAIL,
        expression=rf"{_IN_LOCAL}{{1,64}}@(?:{_LABEL}\.)+{_TOP}",
        check=_email,
        hint=rf"{_IN_LOCAL}@{_LABEL}\.",
    ),
    Detector(
        kind=Kind.EMAIL,
        expression=rf"(?i)[A-Z0-9._%+-]{{1,64}}{_AT}[A-Z0-9-]{{1,63}}(?:{_DOT}[A-Z0-9-]{{1,63}}){{0,3}}{_DOT}{_KNOWN_TOP}\b",
        hint=rf"(?i){_AT_SIGN}|골뱅이",
    ),
    Detector(
        kind=Kind.EMAIL,
        expression=rf"(?i)\b[A-Z0-9._+-]{{2,64}} at (?:[A-Z0-9-]{{2,63}} dot ){{1,4}}{_KNOWN_TOP}\b",
        hint="(?i) dot ",
    ),
    Detector(
        kind=Kind.PHONE,
        expression=r"공일[공일육칠팔구][\s-]{0,2}(?:[공영일이삼사오육륙칠팔구][\s-]?){6,7}[공영일이삼사오육륙칠팔구]",
        hint="공일",
    ),
    _phone(
        r"\b01[016789][-. )]{0,2}[0-9]{3,4}[-. ]{0,2}[0-9]{4}\b",
        _korean_mobile,
        hint=row_of_digits(10),
    ),
    _phone(
        r"\(?\b0(?:2|3[1-3]|4[1-4]|5[1-5]|6[1-4]|70|50[0-9]|80)[-. )]{1,2}[0-9]{3,4}[-. ][0-9]{4}\b",
        _stands_alone,
        hint=row_of_digits(9),
    ),
    _phone(
        r"(?:\+|\b00)[1-9][0-9]{0,2}(?:[-. /]{0,2}\(?[0-9]{1,5}\)?){2,6}" + _EXTENSION,
        _international,
        hint=r"(?:\+|\b00)[1-9]",
    ),
    _phone(
        r"(?:\b1[-. ])?(?:\([2-9][0-9]{2}\)[-. ]?|\b[2-9][0-9]{2}[-. ])[2-9][0-9]{2}[-. ][0-9]{4}" + _EXTENSION,
        _stands_alone,
        hint=row_of_digits(10),
    ),
    _phone(
        r"\(?\b0[1-9][0-9]{0,3}\)?[-. /]{1,2}[0-9]{2,4}(?:[-. ][0-9]{2,4}){1,3}\b",
        _national,
        hint=r"0[1-9][0-9]{0,3}\)?[-. /]{1,2}[0-9]{2,4}[-. ][0-9]{2}",
    ),
    _phone(
        r"\(0[0-9]{1,5}\)[- ]?[0-9]{5,8}\b|\([0-9]{2,3}\)[- ]?[0-9]{4,5}-[0-9]{4}\b",
        _stands_alone,
        hint=r"[0-9]\)[- ]?[0-9]{4}",
    ),
    _phone(r"\b0[1-9][0-9]{1,3}[ -][0-9]{6,8}\b", _national, hint=row_of_digits(9)),
    _phone(r"\b1[3-9][0-9]{9}\b", _chinese_mobile, hint=row_of_digits(11)),
    _phone(rf"(?i){_WORDS}{_FILLER}({_DIGITS})", _in_context, hint=row_of_digits(7), bounded=False),
    _phone(rf"(?i)({_DIGITS}){_PLACES}", _in_context, hint=row_of_digits(7)),
)
