"""Addresses of machines."""

import ipaddress

from homeward.privacy.detector import Candidate, Detector, when
from homeward.privacy.findings import Kind

_OCTET = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_NOT_AN_ADDRESS = (
    r"(?i)(?:\b(?:versions?|ver\.?|release|firmware|build|section|chapter|clause)|§|버전|[=~<>]=)[ :=v\"']{0,3}\z"
    r"|[A-Za-z]/\z"  # Chrome/120.0.0.0
)


def _ipv4(candidate: Candidate) -> bool:
    """Anybody's address, private ones too; not the machine's own, not a mask, not a version or a section."""
    if candidate.follows(r"[.]\z|[0-9]-\z", 2) or candidate.precedes(r"\A[-.]?[0-9]|\A[-.][A-Za-z]", 2):
        return False
    if candidate.text.startswith(("0.", "127.", "255.")):
        return False
    return not candidate.follows(_NOT_AN_ADDRESS, 24)


def _ipv6(candidate: Candidate) -> bool:
    """Not `::1`, not the time of day, not `a[1::2]`, not a name in C++."""
    if candidate.follows(r"[0-9A-Za-z_:.]\z", 1) or candidate.precedes(r"\A[0-9A-Za-z_:]", 1):
        return False
    try:
        address = ipaddress.IPv6Address(candidate.text)
    except ValueError:
        return False
    groups = [group for group in candidate.text.split(":") if group]
    telling = len(groups) > 3 or (len(groups) > 1 and any(len(group) > 2 for group in groups))
    return telling and any(map(str.isdigit, candidate.text)) and not (address.is_loopback or address.is_unspecified)


NETWORK = (
    Detector(
        kind=Kind.IP,
        expression=rf"\b(?:{_OCTET}\.){{3}}{_OCTET}\b",
        check=when(_ipv4),
        hint=r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]",
        spaced=True,
        bounded=True,
    ),
    Detector(
        kind=Kind.IP,
        expression=rf"(?:[0-9A-Fa-f]{{0,4}}:){{2,7}}(?:(?:{_OCTET}\.){{3}}{_OCTET}|[0-9A-Fa-f]{{1,4}}|:)",
        check=when(_ipv6),
        hint=":[0-9A-Fa-f]{0,4}:",
    ),
)
