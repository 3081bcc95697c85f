"""Placeholders out, originals back in, whatever the chunks."""
# ruff: noqa: RUF001

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeward.privacy import Finding, Kind, Masked, Part, PartReport, Report, Scanner, Unmasker, custom_kind, mask
from tests.privacy.samples import PRIVATE_KEY

SCANNER = Scanner(deny=["김철수"], patterns={"ticket": "HW-[0-9]+"})
ALL = (*Kind, custom_kind("ticket"))


def masked(*texts: str, kinds: tuple[str, ...] = ALL) -> Masked:
    parts = [Part(str(number), text) for number, text in enumerate(texts)]
    return mask(parts, SCANNER.find(parts), kinds)


def unmasked(originals: dict[str, str], chunks: list[str]) -> str:
    unmasker = Unmasker(originals)
    return "".join([*(unmasker.feed(chunk) for chunk in chunks), unmasker.end()])


def test_each_kind_has_its_label() -> None:
    """The model sees what it was, not what it says."""
    result = masked(f"kim@example.com 010-1234-5678 123-45-6789 10.0.0.5 HW-12 김철수는\n{PRIVATE_KEY}")
    assert result.parts[0].text == "[EMAIL_1] [PHONE_1] [ID_1] [IP_1] [CUSTOM_1] [TERM_1]는\n[PRIVATE_KEY_1]"
    assert result.originals["TERM_1"] == "김철수"
    assert result.originals["PRIVATE_KEY_1"] == PRIVATE_KEY


def test_the_same_words_have_the_same_label_everywhere() -> None:
    """So that the model can speak of them."""
    result = masked("a@b.co, c@d.co", "c@d.co and a@b.co")
    assert [part.text for part in result.parts] == ["[EMAIL_1], [EMAIL_2]", "[EMAIL_2] and [EMAIL_1]"]


def test_only_the_chosen_kinds_are_masked() -> None:
    """What the user allows stays."""
    result = masked("a@b.co 10.0.0.5", kinds=(Kind.IP,))
    assert result.parts[0].text == "a@b.co [IP_1]"


@pytest.mark.parametrize("written", ["[EMAIL_1]", "[email 1]", r"\[EMAIL\_1\]", "【Email-1】"])
def test_a_label_that_stands_in_the_text_is_not_used(written: str) -> None:
    """Else it would come back as an address."""
    result = masked(f"{written} means", "a@b.co")
    assert result.parts[1].text == "[EMAIL_2]"
    assert unmasked(dict(result.originals), [part.text for part in result.parts]) == f"{written} meansa@b.co"


def test_findings_that_overlap_are_masked_together() -> None:
    """Nothing of either is left."""
    findings = (Finding(0, 5, "email"), Finding(3, 8, "ip"), Finding(4, 6, "card"), Finding(8, 9, "phone"))
    report = Report((PartReport(name="a", findings=findings),))
    result = mask([Part("a", "0123456789")], report, ALL)
    assert result.parts[0].text == "[EMAIL_1][PHONE_1]9"
    assert result.originals == {"EMAIL_1": "01234567", "PHONE_1": "8"}


def test_nothing_that_was_found_is_left() -> None:
    """A second look sees no finding."""
    result = masked("kim@example.com, call 010-1234-5678 or +82-2-123-4567; 4111 1111 1111 1111. 김철수")
    assert not SCANNER.find(result.parts).counts


def test_what_was_masked_is_not_shown() -> None:
    """In a log line or a traceback."""
    assert "kim" not in repr(masked("kim@example.com"))


@pytest.mark.parametrize(
    "written",
    ["[EMAIL_1]", "[email_1]", "[Email 1]", "[EMAIL-1]", "[ EMAIL_1 ]", r"\[EMAIL_1\]", r"\[EMAIL\_1\]", r"[EMAIL\_1]",
     "【EMAIL_1】", "［EMAIL_1］"],
)  # fmt: skip
def test_placeholders_come_back_as_models_write_them(written: str) -> None:
    """In one chunk, and character by character."""
    text = f"Write to {written}, please."
    for chunks in ([text], list(text)):
        assert unmasked({"EMAIL_1": "kim@example.com"}, chunks) == "Write to kim@example.com, please."


@pytest.mark.parametrize(
    "text",
    ["[EMAIL_2]", "[EMAIL_11]", "EMAIL_1", "[EMAIL_1", "[]", "[x]", "a[0]", "[[", "\\", "\\[", "[EMAIL_1)", "[^1]"],
)
def test_everything_else_stays(text: str) -> None:
    """Also what the model made up."""
    for chunks in ([text], list(text)):
        assert unmasked({"EMAIL_1": "kim@example.com"}, chunks) == text


def test_what_comes_back_is_not_looked_at_again() -> None:
    """An original may look like a placeholder, or like the beginning of one."""
    originals = {"TERM_1": "[TERM_2]", "TERM_2": "x[", "TERM_3": "TERM_1]"}
    text = "[TERM_1][TERM_2][TERM_3]"
    for chunks in ([text], list(text)):
        assert unmasked(originals, chunks) == "[TERM_2]x[TERM_1]"


def test_only_what_may_become_a_placeholder_is_held_back() -> None:
    """And no longer than it may."""
    unmasker = Unmasker({"EMAIL_1": "kim@example.com"})
    fed = [
        unmasker.feed(chunk)
        for chunk in ("Hello ", "see [1", "] and [", "em", "ail_", "1", "]", " bye \\", "x [E", "!")
    ]
    assert fed == ["Hello ", "see [1", "] and ", "", "", "", "kim@example.com", " bye ", "\\x ", "[E!"]
    assert unmasker.end() == ""
    assert unmasker.feed("[EMAIL") == ""
    assert unmasker.end() == "[EMAIL"
    assert Unmasker({}).feed("[EMAIL") == "[EMAIL"


PIECES = st.sampled_from(
    [
        *("kim@example.com", "lee@example.org", "010-1234-5678", "10.0.0.5", "김철수", "HW-7", "4111111111111111"),
        *("[EMAIL_1]", "[email 2]", "[[EMAIL_1]]", "[PHONE", "IP_1]", "_1", "[", "]", "\\[", "\\]", "\\", "【"),
        *(" ", "a", "가", "\u200b", "\n"),
    ]
)


@settings(deadline=None)
@given(pieces=st.lists(PIECES, max_size=20), data=st.data())
def test_unmasking_is_the_inverse_of_masking(pieces: list[str], data: st.DataObject) -> None:
    """For every text, and every way to cut what was masked into chunks."""
    text = "".join(pieces)
    result = masked(text)
    sent = result.parts[0].text
    cuts = sorted(data.draw(st.sets(st.integers(0, len(sent)))))
    bounds = [0, *cuts, len(sent)]
    chunks = [sent[start:end] for start, end in pairwise(bounds)]
    assert unmasked(dict(result.originals), chunks) == text


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_comes_back(text: str) -> None:
    """Nothing is lost where nothing was found."""
    result = masked(text)
    assert unmasked(dict(result.originals), [result.parts[0].text]) == text


@settings(deadline=None)
@given(pieces=st.lists(PIECES, max_size=20), data=st.data())
def test_chunks_make_no_difference(pieces: list[str], data: st.DataObject) -> None:
    """A model's answer means the same however it arrives."""
    answer = "".join(pieces)
    originals = {"EMAIL_1": "kim@example.com", "IP_1": "10.0.0.5", "PHONE_12": "[EMAIL_1]"}
    cuts = sorted(data.draw(st.sets(st.integers(0, len(answer)))))
    bounds = [0, *cuts, len(answer)]
    chunks = [answer[start:end] for start, end in pairwise(bounds)]
    assert unmasked(originals, chunks) == unmasked(originals, [answer])
