"""Splits the bytes of a server-sent event stream into events.

Lines end at LF, CRLF or CR and nowhere else: JSON may hold U+2028 or U+0085 unescaped, at which
`str.splitlines` would cut an event in two. A half event is never handed out, and no event or line grows past
a limit, so a stream without line ends cannot fill the memory. Time is linear in the bytes fed, however they
are cut; nothing here knows what the events mean.
"""

import msgspec

from homeward.protocol.errors import BackendProtocolError

LIMIT_BYTES = 1_000_000
"""The longest event that is taken; a chunk of an answer has some hundred bytes."""

_LINE_FEED = 10
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class Event(msgspec.Struct, frozen=True, gc=False):
    """One event of a stream."""

    data: bytes
    """Its data lines, joined with LF."""
    name: bytes = b""
    """Value of its `event` field; empty for none."""


class EventSplitter:
    """Takes a stream's bytes as they come and hands out its whole events."""

    __slots__ = ("_after_cr", "_at_start", "_limit_bytes", "_source", "_tail")

    def __init__(self, limit_bytes: int = LIMIT_BYTES, *, source: str = "The backend") -> None:
        """`source` is the subject of an error's sentence."""
        self._limit_bytes = limit_bytes
        self._source = source
        self._tail = bytearray()
        self._after_cr = False
        self._at_start = True

    @property
    def unfinished(self) -> bool:
        """Whether bytes are left of an event that has not ended."""
        return bool(self._tail.strip(b"\n"))

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes.

        Raises `BackendProtocolError` for an event or line above the limit; the events before it have been
        handed out by then.
        """
        # `find` throughout, for `in` tries bytes as a number first and takes twice as long.
        line_end = data.find(b"\n")
        if (
            line_end == len(data) - 2  # the usual case: one event, whole, of one line
            and data[:6] == b"data: "
            and data[-1] == _LINE_FEED
            and line_end <= self._limit_bytes
            and not self._tail
            and not self._after_cr
            and data.find(b"\r") < 0
        ):
            self._at_start = False
            return [Event(data[6:line_end])]
        if self._at_start:
            data = self._without_byte_order_mark(data)
        if self._after_cr or data.find(b"\r") >= 0:
            data = self._with_line_feeds(data)
        return self._events_with(data)

    def _events_with(self, data: bytes) -> list[Event]:
        tail = self._tail
        ends_here = data.find(b"\n\n") >= 0
        if not ends_here and not (tail and tail[-1] == _LINE_FEED and data[:1] == b"\n"):
            tail += data
            if len(tail) - tail.endswith(b"\n") > self._limit_bytes:
                raise self._too_long()
            return []
        if tail:
            # Copied once per event's end, not once per feed: byte-wise feeding stays linear.
            tail += data
            data = bytes(tail)
            tail.clear()
        return self._split(data)

    def _split(self, data: bytes) -> list[Event]:
        *blocks, rest = data.split(b"\n\n")
        self._tail += rest
        events: list[Event] = []
        for block in blocks:
            if len(block) > self._limit_bytes:
                if not events:
                    raise self._too_long()
                # What came before is delivered first; the next feed, or the end, finds this.
                self._tail[:] = block
                break
            if block[:6] == b"data: " and block.find(b"\n") < 0:
                events.append(Event(block[6:]))
            elif (event := _parse(block)) is not None:
                events.append(event)
        return events

    def _with_line_feeds(self, data: bytes) -> bytes:
        if not data:
            return data
        if self._after_cr and data[:1] == b"\n":
            data = data[1:]  # the second half of a CRLF that was cut in two
        self._after_cr = data.endswith(b"\r")
        return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _without_byte_order_mark(self, data: bytes) -> bytes:
        if self._tail:
            data = bytes(self._tail) + data
            self._tail.clear()
        if len(data) < 3 and _BYTE_ORDER_MARK.startswith(data):
            self._tail += data
            return b""
        self._at_start = False
        return data.removeprefix(_BYTE_ORDER_MARK)

    def _too_long(self) -> BackendProtocolError:
        return BackendProtocolError(
            f"{self._source} sent an event of more than {self._limit_bytes} bytes.",
            next_step="Check that its address is that of an OpenAI-compatible server.",
        )


def _parse(block: bytes) -> Event | None:
    """The event that these lines make; None where they are comments or fields of no use here."""
    name = b""
    values: list[bytes] = []
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            values.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    return Event(b"\n".join(values), name) if values else None
