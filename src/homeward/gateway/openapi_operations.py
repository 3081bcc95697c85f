"""What is served under `/v1`: each operation with what it takes, gives and refuses, for the document alone."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from homeward.gateway import chat_request as chat
from homeward.gateway import openapi_answers as answers
from homeward.gateway import responses_request as responses
from homeward.gateway.completions import CompletionBody
from homeward.protocol.chat import ImagePart, JsonObjectFormat, JsonSchemaFormat, NamedTool, TextPart, Tool
from homeward.protocol.embeddings import MODEL as EMBEDDING_MODEL
from homeward.protocol.embeddings import MOST_INPUTS, EmbeddingsRequest
from homeward.protocol.receipt import Receipt
from homeward.protocol.responses import InputItem

GATE = (401, 403, 413, 421, 429)
"""Statuses by which the gate refuses any request."""
READING = (*GATE, 400, 404, 415)
"""Those of a request with a body."""
ANSWERING = (*READING, 500, 502, 503, 504)
"""Those of one that a model answers."""

ImageData = Annotated[str, msgspec.Meta(pattern=f"^{chat.IMAGE.pattern}$")]
NonEmpty = Annotated[str, msgspec.Meta(min_length=1)]
Tools = Annotated[tuple[Tool, ...], msgspec.Meta(max_length=chat.MOST_TOOLS)]
FunctionTools = Annotated[tuple[responses.FunctionTool, ...], msgspec.Meta(max_length=chat.MOST_TOOLS)]
Metadata = Annotated[
    dict[
        Annotated[str, msgspec.Meta(max_length=64)],
        Annotated[str, msgspec.Meta(max_length=512)],
    ],
    msgspec.Meta(max_length=16),
]

ModelName = Annotated[str, msgspec.Meta(examples=["homeward"])]

READ_AS: Mapping[tuple[str, str], Any] = {
    ("ChatBody", "model"): ModelName,
    ("CompletionBody", "model"): ModelName,
    ("ResponseBody", "model"): ModelName | None,
    ("EmbeddingsRequest", "model"): Annotated[str, msgspec.Meta(examples=[EMBEDDING_MODEL])],
    ("EmbeddingsRequest", "input"): NonEmpty
    | Annotated[tuple[NonEmpty, ...], msgspec.Meta(min_length=1, max_length=MOST_INPUTS)],
    ("ChatBody", "n"): Literal[1] | None,
    ("ChatBody", "stop"): NonEmpty | Annotated[tuple[NonEmpty, ...], msgspec.Meta(max_length=chat.MOST_STOPS)] | None,
    ("ChatBody", "messages"): Annotated[list[chat.ChatMessage], msgspec.Meta(min_length=1)],
    ("ChatBody", "modalities"): tuple[Literal["text"], ...] | None,
    ("ChatBody", "response_format"): responses.TextFormat | JsonObjectFormat | JsonSchemaFormat | None,
    ("ChatBody", "tools"): Tools | None,
    ("ChatBody", "tool_choice"): Literal["none", "auto", "required"] | NamedTool | None,
    ("ChatMessage", "role"): Literal["system", "developer", "user", "assistant", "tool"],
    ("ChatMessage", "content"): str | tuple[TextPart | ImagePart | chat.RefusalPart, ...] | None,
    ("ImageUrl", "url"): ImageData,
    ("InputImage", "image_url"): ImageData,
    ("CompletionBody", "prompt"): str | Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=1)],
    ("CompletionBody", "n"): Literal[1] | None,
    ("CompletionBody", "best_of"): Literal[0, 1] | None,
    ("CompletionBody", "logprobs"): Literal[0] | None,
    ("ResponseBody", "input"): str | tuple[InputItem, ...] | None,
    ("ResponseBody", "max_output_tokens"): Annotated[int, msgspec.Meta(ge=1)] | None,
    ("ResponseBody", "temperature"): chat.Temperature | None,
    ("ResponseBody", "top_p"): chat.Share | None,
    ("ResponseBody", "top_logprobs"): Annotated[int, msgspec.Meta(ge=0, le=20)] | None,
    ("ResponseBody", "tools"): FunctionTools | None,
    ("ResponseBody", "tool_choice"): Literal["none", "auto", "required"] | responses.FunctionChoice | None,
    ("ResponseBody", "metadata"): Metadata | None,
}
"""Fields whose first look is not their last: as what their values are read in the end."""

REFUSED = {
    "ChatBody": (*chat.UNSUPPORTED, "functions", "function_call"),
    "CompletionBody": ("suffix",),
    "ResponseBody": tuple(responses.UNSUPPORTED),
}
"""Fields that are known only to be refused, or to be ignored beside their newer form."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one path."""

    method: Literal["get", "post", "delete"]
    path: str
    name: str
    summary: str
    answer: type | None
    """None where it is always refused."""
    refusals: tuple[int, ...]
    body: type | None = None
    event: type | None = None
    """Of the stream, where there may be one."""
    query: Mapping[str, Any] = {}
    """Parameters behind the path's question mark, each with its type."""
    leads_to: Mapping[str, str] = {}
    """Operations that take an id from its answer: their parameter, and where in the answer it stands."""


TO_RECEIPT = {"getReceipt": "receipt_id=id"}
TO_RESPONSE = dict.fromkeys(("getResponse", "listInputItems", "cancelResponse", "deleteResponse"), "response_id=id")

OPERATIONS = (
    Operation(
        method="post",
        path="/v1/chat/completions",
        name="createChatCompletion",
        summary="An answer to a conversation, whole or as a stream.",
        body=chat.ChatBody,
        answer=answers.ChatCompletion,
        event=answers.ChatCompletionChunk,
        leads_to=TO_RECEIPT,
        refusals=ANSWERING,
    ),
    Operation(
        method="post",
        path="/v1/completions",
        name="createCompletion",
        summary="OpenAI's older form: the prompt is asked like a chat's one message.",
        body=CompletionBody,
        answer=answers.TextCompletion,
        event=answers.TextCompletion,
        leads_to=TO_RECEIPT,
        refusals=ANSWERING,
    ),
    Operation(
        method="post",
        path="/v1/responses",
        name="createResponse",
        summary="An answer that is kept, can be read again, and be gone on from.",
        body=responses.ResponseBody,
        answer=answers.ResponseObject,
        event=answers.ResponseEvent,
        leads_to=TO_RECEIPT | TO_RESPONSE,
        refusals=ANSWERING,
    ),
    Operation(
        method="post",
        path="/v1/responses/input_tokens",
        name="countInputTokens",
        summary="How long a request would be.",
        body=responses.ResponseBody,
        answer=answers.TokenEstimate,
        refusals=(*READING, 503),
    ),
    Operation(
        method="get",
        path="/v1/responses/{response_id}",
        name="getResponse",
        summary="A stored response, whole or as events.",
        answer=answers.ResponseObject,
        event=answers.ResponseEvent,
        query={"stream": Literal["true", "false"], "starting_after": Literal["0"]},
        refusals=(*GATE, 400, 404, 503),
    ),
    Operation(
        method="delete",
        path="/v1/responses/{response_id}",
        name="deleteResponse",
        summary="Deletes a stored response.",
        answer=answers.ResponseDeleted,
        refusals=(*GATE, 400, 404, 503),
    ),
    Operation(
        method="get",
        path="/v1/responses/{response_id}/input_items",
        name="listInputItems",
        summary="What was new with the request of a stored response.",
        answer=answers.ItemPage,
        query={"limit": int, "order": Literal["asc", "desc"], "after": str},
        refusals=(*GATE, 400, 404, 503),
    ),
    Operation(
        method="post",
        path="/v1/responses/{response_id}/cancel",
        name="cancelResponse",
        summary="Refused: there are no background responses that it could be for.",
        answer=None,
        refusals=(*GATE, 400, 404, 503),
    ),
    Operation(
        method="post",
        path="/v1/embeddings",
        name="createEmbedding",
        summary="Vectors of texts, always made on this device.",
        body=EmbeddingsRequest,
        answer=answers.EmbeddingList,
        refusals=ANSWERING,
    ),
    Operation(
        method="get",
        path="/v1/models",
        name="listModels",
        summary="What can be asked for by name.",
        answer=answers.ModelPage,
        leads_to={"getModel": "model=data/0/id"},
        refusals=GATE,
    ),
    Operation(
        method="get",
        path="/v1/models/{model}",
        name="getModel",
        summary="One of them.",
        answer=answers.ModelObject,
        refusals=(*GATE, 404),
    ),
    Operation(
        method="get",
        path="/v1/receipts/{receipt_id}",
        name="getReceipt",
        summary="What happened to a request, by the id of its answer or of the receipt itself.",
        answer=Receipt,
        refusals=(*GATE, 404, 503),
    ),
)
