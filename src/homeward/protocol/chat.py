"""A chat request and the pieces of its answer, in OpenAI's terms; encoded as JSON they are OpenAI's own shapes."""

from typing import Any, Literal

import msgspec

from homeward.protocol.place import PlaceName

Role = Literal["system", "user", "assistant", "tool"]
FinishReason = Literal["stop", "length", "content_filter", "tool_calls"]
Mode = Literal["auto", "device", "cloud"]
"""What the user asked for with a message: as the policy says, on this device only, in the cloud first."""
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]
"""How long a reasoning model is to think before it answers."""


class ImageUrl(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where an image is: always in the request itself, as a `data:` URL."""

    url: str
    detail: Literal["auto", "low", "high"] = "auto"


class TextPart(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    """Some words of a message that has more than words."""

    text: str


class ImagePart(msgspec.Struct, frozen=True, tag_field="type", tag="image_url"):
    """A picture of a message."""

    image_url: ImageUrl


ContentPart = TextPart | ImagePart


class FunctionCall(msgspec.Struct, frozen=True):
    """Which function the model calls, and with what."""

    name: str
    arguments: str
    """JSON as the model wrote it; not necessarily valid."""


class ToolCall(msgspec.Struct, frozen=True):
    """A model's wish to have a tool run by the client."""

    id: str
    function: FunctionCall
    type: Literal["function"] = "function"


class Message(msgspec.Struct, frozen=True, omit_defaults=True):
    """One turn's half: who speaks, and what."""

    role: Role
    content: str | tuple[ContentPart, ...]
    name: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    """Of an assistant's message."""
    tool_call_id: str | None = None
    """Of a tool's message: which call it answers."""

    @property
    def text(self) -> str:
        """Its words without its pictures."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content if isinstance(part, TextPart))

    @property
    def images(self) -> int:
        """How many pictures it has."""
        return 0 if isinstance(self.content, str) else sum(isinstance(part, ImagePart) for part in self.content)


class Function(msgspec.Struct, frozen=True, omit_defaults=True):
    """A function that the client can run, as the model is told of it."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    """JSON schema of its arguments."""
    strict: bool | None = None


class Tool(msgspec.Struct, frozen=True):
    """What the model may ask for beside answering."""

    function: Function
    type: Literal["function"] = "function"


class FunctionName(msgspec.Struct, frozen=True):
    """Names a function that there is."""

    name: str


class NamedTool(msgspec.Struct, frozen=True):
    """The one tool that the model has to call."""

    function: FunctionName
    type: Literal["function"] = "function"


class JsonSchema(msgspec.Struct, frozen=True, omit_defaults=True):
    """The shape that an answer must have."""

    name: str
    description: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class JsonObjectFormat(msgspec.Struct, frozen=True, tag_field="type", tag="json_object"):
    """The answer is some JSON object."""


class JsonSchemaFormat(msgspec.Struct, frozen=True, tag_field="type", tag="json_schema"):
    """The answer is JSON of this shape."""

    json_schema: JsonSchema


class Sampling(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How an answer is drawn and shaped; a field that is None is left to the backend. Names and ranges are OpenAI's."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    reasoning_effort: Effort | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    response_format: JsonObjectFormat | JsonSchemaFormat | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: Literal["none", "auto", "required"] | NamedTool | None = None
    parallel_tool_calls: bool | None = None


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the user asks for, before it is known which backend answers."""

    messages: tuple[Message, ...]
    """System prompt first where there is one; the last one is what is to be answered."""
    sampling: Sampling = Sampling()
    backend: str | None = None
    """Name of the backend that the user chose; None leaves the choice to the policy."""
    model: str = ""
    """Name of the model, as that backend knows it; empty leaves the choice to the backend."""
    mode: Mode = "auto"
    places: tuple[PlaceName, ...] | None = None
    """Where it may be answered, whatever the policy allows beyond that; None leaves it to the policy."""
    may_trim: bool = True
    """Whether the oldest turns may be left out where the conversation is longer than the model's window."""
    in_one_piece: bool = False
    """Whether nobody reads the answer while it grows."""
    background: bool = False
    """Whether nobody waits for it, as for a conversation's title: everybody else goes first."""
    stays_home: bool = False
    """Whether it must not leave this device, as a conversation that held findings, whatever is in it now."""
    approved: bool = False
    """Whether the user was asked about the findings in it, and agreed."""
    further: tuple[str, ...] = ()
    """Texts that go out with it beside the messages, such as names of files; looked at for findings like these."""


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens as the backend counted them."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    """Part of the prompt that the backend had kept from an earlier request."""
    reasoning_tokens: int = 0
    """Part of the completion that was thought and not said."""


class ToolCallPiece(msgspec.Struct, frozen=True, kw_only=True):
    """The next piece of a tool call; id and name come with its first one."""

    index: int
    """Which of the answer's calls, from 0."""
    id: str = ""
    name: str = ""
    arguments: str = ""


class TopLogprob(msgspec.Struct, frozen=True):
    """One token that could have stood there."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None


class TokenLogprob(msgspec.Struct, frozen=True):
    """One token of the answer, and how likely it was."""

    token: str
    logprob: float
    bytes: tuple[int, ...] | None = None
    top_logprobs: tuple[TopLogprob, ...] = ()


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """One event of an answer's stream; any field may be empty."""

    text: str = ""
    reasoning: str = ""
    """Text that a reasoning model thinks aloud before it answers."""
    refusal: str = ""
    """Text by which a model says that it will not answer, where the backend tells it apart."""
    tool_calls: tuple[ToolCallPiece, ...] = ()
    logprobs: tuple[TokenLogprob, ...] = ()
    finish_reason: FinishReason | None = None
    usage: Usage | None = None

    @property
    def says_something(self) -> bool:
        """Whether the user would notice it."""
        return bool(self.text or self.reasoning or self.tool_calls or self.refusal)
