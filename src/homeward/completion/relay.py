"""From a backend's chunks to what the client reads."""

import json
from collections.abc import Iterable, Mapping
from uuid import uuid4

import msgspec

from homeward.completion.continuing import RepeatedBeginning
from homeward.privacy import Unmasker
from homeward.protocol.chat import Chunk, FinishReason, ToolCallPiece, Usage
from homeward.protocol.wire import NO_INDEX


class Relay:
    """Drops a repeated beginning, takes masks off, numbers tool calls; keeps what tells how the answer ended."""

    def __init__(self, beginning: str, originals: Mapping[str, str]) -> None:
        """`beginning`: of the answer that is to be continued; `originals`: what the placeholders stand for."""
        self.finish_reason: FinishReason | None = None
        self.usage: Usage | None = None
        self._repeated = RepeatedBeginning(beginning)
        self._originals = originals
        self._in_text = Unmasker(originals)
        self._in_reasoning = Unmasker(originals)
        self._changes_text = bool(beginning or originals)
        self._calls: list[Call] = []

    def take(self, chunks: Iterable[Chunk]) -> tuple[Chunk, ...]:
        """What these chunks say, without their counts and ends."""
        said = []
        for chunk in chunks:
            if chunk.usage is not None:
                self.usage = chunk.usage
            if chunk.finish_reason is not None:
                self.finish_reason = chunk.finish_reason
                chunk = msgspec.structs.replace(chunk, finish_reason=None, usage=None)  # noqa: PLW2901
            if chunk.tool_calls or self._changes_text:
                chunk = self._changed(chunk)  # noqa: PLW2901
            if chunk.says_something:
                said.append(chunk)
        return tuple(said)

    def end(self) -> tuple[Chunk, ...]:
        """What was held back; nothing more comes."""
        if not (self._changes_text or self._calls):
            return ()
        if self._calls and self.finish_reason == "stop":  # some servers end like this although they call tools
            self.finish_reason = "tool_calls"
        text = self._in_text.feed(self._repeated.end()) + self._in_text.end()
        rest = [(number, call.unmasker.end()) for number, call in enumerate(self._calls)]
        last = Chunk(
            text=text,
            reasoning=self._in_reasoning.end(),
            tool_calls=tuple(ToolCallPiece(index=number, arguments=held) for number, held in rest if held),
        )
        return (last,) if last.says_something else ()

    def _changed(self, chunk: Chunk) -> Chunk:
        return msgspec.structs.replace(
            chunk,
            text=self._in_text.feed(self._repeated.new(chunk.text)),
            reasoning=self._in_reasoning.feed(chunk.reasoning),
            tool_calls=tuple(self._numbered(piece) for piece in chunk.tool_calls),
        )

    def _numbered(self, piece: ToolCallPiece) -> ToolCallPiece:
        """OpenAI's clients need an index with every piece, from 0 without gaps, and an id with the first."""
        number = self._number_of(piece)
        first = number == len(self._calls)
        if first:
            self._calls.append(Call(piece.index, piece.id, Unmasker(inside_json(self._originals))))
        return ToolCallPiece(
            index=number,
            id=(piece.id or f"call_{uuid4().hex[:24]}") if first else "",
            name=piece.name if first else "",
            arguments=self._calls[number].unmasker.feed(piece.arguments),
        )

    def _number_of(self, piece: ToolCallPiece) -> int:
        """Where it belongs; a piece that says nothing about that goes on with the call before it."""
        count = len(self._calls)
        if piece.index != NO_INDEX:
            return next((number for number, call in enumerate(self._calls) if call.index == piece.index), count)
        if piece.id:
            return next((number for number, call in enumerate(self._calls) if call.id == piece.id), count)
        return count if piece.name or not count else count - 1


class Call:
    """One tool call, as its sender tells it from others."""

    def __init__(self, index: int, call_id: str, unmasker: Unmasker) -> None:
        self.index = index
        self.id = call_id
        self.unmasker = unmasker


def inside_json(originals: Mapping[str, str]) -> dict[str, str]:
    """The originals as they stand within a JSON string: a call's arguments are one text of JSON."""
    return {label: json.dumps(original, ensure_ascii=False)[1:-1] for label, original in originals.items()}
