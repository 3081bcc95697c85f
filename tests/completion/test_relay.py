"""From a backend's chunks to what the client reads."""

import json

import pytest

from homeward.completion.relay import Relay
from homeward.protocol.chat import Chunk, ToolCallPiece, Usage
from homeward.protocol.wire import NO_INDEX

ORIGINALS = {"EMAIL_1": 'ann "the boss" <ann@example.org>'}


def calls(*pieces: ToolCallPiece) -> list[Chunk]:
    return [Chunk(tool_calls=(piece,)) for piece in pieces]


def arguments(chunks: tuple[Chunk, ...]) -> dict[int, str]:
    """What each call is called with, put together."""
    said: dict[int, str] = {}
    for chunk in chunks:
        for piece in chunk.tool_calls:
            said[piece.index] = said.get(piece.index, "") + piece.arguments
    return said


def test_counts_and_ends_stand_apart_from_words() -> None:
    """What says nothing is not handed on."""
    relay = Relay("", {})
    usage = Usage(prompt_tokens=1, completion_tokens=2)
    said = relay.take([Chunk(text="a"), Chunk(finish_reason="stop"), Chunk(usage=usage)])
    assert said == (Chunk(text="a"),)
    assert (relay.finish_reason, relay.usage, relay.end()) == ("stop", usage, ())


def test_a_word_that_comes_with_the_end_is_kept() -> None:
    """Some servers send both in one event."""
    relay = Relay("", {})
    assert relay.take([Chunk(text="a", finish_reason="length")]) == (Chunk(text="a"),)
    assert relay.finish_reason == "length"


def test_placeholders_are_taken_off_in_all_that_is_said() -> None:
    """In words, in thoughts, and in a call's arguments as JSON wants it, wherever the pieces are cut."""
    text = "Write to [EMAIL_1] now."
    call = json.dumps({"to": "[EMAIL_1]", "text": text})
    for size in (1, 2, 3, 7, 100):
        relay = Relay("", ORIGINALS)
        cut = [text[at : at + size] for at in range(0, len(text), size)]
        pieces = [call[at : at + size] for at in range(0, len(call), size)]
        said = (
            *relay.take([Chunk(text=each) for each in cut]),
            *relay.take([Chunk(reasoning=each) for each in cut]),
            *relay.take(calls(*(ToolCallPiece(index=0, id="c", name="f", arguments=each) for each in pieces))),
            *relay.end(),
        )
        whole = f"Write to {ORIGINALS['EMAIL_1']} now."
        assert "".join(chunk.text for chunk in said) == whole
        assert "".join(chunk.reasoning for chunk in said) == whole
        assert json.loads(arguments(said)[0]) == {"to": ORIGINALS["EMAIL_1"], "text": whole}


@pytest.mark.parametrize("numbers", [(0, 1), (1, 2), (5, 3), (NO_INDEX, NO_INDEX)])
def test_calls_are_numbered_from_0(numbers: tuple[int, int]) -> None:
    """Whatever their sender calls them; id and name stand with the first piece alone."""
    relay = Relay("", {})
    said = relay.take(
        calls(
            ToolCallPiece(index=numbers[0], id="a", name="f", arguments="{"),
            ToolCallPiece(index=numbers[0], id="a", name="f", arguments="}"),
            ToolCallPiece(index=numbers[1], id="b", name="g", arguments="[]"),
        )
    )
    assert [(each.tool_calls[0].index, each.tool_calls[0].id, each.tool_calls[0].name) for each in said] == [
        (0, "a", "f"),
        (0, "", ""),
        (1, "b", "g"),
    ]
    assert arguments(said) == {0: "{}", 1: "[]"}


def test_calls_without_number_and_id_are_told_apart_by_their_names() -> None:
    """And get an id, without which no result could be sent back."""
    relay = Relay("", {})
    said = relay.take(
        calls(
            ToolCallPiece(index=NO_INDEX, name="f", arguments="{"),
            ToolCallPiece(index=NO_INDEX, arguments="}"),
            ToolCallPiece(index=NO_INDEX, name="f", arguments="{}"),
        )
    )
    assert arguments(said) == {0: "{}", 1: "{}"}
    ids = [chunk.tool_calls[0].id for chunk in said if chunk.tool_calls[0].id]
    assert len({*ids}) == 2
    assert all(each.startswith("call_") for each in ids)


@pytest.mark.parametrize(("reason", "told"), [("stop", "tool_calls"), ("length", "length")])
def test_an_answer_that_calls_tools_ends_so(reason: str, told: str) -> None:
    """Whatever its sender calls it, unless it was cut."""
    relay = Relay("", {})
    relay.take(calls(ToolCallPiece(index=0, id="a", name="f", arguments="{}")))
    relay.take([Chunk(finish_reason=reason)])  # type: ignore[arg-type]
    relay.end()
    assert relay.finish_reason == told


def test_a_beginning_that_is_repeated_is_dropped() -> None:
    """llama.cpp sends it once more."""
    relay = Relay("Once upon", {})
    said = (*relay.take([Chunk(text="Once"), Chunk(text=" upon a")]), *relay.end())
    assert "".join(chunk.text for chunk in said) == " a"
