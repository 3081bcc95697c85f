"""The shapes of what is sent, for the document at `/openapi.json` alone: answers are written piece by piece.

A field that is not always there is `UNSET`.
"""

from typing import Any, Literal

import msgspec
from msgspec import UNSET
from msgspec import UnsetType as Unset

from homeward.gateway.responses_request import FunctionTool, SchemaFormat, TextFormat
from homeward.protocol.chat import FinishReason, JsonObjectFormat, TokenLogprob, ToolCall
from homeward.protocol.envelope import ErrorBody
from homeward.protocol.receipt import Receipt
from homeward.protocol.responses import Item


class Shape(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An object with these fields and no others."""


# Chat completions


class CachedTokens(Shape, frozen=True):
    """Of the prompt."""

    cached_tokens: int


class ReasoningTokens(Shape, frozen=True):
    """Of the completion."""

    reasoning_tokens: int


class TokenCounts(msgspec.Struct, frozen=True):
    """Tokens as the backend counted them; Open WebUI gets more fields, which it shows."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedTokens
    completion_tokens_details: ReasoningTokens


class Logprobs(Shape, frozen=True):
    """Of the tokens of an answer or a chunk."""

    content: tuple[TokenLogprob, ...]
    refusal: None


class AnswerMessage(Shape, frozen=True):
    """What the model said."""

    role: Literal["assistant"]
    content: str | None
    refusal: str | None
    reasoning_content: str | Unset = UNSET
    """What it thought before."""
    tool_calls: tuple[ToolCall, ...] | Unset = UNSET


class ChatChoice(Shape, frozen=True):
    """The only choice."""

    index: Literal[0]
    message: AnswerMessage
    logprobs: Logprobs | None
    finish_reason: FinishReason


class ChatCompletion(Shape, frozen=True):
    """A whole answer."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    """Who answered, in a form that can be asked for again."""
    choices: tuple[ChatChoice]
    usage: TokenCounts | Unset = UNSET
    homeward: Receipt | Unset = UNSET
    """Where the request asked for it."""


class CalledFunction(Shape, frozen=True):
    """A piece of a call: the name comes with the first one."""

    arguments: str
    name: str | Unset = UNSET


class ToolCallDelta(Shape, frozen=True):
    """The next piece of a call: id and type come with the first one."""

    index: int
    function: CalledFunction
    id: str | Unset = UNSET
    type: Literal["function"] | Unset = UNSET


class Delta(Shape, frozen=True):
    """What is new."""

    role: Literal["assistant"] | Unset = UNSET
    content: str | Unset = UNSET
    refusal: str | Unset | None = UNSET
    reasoning_content: str | Unset = UNSET
    tool_calls: tuple[ToolCallDelta, ...] | Unset = UNSET


class ChunkChoice(Shape, frozen=True):
    """The only choice."""

    index: Literal[0]
    delta: Delta
    logprobs: Logprobs | None
    finish_reason: FinishReason | None


class ChatCompletionChunk(Shape, frozen=True):
    """One event of a stream. The last one, with the counts, has no choices."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: tuple[ChunkChoice, ...]
    usage: TokenCounts | Unset | None = UNSET
    homeward: Receipt | Unset = UNSET


# Text completions


class TextChoice(Shape, frozen=True):
    """The only choice; in a stream only its last piece has a finish reason."""

    index: Literal[0]
    text: str
    logprobs: None
    finish_reason: FinishReason | None


class TextCompletion(Shape, frozen=True):
    """A whole answer in the older form, or one event of its stream."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    choices: tuple[TextChoice, ...]
    usage: TokenCounts | Unset | None = UNSET
    homeward: Receipt | Unset = UNSET


# Responses


class ResponseFault(Shape, frozen=True):
    """Why a response failed."""

    code: Literal["rate_limit_exceeded", "invalid_prompt", "server_error"]
    message: str
    type: str
    """Homeward's code for it."""


class Incomplete(Shape, frozen=True):
    """Why a response is cut off."""

    reason: Literal["max_output_tokens", "content_filter"]


class TextSettings(Shape, frozen=True):
    """What was asked for."""

    format: TextFormat | JsonObjectFormat | SchemaFormat
    verbosity: Literal["low", "medium", "high"]


class ReasoningSettings(Shape, frozen=True):
    """What was asked for."""

    effort: str | None
    summary: None


class InputTokens(Shape, frozen=True):
    """Of the prompt."""

    cached_tokens: int
    cache_write_tokens: int


class ResponseUsage(Shape, frozen=True):
    """Tokens as the backend counted them."""

    input_tokens: int
    input_tokens_details: InputTokens
    output_tokens: int
    output_tokens_details: ReasoningTokens
    total_tokens: int


class ResponseObject(Shape, frozen=True):
    """A response, whole or as far as it got."""

    id: str
    object: Literal["response"]
    created_at: int
    completed_at: int | None
    status: Literal["in_progress", "completed", "incomplete", "failed"]
    error: ResponseFault | None
    incomplete_details: Incomplete | None
    model: str
    output: tuple[Item, ...]
    usage: ResponseUsage | None
    instructions: str | None
    previous_response_id: str | None
    store: bool
    background: Literal[False]
    max_output_tokens: int | None
    temperature: float | None
    top_p: float | None
    top_logprobs: int
    tools: tuple[FunctionTool, ...]
    tool_choice: str | dict[str, Any]
    parallel_tool_calls: bool
    text: TextSettings
    reasoning: ReasoningSettings
    truncation: Literal["auto", "disabled"]
    metadata: dict[str, str]
    service_tier: Literal["default"]
    user: str | None
    safety_identifier: str | None
    prompt_cache_key: str | None
    homeward: Receipt | Unset = UNSET


class ResponseEvent(msgspec.Struct, frozen=True):
    """One event of a stream; docs/responses.md tells which there are, and their further fields."""

    type: str
    sequence_number: int
    response: ResponseObject | Unset = UNSET
    error: ErrorBody | Unset = UNSET


class ResponseDeleted(Shape, frozen=True):
    """It is gone."""

    id: str
    object: Literal["response"]
    deleted: Literal[True]


class ItemPage(Shape, frozen=True):
    """A page of a response's input."""

    object: Literal["list"]
    data: tuple[Item, ...]
    first_id: str
    last_id: str
    has_more: bool


class TokenEstimate(Shape, frozen=True):
    """Rather too high than too low."""

    object: Literal["response.input_tokens"]
    input_tokens: int
    estimated: Literal[True]


# Embeddings and models


class Embedding(Shape, frozen=True):
    """The vector of one text."""

    object: Literal["embedding"]
    index: int
    embedding: tuple[float, ...] | str
    """Numbers; as base64, those of 32 bits, little-endian."""


class EmbeddingUsage(Shape, frozen=True):
    """Tokens of all texts."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(Shape, frozen=True):
    """A vector for each text, in their order."""

    object: Literal["list"]
    data: tuple[Embedding, ...]
    model: str
    usage: EmbeddingUsage


class ModelObject(Shape, frozen=True):
    """What can be asked for by name."""

    id: str
    object: Literal["model"]
    created: int
    owned_by: str
    """The backend."""
    info: dict[str, Any]
    """What Open WebUI reads."""


class ModelPage(Shape, frozen=True):
    """All of them."""

    object: Literal["list"]
    data: tuple[ModelObject, ...]
