"""How long a gateway takes from its command to ready, and how much memory it holds then and after load."""

from collections.abc import Sequence, Set
from pathlib import Path
from typing import NamedTuple

from bench.gateway.cost import CELLS, figures_of
from bench.gateway.servers import Gateway, running


class Start(NamedTuple):
    """What one start took, in seconds."""

    clock: float
    cpu: float


def measure(
    gateways: Sequence[Gateway], rounds: int, on: Set[int], folder: Path
) -> tuple[dict[str, list[Start]], dict[str, tuple[float, float]]]:
    """Each start until ready; megabytes of resident memory when ready, and after each load for a second.

    The gateways take turns; each is alone while it starts. A first start does not count: its files are not in memory.
    """
    taken: dict[str, list[Start]] = {gateway.name: [] for gateway in gateways}
    memory = {}
    for gateway in gateways:
        with running(gateway, on, folder) as server:
            ready = server.rss_megabytes()
            for cell in CELLS:
                figures_of(gateway, server, cell, 1.0)
            memory[gateway.name] = (ready, server.rss_megabytes())
    for _ in range(rounds):
        for gateway in gateways:
            with running(gateway, on, folder) as server:
                taken[gateway.name].append(Start(server.ready_seconds, server.cpu_seconds()))
    return taken, memory
