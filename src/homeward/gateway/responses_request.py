"""A response as a client asks for it: OpenAI's fields, checked, and what of them is not supported."""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeVar

import msgspec

from homeward.gateway.bodies import wrong_value
from homeward.gateway.chat_request import IMAGE, MOST_TOOLS, Wishes, refuse
from homeward.gateway.names import Names
from homeward.protocol.chat import (
    ChatRequest,
    Effort,
    Function,
    FunctionName,
    JsonObjectFormat,
    JsonSchema,
    JsonSchemaFormat,
    Message,
    NamedTool,
    Sampling,
    Tool,
)
from homeward.protocol.errors import InvalidRequestError
from homeward.protocol.responses import (
    FunctionCallItem,
    FunctionOutputItem,
    InputImage,
    InputItem,
    Item,
    MessageItem,
    messages_of,
)

LOGPROBS = "message.output_text.logprobs"
_T = TypeVar("_T")


class UnsupportedToolError(InvalidRequestError):
    """A tool that OpenAI's servers run themselves."""

    code = "unsupported_tool"


class TextFormat(msgspec.Struct, frozen=True, tag_field="type", tag="text"):
    """Any text."""


class SchemaFormat(msgspec.Struct, frozen=True, tag_field="type", tag="json_schema"):
    """JSON of a certain shape; other than in a chat, its parts stand beside its type."""

    name: str
    schema: dict[str, Any]
    description: str | None = None
    strict: bool | None = None


class TextConfig(msgspec.Struct, frozen=True):
    """`text`."""

    format: TextFormat | JsonObjectFormat | SchemaFormat | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class ReasoningConfig(msgspec.Struct, frozen=True):
    """`reasoning`; there are no summaries, for the reasoning itself is shown."""

    effort: Effort | None = None


class FunctionTool(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    """A function of the client's; other than in a chat, its parts stand beside its type."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class FunctionChoice(msgspec.Struct, frozen=True, tag_field="type", tag="function"):
    """The one function that the model has to call."""

    name: str


class ResponseBody(msgspec.Struct, kw_only=True):
    """What is read of the body; fields that are not here are ignored, as OpenAI does."""

    model: str | None = None
    input: str | list[dict[str, Any]] | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    stream: bool | None = None
    store: bool | None = None
    max_output_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: int | None = None
    include: list[str] | None = None
    tools: list[dict[str, Any]] | None = None
    tool_choice: Literal["none", "auto", "required"] | dict[str, Any] | None = None
    parallel_tool_calls: bool | None = None
    text: TextConfig | None = None
    reasoning: ReasoningConfig | None = None
    metadata: dict[str, str] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    background: bool | None = None
    conversation: Any = None
    moderation: Any = None
    prompt: Any = None
    homeward: Wishes = Wishes()

    @property
    def is_stored(self) -> bool:
        """Whether the response can be read again; the default is OpenAI's."""
        return self.store is not False


decoder = msgspec.json.Decoder(ResponseBody)

UNSUPPORTED = {
    "background": "Homeward answers while the client waits: leave `background` out, or set it to false.",
    "conversation": "Homeward keeps no conversations of OpenAI's: go on from a response with `previous_response_id`.",
    "moderation": "Homeward has no moderation: it would be missing without a word.",
    "prompt": "Homeward keeps no prompts of OpenAI's: send the text as `instructions` and `input`.",
}


def check(body: ResponseBody) -> None:
    """Raises InvalidRequestError for what can't be done, and for values out of range; it names the field."""
    for name, why in UNSUPPORTED.items():
        if getattr(body, name):
            refuse(name, why)
    for name, most in (("temperature", 2), ("top_p", 1), ("top_logprobs", 20)):
        value = getattr(body, name)
        if value is not None and not 0 <= value <= most:
            refuse(name, f"`{name}` is from 0 to {most}.")
    if body.max_output_tokens is not None and body.max_output_tokens < 1:
        refuse("max_output_tokens", "`max_output_tokens` is at least 1.")
    words = body.metadata or {}
    if len(words) > 16 or any(len(key) > 64 or len(value) > 512 for key, value in words.items()):
        refuse("metadata", "`metadata` has up to 16 keys of up to 64 characters, with values of up to 512.")


def items_of(given: str | list[dict[str, Any]] | None) -> tuple[InputItem, ...]:
    """What is new with this request. Raises InvalidRequestError, which names the item and what is wrong with it."""
    if isinstance(given, str):
        return (MessageItem(role="user", content=given),)
    return tuple(_item(each, f"input[{number}]") for number, each in enumerate(given or ()))


def _item(given: dict[str, Any], where: str) -> InputItem:
    """A message may leave its type out, and so may a reference."""
    if given.get("type") is None:
        given = {**given, "type": "message" if "role" in given else "item_reference"}
    item: InputItem = read_as(given, InputItem, where)
    match item:
        case MessageItem(content=tuple() as parts):
            _check_images(parts, f"{where}.content")
        case FunctionOutputItem(output=tuple() as parts):
            _check_images(parts, f"{where}.output")
    return item


def _check_images(parts: Sequence[object], where: str) -> None:
    """Never fetched: what an address leads to, and from where, is nothing that a request may decide."""
    for number, part in enumerate(parts):
        if isinstance(part, InputImage):
            if part.file_id is not None:
                refuse(f"{where}[{number}].file_id", "Homeward keeps no files: send the image as a data URL.")
            if IMAGE.fullmatch(part.image_url or "") is None:
                refuse(
                    f"{where}[{number}].image_url",
                    "An image comes in the request itself, as a data URL: data:image/png;base64,…"
                    " (png, jpeg, gif or webp).",
                )


def request_of(body: ResponseBody, items: Iterable[Item], names: Names, *, stays_home: bool) -> ChatRequest:
    """The request for the answer to these items, the whole conversation; an empty one is an empty message.

    Raises:
        InvalidRequestError: a tool or a format is not supported; it names the field.
        UnknownModelError: no model is called like this.
    """
    target, wishes = names.target(body.model or "homeward"), body.homeward
    instructions = (Message("system", body.instructions),) if body.instructions else ()
    return ChatRequest(
        messages=(*instructions, *(_checked(tuple(items)) or (Message("user", ""),))),
        sampling=sampling_of(body),
        backend=target.backend,
        model=target.model,
        mode=target.mode if wishes.mode is None or target.mode != "auto" else wishes.mode,
        places=wishes.places,
        may_trim=wishes.trim or body.truncation == "auto",
        stays_home=wishes.stays_home or stays_home,
        background=wishes.background,
        in_one_piece=not body.stream,
    )


def _checked(items: Sequence[Item]) -> tuple[Message, ...]:
    """As messages; an output without its call would make no sense to any model."""
    calls = {item.call_id for item in items if isinstance(item, FunctionCallItem)}
    if any(isinstance(item, FunctionOutputItem) and item.call_id not in calls for item in items):
        refuse("input", "A `function_call_output` names a `call_id` that is in no `function_call` before it.")
    return messages_of(items)


def sampling_of(body: ResponseBody) -> Sampling:
    """How the answer is drawn. Raises InvalidRequestError."""
    tools, text = tools_of(body), body.text or TextConfig()
    logprobs = bool(body.top_logprobs) or LOGPROBS in (body.include or ())
    return Sampling(
        max_tokens=body.max_output_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        logprobs=logprobs or None,
        top_logprobs=body.top_logprobs if logprobs else None,
        reasoning_effort=body.reasoning.effort if body.reasoning else None,
        verbosity=text.verbosity,
        response_format=_format(text.format),
        tools=tuple(Tool(Function(each.name, each.description, each.parameters, each.strict)) for each in tools),
        tool_choice=_choice(body, tools) if tools else None,
        parallel_tool_calls=body.parallel_tool_calls if tools else None,
    )


def _format(form: TextFormat | JsonObjectFormat | SchemaFormat | None) -> JsonObjectFormat | JsonSchemaFormat | None:
    if isinstance(form, SchemaFormat):
        return JsonSchemaFormat(JsonSchema(form.name, form.description, form.schema, form.strict))
    return form if isinstance(form, JsonObjectFormat) else None


def tools_of(body: ResponseBody) -> tuple[FunctionTool, ...]:
    """What the model may call. Raises InvalidRequestError."""
    given = body.tools or []
    if len(given) > MOST_TOOLS:
        refuse("tools", f"At most {MOST_TOOLS} tools fit into a request.")
    for number, tool in enumerate(given):
        if tool.get("type") != "function":
            raise UnsupportedToolError(
                "Homeward offers a model tools of the type `function`; it runs none itself.",
                param=f"tools[{number}].type",
            )
    return tuple(read_as(tool, FunctionTool, f"tools[{number}]") for number, tool in enumerate(given))


def _choice(
    body: ResponseBody, tools: Sequence[FunctionTool]
) -> Literal["none", "auto", "required"] | NamedTool | None:
    choice = body.tool_choice
    if not isinstance(choice, dict):
        return choice
    if choice.get("type") != "function":
        refuse("tool_choice.type", "`tool_choice` is `none`, `auto`, `required` or one function by name.")
    name = read_as(choice, FunctionChoice, "tool_choice").name
    if name not in {each.name for each in tools}:
        refuse("tool_choice.name", "There is no tool with this name in `tools`.")
    return NamedTool(FunctionName(name))


def read_as(value: object, kind: Any, where: str) -> Any:
    """The value as one of this kind. Raises InvalidRequestError, which names the field by its whole path."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        what, at, path = str(error).partition(" - at `$")
        raise wrong_value(f"{what} - at `$.{where}{path if at else '`'}") from None
