"""The events of a streamed response: their order, and that the official client's strict models take each."""

from collections.abc import Iterable
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.types.responses import ResponseOutputItem, ResponseStreamEvent
from pydantic import TypeAdapter

from homeward.protocol.chat import Chunk, TokenLogprob, ToolCallPiece, TopLogprob
from homeward.protocol.responses import Item
from homeward.protocol.responses_output import Event, Output

ANSWER = "0123456789abcdef" * 2
_event: TypeAdapter[ResponseStreamEvent] = TypeAdapter(ResponseStreamEvent)
_item: TypeAdapter[ResponseOutputItem] = TypeAdapter(ResponseOutputItem)


def streamed(*chunks: Chunk, whole: bool = True) -> tuple[list[Event], tuple[Item, ...]]:
    """All events of an answer that says this, and what it adds up to."""
    output = Output(ANSWER, 1)
    events = [*output.say(chunks), *output.end(whole=whole)]
    for number, event in enumerate(events):
        strict = _event.validate_json(msgspec.json.encode(event), strict=True)
        assert strict.type == event["type"]
        assert event["sequence_number"] == number
    items = output.items(whole=whole)
    for item in items:
        _item.validate_json(msgspec.json.encode(item), strict=True)
    return events, items


def kinds(events: Iterable[Event]) -> list[str]:
    return [event["type"].removeprefix("response.") for event in events]


def piece(index: int, arguments: str = "", **first: str) -> Chunk:
    return Chunk(tool_calls=(ToolCallPiece(index=index, arguments=arguments, **first),))


def plain(items: Iterable[Item | Event]) -> Any:
    """As a client reads them."""
    return msgspec.json.decode(msgspec.json.encode(list(items)))


def test_text() -> None:
    """Item, part, words, and each closed in the opposite order."""
    events, items = streamed(Chunk(text="Once"), Chunk(text=" upon"))
    assert kinds(events) == [
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
    ]
    assert events[4]["text"] == "Once upon"
    assert {event.get("item_id", events[0]["item"].id) for event in events} == {f"msg_{ANSWER}0001"}
    assert plain(items) == [
        {
            "type": "message",
            "id": f"msg_{ANSWER}0001",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Once upon", "annotations": [], "logprobs": []}],
        }
    ]
    assert events[-1]["item"] == items[0]
    assert events[0]["item"].status == "in_progress"
    assert events[0]["item"].content == ()


def test_reasoning_comes_as_an_item_before_the_message() -> None:
    """Closed before the message is opened."""
    events, items = streamed(Chunk(reasoning="Hm."), Chunk(reasoning=" So.", text="Yes."))
    assert kinds(events) == [
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.delta",
        "reasoning_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
    ]
    assert [event["output_index"] for event in events] == [0] * 7 + [1] * 6
    assert [item["type"] for item in plain(items)] == ["reasoning", "message"]
    assert plain(items)[0]["content"] == [{"type": "reasoning_text", "text": "Hm. So."}]
    assert plain(items)[0]["id"] == f"rs_{ANSWER}0001"


def test_a_refusal_is_a_part_of_its_message() -> None:
    """Behind the text, in the same item."""
    events, (item,) = streamed(Chunk(text="Well"), Chunk(refusal="No."))
    assert kinds(events)[3:8] == [
        "output_text.done",
        "content_part.done",
        "content_part.added",
        "refusal.delta",
        "refusal.done",
    ]
    assert [event["content_index"] for event in events[1:-1]] == [0] * 4 + [1] * 4
    assert plain([item])[0]["content"][1] == {"type": "refusal", "refusal": "No."}


def test_function_calls_whose_pieces_are_mixed() -> None:
    """Each piece goes to its call; all are whole at the end, in their order."""
    events, items = streamed(
        Chunk(text="I look."),
        piece(0, id="call_a", name="weather"),
        piece(1, '{"zo', id="call_b", name="time"),
        piece(0, '{"city":1}'),
        piece(1, 'ne":2}'),
    )
    assert kinds(events)[5:] == [
        "output_item.done",
        "output_item.added",
        "output_item.added",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.delta",
        "function_call_arguments.done",
        "output_item.done",
        "function_call_arguments.done",
        "output_item.done",
    ]
    assert [(each["call_id"], each["name"], each["arguments"]) for each in plain(items)[1:]] == [
        ("call_a", "weather", '{"city":1}'),
        ("call_b", "time", '{"zone":2}'),
    ]
    assert {each["id"] for each in plain(items)} == {f"msg_{ANSWER}0001", f"fc_{ANSWER}0002", f"fc_{ANSWER}0003"}


def test_logprobs_stand_with_their_words_and_with_the_whole() -> None:
    """A backend may leave the bytes of a token out; OpenAI's models want them."""
    token = TokenLogprob("Größe", -0.5, None, (TopLogprob("x", -1.0, (120,)),))
    events, (item,) = streamed(Chunk(text="Größe", logprobs=(token,)))
    expected = {
        "token": "Größe",
        "logprob": -0.5,
        "bytes": list("Größe".encode()),
        "top_logprobs": [{"token": "x", "logprob": -1.0, "bytes": [120]}],
    }
    plain_events = plain(events)
    assert plain_events[2]["logprobs"] == plain_events[3]["logprobs"] == [expected]
    assert plain([item])[0]["content"][0]["logprobs"] == [expected]


def test_what_is_cut_off_is_incomplete_and_what_came_before_is_not() -> None:
    """The last item is the one that the limit has hit."""
    events, items = streamed(Chunk(reasoning="Hm."), Chunk(text="Yes, bu"), whole=False)
    assert [each["status"] for each in plain(items)] == ["completed", "incomplete"]
    assert events[-1]["item"] == items[-1]
    events, items = streamed(piece(0, "{}", id="a", name="f"), piece(1, '{"zo', id="b", name="g"), whole=False)
    assert [each["status"] for each in plain(items)] == ["completed", "incomplete"]
    assert [event["item"] for event in events if event["type"] == "response.output_item.done"] == list(items)


def test_an_answer_without_a_word_has_no_item() -> None:
    """Nor an event."""
    assert streamed(whole=True) == ([], ())


def chunks() -> st.SearchStrategy[Chunk]:
    words = st.text(min_size=1, max_size=3)
    spoken = st.builds(Chunk, text=words | st.just(""), reasoning=words | st.just(""), refusal=words | st.just(""))
    calls = st.builds(piece, st.integers(0, 2), words | st.just(""), id=st.just("call"), name=st.just("f"))
    return spoken | calls


@settings(deadline=None)
@given(st.lists(chunks(), max_size=12), st.booleans())
def test_whatever_comes_the_events_add_up_to_the_output(said: list[Chunk], whole: bool) -> None:
    """Every item is opened and closed once, and its deltas are its words."""
    events, items = streamed(*said, whole=whole)
    added = [event["item"].id for event in events if event["type"] == "response.output_item.added"]
    done = {event["output_index"]: event["item"] for event in events if event["type"] == "response.output_item.done"}
    assert added == [item.id for item in items]
    assert tuple(done[index] for index in range(len(items))) == items
    texts: dict[tuple[int, int], str] = {}
    for event in events:
        if event["type"].endswith(".delta"):
            where = (event["output_index"], event.get("content_index", 0))
            texts[where] = texts.get(where, "") + event["delta"]
    for number, item in enumerate(plain(items)):
        if item["type"] == "function_call":
            assert item["arguments"] == texts.get((number, 0), "")
        else:
            parts = [part.get("text", part.get("refusal")) for part in item["content"]]
            assert parts == [texts[number, at] for at in range(len(parts))]
