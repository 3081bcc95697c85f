"""Looking for the hints first loses nothing: no detector is left out that would find something."""

import base64
import codecs
from collections.abc import Callable, Sequence
from urllib.parse import quote

import msgspec
import pytest
import re2  # type: ignore[import-untyped]
from hypothesis import given, settings
from hypothesis import strategies as st

from homeward.privacy import Part, Report, Scanner
from homeward.privacy.detector import Detector, Haystack
from homeward.privacy.patterns import BUILT_IN
from homeward.privacy.sieve import Sieve
from tests.privacy.inclusion import match_without
from tests.privacy.samples import NOT_TO_FIND, TO_FIND
from tests.privacy.test_reading import DISGUISES, ENCODINGS
from tests.privacy.test_scan import DENIED


@pytest.mark.parametrize("detector", BUILT_IN, ids=lambda detector: detector.expression[:30])
def test_a_hint_is_in_all_that_its_detector_may_match(detector: Detector) -> None:
    """Of all texts there are, none matches the expression and not the hint."""
    assert match_without(detector.expression, detector.hint) is None


@pytest.mark.parametrize(
    ("expression", "hint", "text"),
    [
        ("ab?c", "bc", "ac"),
        ("ab+c", "bc", None),
        ("(?i)key", "ke[yY]", "KeY"),
        ("(?i)key", "(?i)KEY", None),
        ("(?i)key", "[kK][eE][yY]", "\u212aeY"),
        (r"\d{2,4}", "[0-9]{3}", "11"),
        (r"\bpin", r"\bpi", None),
        ("pin", r"\bpi", "pin"),
        ("[^a]b|c", "[^ac]|cx?", None),
        ("(?s)a.c", "a.c", "a\nc"),
        (r"a\sc", r"a[ \t\n\f\r]", None),
        ("(?:ab){2,}|[가-나]{2}", "ba|가", "힣"),
    ],
)
def test_a_text_without_the_hint_is_found_where_there_is_one(expression: str, hint: str, text: str | None) -> None:
    """So that a wrong hint can't pass."""
    found = match_without(expression, hint)
    assert (found is None) == (text is None)
    if found is not None:
        assert re2.fullmatch(expression, found)
        assert not re2.search(hint, f"x{found}")  # behind a letter no word begins


def scanner(built_in: Sequence[Detector]) -> Scanner:
    return Scanner(deny=["김철수", "Apollo"], patterns={"ticket": r"\bHW-[0-9]{3,5}\b"}, built_in=built_in)


WITH_HINTS = scanner(BUILT_IN)
WITHOUT_HINTS = scanner([msgspec.structs.replace(detector, hint="") for detector in BUILT_IN])

SEEDS = (
    *(sentence.format(value) for _, sentence, value in TO_FIND),
    *(value for _, _, value in TO_FIND),
    *NOT_TO_FIND,
    *DISGUISES.values(),
    *ENCODINGS.values(),
    *(text for _, text, _ in DENIED),
    "HW-1234",
)
WAYS: tuple[Callable[[str], str], ...] = (
    str,
    str.upper,
    str.swapcase,
    lambda text: text.replace(" ", "_"),
    lambda text: text.replace("-", "_"),
    lambda text: text.replace(" ", "  "),
    "\u200b".join,
    lambda text: text.translate({number: number + 0xFEE0 for number in range(0x21, 0x7F)}),
    lambda text: text.translate({ord("k"): "\u212a", ord("s"): "\u017f"}),
    quote,
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: text.encode().hex(),
    lambda text: codecs.encode(text, "rot13"),
)


def same(text: str) -> Report:
    """The report with hints, after it was compared with that of a scanner that tries every detector."""
    with_hints = WITH_HINTS.find([Part("text", text)])
    assert with_hints == WITHOUT_HINTS.find([Part("text", text)])
    return with_hints


def test_all_samples_are_reported_alike() -> None:
    """Each by itself, so that no other one brings a hint along."""
    assert sum(bool(same(seed).counts) for seed in SEEDS) > len(TO_FIND)


PIECES = st.one_of(
    st.builds(lambda seed, way: way(seed), st.sampled_from(SEEDS), st.sampled_from(WAYS)),
    st.text(st.sampled_from("0123456789-. /()_:@#+=\n가키Az\u212a"), max_size=24),
    st.text(max_size=8),
    st.sampled_from(["the key", "token", "password is", "call me", "여권", " ", "\n", "pin", "passport no"]),
)


@settings(deadline=None, max_examples=200)
@given(pieces=st.lists(PIECES, max_size=4), glue=st.sampled_from(["", " ", "\n", "_"]), data=st.data())
def test_mutated_samples_are_reported_alike(pieces: list[str], glue: str, data: st.DataObject) -> None:
    """Disguised, joined, cut, and with something else in the middle."""
    text = glue.join(pieces)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    same(text[start:end])
    same(text[:start] + text[end:])


def worth_trying(text: str) -> list[Detector]:
    return list(Sieve(BUILT_IN).worth_trying(Haystack(text.encode())))


@pytest.mark.parametrize(
    "text",
    [
        "Explain in two sentences why the sky is blue, as if I were 7. Use the key ideas of chapter 12 (2019).",
        "오늘 회의는 오후 2시 30분이고 안건은 3가지입니다. 2024년 3월 5일까지 토큰 수를 정리해 주세요.",
        "@property\ndef total(self) -> int:\n    return sum(item.price * 2 for item in self.items[:100])  # task_id",
    ],
)
def test_ordinary_texts_are_not_searched(text: str) -> None:
    """Or it would cost as much as without hints."""
    assert worth_trying(text) == []


def test_an_underscore_may_be_what_hides_a_hint() -> None:
    """Where a detector takes it for a space, so does its hint."""
    assert worth_trying("12_345_678_901_234") != []
    assert worth_trying("12x345x678x901x234") == []


def test_a_detector_without_a_hint_is_always_tried() -> None:
    """Such as the user's own."""
    plain = Detector(kind="plain", expression="x")
    assert list(Sieve([plain, *BUILT_IN]).worth_trying(Haystack(b""))) == [plain]


def test_too_little_memory_does_not_look_like_nothing_to_find(monkeypatch: pytest.MonkeyPatch) -> None:
    """RE2 then says that nothing matches: the request stays home."""
    monkeypatch.setattr(re2.Set, "Match", lambda *_: None)
    assert not WITH_HINTS.find([Part("text", "hello")]).complete
