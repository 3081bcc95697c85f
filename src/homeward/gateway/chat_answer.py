"""An answer as a client reads it: chunks or one completion, built from known fields only.

Nothing of an upstream's JSON is passed on: a chunk with an `event` or `type` of its own could run code in the page of a
client.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from homeward.protocol.chat import Chunk, FinishReason, TokenLogprob, ToolCallPiece, Usage
from homeward.protocol.receipt import Receipt

_encode = msgspec.json.encode


class ChunkWriter:
    """The events of one stream; all carry the same id, time and model."""

    def __init__(self, answer_id: str, created: int, model: str, *, usage: bool) -> None:
        """`usage`: whether the client asked for it, so that every other chunk says that it has none."""
        head = _encode({"id": answer_id, "object": "chat.completion.chunk", "created": created, "model": model})
        self._head = b"data: " + head[:-1]
        self._begin = self._head + b',"choices":[{"index":0,"delta":'
        self._tail = b',"usage":null}\n\n' if usage else b"}\n\n"
        self._end = b',"logprobs":null,"finish_reason":null}]' + self._tail
        self._first = True

    def chunks(self, chunks: Iterable[Chunk]) -> bytes:
        """These pieces; the first one says whose they are."""
        events = [self._event(chunk) for chunk in chunks]
        if self._first:
            self._first = False
            events.insert(0, self._begin + b'{"role":"assistant","content":"","refusal":null}' + self._end)
        return b"".join(events)

    def _event(self, chunk: Chunk) -> bytes:
        if chunk.text and not (chunk.reasoning or chunk.tool_calls or chunk.refusal or chunk.logprobs):
            return self._begin + b'{"content":' + _encode(chunk.text) + b"}" + self._end
        delta: dict[str, Any] = {}
        if chunk.text:
            delta["content"] = chunk.text
        if chunk.reasoning:
            delta["reasoning_content"] = chunk.reasoning
        if chunk.refusal:
            delta["refusal"] = chunk.refusal
        if chunk.tool_calls:
            delta["tool_calls"] = [_piece(piece) for piece in chunk.tool_calls]
        logprobs = _encode(_logprobs(chunk.logprobs))
        return self._begin + _encode(delta) + b',"logprobs":' + logprobs + b',"finish_reason":null}]' + self._tail

    def end(self, finish_reason: FinishReason) -> bytes:
        """The last chunk of a whole answer."""
        begin = self.chunks(()) if self._first else b""
        return (
            begin + self._begin + b'{},"logprobs":null,"finish_reason":' + _encode(finish_reason) + b"}]" + self._tail
        )

    def usage(self, usage: Usage | None, extra: Mapping[str, Any], homeward: Receipt | None) -> bytes:
        """The chunk behind it, with what the client asked for; a count that is not known is null, not 0."""
        last: dict[str, Any] = {"choices": [], "usage": usage_object(usage, extra)}
        if homeward is not None:
            last["homeward"] = homeward
        return self._head + b"," + _encode(last)[1:] + b"\n\n"


class Whole:
    """An answer put together from its pieces."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._reasoning: list[str] = []
        self._refusals: list[str] = []
        self._logprobs: list[TokenLogprob] = []
        self._calls: list[dict[str, Any]] = []

    def add(self, chunks: Iterable[Chunk]) -> None:
        """The next pieces."""
        for chunk in chunks:
            if chunk.text:
                self._texts.append(chunk.text)
            if chunk.reasoning:
                self._reasoning.append(chunk.reasoning)
            if chunk.refusal:
                self._refusals.append(chunk.refusal)
            if chunk.logprobs:
                self._logprobs.extend(chunk.logprobs)
            for piece in chunk.tool_calls:
                self._call(piece)

    def _call(self, piece: ToolCallPiece) -> None:
        if piece.index == len(self._calls):
            function = {"name": piece.name, "arguments": ""}
            self._calls.append({"id": piece.id, "type": "function", "function": function})
        self._calls[piece.index]["function"]["arguments"] += piece.arguments

    @property
    def text(self) -> str:
        """Its words."""
        return "".join(self._texts)

    @property
    def message(self) -> dict[str, Any]:
        """OpenAI's message."""
        text = self.text
        message: dict[str, Any] = {
            "role": "assistant",
            "content": text if text or not self._calls else None,
            "refusal": "".join(self._refusals) or None,
        }
        if self._reasoning:
            message["reasoning_content"] = "".join(self._reasoning)
        if self._calls:
            message["tool_calls"] = self._calls
        return message

    @property
    def logprobs(self) -> dict[str, Any] | None:
        """Of all its tokens, where the backend told them."""
        return _logprobs(self._logprobs)


def usage_object(usage: Usage | None, extra: Mapping[str, Any]) -> dict[str, Any] | None:
    """OpenAI's counts; with `extra` ones, which clients that show all of them show as well."""
    if usage is None:
        return dict(extra) or None
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        **extra,
    }


def _piece(piece: ToolCallPiece) -> dict[str, Any]:
    function: dict[str, Any] = {"arguments": piece.arguments}
    if not piece.id:
        return {"index": piece.index, "function": function}
    return {
        "index": piece.index,
        "id": piece.id,
        "type": "function",
        "function": {"name": piece.name, **function},
    }


def _logprobs(tokens: Iterable[TokenLogprob]) -> dict[str, Any] | None:
    content = list(tokens)
    return {"content": content, "refusal": None} if content else None
