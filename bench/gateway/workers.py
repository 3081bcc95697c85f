"""How throughput grows from one worker process to two, with the load accounted for.

Requests per second tell little here: the load and the stub need the same cores. On two cores, one worker has a core of
its own and the load has the other; two workers share both cores with the load. So what counts is the rate per core
that the workers could have had: requests, divided by the processor time that the workers used plus the time that their
cores stood idle. Time that the load, the stub and foreign programs took is left out; waiting on a lock or a disk is
not, since it shows as idle time.

That rate, times the number of workers, would be the throughput with a core for each if all had the same to do. They
have what their connections bring; so it is not their number but all connections over those of the one with the most.
"""

import asyncio
import statistics
import tempfile
from collections.abc import Mapping, Sequence, Set
from pathlib import Path

import msgspec
import psutil

from bench.gateway.candidates import HOMEWARD, PASSTHROUGH, homeward_for_speed, passthrough
from bench.gateway.cores import on_cores, shares
from bench.gateway.cost import PLAIN, warm_up
from bench.gateway.load import Sample, Target, load
from bench.gateway.servers import Gateway, Server, running

CONNECTIONS = 64


class Shared(msgspec.Struct):
    """One run of the load on one gateway."""

    per_second: float
    cpu: float
    """Milliseconds of processor time per request, of all its processes."""
    busy: float
    """The processor time of its processes, in cores."""
    idle: float
    """Of the cores that they may use, in cores."""
    spread: float
    """All connections over those of the process with the most: how many workers really share the work."""

    @property
    def per_core(self) -> float:
        """Requests per second of a core that they used or could have used."""
        return self.per_second / (self.busy + self.idle)

    @property
    def capacity(self) -> float:
        """Requests per second with a core for each worker."""
        return self.per_core * self.spread


def shared(gateway: Gateway, server: Server, its_cores: Set[int], seconds: float) -> Shared:
    """One run. Raises WrongAnswerError."""
    target = Target(server.port, gateway.model(PLAIN[CONNECTIONS].model), gateway.key)
    idle, cpu = _idle_seconds(its_cores), server.cpu_seconds()
    sample, connections = asyncio.run(_loaded(server, target, seconds))
    cpu = server.cpu_seconds() - cpu
    idle = _idle_seconds(its_cores) - idle
    return Shared(
        per_second=len(sample.whole) / sample.seconds,
        cpu=cpu / len(sample.whole) * 1000,
        busy=cpu / sample.seconds,
        idle=idle / sample.seconds,
        spread=sum(connections) / max(connections),
    )


async def _loaded(server: Server, target: Target, seconds: float) -> tuple[Sample, list[int]]:
    """What the load saw, and the connections of each process in the middle of it."""
    loading = asyncio.create_task(load(target, connections=CONNECTIONS, seconds=seconds))
    await asyncio.sleep(seconds / 2)
    return await asyncio.gather(loading, asyncio.to_thread(server.connections))


def _idle_seconds(its_cores: Set[int]) -> float:
    times = psutil.cpu_times(percpu=True)
    return sum(times[core].idle + getattr(times[core], "iowait", 0.0) for core in its_cores or range(len(times)))


Runs = Mapping[int, Sequence[Shared]]
"""By the number of workers, one of each round."""


def measure(url: str, stub: Server, rounds: int, seconds: float, folder: Path) -> dict[str, Runs]:
    """One worker and two in turn, by the gateway's name.

    The passthrough's workers share nothing, so it shows what the machine allows.
    """
    runs: dict[str, dict[int, list[Shared]]] = {name: {1: [], 2: []} for name in (PASSTHROUGH, HOMEWARD)}
    for _ in range(rounds):
        for name, by_workers in runs.items():
            for workers, measured in by_workers.items():
                if name == HOMEWARD:
                    gateway = homeward_for_speed(url, Path(tempfile.mkdtemp(dir=folder)), workers=workers)
                else:
                    gateway = passthrough(url, workers=workers)
                measured.append(_started_and_shared(gateway, stub, workers, seconds, folder))
    return dict(runs)


def _started_and_shared(gateway: Gateway, stub: Server, workers: int, seconds: float, folder: Path) -> Shared:
    own, others = shares(workers)
    with on_cores(others, stub.process), running(gateway, own, folder) as server:
        warm_up(gateway, server)
        return shared(gateway, server, own, seconds)


def growth(runs: Runs) -> float:
    """Of the throughput from one worker to two: the median of the rounds' ratios."""
    return statistics.median(two.capacity / one.capacity for one, two in zip(runs[1], runs[2], strict=True))
