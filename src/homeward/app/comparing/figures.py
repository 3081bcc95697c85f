"""What was measured, as numbers per backend."""

import math
import statistics
from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from homeward.app.comparing.measure import Asked, Candidate, Measured
from homeward.protocol.receipt import Receipt

ELSEWHERE = "answered_elsewhere"
"""Error of an answer that came from another backend than the one that was asked."""


class Spread(msgspec.Struct, frozen=True):
    """Numbers of several answers; at least one."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        """Half of them are lower."""
        return statistics.median(self.values)

    @property
    def p95(self) -> float:
        """95 of 100 are not higher: the nearest one that was measured."""
        return sorted(self.values)[math.ceil(0.95 * len(self.values)) - 1]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """One backend in numbers; times in seconds. What no answer told is None."""

    candidate: Candidate
    model: str
    asked: int
    answered: int
    start: float | None
    """From the first question, when the model may have had to be loaded, to its first word."""
    first_token: Spread | None
    total: Spread | None
    speed: Spread | None
    """Tokens per second behind the first one."""
    answer_tokens: Spread | None
    cost: float | None
    """Of everything that was asked, in the budget's currency; None where any of it can't be told."""
    bytes_out: int
    """Bytes that left this machine, the warm-up's included."""
    errors: dict[str, int]
    """How many, by code."""
    seconds_by_task: dict[str, float]
    """Median of the whole answer."""


def figures_of(measured: Measured) -> Figures:
    """One backend's numbers."""
    candidate, receipts = measured.candidate, measured.receipts
    good = [each for each in measured.asked if not error_of(each.receipt, candidate)]
    errors = Counter(code for receipt in receipts if (code := error_of(receipt, candidate)))
    return Figures(
        candidate=candidate,
        model=next((receipt.model for receipt in receipts if receipt.model), candidate.model),
        asked=len(measured.asked),
        answered=len(good),
        start=measured.warm_up.first_token_seconds,
        first_token=spread(good, lambda receipt: receipt.first_token_seconds),
        total=spread(good, lambda receipt: receipt.total_seconds),
        speed=spread(good, lambda receipt: receipt.tokens_per_second),
        answer_tokens=spread(good, lambda receipt: receipt.completion_tokens),
        cost=cost_of(measured),
        bytes_out=sum(receipt.bytes_out for receipt in receipts),
        errors=dict(sorted(errors.items())),
        seconds_by_task=by_task(good),
    )


def error_of(receipt: Receipt, candidate: Candidate) -> str:
    """Code of what went wrong, or why it was not asked; empty where this backend gave a whole answer."""
    if not receipt.attempts:
        dropped = (each.reason for each in receipt.dropped if each.backend == candidate.name)
        return next(dropped, receipt.error)
    if receipt.error:
        return receipt.error
    return "" if receipt.backend == candidate.name else ELSEWHERE


def spread(asked: Iterable[Asked], number: Callable[[Receipt], float | None]) -> Spread | None:
    """The numbers that the answers tell; None where none does."""
    values = tuple(float(value) for each in asked if (value := number(each.receipt)) is not None)
    return Spread(values) if values else None


def cost_of(measured: Measured) -> float | None:
    """Nothing for a request that left nothing behind; None where a sent one's cost can't be told."""
    sent = [receipt for receipt in measured.receipts if receipt.bytes_out]
    if any(receipt.cost is None for receipt in sent):
        return None
    return math.fsum(receipt.cost or 0.0 for receipt in sent)


def by_task(asked: Iterable[Asked]) -> dict[str, float]:
    """Median seconds of whole answers, by what kind of work was asked for."""
    seconds: dict[str, list[float]] = {}
    for each in asked:
        seconds.setdefault(each.prompt.task, []).append(each.receipt.total_seconds)
    return {task: statistics.median(values) for task, values in seconds.items()}
