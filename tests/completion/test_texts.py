"""Every text of a request, taken out and put back."""

from typing import Any

import msgspec
import pytest

from homeward.completion.texts import image_names, parts_of, with_texts
from homeward.privacy import Part
from homeward.protocol.chat import (
    ChatRequest,
    Function,
    FunctionCall,
    ImagePart,
    ImageUrl,
    JsonSchema,
    JsonSchemaFormat,
    Message,
    Sampling,
    TextPart,
    Tool,
    ToolCall,
)

PICTURE = ImagePart(ImageUrl("data:image/png;base64,AAAA"))
FULL = ChatRequest(
    messages=(
        Message("system", "m0"),
        Message("user", (TextPart("m1a"), PICTURE, TextPart("m1b")), name="m1n"),
        Message("assistant", "m2", tool_calls=(ToolCall("c0", FunctionCall("m2f", "m2x")),)),
        Message("tool", "m3", tool_call_id="c0"),
    ),
    further=("f0",),
    sampling=Sampling(
        stop=("s0",),
        logit_bias={"b0": 1.0},
        tools=(Tool(Function("t0", "t1", {"description": "t2"})),),
        response_format=JsonSchemaFormat(JsonSchema("r0", schema={"title": "r1"})),
    ),
)


def test_every_text_is_named() -> None:
    """Nothing that goes out is left out: each string that a client can choose stands in some part."""
    parts = parts_of(FULL)
    assert [part.name for part in parts] == [
        *("messages[0]", "messages[1].content[0]", "messages[1].content[2]", "messages[1].name"),
        *("messages[2]", "messages[2].tool_calls[0].id", "messages[2].tool_calls[0].name", "messages[2].tool_calls[0]"),
        *("messages[3]", "messages[3].tool_call_id"),
        *("further[0]", "stop[0]", "tools", "logit_bias", "response_format"),
    ]
    seen = " ".join(part.text for part in parts)
    said = [
        *("m0", "m1a", "m1b", "m1n", "m2", "m2f", "m2x", "m3", "f0", "s0", "b0"),
        *("c0", "t0", "t1", "t2", "r0", "r1"),
    ]
    assert [word for word in said if word not in seen] == []
    assert [part.name for part in parts if part.continues] == ["messages[1].content[2]"]
    assert image_names(FULL) == ("messages[1].image[0]",)


def test_they_are_put_back_where_they_were() -> None:
    """The same ones give the same request; others stand in their places."""
    assert with_texts(FULL, parts_of(FULL)) == FULL
    capitals = with_texts(FULL, [Part(part.name, masked(part.text)) for part in parts_of(FULL)])
    text = msgspec.json.encode(capitals).decode()
    assert "m1a" not in text
    assert "X1a" in text
    assert capitals.sampling.tools[0].function == Function("X0", "X1", {"description": "X2"})
    assert capitals.messages[1].content[1] == PICTURE


def masked(text: str) -> str:
    """Each short word with another first letter."""
    for letter in "mfstr":
        for end in "0123456789":
            text = text.replace(f"{letter}{end}", f"X{end}")
    return text


@pytest.mark.parametrize("broken", ['{"', "[1]", '[{"type": "function"}]'])
def test_tools_that_are_none_any_more_are_an_error(broken: str) -> None:
    """They are not sent as something else."""
    parts: list[Any] = [Part(part.name, broken if part.name == "tools" else part.text) for part in parts_of(FULL)]
    with pytest.raises(ValueError, match=r"."):
        with_texts(FULL, parts)
