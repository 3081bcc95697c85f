"""A chat completion as a client asks for it: OpenAI's fields, checked, and what of them is not supported."""

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NoReturn, TypeVar

import msgspec

from homeward.gateway.bodies import wrong_value
from homeward.gateway.names import Names
from homeward.protocol.chat import (
    ChatRequest,
    ContentPart,
    Effort,
    FunctionCall,
    ImagePart,
    ImageUrl,
    JsonObjectFormat,
    JsonSchemaFormat,
    Message,
    Mode,
    NamedTool,
    Role,
    Sampling,
    TextPart,
    Tool,
    ToolCall,
)
from homeward.protocol.errors import InvalidRequestError
from homeward.protocol.place import PlaceName

IMAGE = re.compile(r"data:image/(?:png|jpeg|jpg|gif|webp);base64,[A-Za-z0-9+/]+={0,2}")
MOST_STOPS = 4
MOST_TOOLS = 128
_T = TypeVar("_T")
Stop = str | list[str] | None
Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
"""JSON knows no bounds, what we and the backends calculate with does."""
Count = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Temperature = Annotated[float, msgspec.Meta(ge=0, le=2)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Penalty = Annotated[float, msgspec.Meta(ge=-2, le=2)]


class RefusalPart(msgspec.Struct, tag_field="type", tag="refusal"):
    """Words by which the model refused."""

    refusal: str


class _Audio(msgspec.Struct, tag_field="type", tag="input_audio"):
    pass


class _File(msgspec.Struct, tag_field="type", tag="file"):
    pass


_Part = TextPart | ImagePart | RefusalPart | _Audio | _File


class ChatFunctionCall(msgspec.Struct):
    """Which function the model called, and with what."""

    name: str
    arguments: str = ""


class ChatToolCall(msgspec.Struct):
    """A call that stands in an earlier answer."""

    id: str
    type: str = "function"
    function: ChatFunctionCall | None = None


class ChatMessage(msgspec.Struct):
    """One turn's half."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[_Part] | None = None
    name: str | None = None
    tool_calls: list[ChatToolCall] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None


class _Tool(msgspec.Struct):
    type: str
    function: Any = None


class _ToolChoice(msgspec.Struct):
    type: str
    function: Any = None


class _Format(msgspec.Struct):
    type: Literal["text", "json_object", "json_schema"]
    json_schema: Any = None


class StreamOptions(msgspec.Struct, frozen=True):
    """OpenAI's `stream_options`."""

    include_usage: bool = False


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """`homeward`: what a request says beyond OpenAI's fields; it can only narrow what the policy allows."""

    mode: Mode | None = None
    places: Annotated[tuple[PlaceName, ...], msgspec.Meta(min_length=1)] | None = None
    stays_home: bool = False
    background: bool = False
    trim: bool = False
    """Whether the oldest turns may be left out where the conversation is too long; else it is refused."""
    receipt: bool = False
    """Whether the answer carries its receipt."""


class ChatBody(msgspec.Struct, kw_only=True):
    """What is read of the body; fields that are not here are ignored, as OpenAI does."""

    model: str = "homeward"
    messages: list[ChatMessage]
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: Integer | None = None
    max_tokens: Count | None = None
    max_completion_tokens: Count | None = None
    temperature: Temperature | None = None
    top_p: Share | None = None
    seed: Integer | None = None
    stop: Stop = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, float] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=20)] | None = None
    reasoning_effort: Effort | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
    response_format: _Format | None = None
    tools: list[_Tool] | None = None
    tool_choice: str | _ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    functions: Any = None
    function_call: Any = None
    modalities: list[str] | None = None
    moderation: Any = None
    web_search_options: Any = None
    homeward: Wishes = Wishes()


decoder = msgspec.json.Decoder(ChatBody)

UNSUPPORTED = {
    "moderation": "Homeward has no moderation: it would be missing without a word.",
    "web_search_options": "Homeward searches no web: the answer would come without a search, and not say so.",
}


def request_of(body: ChatBody, names: Names) -> ChatRequest:
    """The request that a body stands for.

    Raises:
        InvalidRequestError: a value is out of range, or asks for what there is not; it names the field.
        UnknownModelError: no model is called like this.
    """
    if body.n not in (None, 1):
        refuse("n", "Homeward gives one answer to one request: leave `n` out, or set it to 1.")
    for name, why in UNSUPPORTED.items():
        if getattr(body, name) is not None:
            refuse(name, why)
    if body.modalities and "audio" in body.modalities:
        refuse("modalities", "Homeward answers in text only.")
    if body.functions and not body.tools:
        refuse("functions", "`functions` is OpenAI's older form: use `tools`.")
    if not body.messages:
        refuse("messages", "There is no message to answer.")
    target = names.target(body.model)
    wishes = body.homeward
    return ChatRequest(
        messages=tuple(_message(each, f"messages[{number}]") for number, each in enumerate(body.messages)),
        sampling=_sampling(body),
        backend=target.backend,
        model=target.model,
        mode=target.mode if wishes.mode is None or target.mode != "auto" else wishes.mode,
        places=wishes.places,
        stays_home=wishes.stays_home,
        background=wishes.background,
        may_trim=wishes.trim,
        in_one_piece=not body.stream,
    )


def refuse(param: str, why: str) -> NoReturn:
    """Raises InvalidRequestError that names the field."""
    raise InvalidRequestError(why, param=param)


def _message(message: ChatMessage, where: str) -> Message:
    if message.role == "function":
        refuse(f"{where}.role", "The role `function` is OpenAI's older form: use `tool`.")
    if message.role == "tool" and not message.tool_call_id:
        refuse(f"{where}.tool_call_id", "A tool's message names the call that it answers: `tool_call_id`.")
    calls = tuple(_call(each, f"{where}.tool_calls[{n}]") for n, each in enumerate(message.tool_calls or ()))
    content = message.content
    if content is None:
        if message.role != "assistant":
            refuse(f"{where}.content", f"A message of the role `{message.role}` needs a content.")
        content = message.refusal or ""
    role: Role = "system" if message.role == "developer" else message.role
    return Message(
        role=role,
        content=content if isinstance(content, str) else _parts(content, f"{where}.content"),
        name=message.name,
        tool_calls=calls,
        tool_call_id=message.tool_call_id,
    )


def _parts(parts: Sequence[_Part], where: str) -> str | tuple[ContentPart, ...]:
    """The parts of a message; one that is text alone counts as its text, which every server understands."""
    new: list[ContentPart] = []
    for number, part in enumerate(parts):
        match part:
            case TextPart():
                new.append(part)
            case ImagePart():
                new.append(ImagePart(_image(part.image_url, f"{where}[{number}].image_url.url")))
            case RefusalPart():
                new.append(TextPart(part.refusal))
            case _Audio():
                refuse(f"{where}[{number}].type", "Homeward reads text and images; it can't listen.")
            case _File():
                refuse(f"{where}[{number}].type", "Homeward reads text and images: send a file's text.")
    if len(new) == 1 and isinstance(new[0], TextPart):
        return new[0].text
    return tuple(new)


def _image(image: ImageUrl, where: str) -> ImageUrl:
    """Never fetched: what an address leads to, and from where, is nothing that a request may decide."""
    if IMAGE.fullmatch(image.url) is None:
        raise InvalidRequestError(
            "An image comes in the request itself, as a data URL: data:image/png;base64,… (png, jpeg, gif or webp).",
            param=where,
        )
    return image


def _call(call: ChatToolCall, where: str) -> ToolCall:
    if call.type != "function" or call.function is None:
        refuse(f"{where}.type", "Homeward knows tools of the type `function`.")
    return ToolCall(call.id, FunctionCall(call.function.name, call.function.arguments))


def _sampling(body: ChatBody) -> Sampling:
    if body.top_logprobs and not body.logprobs:
        refuse("top_logprobs", "`top_logprobs` needs `logprobs: true`.")
    return Sampling(
        max_tokens=_max_tokens(body),
        temperature=body.temperature,
        top_p=body.top_p,
        seed=body.seed,
        stop=_stop(body.stop),
        presence_penalty=body.presence_penalty,
        frequency_penalty=body.frequency_penalty,
        logit_bias=body.logit_bias or None,
        logprobs=body.logprobs or None,
        top_logprobs=body.top_logprobs if body.logprobs else None,
        reasoning_effort=body.reasoning_effort,
        verbosity=body.verbosity,
        response_format=_format(body.response_format),
        tools=tuple(_tool(each, f"tools[{n}]") for n, each in enumerate(_few_enough(body.tools))),
        tool_choice=_tool_choice(body) if body.tools else None,
        parallel_tool_calls=body.parallel_tool_calls if body.tools else None,
    )


def _max_tokens(body: ChatBody) -> int | None:
    """0 counts as 1, the shortest answer that there is."""
    value = body.max_tokens if body.max_completion_tokens is None else body.max_completion_tokens
    return None if value is None else max(1, value)


def _stop(stop: Stop) -> tuple[str, ...] | None:
    stops = (stop,) if isinstance(stop, str) else tuple(stop or ())
    if len(stops) > MOST_STOPS or not all(stops):
        refuse("stop", f"`stop` is up to {MOST_STOPS} texts, none of them empty.")
    return stops or None


def _format(form: _Format | None) -> JsonObjectFormat | JsonSchemaFormat | None:
    match form:
        case None | _Format(type="text"):
            return None
        case _Format(type="json_object"):
            return JsonObjectFormat()
        case _Format(json_schema=schema):
            return _as("response_format", {"type": "json_schema", "json_schema": schema}, JsonSchemaFormat)


def _few_enough(tools: list[_Tool] | None) -> list[_Tool]:
    if tools and len(tools) > MOST_TOOLS:
        refuse("tools", f"At most {MOST_TOOLS} tools fit into a request.")
    return tools or []


def _tool(tool: _Tool, where: str) -> Tool:
    if tool.type != "function":
        refuse(f"{where}.type", "Homeward offers a model tools of the type `function`; it runs none itself.")
    return _as(where, {"type": "function", "function": tool.function}, Tool)


def _tool_choice(body: ChatBody) -> Literal["none", "auto", "required"] | NamedTool | None:
    match body.tool_choice:
        case None | "none" | "auto" | "required" as choice:
            return choice
        case _ToolChoice(type="function", function=function):
            named = _as("tool_choice", {"type": "function", "function": function}, NamedTool)
            if named.function.name not in {each.function.get("name") for each in body.tools or ()}:
                refuse("tool_choice", f"There is no tool called `{named.function.name}` in `tools`.")
            return named
        case _:
            refuse("tool_choice", "`tool_choice` is `none`, `auto`, `required` or one function by name.")


def _as(where: str, value: object, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        wrong = wrong_value(str(error))
        param = f"{where}.{wrong.param}" if wrong.param else where
        raise InvalidRequestError(f"`{param}`: {wrong.message}", param=param) from None
