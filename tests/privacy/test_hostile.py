"""Texts made to be slow: the work stays in proportion to their length, counted in steps."""

import base64

import pytest

from homeward.privacy import Kind, Part, Report, Scanner, scan
from homeward.privacy.budget import Budget
from homeward.privacy.scan import STEPS

SIZE = 20_000


def nested(levels: int) -> str:
    data = b"some words and kim@example.com " * (SIZE // 80)
    for _ in range(levels):
        data = base64.b64encode(data)
    return data.decode()[:SIZE]


REPEATED = (
    "a", "-", "1", "a.", "1-", "@", "%25", "a@a.", "1 ", "1234 ", "12 ", "010-", "+1 ", "::", "1:", "1.", "[", "x1/",
    "\u200b", "a\u200b", "a\u0301", "\u0301\u0323", "\u1100\u1161", "\U000e0041", "é",
    "привет как ", "안녕하세요 ", "김철수",
    "-----BEGIN " + "PRIVATE KEY-----\n", "-----BEGIN ", "PuTTY-User-Key-File-2: ", "api_key = ", "password: a1 ",
    "tel ", "tel 1", "sk-", "ghp_", "http://a:", "http://a:b@", "&amp;", "\\u0041", "internationalization ", "GB82 ",
    "apollo ", "git@a.com ", "curl -u ", "passport ", "aws secret ", "a (at) ", "eyJaaaaaaaaa.",
)  # fmt: skip
TEXTS = {repr(piece): piece * (SIZE // len(piece)) for piece in REPEATED} | {
    "marks": "a" + "\u0301\u0323" * (SIZE // 2),
    "nested base64": nested(3),
    "deeply nested base64": nested(6),
    "binary in base64": base64.b64encode(bytes(range(256)) * (SIZE // 350)).decode(),
    "a long address": "a@" + "a" * SIZE,
    "many short lines of base64": "\n".join([base64.b64encode(b"kim@example.com ok").decode()] * (SIZE // 25)),
}


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(deny=["김철수", "Apollo"], patterns={"ticket": "HW-[0-9]+"})


def steps_for(scanner: Scanner, text: str, monkeypatch: pytest.MonkeyPatch) -> tuple[int, Report]:
    budgets: list[Budget] = []

    class Remembered(Budget):
        def __init__(self, steps: int) -> None:
            super().__init__(steps)
            budgets.append(self)

    monkeypatch.setattr(scan, "Budget", Remembered)
    report = scanner.find([Part("text", text)], steps=10**9)
    return 10**9 - budgets[0].left, report


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_twice_the_text_is_twice_the_work(scanner: Scanner, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not four times; and nothing fails on the way."""
    half, _ = steps_for(scanner, text[: len(text) // 2], monkeypatch)
    whole, report = steps_for(scanner, text, monkeypatch)
    assert report.complete
    assert whole <= 2.3 * half + 10_000
    assert whole <= 600 * len(text.encode())


def test_more_than_we_are_ready_to_do_stays_home(scanner: Scanner) -> None:
    """A lot of what looks like identifiers, or of one's own pattern, ends before it is done, and says so."""
    assert not scanner.find([Part("text", "1-" * 60_000)]).complete
    assert not scanner.find([Part("text", "HW-1 " * 10_000)]).complete


def test_a_large_ordinary_request_is_looked_at_completely(scanner: Scanner, monkeypatch: pytest.MonkeyPatch) -> None:
    """A megabyte of prose, code and Korean uses a small part of the budget."""
    text = "The meeting is on Tuesday. 회의는 화요일입니다. for i in range(10): total += values[i]\n" * 11_000
    steps, report = steps_for(scanner, text, monkeypatch)
    assert report == Report((report.parts[0],))
    assert report.complete
    assert not report.counts
    assert steps < STEPS / 4


def test_a_key_without_an_end_is_one_to_the_end(scanner: Scanner) -> None:
    """What was cut off is still a key."""
    text = "see\n-----BEGIN " + "EC PRIVATE KEY-----\nMHcCAQEEI"
    [finding] = scanner.find([Part("text", text)]).parts[0].findings
    assert (finding.kind, finding.start, finding.end) == (Kind.PRIVATE_KEY, 4, len(text))
