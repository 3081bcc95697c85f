"""What Homeward's gateway is to keep to, and whether it does."""

import statistics
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from bench.gateway.candidates import DIRECT, HOMEWARD, LITELLM, PASSTHROUGH
from bench.gateway.cost import BURST, PACED, PLAIN, USUAL, Rounds
from bench.gateway.report import added_first_event
from bench.gateway.starting import Start
from bench.gateway.workers import Runs, growth


class Aim(msgspec.Struct, frozen=True):
    """One of them, with what was measured."""

    text: str
    value: float
    limit: float
    unit: str = ""
    at_least: bool = False
    """Whether the limit is the lowest value rather than the highest."""

    @property
    def met(self) -> bool:
        """Whether it is kept."""
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        bound = "at least" if self.at_least else "at most"
        return (
            f"{'PASS' if self.met else 'MISS'}  {self.text}: {self.value:.3g}{self.unit}, "
            f"{bound} {self.limit:g}{self.unit}"
        )


def of_cost(rounds: Rounds) -> Iterator[Aim]:
    """Those that the same load on all gateways shows, as far as the others were measured."""
    plain, burst = PLAIN[USUAL], BURST[USUAL]
    if rounds.has(LITELLM):
        times = rounds.ratio(plain, LITELLM, HOMEWARD, "cpu")
        yield Aim("CPU of a plain request, times cheaper than LiteLLM", times, 20, at_least=True)
        times = rounds.ratio(burst, LITELLM, HOMEWARD, "cpu")
        yield Aim("CPU of a stream, times cheaper than LiteLLM", times, 40, at_least=True)
    if rounds.has(PASSTHROUGH):
        yield Aim("CPU of a plain request, x passthrough", rounds.ratio(plain, HOMEWARD, PASSTHROUGH, "cpu"), 2.5)
        yield Aim("CPU of a stream, x passthrough", rounds.ratio(burst, HOMEWARD, PASSTHROUGH, "cpu"), 2.5)
    if rounds.has(DIRECT):
        yield Aim("first event later than direct, p50", added_first_event(rounds, HOMEWARD), 1, " ms")
        whole = rounds.ratio(PACED, HOMEWARD, DIRECT, "whole_p50")
        yield Aim("64 paced streams, x the direct time", whole, 1.03)


def of_start(starts: Mapping[str, Sequence[Start]], memory: Mapping[str, Sequence[float]]) -> Iterator[Aim]:
    """Cold start and resident memory."""
    yield Aim("from the command to ready", statistics.median(start.clock for start in starts[HOMEWARD]), 0.8, " s")
    yield Aim("RSS, ready and after load", max(memory[HOMEWARD]), 80, " MB")


def of_workers(runs: Runs) -> Iterator[Aim]:
    """Growth."""
    yield Aim("throughput from 1 to 2 workers", growth(runs), 1.7, " times", at_least=True)
