"""OpenAI's chat protocol as bytes: the request that a backend gets, the events and bodies that it sends.

Tolerant of what servers add or leave out (llama.cpp, vLLM, Ollama, LM Studio, Azure and DeepSeek differ in
that), strict about what an answer depends on. No error repeats the upstream's text: it may hold a key or the
prompt. Of several choices only the first is read; we never ask for more.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from homeward.protocol.chat import ChatRequest, Chunk, FinishReason, TokenLogprob, ToolCallPiece, Usage
from homeward.protocol.errors import BackendDisconnectedError, InvalidRequestError
from homeward.protocol.sse import Event
from homeward.protocol.upstream_errors import decode_error, error_inside, not_the_protocol, report

MOST_TOKENS = 100_000_000
"""A count beyond this is none."""

NO_INDEX = -1
"""Of a tool call's piece whose sender does not number them."""

DONE = b"[DONE]"
"""Payload of the event that ends a stream."""

STREAMED: Final = {"stream": True, "stream_options": {"include_usage": True}}

MaxTokensField = Literal["max_tokens", "max_completion_tokens"]
"""OpenAI's own reasoning models refuse the older name, most other servers know only that."""

_FINISH_REASONS: Final[dict[str, FinishReason]] = {
    "stop": "stop",
    "length": "length",
    "content_filter": "content_filter",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "max_tokens": "length",
}
_BROKEN_OFF: Final = frozenset({"abort", "error", "insufficient_system_resource"})
"""Reasons by which vLLM, OpenRouter and DeepSeek say that the answer is not whole."""


class _PromptDetails(msgspec.Struct, gc=False):
    cached_tokens: int | None = None


class _CompletionDetails(msgspec.Struct, gc=False):
    reasoning_tokens: int | None = None


class _Usage(msgspec.Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    completion_tokens_details: _CompletionDetails | None = None
    prompt_cache_hit_tokens: int | None = None  # DeepSeek


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: str | dict[str, Any] | None = None  # an object from some older servers


class _ToolCall(msgspec.Struct, gc=False):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Said(msgspec.Struct, gc=False):
    content: str | None = None
    reasoning_content: str | None = None  # llama.cpp, DeepSeek, vLLM
    reasoning: str | None = None  # Ollama, newer vLLM
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Logprobs(msgspec.Struct, gc=False):
    content: list[TokenLogprob] | None = None


class _Choice(msgspec.Struct, gc=False):
    delta: _Said | None = None
    message: _Said | None = None  # in place of delta where the answer comes in one piece
    finish_reason: str | None = None
    index: int | None = None
    logprobs: _Logprobs | None = None


class _Answer(msgspec.Struct, gc=False):
    """One chunk of a stream, a whole answer, or an error in the place of either."""

    choices: list[_Choice] | None = None  # empty in Azure's first chunk and in the one with the usage
    usage: _Usage | None = None
    error: Any = None


_decode_answer = msgspec.json.Decoder(_Answer).decode
_EMPTY = Chunk()
_NOTHING = _Said()


def encode_request(
    request: ChatRequest,
    model: str,
    max_tokens_field: MaxTokensField = "max_tokens",
    extra: Mapping[str, Any] = MappingProxyType({}),
    *,
    stream: bool = True,
) -> bytes:
    """The body of a chat completion, a stream with the usage asked for, and the `extra` fields of its backend.

    Raises `InvalidRequestError` for text that is not Unicode (half a surrogate pair).
    """
    sampling: dict[str, Any] = msgspec.to_builtins(request.sampling)
    if "max_tokens" in sampling:
        sampling[max_tokens_field] = sampling.pop("max_tokens")
    return encode_json(
        {
            "model": model,
            "messages": request.messages,
            **sampling,
            **(STREAMED if stream else {}),
            **extra,
        }
    )


def encode_json(value: object) -> bytes:
    """JSON for a backend.

    Raises `InvalidRequestError` for text that is not Unicode: half a surrogate pair.
    """
    try:
        return msgspec.json.encode(value)
    except UnicodeEncodeError:
        # Its message shows the text.
        raise InvalidRequestError(
            "A message holds half a character, which cannot be sent.", next_step="Type or paste it anew."
        ) from None


def decode_chunk(event: Event, source: str = "The backend") -> Chunk:
    """What one event of a stream says; the chunk is empty where that is nothing of use.

    `source` is the subject of an error's sentence. A finish reason that is not OpenAI's counts as `stop`, for
    its sender calls the answer finished; an empty one counts as none. Raises `BackendProtocolError` for
    anything but a JSON object of the right shape, `BackendStatusError` or `BackendDisconnectedError` for an
    error inside the stream, and the latter for a finish reason by which a server says that it broke off.
    """
    if event.name == b"error":
        raise error_inside(decode_error(event.data), source)
    answer = _decode(event.data, source)
    if answer.error is not None:
        raise error_inside(report(answer.error), source)
    choices = answer.choices
    if not choices:
        if answer.usage is not None:
            return Chunk(usage=_usage(answer.usage))
        if choices is None:
            _refuse_bare_error(event.data, source)
        return _EMPTY
    choice = choices[0]
    return _EMPTY if choice.index else _chunk(choice, choice.delta or _NOTHING, answer.usage, source)


def decode_completion(event: Event, source: str = "The backend") -> Chunk:
    """A whole answer, as one event and one chunk: the body that a server sends which does not stream.

    Raises like `decode_chunk`, and `BackendProtocolError` for one without message or finish reason.
    """
    answer = _decode(event.data, source)
    if answer.error is not None:
        raise error_inside(report(answer.error), source)
    choice = answer.choices[0] if answer.choices else _Choice()
    if choice.message is None or not choice.finish_reason:
        raise not_the_protocol(source, "no message or no finish reason")
    return _chunk(choice, choice.message, answer.usage, source)


def _decode(data: bytes, source: str) -> _Answer:
    try:
        return _decode_answer(data)
    except (ValueError, RecursionError) as error:
        # Dropped as cause: a decoder's error may hold the bytes that it failed on. msgspec's text tells
        # only places and types.
        detail = str(error) if isinstance(error, msgspec.MsgspecError) else type(error).__name__
        raise not_the_protocol(source, detail) from None


def _chunk(choice: _Choice, said: _Said, usage: _Usage | None, source: str) -> Chunk:
    return Chunk(
        text=said.content or "",
        reasoning=said.reasoning_content or said.reasoning or "",
        refusal=said.refusal or "",
        tool_calls=tuple(map(_piece, said.tool_calls)) if said.tool_calls else (),
        logprobs=tuple(choice.logprobs.content or ()) if choice.logprobs is not None else (),
        finish_reason=_finish_reason(choice.finish_reason, source) if choice.finish_reason else None,
        usage=_usage(usage) if usage is not None else None,
    )


def _piece(call: _ToolCall) -> ToolCallPiece:
    function = call.function or _Function()
    arguments = function.arguments or ""
    return ToolCallPiece(
        index=NO_INDEX if call.index is None else call.index,
        id=call.id or "",
        name=function.name or "",
        arguments=arguments if isinstance(arguments, str) else msgspec.json.encode(arguments).decode(),
    )


def _usage(usage: _Usage) -> Usage | None:
    """None where a count is missing, or is none: that is not the same as 0."""
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    details = usage.prompt_tokens_details
    cached = (usage.prompt_cache_hit_tokens if details is None else details.cached_tokens) or 0
    thought = (usage.completion_tokens_details or _CompletionDetails()).reasoning_tokens or 0
    if (
        prompt is None
        or completion is None
        or not all(0 <= each <= MOST_TOKENS for each in (prompt, completion, cached, thought))
    ):
        return None
    return Usage(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached, reasoning_tokens=thought)


def _finish_reason(reason: str, source: str) -> FinishReason:
    if reason in _BROKEN_OFF:
        raise BackendDisconnectedError(
            f"{source} broke its answer off.", next_step="Try again.", detail=f"finish_reason {reason}"
        )
    return _FINISH_REASONS.get(reason, "stop")


def _refuse_bare_error(data: bytes, source: str) -> None:
    """Older vLLM sends its errors without an envelope."""
    value = msgspec.json.decode(data)
    if value.get("object") == "error":
        raise error_inside(report(value), source)
