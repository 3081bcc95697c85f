"""What most tests here need."""

import pytest

from homeward.privacy import Finding, Part, Scanner


class Looking:
    """A scanner for one text; a text that could not be looked at fails the test."""

    def __init__(self, scanner: Scanner) -> None:
        self.scanner = scanner

    def findings(self, text: str) -> tuple[Finding, ...]:
        report = self.scanner.find([Part("text", text)])
        assert report.complete
        return report.parts[0].findings

    def found(self, text: str) -> list[tuple[str, str]]:
        """Kind and words of each finding."""
        return [(finding.kind, text[finding.start : finding.end]) for finding in self.findings(text)]


@pytest.fixture(scope="session")
def looking() -> Looking:
    return Looking(Scanner())
