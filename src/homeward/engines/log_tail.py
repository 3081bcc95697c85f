"""The last lines that a child wrote, made harmless: bounded, printable, without its key."""

import re
from collections import deque
from collections.abc import Iterator

_ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def printable(text: str, width: int) -> str:
    """The text on one line, without control characters and colours, of at most so many characters."""
    text = _CONTROL.sub("", _ESCAPE_SEQUENCE.sub("", text))
    return text if len(text) <= width else text[:width] + "…"


class LineSplitter:
    """Cuts a stream of bytes into lines of at most `longest` bytes; the rest of a longer one is dropped."""

    def __init__(self, longest: int = 4096) -> None:
        self._longest = longest
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that end within this piece, without their ends and without empty ones."""
        *ended, rest = data.replace(b"\r", b"\n").split(b"\n")
        for piece in ended:
            line = bytes(self._rest) + piece[: self._longest]
            self._rest.clear()
            if line:
                yield line[: self._longest]
        self._rest += rest[: self._longest - len(self._rest)]

    def flush(self) -> Iterator[bytes]:
        """The unended last line, if there is one."""
        if self._rest:
            yield bytes(self._rest)
            self._rest.clear()


class LogTail:
    """The last `lines` lines, each of at most `width` characters, with every `secret` taken out."""

    def __init__(self, *, secret: str, lines: int = 30, width: int = 300) -> None:
        self._secret = secret
        self._width = width
        self._lines: deque[str] = deque(maxlen=lines)

    def add(self, line: bytes) -> str:
        """Keep a line; returns it as it is kept."""
        text = line.decode("utf-8", "replace")
        if self._secret:
            text = text.replace(self._secret, "[key]")
        text = printable(text, self._width)
        self._lines.append(text)
        return text

    def __str__(self) -> str:
        return "\n".join(self._lines)
