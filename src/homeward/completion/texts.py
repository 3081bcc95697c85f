"""Every text that would go out with a request, under a name that says what it is."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from homeward.privacy import Part
from homeward.protocol.chat import (
    ChatRequest,
    ContentPart,
    FunctionCall,
    JsonObjectFormat,
    JsonSchemaFormat,
    Message,
    Sampling,
    TextPart,
    Tool,
    ToolCall,
)

Change = Callable[[Part], str]
"""Given a text, what stands in its place."""
T = TypeVar("T")


def parts_of(request: ChatRequest) -> tuple[Part, ...]:
    """The texts of a request."""
    parts: list[Part] = []

    def keep(part: Part) -> str:
        parts.append(part)
        return part.text

    changed(request, keep)
    return tuple(parts)


def with_texts(request: ChatRequest, parts: Sequence[Part]) -> ChatRequest:
    """The request with other texts, in the order of `parts_of`.

    Raises ValueError where they do not fit: tools or a schema with them are no JSON any more.
    """
    texts = iter(parts)
    return changed(request, lambda _: next(texts).text)


def image_names(request: ChatRequest) -> tuple[str, ...]:
    """The pictures of a request, named like its texts."""
    return tuple(
        f"messages[{number}].image[{each}]"
        for number, message in enumerate(request.messages)
        for each in range(message.images)
    )


def changed(request: ChatRequest, change: Change) -> ChatRequest:
    """The request with each text replaced by what `change` makes of it; called in an order that is always the same."""
    return msgspec.structs.replace(
        request,
        messages=tuple(_message(each, f"messages[{number}]", change) for number, each in enumerate(request.messages)),
        further=tuple(change(Part(f"further[{number}]", text)) for number, text in enumerate(request.further)),
        sampling=_sampling(request.sampling, change),
    )


def _message(message: Message, where: str, change: Change) -> Message:
    if isinstance(message.content, str):
        text = change(Part(where, message.content))
        if message.name is None and message.tool_call_id is None and not message.tool_calls:
            return message if text is message.content else msgspec.structs.replace(message, content=text)
        content: str | tuple[ContentPart, ...] = text
    else:
        content = _content(message.content, where, change)
    return msgspec.structs.replace(
        message,
        content=content,
        name=None if message.name is None else change(Part(f"{where}.name", message.name)),
        tool_calls=tuple(
            ToolCall(
                change(Part(f"{where}.tool_calls[{number}].id", call.id)),
                FunctionCall(
                    change(Part(f"{where}.tool_calls[{number}].name", call.function.name)),
                    change(Part(f"{where}.tool_calls[{number}]", call.function.arguments)),
                ),
            )
            for number, call in enumerate(message.tool_calls)
        ),
        tool_call_id=None
        if message.tool_call_id is None
        else change(Part(f"{where}.tool_call_id", message.tool_call_id)),
    )


def _content(parts: tuple[ContentPart, ...], where: str, change: Change) -> tuple[ContentPart, ...]:
    """Text parts may go on where the one before ended, so they are looked at as one text."""
    new: list[ContentPart] = []
    continues = False
    for number, part in enumerate(parts):
        if isinstance(part, TextPart):
            new.append(TextPart(change(Part(f"{where}.content[{number}]", part.text, continues))))
            continues = True
        else:
            new.append(part)
    return tuple(new)


def _sampling(sampling: Sampling, change: Change) -> Sampling:
    form, biases = sampling.response_format, sampling.logit_bias
    if sampling.stop is None and not sampling.tools and form is None and biases is None:
        return sampling
    return msgspec.structs.replace(
        sampling,
        stop=None
        if sampling.stop is None
        else tuple(change(Part(f"stop[{number}]", text)) for number, text in enumerate(sampling.stop)),
        tools=_as_json("tools", sampling.tools, tuple[Tool, ...], change) if sampling.tools else (),
        logit_bias=biases and _as_json("logit_bias", biases, dict[str, float], change),
        response_format=form
        if form is None or isinstance(form, JsonObjectFormat)
        else _as_json("response_format", form, JsonSchemaFormat, change),
    )


def _as_json(name: str, value: T, kind: Any, change: Change) -> T:
    """Values of many small texts count as one, of JSON: an assistant's dozens of tools are looked at once."""
    text = msgspec.json.encode(value).decode()
    new = change(Part(name, text))
    return value if new == text else msgspec.json.decode(new, type=kind)
