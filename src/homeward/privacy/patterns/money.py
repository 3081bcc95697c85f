"""Payment cards and bank accounts."""

from homeward.privacy import checks
from homeward.privacy.detector import Candidate, Detector, when
from homeward.privacy.findings import Kind
from homeward.privacy.patterns.shapes import is_part_of_a_number, row_of_digits
from homeward.privacy.spans import Span

_CARD_WORDS = r"(?i)card|credit|debit|visa|master|maestro|amex|jcb|\bcc\b|\bpay|charge|결제|카드|신용|체크|カード|卡"


def _card(candidate: Candidate) -> bool:
    digits = candidate.digits
    if is_part_of_a_number(candidate) or not checks.issued_card(digits) or not checks.luhn(digits):
        return False
    return len(digits) > 13 or candidate.follows(_CARD_WORDS, 64)  # short ones are as often a product's barcode


def _iban(candidate: Candidate) -> Span | None:
    """As long as the country's accounts are; what follows is another word."""
    written = candidate.text
    length = checks.iban_length(written[:2].upper())
    account = written.replace(" ", "").replace("-", "")[:length].upper()
    if not length or len(account) < length or not checks.iban(account):
        return None
    end = candidate.start
    for _ in account:
        end += 1 + (written[end - candidate.start] in " -")
    return (candidate.start, end) if not candidate.data[end : end + 1].isalnum() else None


MONEY = (
    Detector(
        kind=Kind.CARD,
        expression=r"\b[0-9]{4}[-.\s]{1,2}[0-9]{4}[-.\s]{1,2}[0-9]{4}[-.\s]{1,2}[0-9]{1,4}(?:[-.\s][0-9]{1,3})?\b"
        r"|\b[0-9]{4}[-.\s][0-9]{6}[-.\s][0-9]{4,5}\b|\b[0-9](?:[- ][0-9]){15}\b|\b[0-9]{12,19}\b",
        check=when(_card),
        bounded=True,
        hint=row_of_digits(12),
        spaced=True,
    ),
    Detector(
        kind=Kind.IBAN,
        expression=r"\b[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]){11,30}",
        check=_iban,
        hint="[A-Za-z]{2}[0-9]{2}[ -]?[A-Za-z0-9]",
        spaced=True,
        bounded=True,
    ),
)
