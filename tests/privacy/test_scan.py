"""Requests of many parts, the user's own words and patterns, and what happens when something goes wrong."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeward.privacy import Finding, Kind, Part, PartReport, Report, Scanner, custom_kind, scan
from homeward.privacy.budget import Budget, OutOfStepsError
from homeward.privacy.seams import REACH
from homeward.protocol.errors import ConfigError
from tests.privacy.conftest import Looking
from tests.privacy.samples import TO_FIND


def test_findings_are_reported_by_part(looking: Looking) -> None:
    """In the order of the parts, and of the text."""
    report = looking.scanner.find(
        [
            Part("system", "Be kind."),
            Part("messages[0]", "10.0.0.5 and kim@example.com"),
            Part("files[0].name", "kim@example.com.txt"),
        ]
    )
    assert report.complete
    assert report.parts == (
        PartReport(name="system"),
        PartReport(name="messages[0]", findings=(Finding(0, 8, Kind.IP), Finding(13, 28, Kind.EMAIL))),
        PartReport(name="files[0].name", findings=(Finding(0, 15, Kind.EMAIL),)),
    )
    assert report.counts == {"ip": 1, "email": 2}


def test_no_parts_are_no_findings(looking: Looking) -> None:
    """An empty request is complete."""
    assert looking.scanner.find([]) == Report(())
    assert looking.scanner.find([Part("a", ""), Part("b", "")]).complete


def test_a_report_holds_no_words(looking: Looking) -> None:
    """Whatever is logged of it."""
    assert "kim" not in repr(looking.scanner.find([Part("a", "kim@example.com")]))


def test_a_request_with_too_much_in_it_is_incomplete(looking: Looking) -> None:
    """What was not looked at is not reported as clean."""
    report = looking.scanner.find([Part("a", "kim@example.com"), Part("b", "x" * 1000), Part("c", "hi")], steps=1200)
    assert [part.complete for part in report.parts] == [True, False, False]
    assert not report.complete


def test_borders_that_could_not_be_looked_at_make_it_incomplete(looking: Looking) -> None:
    """The budget may end between the parts and their borders."""
    parts = [Part("a", "x" * 100), Part("b", "y" * 100, continues=True)]
    assert [part.complete for part in looking.scanner.find(parts, steps=500).parts] == [False, True]
    assert looking.scanner.find(parts, steps=1000).complete


def test_a_failure_makes_it_incomplete(looking: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault of ours must not look like a request without findings."""

    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(scan, "read", broken)
    assert looking.scanner.find([Part("a", "hello")]) == Report((PartReport(name="a", complete=False),))


def test_a_budget_ends() -> None:
    """Exactly."""
    budget = Budget(3)
    budget.spend(3)
    with pytest.raises(OutOfStepsError):
        budget.spend(1)


SAMPLES = [(kind, sentence.format(value), value) for kind, sentence, value in TO_FIND if len(value) < REACH]


@settings(deadline=None)
@given(sample=st.sampled_from(SAMPLES), data=st.data())
def test_findings_survive_any_cutting_into_parts(
    looking: Looking, sample: tuple[str, str, str], data: st.DataObject
) -> None:
    """Each character of it is reported in the part in which it stands."""
    kind, text, value = sample
    cuts = sorted(data.draw(st.sets(st.integers(1, len(text) - 1), max_size=len(text) - 1)))
    bounds = [0, *cuts, len(text)]
    parts = [Part("part", text[start:end], continues=True) for start, end in pairwise(bounds)]
    report = looking.scanner.find(parts)
    reported = {
        start + place
        for start, part in zip(bounds, report.parts, strict=False)
        for finding in part.findings
        if finding.kind == kind
        for place in range(finding.start, finding.end)
    }
    first = text.index(value)
    assert set(range(first, first + len(value))) <= reported


@settings(deadline=None)
@given(
    before=st.text("ab 가.", max_size=3 * REACH), behind=st.text("ab 가.", max_size=3 * REACH), cut=st.integers(1, 18)
)
def test_findings_survive_a_cut_between_long_parts(looking: Looking, before: str, behind: str, cut: int) -> None:
    """However far the border is from the ends."""
    card = "4111 1111 1111 1111"
    parts = [Part("a", f"{before} {card[:cut]}"), Part("b", f"{card[cut:]} {behind}", continues=True)]
    first, second = looking.scanner.find(parts).parts
    assert Finding(len(before) + 1, len(before) + 1 + cut, Kind.CARD) in first.findings
    assert Finding(0, len(card) - cut, Kind.CARD) in second.findings


def test_the_edge_of_what_is_looked_at_again_makes_no_finding(looking: Looking) -> None:
    """A long number is not a card because a window cuts it so."""
    card = "4111111111111111"
    before, behind = f"7{card} ".ljust(REACH + 1, "x"), f" {card}7".rjust(REACH + 1, "x")
    parts = [Part("a", before), Part("b", behind, continues=True)]
    assert not looking.scanner.find(parts).counts


def test_an_empty_piece_hides_nothing(looking: Looking) -> None:
    """Clients send them."""
    parts = [Part("a", "4111 1111 "), Part("b", "", continues=True), Part("c", "1111 1111", continues=True)]
    assert [len(part.findings) for part in looking.scanner.find(parts).parts] == [1, 0, 1]


def test_parts_that_are_not_pieces_of_one_text_are_not_joined(looking: Looking) -> None:
    """The last word of one message is not the beginning of an address in the next one."""
    report = looking.scanner.find([Part("a", "that means"), Part("b", "a@b.co"), Part("c", "10.0."), Part("d", "0.5")])
    assert [part.findings for part in report.parts] == [(), (Finding(0, 6, Kind.EMAIL),), (), ()]


DENIED = [
    ("김철수", "김철수는 왔다", "김철수"),
    ("김철수", "대표김철수님께", "김철수"),
    ("김철수", "김 철수 씨", "김 철수"),
    ("이수", "이수가 왔다", "이수"),
    ("이수", "이수 님은", "이수"),
    ("이수", "이수씨에게서", "이수"),
    ("Apollo", "APOLLO's plan", "APOLLO"),
    ("Apollo", "Apollo를", "Apollo"),
    ("Apollo", "docs/apollo_plan.docx", "apollo"),
    ("Project Apollo", "project\n  apollo", "project\n  apollo"),
    ("project apollo", "ProjectApollo", "ProjectApollo"),
    ("Ａｐｏｌｌｏ", "Apollo", "Apollo"),  # noqa: RUF001
    ("Apollo", "Аpоllо", "Аpоllо"),  # noqa: RUF001
    ("Apollo", "%41pollo", "%41pollo"),
    ("東京", "私は東京都に", "東京"),
    ("C++/x", "in C++/x, yes", "C++/x"),
    ("Zoë", "zoë!", "zoë"),
]


@pytest.mark.parametrize(("word", "text", "found"), DENIED)
def test_a_denied_word_is_found(word: str, text: str, found: str) -> None:
    """However it is written, and with what is attached to it."""
    report = Scanner(deny=["unrelated", word]).find([Part("a", text)])
    assert [(text[f.start : f.end], f.kind) for f in report.parts[0].findings] == [(found, Kind.DENY_LIST)]


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("이수", "이수정이 왔다"),
        ("이수", "한이수"),
        ("이수", "학점을 이수하였습니다만서도그러나"),
        ("Apollo", "Apollonia Apollo2 XApollo éApollo Apolloé"),
        ("Apollo", "apol lo"),
    ],
)
def test_another_word_is_not_found(word: str, text: str) -> None:
    """Even where the denied one is part of it."""
    assert not Scanner(deny=[word]).find([Part("a", text)]).counts


def test_a_denied_word_is_reported_beside_what_holds_it() -> None:
    """So that allowing e-mail addresses doesn't let the word out."""
    report = Scanner(deny=["acme"]).find([Part("a", "kim@acme.com")])
    assert report.counts == {Kind.EMAIL: 1, Kind.DENY_LIST: 1}


def test_hundreds_of_words_are_found() -> None:
    """All of a long list."""
    words = [f"codeword{number}x" for number in range(450)]
    text = " ".join(words)
    assert Scanner(deny=words).find([Part("a", text)]).counts == {Kind.DENY_LIST: 450}


def test_an_own_pattern_has_its_own_kind() -> None:
    """In all forms of the text."""
    report = Scanner(patterns={"ticket": r"\bHW-[0-9]{3,5}\b"}).find([Part("a", "see HW-1234, HW%2D777 and HW-1")])
    assert report.counts == {custom_kind("ticket"): 2}
    assert [(f.start, f.end) for f in report.parts[0].findings] == [(4, 11), (13, 21)]


def test_an_own_pattern_may_match_bytes_inside_a_character() -> None:
    """RE2 has a sign for one byte; the places stay whole characters or nothing."""
    report = Scanner(patterns={"byte": r"\C"}).find([Part("a", "가")])
    assert report.complete
    assert all(0 <= f.start <= f.end <= 1 for f in report.parts[0].findings)


def test_a_pattern_that_matches_empty_stretches_finds_only_full_ones() -> None:
    """At a border between words there is nothing to find."""
    report = Scanner(patterns={"border": r"\b|z+"}).find([Part("a", "a zz")])
    assert report.complete


@pytest.mark.parametrize(
    ("deny", "patterns", "said"),
    [
        (["ok", " \u200b "], {}, "word of the deny-list"),
        ([], {"Big": "x"}, "name of a pattern"),
        ([], {"": "x"}, "name of a pattern"),
        ([], {"broken": "(x"}, "broken can't be used: missing )"),
        ([], {"looks-back": "(?<=x)y"}, "looks-back can't be used"),
        ([], {"all": "x*"}, "everywhere"),
    ],
)
def test_what_cannot_be_used_is_explained(deny: list[str], patterns: dict[str, str], said: str) -> None:
    """When it is configured, not when a request comes."""
    with pytest.raises(ConfigError, match=said.replace("(", r"\(").replace(")", r"\)")) as raised:
        Scanner(deny=deny, patterns=patterns)
    assert raised.value.next_step
