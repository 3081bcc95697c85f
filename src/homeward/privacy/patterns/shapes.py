"""What numbers look like, and what looks like them and is something else."""

from homeward.privacy.detector import Candidate
from homeward.privacy.expressions import compiled

_DATE = (
    r"[^0-9]?(?:(?:18|19|20|21)[0-9]{2}([-./ ])(?:0?[1-9]|1[0-2])[-./ ](?:0?[1-9]|[12][0-9]|3[01])"
    r"|(?:0?[1-9]|[12][0-9]|3[01])[-./](?:0?[1-9]|[12][0-9]|3[01])[-./](?:18|19|20|21)[0-9]{2}"
    r"|(?:19|20)[0-9]{2} ?[-/] ?(?:19|20)[0-9]{2})(?:[^0-9].*)?"
)


def row_of_digits(count: int) -> str:
    """The expression for so many digits, between which stands what any number is written with."""
    return rf"(?:[0-9][-./()\s]{{0,4}}){{{count - 1}}}[0-9]"


def looks_like_date(text: str) -> bool:
    """Whether it begins with a date or is a range of years."""
    return compiled(_DATE).fullmatch(text.encode()) is not None


def continues_a_number(candidate: Candidate) -> bool:
    """Whether digits go on before or behind it: a decimal fraction, a version, an identifier with dashes."""
    before, after = candidate.before(2), candidate.after(2)
    if before[-1:].isdigit() or after[:1].isdigit():
        return True
    return _joins(before[-1:], before[:-1]) or _joins(after[:1], after[1:])


def _joins(joint: bytes, beyond: bytes) -> bool:
    return joint in (b"-", b".") and beyond.isdigit()


def is_part_of_a_number(candidate: Candidate) -> bool:
    """The same, or the sign of a phone number stands before it."""
    return candidate.before(1) == b"+" or continues_a_number(candidate)
