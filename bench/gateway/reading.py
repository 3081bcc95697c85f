"""What a client reads in an answer."""

import re
from collections.abc import Sequence

import msgspec


class Piece(msgspec.Struct, frozen=True):
    """A message, or what a chunk adds to it."""

    content: str | None = None


class Choice(msgspec.Struct, frozen=True):
    """The one choice of an answer, or a chunk's part of it."""

    message: Piece = Piece()
    delta: Piece = Piece()
    finish_reason: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """An answer that is not a stream, or one event of a stream."""

    choices: tuple[Choice, ...] = ()
    error: object = None


class Read(msgspec.Struct, frozen=True):
    """An answer as its client has it in the end."""

    text: str
    finish: str | None
    """The last finish_reason."""
    done: bool = True
    """Whether a stream said [DONE]."""
    failed: bool = False
    """Whether it told of an error."""

    def is_whole(self, text: str) -> bool:
        """Whether it is this text, and ends as an answer does that is complete."""
        return self.text == text and self.finish == "stop" and self.done and not self.failed


_DATA = re.compile(rb"^data:(.*)$", re.MULTILINE)
_decode = msgspec.json.Decoder(Answer).decode
_decode_all = msgspec.json.Decoder(list[Answer]).decode


def read(body: bytes, *, stream: bool) -> Read:
    """What a body says. Raises ValueError: it is not OpenAI's protocol."""
    if not stream:
        return _read([_decode(body)], done=True)
    data = _DATA.findall(body)
    done = bool(data) and data[-1].strip() == b"[DONE]"
    return _read(_decode_all(b"[" + b",".join(data[:-1] if done else data) + b"]"), done=done)


def _read(answers: Sequence[Answer], *, done: bool) -> Read:
    failed = any(answer.error is not None for answer in answers)
    choices = [choice for answer in answers for choice in answer.choices]
    text = "".join([choice.delta.content or choice.message.content or "" for choice in choices])
    reasons = [choice.finish_reason for choice in choices if choice.finish_reason]
    return Read(text, reasons[-1] if reasons else None, done, failed)
