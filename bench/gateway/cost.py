"""What a request costs: each gateway in turn under the same load, several rounds of it, medians.

Ratios and differences are taken within a round, where the machine was the same for both, and then their median.
"""

import asyncio
import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Literal

import msgspec

from bench.gateway.candidates import DIRECT
from bench.gateway.load import Target, load
from bench.gateway.servers import Gateway, Server

CONNECTIONS = (1, 16, 64)
USUAL = 16
"""The number of connections at which processor time is compared."""


class Cell(msgspec.Struct, frozen=True):
    """One kind of load."""

    model: str
    stream: bool
    connections: int


class Figures(msgspec.Struct):
    """What one run of it gave."""

    per_second: float
    whole_p50: float
    """Milliseconds to the end of an answer, as all below."""
    whole_p99: float
    first_p50: float
    first_p99: float
    cpu: float
    """Milliseconds of processor time of the gateway, per answer."""


Figure = Literal["per_second", "whole_p50", "whole_p99", "first_p50", "first_p99", "cpu"]

PLAIN = {connections: Cell("stub", stream=False, connections=connections) for connections in CONNECTIONS}
BURST = {connections: Cell("stub", stream=True, connections=connections) for connections in CONNECTIONS}
PACED = Cell("stub-paced", stream=True, connections=64)
CELLS = (*PLAIN.values(), *BURST.values(), PACED)


class Rounds:
    """All figures of all rounds."""

    def __init__(self) -> None:
        self._runs: defaultdict[tuple[Cell, str], list[Figures]] = defaultdict(list)

    def add(self, cell: Cell, name: str, figures: Figures) -> None:
        """Keep the figures of a gateway's next round."""
        self._runs[cell, name].append(figures)

    def has(self, name: str) -> bool:
        """Whether this gateway was measured."""
        return any(name == known for _, known in self._runs)

    def median(self, cell: Cell, name: str, figure: Figure) -> float:
        """The median of its rounds."""
        return statistics.median(self._all(cell, name, figure))

    def ratio(self, cell: Cell, name: str, other: str, figure: Figure) -> float:
        """The median of the rounds' ratios."""
        pairs = zip(self._all(cell, name, figure), self._all(cell, other, figure), strict=True)
        return statistics.median(one / two for one, two in pairs)

    def difference(self, cell: Cell, name: str, other: str, figure: Figure) -> float:
        """The median of the rounds' differences."""
        pairs = zip(self._all(cell, name, figure), self._all(cell, other, figure), strict=True)
        return statistics.median(one - two for one, two in pairs)

    def _all(self, cell: Cell, name: str, figure: Figure) -> list[float]:
        return [getattr(run, figure) for run in self._runs[cell, name]]


def figures_of(gateway: Gateway, server: Server, cell: Cell, seconds: float) -> Figures:
    """One run of the load. Raises WrongAnswerError."""
    target = Target(server.port, gateway.model(cell.model), gateway.key, cell.stream)
    before = server.cpu_seconds()
    sample = asyncio.run(load(target, connections=cell.connections, seconds=seconds))
    cpu = server.cpu_seconds() - before
    return Figures(
        per_second=len(sample.whole) / sample.seconds,
        whole_p50=percentile(sample.whole, 50) * 1000,
        whole_p99=percentile(sample.whole, 99) * 1000,
        first_p50=percentile(sample.first, 50) * 1000,
        first_p99=percentile(sample.first, 99) * 1000,
        cpu=cpu / len(sample.whole) * 1000,
    )


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that so many percent of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def measure(servers: Sequence[tuple[Gateway, Server]], rounds: int, seconds: float) -> Rounds:
    """All loads on all gateways, which take turns; who begins changes from round to round."""
    results = Rounds()
    for gateway, server in servers:
        warm_up(gateway, server)
    for number in range(rounds):
        began = time.perf_counter()
        start = number % len(servers)
        for cell in CELLS:
            for gateway, server in (*servers[start:], *servers[:start]):
                results.add(cell, gateway.name, figures_of(gateway, server, cell, seconds))
        print(f"round {number + 1} of {rounds}: {time.perf_counter() - began:.0f} s", flush=True)
    return results


def warm_up(gateway: Gateway, server: Server) -> None:
    """What is loaded or connected at the first requests is not their cost."""
    for cell in (PLAIN[USUAL], BURST[USUAL]):
        figures_of(gateway, server, cell, 0.5)


def direct() -> Gateway:
    """The stub, asked without a gateway; it runs already."""
    return Gateway(name=DIRECT, command=lambda _: [], ready_path="")
