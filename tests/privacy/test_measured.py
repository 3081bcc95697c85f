"""Precision and recall on texts that others labelled."""

from pathlib import Path

import pytest
from bench.privacy import FILE, measure, presidio, samples

from homeward.privacy import Kind

DATA = Path(__file__).resolve().parents[3] / "shared/data/pii"
STRUCTURED = (Kind.EMAIL, Kind.PHONE, Kind.CARD, Kind.IBAN, Kind.NATIONAL_ID, Kind.IP)


@pytest.mark.skipif(not (DATA / FILE).exists(), reason=f"needs {FILE} of microsoft/presidio-research in {DATA}")
def test_structured_kinds_are_found_in_texts_of_others() -> None:
    """At least 0.98 of both, for each kind."""
    measured = measure(presidio(DATA))
    assert set(measured.scores) == set(STRUCTURED)
    for kind, score in measured.scores.items():
        assert (score.precision >= 0.98, score.recall >= 0.98) == (True, True), (kind, measured.mistakes)


def test_our_own_samples_are_all_right() -> None:
    """With nothing wrong in the texts that hold nothing."""
    assert measure(samples()).mistakes == []
