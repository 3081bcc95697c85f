"""What the user's choices mean for a request."""

import pytest

from homeward.privacy import Choice, Finding, Kind, PartReport, Report, choice_for

CHOICES: dict[str, Choice] = {
    Kind.EMAIL: Choice.MASK,
    Kind.IP: Choice.ALLOW,
    Kind.PHONE: Choice.ASK,
    Kind.CARD: Choice.HOME,
}


def report(*kinds: str, complete: bool = True) -> Report:
    findings = tuple(Finding(0, 1, kind) for kind in kinds)
    return Report((PartReport(name="a", findings=findings, complete=complete), PartReport(name="b")))


@pytest.mark.parametrize(
    ("kinds", "choice"),
    [
        ((), Choice.ALLOW),
        ((Kind.IP,), Choice.ALLOW),
        ((Kind.IP, Kind.EMAIL), Choice.MASK),
        ((Kind.EMAIL, Kind.PHONE, Kind.IP), Choice.ASK),
        ((Kind.PHONE, Kind.CARD), Choice.HOME),
        ((Kind.API_KEY,), Choice.HOME),
        (("custom:ticket", Kind.IP), Choice.HOME),
    ],
)
def test_the_strictest_choice_counts(kinds: tuple[str, ...], choice: Choice) -> None:
    """And a kind without one stays home."""
    assert choice_for(report(*kinds), CHOICES) is choice


def test_an_incomplete_report_stays_home() -> None:
    """Whatever is allowed."""
    assert choice_for(report(Kind.IP, complete=False), dict.fromkeys(Kind, Choice.ALLOW)) is Choice.HOME
