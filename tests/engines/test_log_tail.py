"""A child's output, made harmless."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from homeward.engines.log_tail import LineSplitter, LogTail, printable


@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300), max_size=8))
def test_lines_do_not_depend_on_how_the_bytes_arrive(data: bytes, cuts: list[int]) -> None:
    """Cut at any places, the same bytes give the same lines."""
    whole = LineSplitter(40)
    expected = [*whole.feed(data), *whole.flush()]
    pieces = LineSplitter(40)
    bounds = [0, *sorted(cuts), len(data)]
    lines = [line for start, end in pairwise(bounds) for line in pieces.feed(data[start:end])]
    assert [*lines, *pieces.flush()] == expected
    assert all(0 < len(line) <= 40 for line in expected)


def test_an_endless_line_takes_no_memory() -> None:
    """Only its beginning is held, however long it gets."""
    splitter = LineSplitter(100)
    for _ in range(1000):
        assert list(splitter.feed(b"x" * 10_000)) == []
    assert list(splitter.feed(b"\nnext\n")) == [b"x" * 100, b"next"]


def test_the_tail_keeps_the_last_lines() -> None:
    """The oldest go first."""
    tail = LogTail(secret="", lines=2)
    for line in (b"one", b"two", b"three"):
        tail.add(line)
    assert str(tail) == "two\nthree"


def test_the_secret_is_taken_out_wherever_it_stands() -> None:
    """Also twice in a line, and where the line is cut behind it."""
    tail = LogTail(secret="s3cret", width=12)
    assert tail.add(b"a s3cret s3cret b") == "a [key] [key…"


@given(st.text())
def test_printable_text_has_no_control_characters(text: str) -> None:
    """One line, no colours, nothing that turns the writing direction."""
    clean = printable(text, 1000)
    assert not any(ord(char) < 32 and char != "\t" for char in clean)
    assert not set(clean) & set("\x7f\x85\x9b\u2028\u2029\u202e\u2066")


def test_colours_and_titles_disappear_whole() -> None:
    """Not only their escape character."""
    assert printable("\x1b[1;31mred\x1b[0m \x1b]0;title\x07done", 100) == "red done"


def test_bytes_that_are_no_text_are_marked() -> None:
    """A replacement character instead of an error."""
    assert LogTail(secret="x").add(b"\xff!") == "\ufffd!"
