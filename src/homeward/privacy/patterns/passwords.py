"""Passwords that stand in an address or beside the word."""

import re

from homeward.privacy.detector import Candidate, Detector, when
from homeward.privacy.findings import Kind
from homeward.privacy.spans import Span

_NAME = (
    r"(?i)(?:pass[_\s-]?(?:word|wd|phrase|code)|passwort|mot de passe|contraseña|(?:\b|_)pwd|(?:\b|_)pw"
    r"|비밀\s?번호|비번|패스워드|암호|パスワード|暗証番号|密码|密碼)"
)
_OPTION = r"(?i)\s--?(?:password|passwd|pass|pwd|token|secret)[ =]"
_CODE = r"(?i)\b(?:pin|cvc|cvv|otp)"
_IS = r"[\"'`]?\s{0,3}(?:=>|:=|==?|:|\bis\b|\bwas\b|은|는|이|가|は|是)\s{0,3}"
_VALUE = r"(\"[^\"\s]{4,128}\"|'[^'\s]{4,128}'|`[^`\s]{4,128}`|[^\s\"'`<>]{4,128})"

_NEXT_FIELD = re.compile(r"[&;,]\w+=")
_STAND_INS = re.compile(r"[*x.•_-]+|<.*>|\{.*\}|\$.*|%.*|\[.*\]|.*\(.*", re.IGNORECASE | re.DOTALL)
_TERMS = re.compile(r"(?:sha|md|utf|base|argon|pbkdf|oauth|http|tls|ipv)-?\d\w*(?:-\w+)*|\d{1,2}-[a-z]+", re.IGNORECASE)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_PATH_IN_CODE = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+|[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+")


def _in_address(candidate: Candidate) -> bool:
    return _STAND_INS.fullmatch(candidate.text) is None


def _beside_its_name(candidate: Candidate) -> Span | None:
    """A value, and not the sentence's next word: it has a digit or a sign that words don't have."""
    quoted = candidate.text
    value = quoted.strip("\"'`")
    if value == quoted:
        value = _NEXT_FIELD.split(value)[0].rstrip(".,;)}]")
    if len(value) < 4 or _STAND_INS.fullmatch(quoted.strip("\"'`.,;")):
        return None
    if any(other.fullmatch(value) for other in (_STAND_INS, _TERMS, _ADDRESS, _PATH_IN_CODE)):
        return None
    if not any(character.isdecimal() or character in "!@#$%^&*+=~?" for character in value):
        return None
    start = candidate.start + len(quoted[: quoted.index(value)].encode())
    return start, start + len(value.encode())


PASSWORDS = (
    Detector(
        kind=Kind.PASSWORD,
        expression=r"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>]{0,128}:([^\s/\"'<>]{1,128})@[^\s@/]",
        check=when(_in_address),
        hint=r"://[^\s/:@\"'<>]*:[^\s/\"'<>]+@",
    ),
    Detector(
        kind=Kind.PASSWORD,
        expression=_NAME + _IS + _VALUE,
        check=_beside_its_name,
        hint=_NAME,
    ),
    Detector(
        kind=Kind.PASSWORD,
        expression=_OPTION + _VALUE,
        check=_beside_its_name,
        hint=_OPTION,
    ),
    Detector(
        kind=Kind.PASSWORD,
        expression=_CODE + r"(?: ?(?:code|number|번호))?" + _IS + r"([0-9]{3,8})\b",
        hint=_CODE,
    ),
    Detector(
        kind=Kind.PASSWORD,
        expression=r"\bcurl\b[^\n]{0,400}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"']{1,128}:([^\s\"']{3,128})",
        check=when(_in_address),
        hint="curl",
    ),
)
