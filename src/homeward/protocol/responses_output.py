"""The events by which a response is streamed, and the output that they add up to.

Pure: pieces of an answer in, OpenAI's events out. A response in one piece is made the same way, its events unused.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from homeward.protocol.chat import Chunk, TokenLogprob, ToolCallPiece, TopLogprob
from homeward.protocol.responses import (
    FunctionCallItem,
    Item,
    ItemStatus,
    MessageItem,
    OutputPart,
    OutputText,
    ReasoningItem,
    ReasoningText,
    Refusal,
    item_id,
)

Event = dict[str, Any]


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """What a part of an item is, and what its events are called."""

    item: type[MessageItem | ReasoningItem]
    part: type[OutputText | Refusal | ReasoningText]
    event: str
    field: str
    """Of the part and of the event that ends it: where its words stand."""


TEXT = Kind(item=MessageItem, part=OutputText, event="response.output_text", field="text")
REFUSAL = Kind(item=MessageItem, part=Refusal, event="response.refusal", field="refusal")
REASONING = Kind(item=ReasoningItem, part=ReasoningText, event="response.reasoning_text", field="text")


class Part:
    """One part of an item while it grows."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.pieces: list[str] = []
        self.logprobs: list[Any] = []

    @property
    def text(self) -> str:
        """Its words so far."""
        return "".join(self.pieces)

    @property
    def value(self) -> OutputPart | ReasoningText:
        """It as it stands in its item."""
        if self.kind is TEXT:
            return OutputText(self.text, logprobs=tuple(self.logprobs))
        return self.kind.part(self.text)


class Spoken:
    """A message, or a stretch of reasoning, while it grows. Its last part is the open one."""

    def __init__(self, kind: type[MessageItem | ReasoningItem], new_id: str, index: int) -> None:
        self.kind = kind
        self.id = new_id
        self.index = index
        self.parts: list[Part] = []

    def value(self, status: ItemStatus) -> Item:
        """It as it stands in the output."""
        content: tuple[Any, ...] = tuple(part.value for part in self.parts)
        if self.kind is ReasoningItem:
            return ReasoningItem(id=self.id, content=content, status=status)
        return MessageItem(id=self.id, role="assistant", content=content, status=status)


class Call:
    """A function call while it grows."""

    def __init__(self, piece: ToolCallPiece, new_id: str, index: int) -> None:
        self.id = new_id
        self.index = index
        self.call_id = piece.id
        self.name = piece.name
        self.pieces: list[str] = []

    @property
    def arguments(self) -> str:
        """So far."""
        return "".join(self.pieces)

    def value(self, status: ItemStatus) -> Item:
        """It as it stands in the output."""
        return FunctionCallItem(
            id=self.id, call_id=self.call_id, name=self.name, arguments=self.arguments, status=status
        )


class Output:
    """What a response says, as it comes. Function calls stay open until its end: their pieces may be mixed."""

    def __init__(self, answer: str, first_number: int) -> None:
        """`answer`: the id that its items carry in theirs; `first_number`: how many items the input has."""
        self._answer = answer
        self._first_number = first_number
        self._sequence = 0
        self._items: list[Spoken | Call] = []
        self._open: Spoken | None = None
        self._calls: dict[int, Call] = {}

    def event(self, kind: str, **fields: Any) -> Event:
        """The next event, with its number."""
        event = {"type": kind, "sequence_number": self._sequence, **fields}
        self._sequence += 1
        return event

    def items(self, *, whole: bool) -> tuple[Item, ...]:
        """What there is; where it is not whole, the last item is the one that is cut off."""
        last = len(self._items) - 1
        return tuple(item.value("completed" if whole or item.index < last else "incomplete") for item in self._items)

    def say(self, chunks: Iterable[Chunk]) -> list[Event]:
        """The next pieces."""
        events: list[Event] = []
        for chunk in chunks:
            if chunk.reasoning:
                self._speak(events, REASONING, chunk.reasoning)
            if chunk.refusal:
                self._speak(events, REFUSAL, chunk.refusal)
            if chunk.text:
                self._speak(events, TEXT, chunk.text, chunk.logprobs)
            for piece in chunk.tool_calls:
                self._call(events, piece)
        return events

    def end(self, *, whole: bool) -> list[Event]:
        """Close what is open; nothing more comes."""
        events: list[Event] = []
        last = len(self._items) - 1
        self._close(events, "completed" if whole else "incomplete")
        for call in self._calls.values():
            status: ItemStatus = "completed" if whole or call.index < last else "incomplete"
            where = {"item_id": call.id, "output_index": call.index}
            done = "response.function_call_arguments.done"
            events.append(self.event(done, **where, name=call.name, arguments=call.arguments))
            events.append(self.event("response.output_item.done", output_index=call.index, item=call.value(status)))
        return events

    # Messages and reasoning

    def _speak(self, events: list[Event], kind: Kind, text: str, logprobs: Sequence[TokenLogprob] = ()) -> None:
        item, part = self._in(events, kind)
        part.pieces.append(text)
        event = self.event(f"{kind.event}.delta", **self._where(item), delta=text)
        if kind is TEXT:
            event["logprobs"] = probabilities = [_logprob(each) for each in logprobs]
            part.logprobs += probabilities
        events.append(event)

    def _in(self, events: list[Event], kind: Kind) -> tuple[Spoken, Part]:
        """The item and the part that words of this kind belong to; opened where there is need."""
        item = self._open
        if item is None or item.kind is not kind.item:
            self._close(events, "completed")
            index = len(self._items)
            item = self._open = Spoken(kind.item, self._id(kind.item), index)
            self._items.append(item)
            added = item.value("in_progress")
            events.append(self.event("response.output_item.added", output_index=index, item=added))
        if not item.parts or item.parts[-1].kind is not kind:
            self._close_part(events, item)
            item.parts.append(part := Part(kind))
            events.append(self.event("response.content_part.added", **self._where(item), part=part.value))
        return item, item.parts[-1]

    def _close(self, events: list[Event], status: ItemStatus) -> None:
        item, self._open = self._open, None
        if item is not None:
            self._close_part(events, item)
            done = item.value(status)
            events.append(self.event("response.output_item.done", output_index=item.index, item=done))

    def _close_part(self, events: list[Event], item: Spoken) -> None:
        if not item.parts:
            return
        part = item.parts[-1]
        event = self.event(f"{part.kind.event}.done", **self._where(item), **{part.kind.field: part.text})
        if part.kind is TEXT:
            event["logprobs"] = part.logprobs
        events.append(event)
        events.append(self.event("response.content_part.done", **self._where(item), part=part.value))

    def _where(self, item: Spoken) -> dict[str, Any]:
        return {"item_id": item.id, "output_index": item.index, "content_index": len(item.parts) - 1}

    # Function calls

    def _call(self, events: list[Event], piece: ToolCallPiece) -> None:
        call = self._calls.get(piece.index)
        if call is None:
            self._close(events, "completed")
            index = len(self._items)
            call = self._calls[piece.index] = Call(piece, self._id(FunctionCallItem), index)
            self._items.append(call)
            added = call.value("in_progress")
            events.append(self.event("response.output_item.added", output_index=index, item=added))
        if piece.arguments:
            call.pieces.append(piece.arguments)
            where = {"item_id": call.id, "output_index": call.index}
            events.append(self.event("response.function_call_arguments.delta", **where, delta=piece.arguments))

    def _id(self, kind: type[Item]) -> str:
        return item_id(kind, self._answer, self._first_number + len(self._items))


def chunks_of(items: Iterable[Item]) -> list[Chunk]:
    """What an answer says that has this output: each part and each call in one piece, without probabilities."""
    chunks: list[Chunk] = []
    calls = 0
    for item in items:
        match item:
            case MessageItem(content=tuple() as parts):
                chunks += [
                    Chunk(refusal=part.refusal) if isinstance(part, Refusal) else Chunk(text=part.text)
                    for part in parts
                    if isinstance(part, OutputText | Refusal)
                ]
            case ReasoningItem(content=tuple() as thoughts):
                chunks += [Chunk(reasoning=part.text) for part in thoughts]
            case FunctionCallItem():
                piece = ToolCallPiece(index=calls, id=item.call_id, name=item.name, arguments=item.arguments)
                chunks.append(Chunk(tool_calls=(piece,)))
                calls += 1
    return chunks


def _logprob(token: TokenLogprob) -> dict[str, Any]:
    return {**_one(token), "top_logprobs": [_one(each) for each in token.top_logprobs]}


def _one(token: TokenLogprob | TopLogprob) -> dict[str, Any]:
    """OpenAI wants a token's bytes always; some backends leave them out."""
    spelled = list(token.token.encode("utf-8", "replace")) if token.bytes is None else token.bytes
    return {"token": token.token, "logprob": token.logprob, "bytes": spelled}
