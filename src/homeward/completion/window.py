"""Fitting a conversation into a model's context window."""

from collections.abc import Awaitable, Callable, Sequence

import msgspec

from homeward.protocol.chat import Message, Sampling
from homeward.protocol.errors import ContextLengthError

STEP_TURNS = 4
"""Turns are left out in steps of this many, so that the prompt's beginning stays the same for some questions and
the backend's prompt cache keeps its worth: processing a full window anew takes many seconds on a CPU."""

CHARACTERS_PER_TOKEN = 2.0
"""Cautious estimate where a backend can't count: English text has about 4 characters per token, Korean 1 to 2."""

BYTES_PER_TOKEN = 3.0
"""The same for signs of many bytes: an emoji, or a rare Chinese character, is two to four tokens."""

MESSAGE_OVERHEAD_TOKENS = 8
"""For the chat template's marks around each message, likewise cautious."""

IMAGE_TOKENS = 1024
"""What a picture is commonly turned into; from 85 to 4,096, by model and size."""

Count = Callable[[Sequence[Message]], Awaitable[int]]


class Fitted(msgspec.Struct, frozen=True):
    """What is sent to the model."""

    messages: tuple[Message, ...]
    left_out: int
    """Number of oldest messages that are not sent."""
    prompt_tokens: int
    """Their tokens; never fewer than they really have, but possibly more where they fit with room to spare."""


async def fit(messages: Sequence[Message], budget_tokens: int, count: Count, *, may_trim: bool = True) -> Fitted:
    """The conversation without its oldest turns, so that it has at most `budget_tokens`.

    A turn is a user's message with all that follows it up to the next one. System messages at the beginning and
    the last turn always stay. Raises ContextLengthError where these alone are too long, or nothing may be left out.
    """
    system, turns = split(messages)

    def without(oldest: int) -> tuple[Message, ...]:
        return (*system, *(message for turn in turns[oldest:] for message in turn))

    most = at_most(messages)
    if most <= budget_tokens:
        return Fitted(without(0), 0, most)  # short conversations are not worth asking the backend to count
    tokens = await count(without(0))
    if tokens <= budget_tokens:
        return Fitted(without(0), 0, tokens)
    if not may_trim:
        raise ContextLengthError(prompt_tokens=tokens, available_tokens=budget_tokens)
    least = await fewest_left_out(len(turns), lambda oldest: count(without(oldest)), budget_tokens)
    stepped = min(-(-least // STEP_TURNS) * STEP_TURNS, len(turns) - 1)
    if stepped > least and await count(without(stepped)) >= budget_tokens // 2:
        least = stepped
    kept = without(least)
    return Fitted(kept, len(messages) - len(kept), await count(kept))


async def fewest_left_out(turns: int, count_without: Callable[[int], Awaitable[int]], budget_tokens: int) -> int:
    """The smallest number of oldest turns whose absence is enough, by bisection."""
    low, high = 1, turns - 1
    fewest = await count_without(high) if turns > 1 else await count_without(0)
    if fewest > budget_tokens:
        raise ContextLengthError(prompt_tokens=fewest, available_tokens=budget_tokens)
    while low < high:
        middle = (low + high) // 2
        if await count_without(middle) <= budget_tokens:
            high = middle
        else:
            low = middle + 1
    return low


def split(messages: Sequence[Message]) -> tuple[tuple[Message, ...], list[tuple[Message, ...]]]:
    """The system messages at the beginning, and the turns behind them."""
    begin = next((i for i, message in enumerate(messages) if message.role != "system"), len(messages))
    turns: list[list[Message]] = []
    for message in messages[begin:]:
        if message.role == "user" or not turns:
            turns.append([])
        turns[-1].append(message)
    return tuple(messages[:begin]), [tuple(turn) for turn in turns]


def at_most(messages: Sequence[Message]) -> int:
    """Tokens that a conversation can't exceed: no tokenizer in use makes more than one token of a UTF-8 byte."""
    text = sum(len(text.encode("utf-8", "surrogatepass")) for message in messages for text in texts(message))
    return text + MESSAGE_OVERHEAD_TOKENS * len(messages) + 4 * IMAGE_TOKENS * images(messages)


async def estimate(messages: Sequence[Message]) -> int:
    """Tokens of a conversation for a backend that can't count them; rather too many than too few."""
    characters = encoded = 0
    for message in messages:
        for text in texts(message):
            characters += len(text)
            encoded += len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
    tokens = max(characters / CHARACTERS_PER_TOKEN, encoded / BYTES_PER_TOKEN)
    return int(tokens) + MESSAGE_OVERHEAD_TOKENS * len(messages) + IMAGE_TOKENS * images(messages)


def tool_tokens(sampling: Sampling) -> int:
    """Tokens of the tools that a request offers, estimated; JSON has about 4 characters per token."""
    return len(msgspec.json.encode(sampling.tools)) // 3 if sampling.tools else 0


def texts(message: Message) -> tuple[str, ...]:
    """What of a message the model reads as text."""
    if not message.tool_calls:
        return (message.text,)
    return (message.text, *(call.function.name + call.function.arguments for call in message.tool_calls))


def images(messages: Sequence[Message]) -> int:
    """How many pictures there are."""
    return sum(message.images for message in messages)
