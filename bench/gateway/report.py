"""The results as tables."""

import statistics
from collections.abc import Mapping, Sequence

from bench.gateway.candidates import DIRECT, LITELLM, PASSTHROUGH
from bench.gateway.cost import BURST, CONNECTIONS, PACED, PLAIN, USUAL, Cell, Figure, Rounds
from bench.gateway.starting import Start
from bench.gateway.workers import Runs, growth

RATIOS = ("CPU ms each", "x passthrough", "of LiteLLM's")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown, in columns."""
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    rows = [header, ["-" * width for width in widths], *rows]
    return "\n".join(f"| {' | '.join(map(str.ljust, row, widths))} |" for row in rows)


def number(value: float) -> str:
    """With the digits that count."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def plain_table(rounds: Rounds, names: Sequence[str]) -> str:
    """Requests that are answered with one JSON."""
    header = ("plain requests", "req/s at 1 / 16 / 64", "p50 ms", "p99 ms", *RATIOS)
    rows = [
        (name, *(_along(rounds, PLAIN, name, figure) for figure in PLAIN_FIGURES), *_cpu(rounds, PLAIN[USUAL], name))
        for name in names
    ]
    return table(header, rows)


PLAIN_FIGURES: Sequence[Figure] = ("per_second", "whole_p50", "whole_p99")


def burst_table(rounds: Rounds, names: Sequence[str]) -> str:
    """Streams whose events come all at once."""
    header = ("streams of 66 events", "streams/s at 1 / 16 / 64", "first event p50 ms", "p99 ms", "added at 1", *RATIOS)
    rows = [
        (
            name,
            *(_along(rounds, BURST, name, figure) for figure in BURST_FIGURES),
            "" if name == DIRECT else f"{added_first_event(rounds, name):+.2f} ms",
            *_cpu(rounds, BURST[USUAL], name),
        )
        for name in names
    ]
    return table(header, rows)


BURST_FIGURES: Sequence[Figure] = ("per_second", "first_p50", "first_p99")


def paced_table(rounds: Rounds, names: Sequence[str]) -> str:
    """Streams as a model sends them."""
    header = ("64 streams, one event per 5 ms", "whole p50 ms", "p99 ms", "x direct", "first event p50 ms", *RATIOS)
    rows = [
        (
            name,
            number(rounds.median(PACED, name, "whole_p50")),
            number(rounds.median(PACED, name, "whole_p99")),
            f"{rounds.ratio(PACED, name, DIRECT, 'whole_p50'):.3f}",
            number(rounds.median(PACED, name, "first_p50")),
            *_cpu(rounds, PACED, name),
        )
        for name in names
    ]
    return table(header, rows)


def _along(rounds: Rounds, cells: Mapping[int, Cell], name: str, figure: Figure) -> str:
    return " / ".join(number(rounds.median(cells[connections], name, figure)) for connections in CONNECTIONS)


def _cpu(rounds: Rounds, cell: Cell, name: str) -> tuple[str, str, str]:
    if name == DIRECT:
        return "", "", ""
    times = f"{rounds.ratio(cell, name, PASSTHROUGH, 'cpu'):.2f}" if rounds.has(PASSTHROUGH) else ""
    part = f"1/{rounds.ratio(cell, LITELLM, name, 'cpu'):.1f}" if rounds.has(LITELLM) else ""
    return f"{rounds.median(cell, name, 'cpu'):.3g}", times, part


def added_first_event(rounds: Rounds, name: str) -> float:
    """Milliseconds that the first event comes later than from the stub itself, at one connection; medians."""
    return rounds.difference(BURST[1], name, DIRECT, "first_p50")


def start_table(starts: Mapping[str, Sequence[Start]], memory: Mapping[str, Sequence[float]]) -> str:
    """Cold start, and resident memory when ready and after the load."""
    rows = [
        (
            name,
            f"{statistics.median(start.clock for start in taken):.2f}",
            f"{statistics.median(start.cpu for start in taken):.2f}",
            *(f"{megabytes:.0f}" for megabytes in memory[name]),
        )
        for name, taken in starts.items()
    ]
    return table(("start", "ready after s", "CPU s until then", "RSS MB when ready", "after the load"), rows)


def workers_table(runs: Mapping[str, Runs]) -> str:
    """One worker, two workers, and what is between them."""
    header = ("workers", "req/s", "CPU ms each", "cores used", "idle", "spread", "req/s with a core each", "growth")
    rows = []
    for name, by_workers in runs.items():
        for workers, shared in by_workers.items():
            columns = ([getattr(run, figure) for run in shared] for figure in WORKER_FIGURES)
            medians = (number(statistics.median(column)) for column in columns)
            rows.append((f"{name}, {workers}", *medians, f"{growth(by_workers):.2f}" if workers > 1 else ""))
    return table(header, rows)


WORKER_FIGURES = ("per_second", "cpu", "busy", "idle", "spread", "capacity")


def failover_table(seen: Mapping[str, Mapping[str, str]]) -> str:
    """What clients saw."""
    faults = next(iter(seen.values()))
    return table(("first upstream", *seen), [(fault, *(each[fault] for each in seen.values())) for fault in faults])
