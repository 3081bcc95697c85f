"""What is left out of a conversation that is too long, and what never is."""

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from homeward.completion.window import IMAGE_TOKENS, STEP_TURNS, Fitted, at_most, estimate, fit, split, tool_tokens
from homeward.protocol.chat import (
    Function,
    FunctionCall,
    ImagePart,
    ImageUrl,
    Message,
    Sampling,
    TextPart,
    Tool,
    ToolCall,
)
from homeward.protocol.errors import ContextLengthError

SYSTEM = Message("system", "s" * 5)


async def length(messages: Sequence[Message]) -> int:
    """A tokenizer with one token per byte, and the mark-up that `at_most` allows for."""
    return at_most(messages)


def turn(size: int, answer: int = 0) -> list[Message]:
    return [Message("user", "u" * size), *([Message("assistant", "a" * answer)] if answer else [])]


conversations = st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), min_size=1, max_size=30).map(
    lambda sizes: [SYSTEM, *(message for size, answer in sizes for message in turn(size, answer))]
)


@given(conversations, st.integers(50, 600))
async def test_what_is_kept_fits_and_is_the_newest(messages: list[Message], budget: int) -> None:
    """The kept messages are the system prompt and an unbroken end of the conversation, whole turns, within budget."""
    fitted = await fit(messages, budget, length)
    assert fitted.prompt_tokens == await length(fitted.messages) <= budget
    assert fitted.messages[0] == SYSTEM
    rest = len(fitted.messages) - 1
    assert list(fitted.messages[1:]) == messages[len(messages) - rest :]
    assert fitted.messages[1].role == "user"
    assert fitted.left_out == len(messages) - len(fitted.messages)


@given(conversations, st.integers(50, 600))
async def test_a_conversation_that_fits_is_left_alone(messages: list[Message], more: int) -> None:
    """Nothing is cut for nothing."""
    fitted = await fit(messages, await length(messages) + more, length)
    assert fitted == Fitted(tuple(messages), 0, await length(messages))


async def test_turns_go_in_steps_while_that_leaves_half_the_window() -> None:
    """The prompt's beginning stays the same for some questions, so that a prompt cache keeps its worth."""
    messages = [SYSTEM]
    begins = []
    for number in range(60):
        messages += [Message("user", f"{number:05}"), Message("assistant", f"{number:05}")]
        begins.append((await fit(messages, 400, length)).messages[1])
    changes = sum(before != after for before, after in pairwise(begins))
    trimmed = sum(begin != begins[0] for begin in begins)
    assert changes == -(-trimmed // STEP_TURNS)


async def test_a_step_never_takes_more_than_half_the_window() -> None:
    """With few long turns, only as many go as must."""
    messages = [SYSTEM, *turn(60), *turn(60), *turn(60)]
    fitted = await fit(messages, 190, length)
    assert fitted.left_out == 1


async def test_a_last_turn_that_is_too_long_alone_is_an_error() -> None:
    """It says how long it is and how much there is room for."""
    with pytest.raises(ContextLengthError) as caught:
        await fit([SYSTEM, *turn(5), *turn(100)], 50, length)
    assert (caught.value.prompt_tokens, caught.value.available_tokens) == (121, 50)


async def test_an_answer_to_be_continued_stays_with_its_question() -> None:
    """The last turn is kept whole."""
    messages = [SYSTEM, *turn(30), Message("user", "q"), Message("assistant", "begun")]
    fitted = await fit(messages, 40, length)
    assert [message.content for message in fitted.messages[1:]] == ["q", "begun"]


def test_turns_begin_with_the_user() -> None:
    """Messages before the first question belong together as well."""
    system, turns = split([SYSTEM, Message("assistant", "hi"), *turn(1, 2), *turn(3)])
    assert system == (SYSTEM,)
    assert [[message.role for message in each] for each in turns] == [["assistant"], ["user", "assistant"], ["user"]]


async def test_the_estimate_grows_with_the_text() -> None:
    """Half the characters and something per message."""
    assert await estimate([Message("user", "x" * 100)]) == 58


@given(conversations)
async def test_a_short_conversation_is_not_counted(messages: list[Message]) -> None:
    """Where even one token per byte would fit, the backend isn't asked."""

    async def never(_messages: Sequence[Message]) -> int:
        raise AssertionError

    fitted = await fit(messages, at_most(messages), never)
    assert fitted.left_out == 0


async def test_what_may_not_be_trimmed_is_refused() -> None:
    """Unless it fits."""
    messages = [SYSTEM, *turn(100, 100), *turn(10)]
    assert (await fit(messages, 400, length, may_trim=False)).left_out == 0
    with pytest.raises(ContextLengthError, match="Shorten it"):
        await fit(messages, 100, length, may_trim=False)


async def test_pictures_and_tools_take_room_too() -> None:
    """Estimated, rather too much."""
    picture = Message("user", (TextPart("a"), ImagePart(ImageUrl("data:image/png;base64,AAAA"))))
    plain = Message("user", "a")
    assert await estimate([picture]) - await estimate([plain]) == IMAGE_TOKENS
    assert at_most([picture]) > at_most([plain]) + IMAGE_TOKENS
    call = Message("assistant", "", tool_calls=(ToolCall("c", FunctionCall("f" * 300, "x" * 300)),))
    assert await estimate([call]) > 200
    assert tool_tokens(Sampling()) == 0
    assert tool_tokens(Sampling(tools=(Tool(Function("f", "d" * 3000)),))) > 1000
