"""The items of a response as messages of a chat, and their ids."""

import msgspec

from homeward.protocol.chat import FunctionCall, ImagePart, ImageUrl, Message, TextPart, ToolCall
from homeward.protocol.responses import (
    FunctionCallItem,
    FunctionOutputItem,
    InputImage,
    InputText,
    Item,
    MessageItem,
    OutputText,
    ReasoningItem,
    ReasoningText,
    Refusal,
    item_id,
    messages_of,
    response_id,
    response_of,
    stored_form,
)

ANSWER = "0123456789abcdef" * 2
PICTURE = "data:image/png;base64,aaaa"


def test_a_conversation_with_tools_is_one_that_a_chat_can_have() -> None:
    """Calls stand in the message before them, reasoning nowhere, developers are the system."""
    items = (
        MessageItem(role="developer", content="Be brief."),
        MessageItem(role="user", content=(InputText("What is the weather?"),)),
        ReasoningItem(content=(ReasoningText("I have to ask."),)),
        MessageItem(role="assistant", content=(OutputText("I look."),)),
        FunctionCallItem(call_id="a", name="weather", arguments='{"city":"Paris"}'),
        FunctionCallItem(call_id="b", name="time", arguments="{}"),
        FunctionOutputItem(call_id="a", output="sunny"),
        FunctionOutputItem(call_id="b", output=(InputText("noon"),)),
        MessageItem(role="assistant", content=(Refusal("I may not say."),)),
    )
    assert messages_of(items) == (
        Message("system", "Be brief."),
        Message("user", "What is the weather?"),
        Message(
            "assistant",
            "I look.",
            tool_calls=(
                ToolCall("a", FunctionCall("weather", '{"city":"Paris"}')),
                ToolCall("b", FunctionCall("time", "{}")),
            ),
        ),
        Message("tool", "sunny", tool_call_id="a"),
        Message("tool", "noon", tool_call_id="b"),
        Message("assistant", "I may not say."),
    )


def test_calls_without_a_word_before_them_have_a_message_of_their_own() -> None:
    """The user's message stays as it is."""
    items = (MessageItem(role="user", content="Go."), FunctionCallItem(call_id="a", name="f", arguments="{}"))
    assert messages_of(items) == (
        Message("user", "Go."),
        Message("assistant", "", tool_calls=(ToolCall("a", FunctionCall("f", "{}")),)),
    )


def test_a_picture_keeps_its_detail_where_a_chat_knows_it() -> None:
    """OpenAI has one more word for it here."""
    parts = (InputText("What is this?"), InputImage(PICTURE, detail="low"), InputImage(PICTURE, detail="original"))
    (message,) = messages_of([MessageItem(role="user", content=parts)])
    assert message.content == (
        TextPart("What is this?"),
        ImagePart(ImageUrl(PICTURE, "low")),
        ImagePart(ImageUrl(PICTURE, "auto")),
    )


def test_what_is_stored_has_ids_a_status_and_parts() -> None:
    """An item that came with an id keeps it: it is one of an earlier response."""
    stored = stored_form(
        [
            MessageItem(role="user", content="Hello"),
            MessageItem(role="assistant", content="Hi", id="msg_1", status=None),
            FunctionOutputItem(call_id="a", output="x"),
        ],
        ANSWER,
    )
    assert stored == (
        MessageItem(id=f"msg_{ANSWER}0000", role="user", content=(InputText("Hello"),)),
        MessageItem(id="msg_1", role="assistant", content=(OutputText("Hi"),)),
        FunctionOutputItem(id=f"fco_{ANSWER}0002", call_id="a", output="x"),
    )
    assert msgspec.convert(msgspec.to_builtins(stored), tuple[Item, ...]) == stored


def test_an_items_id_tells_its_response() -> None:
    """Of ours alone."""
    assert response_of(item_id(MessageItem, ANSWER, 70_000)) == response_id(ANSWER)
    for foreign in ("", "msg_1", "call_" + ANSWER + "0000", "msg_" + "z" * 36, "msg_" + ANSWER):
        assert response_of(foreign) == ""
