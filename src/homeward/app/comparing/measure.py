"""Asks the prompts, one request at a time: two models that compute at once would hinder each other."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import msgspec

from homeward.app.comparing.prompts import Prompt
from homeward.protocol.place import Place
from homeward.protocol.receipt import Receipt

WARM_UP = Prompt(task="", title="Warm-up", text="Say hello in one word.")
WARM_UP_TOKENS = 8

Show = Callable[[str, float], None]
"""Shows a sentence, and which part of the way is done."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """A backend that can be compared."""

    name: str
    place: Place
    model: str
    """The model that will answer, as far as it is known before."""
    host: str = ""
    """Where that is; empty for this machine."""
    context_tokens: int | None = None
    input_price: float | None = None
    """Of a million tokens of the prompt, in the budget's currency; None where it is not known, or costs nothing."""
    output_price: float | None = None
    consented: bool = False
    """Whether the user agreed once that prompts are sent there."""


class Ask(Protocol):
    """Asks one backend, and no other, one question without a history."""

    async def __call__(self, prompt: str, backend: str, max_tokens: int) -> Receipt:
        """What happened. An answer that failed is a receipt with an `error`, never an exception."""


class Asked(msgspec.Struct, frozen=True):
    """One question, and what happened."""

    prompt: Prompt
    receipt: Receipt


class Measured(msgspec.Struct, frozen=True):
    """All that one backend was asked."""

    candidate: Candidate
    warm_up: Receipt
    """Of a short question before the others, which loads the model and counts in no time."""
    asked: tuple[Asked, ...]
    """Empty where the warm-up failed: the others would as well."""

    @property
    def receipts(self) -> tuple[Receipt, ...]:
        """Of everything, the warm-up included."""
        return (self.warm_up, *(each.receipt for each in self.asked))


async def measure(
    candidate: Candidate, prompts: Sequence[Prompt], ask: Ask, *, repeat: int, max_tokens: int, show: Show
) -> Measured:
    """Ask everything, so many times; the answers are at most so many tokens long."""
    show(f"{candidate.name}: getting ready", 0.0)
    warm_up = await ask(WARM_UP.text, candidate.name, WARM_UP_TOKENS)
    if warm_up.error:
        show(f"{candidate.name}: can't answer ({warm_up.error})", 1.0)
        return Measured(candidate, warm_up, ())
    asked, total = [], len(prompts) * repeat
    for prompt in rounds(prompts, repeat):
        asked.append(Asked(prompt, await ask(prompt.text, candidate.name, max_tokens)))
        show(f"{candidate.name}: {len(asked)} of {total}", len(asked) / total)
    return Measured(candidate, warm_up, tuple(asked))


def rounds(prompts: Sequence[Prompt], repeat: int) -> Iterator[Prompt]:
    """All prompts, so many times; numbered then, so that no cache answers."""
    for number in range(1, repeat + 1):
        for prompt in prompts:
            yield prompt if repeat == 1 else msgspec.structs.replace(prompt, text=f"({number}) {prompt.text}")


BYTES_PER_TOKEN = 2
"""Fewer than any usual text has, so that costs are not said too low."""


def most_it_costs(candidate: Candidate, prompts: Sequence[Prompt], *, repeat: int, max_tokens: int) -> float | None:
    """An upper estimate, in the budget's currency; None where no price is known."""
    if candidate.input_price is None or candidate.output_price is None:
        return None
    texts = [WARM_UP.text, *(prompt.text for prompt in rounds(prompts, repeat))]
    read = sum(len(text.encode()) for text in texts) / BYTES_PER_TOKEN
    written = WARM_UP_TOKENS + len(prompts) * repeat * max_tokens
    return (read * candidate.input_price + written * candidate.output_price) / 1e6
