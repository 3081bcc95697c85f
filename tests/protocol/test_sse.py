"""Bytes into events: the same ones, however the bytes are cut."""

import time
import tracemalloc
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeward.protocol.errors import BackendProtocolError
from homeward.protocol.sse import Event, EventSplitter

STREAM = (
    "\ufeff: hello\n\n"
    'data: {"text": "Größe 😀"}\n\n'
    "event: error\r\ndata: one\r\ndata:two\r\n\r\n"
    "id: 7\rretry: 10\rdata:  padded\r\r"
    ": comment in between\ndata: a\u2028b\u0085c\x0bd\x0ce\n: comment\n\n"
    "\n\n\r\n\r\n"
    "event: nothing\n\n"
    "data\n\n"
    "data:\n\n"
    "datax: unknown\n\n"
    "data: [DONE]\n\n"
    "data: half"
).encode()
EVENTS = [
    Event('{"text": "Größe 😀"}'.encode()),
    Event(b"one\ntwo", b"error"),
    Event(b" padded"),
    Event("a\u2028b\u0085c\x0bd\x0ce".encode()),
    Event(b""),
    Event(b""),
    Event(b"[DONE]"),
]


def split(*pieces: bytes, limit_bytes: int = 1_000_000) -> tuple[list[Event], bool]:
    """The events before the first error, and whether there was one."""
    splitter = EventSplitter(limit_bytes)
    events: list[Event] = []
    try:
        for piece in pieces:
            events += splitter.feed(piece)
    except BackendProtocolError:
        return events, True
    return events, False


def cut(data: bytes, offsets: set[int]) -> list[bytes]:
    borders = [0, *sorted(offsets), len(data)]
    return [data[start:end] for start, end in pairwise(borders)]


def test_all_at_once() -> None:
    """One feed gives all events; comments, unknown fields and the half event at the end give none."""
    assert split(STREAM) == (EVENTS, False)


def test_cut_in_two_at_every_offset() -> None:
    """No place to cut changes the events: not in a character, a CRLF, a BOM or an event's end."""
    for offset in range(len(STREAM) + 1):
        assert split(STREAM[:offset], STREAM[offset:]) == (EVENTS, False), offset


def test_byte_by_byte() -> None:
    """The finest cut of all, with empty feeds in between."""
    pieces = [piece for byte in STREAM for piece in (bytes([byte]), b"")]
    assert split(*pieces) == (EVENTS, False)


@given(st.sets(st.integers(0, len(STREAM)), max_size=40))
def test_cut_anywhere(offsets: set[int]) -> None:
    """Any number of cuts gives the same events."""
    assert split(*cut(STREAM, offsets)) == (EVENTS, False)


@given(
    st.lists(st.sampled_from([b"data: ", b"data:", b"data", b"event: x", b"\n", b"\r", b"\r\n", b":", b"y" * 9]))
    .map(b"".join)
    .flatmap(lambda data: st.tuples(st.just(data), st.sets(st.integers(0, len(data))))),
    st.integers(4, 30),
)
def test_any_bytes_cut_anywhere(cut_data: tuple[bytes, set[int]], limit_bytes: int) -> None:
    """Also where the stream is garbage, or above the limit: the same events, and the same end."""
    data, offsets = cut_data
    whole = split(data, b"", limit_bytes=limit_bytes)
    assert split(*cut(data, offsets), b"", limit_bytes=limit_bytes) == whole


@given(st.binary(max_size=300), st.sets(st.integers(0, 300)))
def test_garbage(data: bytes, offsets: set[int]) -> None:
    """Whatever comes, nothing but our own error is raised."""
    split(*cut(data, {offset for offset in offsets if offset <= len(data)}), limit_bytes=50)


@pytest.mark.parametrize(
    ("data", "unfinished"),
    [
        (b"", False),
        (b"data: x\n\n", False),
        (b"data: x\n\n\n", False),
        (b"data: x\r\n\r", False),  # a CR alone ends the line, and an LF behind it would belong to it
        (b"data: x\n", True),
        (b"data: x", True),
        (b"d", True),
        (b"\xef\xbb", True),
    ],
)
def test_unfinished(data: bytes, unfinished: bool) -> None:
    """Whether something of an event is left over at the end."""
    splitter = EventSplitter()
    splitter.feed(data)
    assert splitter.unfinished is unfinished


def test_limit_is_of_an_event_not_of_a_feed() -> None:
    """Many small events in one feed are no large one."""
    events, failed = split(b"data: 1234\n\n" * 100, limit_bytes=10)
    assert (len(events), failed) == (100, False)


@pytest.mark.parametrize("piece_bytes", [1, 7, 10_000])
@pytest.mark.parametrize("end", [b"", b"\n\n"])
def test_too_long(piece_bytes: int, end: bytes) -> None:
    """An event above the limit is an error, with and without its end; the one before it is handed out."""
    data = b"data: ok\n\ndata: " + b"x" * 2_000 + end + b"data: later\n\n"
    pieces = [data[start : start + piece_bytes] for start in range(0, len(data), piece_bytes)]
    assert split(*pieces, b"", limit_bytes=1_000) == ([Event(b"ok")], True)


def test_at_the_limit() -> None:
    """As long as the limit is not too long."""
    block = b"data: " + b"x" * 94
    assert split(block + b"\n\n", limit_bytes=100) == ([Event(b"x" * 94)], False)
    assert split(block + b"x\n\n", limit_bytes=100)[1]


def test_error_names_the_source() -> None:
    """The sentence begins with who sent it and repeats nothing of it."""
    splitter = EventSplitter(10, source="The backend 'home'")
    with pytest.raises(BackendProtocolError, match=r"^The backend 'home' sent an event of more than 10") as info:
        splitter.feed(b"data: secret secret")
    assert "secret" not in str(info.value)


def test_linear_time_for_single_bytes() -> None:
    """Twice the bytes, fed one by one, take about twice the time, not four times."""

    def seconds(size: int) -> float:
        splitter = EventSplitter(10_000_000)
        start = time.process_time()
        for _ in range(size):
            splitter.feed(b"x")
        return time.process_time() - start

    seconds(1_000)
    small, large = min(seconds(50_000) for _ in range(3)), min(seconds(200_000) for _ in range(3))
    assert large < 10 * small


def test_memory_stays_near_the_limit() -> None:
    """32 MB without a line end are refused before they are kept."""
    piece = b"x" * 65_536
    tracemalloc.start()
    try:
        _, failed = split(*[piece] * 512)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert failed
    assert peak < 4_000_000
