"""What the user wants done with findings, and what that means for one request."""

from collections.abc import Mapping
from enum import StrEnum

from homeward.privacy.findings import Report


class Choice(StrEnum):
    """What to do with findings of a kind; each is stricter than the next one."""

    HOME = "home"
    """The request is answered where it can't leave this device."""
    ASK = "ask"
    """The user decides for this request."""
    MASK = "mask"
    """It may leave with placeholders instead of the findings."""
    ALLOW = "allow"
    """It may leave as it is."""


def choice_for(report: Report, choices: Mapping[str, Choice]) -> Choice:
    """The strictest choice that anything in the request calls for.

    A kind without a choice stays home, and so does a request that could not be looked at completely.
    """
    if not report.complete:
        return Choice.HOME
    called_for = {choices.get(kind, Choice.HOME) for kind in report.counts}
    return next((choice for choice in Choice if choice in called_for), Choice.ALLOW)
