"""The items that a conversation over OpenAI's responses is made of; as JSON they are OpenAI's own shapes.

What comes in is read into the same values as what goes out: an output item may be the next request's input.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from homeward.protocol.chat import (
    ContentPart,
    FunctionCall,
    ImagePart,
    ImageUrl,
    Message,
    Role,
    TextPart,
    ToolCall,
)

ItemStatus = Literal["in_progress", "completed", "incomplete"]


class InputText(msgspec.Struct, frozen=True, tag_field="type", tag="input_text"):
    """Words that the model is given."""

    text: str


class InputImage(msgspec.Struct, frozen=True, tag_field="type", tag="input_image"):
    """A picture that the model is given."""

    image_url: str | None = None
    file_id: str | None = None
    """OpenAI's name for a file of its own; there are none here."""
    detail: Literal["auto", "low", "high", "original"] | None = "auto"


class OutputText(msgspec.Struct, frozen=True, tag_field="type", tag="output_text"):
    """Words that the model said."""

    text: str
    annotations: tuple[Any, ...] | None = ()
    logprobs: tuple[Any, ...] | None = ()


class Refusal(msgspec.Struct, frozen=True, tag_field="type", tag="refusal"):
    """Words by which the model refused."""

    refusal: str


class ReasoningText(msgspec.Struct, frozen=True, tag_field="type", tag="reasoning_text"):
    """What the model thought aloud."""

    text: str


InputPart = InputText | InputImage
OutputPart = OutputText | Refusal
MessagePart = InputText | InputImage | OutputText | Refusal


class MessageItem(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="message"):
    """What somebody said."""

    id: str | None = None
    role: Literal["user", "assistant", "system", "developer"]
    content: str | tuple[MessagePart, ...]
    status: ItemStatus | None = "completed"


class FunctionCallItem(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="function_call"):
    """The model's wish that the client runs a function."""

    id: str | None = None
    call_id: str
    name: str
    arguments: str
    status: ItemStatus | None = "completed"


class FunctionOutputItem(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="function_call_output"):
    """What came of it."""

    id: str | None = None
    call_id: str
    output: str | tuple[InputPart, ...]
    status: ItemStatus | None = "completed"


class ReasoningItem(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="reasoning"):
    """What the model thought before it answered; never given to a model again."""

    id: str | None = None
    summary: tuple[Any, ...] = ()
    content: tuple[ReasoningText, ...] | None = ()
    status: ItemStatus | None = "completed"


class ItemReference(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag="item_reference"):
    """An item that was stored with an earlier response."""

    id: str


Item = MessageItem | FunctionCallItem | FunctionOutputItem | ReasoningItem
InputItem = Item | ItemReference


class StoredResponse(msgspec.Struct, frozen=True, kw_only=True):
    """One response, with what it answers."""

    id: str
    owner: str = ""
    """Name of the API key that asked for it; empty where no key is needed."""
    previous_id: str | None = None
    """The response that it goes on from."""
    created_at: Annotated[datetime, msgspec.Meta(tz=True)]
    stays_home: bool = False
    """Whether what goes on from it must not leave this device."""
    input: list[dict[str, Any]]
    """The items that were new with it."""
    body: dict[str, Any]
    """As the client got it; what was said is in its `output`."""


PREFIXES: dict[type[Item], str] = {
    MessageItem: "msg",
    FunctionCallItem: "fc",
    FunctionOutputItem: "fco",
    ReasoningItem: "rs",
}
_HEX = 32


def response_id(answer: str) -> str:
    """The response's name for an answer whose id has these 32 hexadecimal digits."""
    return f"resp_{answer}"


def item_id(kind: type[Item], answer: str, number: int) -> str:
    """The id of one item of a response: it tells the response, so that a reference finds it."""
    return f"{PREFIXES[kind]}_{answer}{number:04x}"


def response_of(item: str) -> str:
    """The response that an item with this id of ours belongs to; empty for an id that is none of ours."""
    prefix, _, rest = item.partition("_")
    digits = rest[:_HEX]
    known = prefix in PREFIXES.values() and len(rest) >= _HEX + 4 and set(rest) <= set("0123456789abcdef")
    return response_id(digits) if known else ""


def stored_form(items: Sequence[Item], answer: str) -> tuple[Item, ...]:
    """The items as they are kept and listed: each with an id and a status, all content in parts."""
    return tuple(_complete(item, item.id or item_id(type(item), answer, number)) for number, item in enumerate(items))


def _complete(item: Item, new_id: str) -> Item:
    new: Item = msgspec.structs.replace(item, id=new_id, status=item.status or "completed")
    if isinstance(new, MessageItem) and isinstance(new.content, str):
        part = OutputText(new.content) if new.role == "assistant" else InputText(new.content)
        return msgspec.structs.replace(new, content=(part,))
    return new


def messages_of(items: Iterable[Item]) -> tuple[Message, ...]:
    """The conversation as a chat has it: a message's tool calls stand in it, reasoning is left out."""
    messages: list[Message] = []
    for item in items:
        match item:
            case MessageItem():
                messages.append(_message(item))
            case FunctionCallItem():
                call = ToolCall(item.call_id, FunctionCall(item.name, item.arguments))
                before = messages.pop() if messages and messages[-1].role == "assistant" else Message("assistant", "")
                messages.append(msgspec.structs.replace(before, tool_calls=(*before.tool_calls, call)))
            case FunctionOutputItem():
                content = item.output if isinstance(item.output, str) else _content(item.output)
                messages.append(Message("tool", content, tool_call_id=item.call_id))
            case ReasoningItem():
                pass
    return tuple(messages)


def _message(item: MessageItem) -> Message:
    role: Role = "system" if item.role == "developer" else item.role
    return Message(role, item.content if isinstance(item.content, str) else _content(item.content))


def _content(parts: Sequence[MessagePart]) -> str | tuple[ContentPart, ...]:
    """One that is text alone counts as its text, which every server understands."""
    new = tuple(map(_part, parts))
    if len(new) == 1 and isinstance(new[0], TextPart):
        return new[0].text
    return new


def _part(part: MessagePart) -> ContentPart:
    match part:
        case InputImage():
            detail = part.detail if part.detail in ("low", "high") else "auto"
            return ImagePart(ImageUrl(part.image_url or "", detail))
        case Refusal():
            return TextPart(part.refusal)
        case InputText() | OutputText():
            return TextPart(part.text)
