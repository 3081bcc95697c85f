"""The decision matrix: what matters in rows, the backends in columns."""

from collections.abc import Callable, Sequence

import msgspec

from homeward.app.comparing.figures import Figures, Spread
from homeward.protocol.place import Place

UNKNOWN = "not known"
PLACES = {
    Place.DEVICE: "this device",
    Place.NETWORK: "your network",
    Place.CLOUD: "cloud",
    Place.BROWSER: "this browser",
}
OFFLINE = {
    Place.DEVICE: "yes",
    Place.NETWORK: "within your network",
    Place.CLOUD: "no",
    Place.BROWSER: "yes",
}


class Row(msgspec.Struct, frozen=True):
    """One criterion."""

    title: str
    cells: tuple[str, ...]
    """One for each backend."""
    best: frozenset[int] = frozenset()
    """Which of them are the best ones; empty where that can't be said."""


class Criterion(msgspec.Struct, frozen=True):
    """How a row is made."""

    title: str
    words: Callable[[Figures, str], str]
    """Called with the currency."""
    number: Callable[[Figures], float | None] | None = None
    """What the best one is found by."""
    high: bool = False
    """Whether more is better."""


CRITERIA = (
    Criterion("Place", lambda each, _: PLACES[each.candidate.place]),
    Criterion("Model", lambda each, _: each.model or UNKNOWN),
    Criterion(
        "First word, median", lambda each, _: seconds(median(each.first_token)), lambda each: median(each.first_token)
    ),
    Criterion(
        "First word, 95 of 100 within", lambda each, _: seconds(each.first_token.p95 if each.first_token else None)
    ),
    Criterion("Whole answer, median", lambda each, _: seconds(median(each.total)), lambda each: median(each.total)),
    Criterion(
        "Tokens per second, median",
        lambda each, _: f"{each.speed.median:.1f}" if each.speed else UNKNOWN,
        lambda each: median(each.speed),
        high=True,
    ),
    Criterion(
        "Tokens per answer, median",
        lambda each, _: f"{each.answer_tokens.median:.0f}" if each.answer_tokens else UNKNOWN,
    ),
    Criterion("First use, with loading", lambda each, _: seconds(each.start)),
    Criterion(
        "Cost of this comparison",
        lambda each, currency: cost_words(each.cost, currency),
        lambda each: each.cost if each.answered else None,
    ),
    Criterion(
        "Privacy",
        lambda each, _: privacy_words(each.bytes_out),
        lambda each: each.bytes_out if each.answered else None,
    ),
    Criterion("Works offline", lambda each, _: OFFLINE[each.candidate.place]),
    Criterion(
        "Context, tokens",
        lambda each, _: f"{each.candidate.context_tokens:,}" if each.candidate.context_tokens else UNKNOWN,
        lambda each: each.candidate.context_tokens,
        high=True,
    ),
    Criterion("Answered", lambda each, _: f"{each.answered} of {each.asked}"),
    Criterion("Errors", lambda each, _: ", ".join(f"{code} {n}" for code, n in each.errors.items()) or "none"),
)


def matrix(figures: Sequence[Figures], currency: str) -> tuple[Row, ...]:
    """Everything that was measured, as words."""
    return tuple(
        Row(
            each.title,
            tuple(each.words(backend, currency) for backend in figures),
            best_of(list(map(each.number, figures)), high=each.high) if each.number else frozenset(),
        )
        for each in CRITERIA
    )


def task_rows(figures: Sequence[Figures]) -> tuple[Row, ...]:
    """Seconds of a whole answer, median, by what kind of work was asked for."""
    tasks = dict.fromkeys(task for each in figures for task in each.seconds_by_task)
    return tuple(
        Row(
            task,
            tuple(seconds(each.seconds_by_task.get(task)) for each in figures),
            best_of([each.seconds_by_task.get(task) for each in figures], high=False),
        )
        for task in tasks
    )


def best_of(numbers: Sequence[float | None], *, high: bool) -> frozenset[int]:
    """Where the best numbers stand; nowhere, unless some are better than others."""
    known = [number for number in numbers if number is not None]
    if len(set(known)) < 2:
        return frozenset()
    best = max(known) if high else min(known)
    return frozenset(index for index, number in enumerate(numbers) if number == best)


def seconds(value: float | None) -> str:
    """With as many digits as say something."""
    if value is None:
        return UNKNOWN
    return f"{value:.2f} s" if value < 10 else f"{value:.1f} s"


def median(values: Spread | None) -> float | None:
    """None where nothing was measured."""
    return values.median if values else None


def cost_words(cost: float | None, currency: str) -> str:
    """What it cost, as far as that can be told."""
    if cost is None:
        return UNKNOWN
    return f"{cost:.4f} {currency}" if cost else "nothing"


def privacy_words(bytes_out: int) -> str:
    """What left this machine."""
    return f"{bytes_out:,} bytes left this machine" if bytes_out else "nothing left this machine"
