"""OpenAI's chat protocol as bytes: the request that a backend gets, the events and bodies that it sends.

Tolerant of what servers add or leave out (llama.cpp, vLLM, Ollama, LM Studio, Azure and DeepSeek differ in
that), strict about what an answer depends on. No error repeats the upstream's text: it may hold a key or the
prompt. Of several choices only the first is read; we never ask for more.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal

import msgspec

from homeward.protocol.chat import ChatRequest, Chunk, FinishReason, Usage
from homeward.protocol.errors import (
    BackendDisconnectedError,
    BackendError,
    BackendProtocolError,
    BackendStatusError,
    InvalidRequestError,
)
from homeward.protocol.sse import Event

MOST_TOKENS = 100_000_000
"""A count beyond this is none."""

DONE = b"[DONE]"
"""Payload of the event that ends a stream."""

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

_TOO_LONG: Final = frozenset({"context_length_exceeded", "exceed_context_size_error"})  # OpenAI, llama.cpp
_WINDOW: Final = re.compile(r"maximum context length (?:is|of) (\d{1,9})")
_PROMPT: Final = re.compile(
    r"resulted in (\d{1,9}) |\((\d{1,9}) in the (?:messages|prompt)|(?:has|passed) (\d{1,9}) input"
)
_PLAIN: Final = re.compile(r"[A-Za-z_]{1,48}")


class ErrorReport(msgspec.Struct, frozen=True, kw_only=True):
    """What an upstream's error object says, without its text."""

    words: str = ""
    """Its type and code where they are plain words; safe to log."""
    status: int | None = None
    """The HTTP status that it names as code; None for none."""
    too_long: bool = False
    """Whether prompt and answer do not fit the model's window."""
    prompt_tokens: int | None = None
    window_tokens: int | None = None
    """What prompt and answer share."""


class _PromptDetails(msgspec.Struct, gc=False):
    cached_tokens: int | None = None


class _Usage(msgspec.Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _PromptDetails | None = None
    prompt_cache_hit_tokens: int | None = None  # DeepSeek


class _Text(msgspec.Struct, gc=False):
    content: str | None = None
    reasoning_content: str | None = None  # llama.cpp, DeepSeek, vLLM
    reasoning: str | None = None  # Ollama, newer vLLM


class _Choice(msgspec.Struct, gc=False):
    delta: _Text | None = None
    message: _Text | None = None  # in place of delta where the answer comes in one piece
    finish_reason: str | None = None
    index: int | None = None


class _Answer(msgspec.Struct, gc=False):
    """One chunk of a stream, a whole answer, or an error in the place of either."""

    choices: list[_Choice] | None = None  # empty in Azure's first chunk and in the one with the usage
    usage: _Usage | None = None
    error: Any = None


_decode_answer = msgspec.json.Decoder(_Answer).decode
_EMPTY = Chunk()


def encode_request(
    request: ChatRequest,
    model: str,
    max_tokens_field: MaxTokensField = "max_tokens",
    extra: Mapping[str, Any] = MappingProxyType({}),
) -> bytes:
    """The body of a streamed chat completion, with the usage asked for, and the `extra` fields of its backend.

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
            "stream": True,
            "stream_options": {"include_usage": True},
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
        raise _error_inside(decode_error(event.data), source)
    answer = _decode(event.data, source)
    if answer.error is not None:
        raise _error_inside(_report(answer.error), source)
    choices = answer.choices
    if not choices:
        if answer.usage is not None:
            return Chunk(usage=_usage(answer.usage))
        if choices is None:
            _refuse_bare_error(event.data, source)
        return _EMPTY
    choice = choices[0]
    if choice.index:
        return _EMPTY
    delta = choice.delta
    return Chunk(
        text=(delta.content or "") if delta is not None else "",
        reasoning=(delta.reasoning_content or delta.reasoning or "") if delta is not None else "",
        finish_reason=_finish_reason(choice.finish_reason, source) if choice.finish_reason else None,
        usage=_usage(answer.usage) if answer.usage is not None else None,
    )


def decode_completion(event: Event, source: str = "The backend") -> Chunk:
    """A whole answer, as one event and one chunk: the body that a server sends which does not stream.

    Raises like `decode_chunk`, and `BackendProtocolError` for one without message or finish reason.
    """
    answer = _decode(event.data, source)
    if answer.error is not None:
        raise _error_inside(_report(answer.error), source)
    choice = answer.choices[0] if answer.choices else _Choice()
    if choice.message is None or not choice.finish_reason:
        raise not_the_protocol(source, "no message or no finish reason")
    return Chunk(
        text=choice.message.content or "",
        reasoning=choice.message.reasoning_content or choice.message.reasoning or "",
        finish_reason=_finish_reason(choice.finish_reason, source),
        usage=_usage(answer.usage) if answer.usage is not None else None,
    )


def decode_error(body: bytes) -> ErrorReport:
    """What the body of a refusal says; empty where it is not JSON, as the page of a proxy."""
    try:
        value = msgspec.json.decode(body)
    except (ValueError, RecursionError):
        return ErrorReport()
    return _report((value.get("error") or value) if isinstance(value, dict) else value)


def _decode(data: bytes, source: str) -> _Answer:
    try:
        return _decode_answer(data)
    except (ValueError, RecursionError) as error:
        # Dropped as cause: a decoder's error may hold the bytes that it failed on. msgspec's text tells
        # only places and types.
        detail = str(error) if isinstance(error, msgspec.MsgspecError) else type(error).__name__
        raise not_the_protocol(source, detail) from None


def _usage(usage: _Usage) -> Usage | None:
    """None where a count is missing, or is none: that is not the same as 0."""
    prompt, completion = usage.prompt_tokens, usage.completion_tokens
    details = usage.prompt_tokens_details
    cached = (usage.prompt_cache_hit_tokens if details is None else details.cached_tokens) or 0
    if (
        prompt is None
        or completion is None
        or not all(0 <= each <= MOST_TOKENS for each in (prompt, completion, cached))
    ):
        return None
    return Usage(prompt_tokens=prompt, completion_tokens=completion, cached_tokens=cached)


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
        raise _error_inside(_report(value), source)


def _error_inside(report: ErrorReport, source: str) -> BackendError:
    if report.status is not None:
        return BackendStatusError(
            f"{source} reported an error with status {report.status} inside its answer.",
            upstream_status=report.status,
            next_step="Try again, or choose another backend.",
            detail=report.words,
        )
    return BackendDisconnectedError(
        f"{source} ended its answer with an error.",
        next_step="Try again, or choose another backend.",
        detail=report.words,
    )


def _report(error: object) -> ErrorReport:
    fields: dict[str, Any] = error if isinstance(error, dict) else {"message": error}
    words = [str(word) for key in ("type", "code") if _is_plain(word := fields.get(key))]
    message = fields.get("message")
    text = message if isinstance(message, str) else ""
    window = _WINDOW.search(text)
    code = fields.get("code")
    return ErrorReport(
        words=" ".join(words),
        status=code if type(code) is int and 400 <= code <= 599 else None,
        too_long=window is not None or not _TOO_LONG.isdisjoint(words),
        prompt_tokens=_count(fields.get("n_prompt_tokens"), _PROMPT.search(text)),
        window_tokens=_count(fields.get("n_ctx"), window),
    )


def _is_plain(word: object) -> bool:
    return isinstance(word, str) and _PLAIN.fullmatch(word) is not None


def _count(field: object, match: re.Match[str] | None) -> int | None:
    """A count from llama.cpp's field, or from the sentence in which OpenAI and vLLM hide it."""
    if type(field) is int:
        return field
    return int(next(filter(None, match.groups()))) if match is not None else None


def not_the_protocol(source: str, detail: str) -> BackendProtocolError:
    """What came is no answer in OpenAI's protocol; `detail` is for the log."""
    return BackendProtocolError(
        f"{source} sent something that is not OpenAI's protocol.",
        next_step="Check that its address is that of an OpenAI-compatible server.",
        detail=detail,
    )
