"""What a gateway costs: LiteLLM's proxy, Homeward, a bare passthrough, and no gateway, side by side in one run.

    python -m bench.gateway [--quick] [--only NAME …] [--parts PART …] [--profile] [--litellm-venv DIR]

All stand before the same upstream on loopback, which answers at once (`stub`). The gateways have one core, the stub and
the load have the others. Trust processor time per request and the ratios: both are taken with all gateways in turn, in
several rounds, and are medians. Processor time is that of the gateway's processes, user's and system's, at 16
connections. Times of answers at 16 and 64 connections are those of a gateway that is asked without a pause.

Homeward has on what it does for a cloud: key, policy, findings, validation of every event, receipts, audit log,
metrics; no history. Every prompt is another one. LiteLLM is installed into a virtual environment of its own, the only
thing here that needs a network. A wrong answer ends the benchmark.
"""

import argparse
import os
import platform
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path

import msgspec
import psutil

from bench.gateway import aims, failover, starting, workers
from bench.gateway.aims import Aim
from bench.gateway.candidates import (
    DIRECT,
    HOMEWARD,
    LITELLM,
    PASSTHROUGH,
    homeward_for_speed,
    litellm_for_speed,
    passthrough,
)
from bench.gateway.cores import on_cores, shares
from bench.gateway.cost import direct, measure
from bench.gateway.litellm_proxy import DEFAULT_VENV, install
from bench.gateway.profiling import profile
from bench.gateway.report import burst_table, failover_table, paced_table, plain_table, start_table, workers_table
from bench.gateway.servers import Gateway, Server, running, upstream

NAMES = (PASSTHROUGH, LITELLM, HOMEWARD)


class Setting(msgspec.Struct, frozen=True):
    """What all parts have in common."""

    names: Sequence[str]
    rounds: int
    seconds: float
    venv: Path
    stub: Server
    folder: Path

    @property
    def url(self) -> str:
        """The upstream."""
        return f"http://127.0.0.1:{self.stub.port}"

    def gateways(self) -> list[Gateway]:
        """Those that are wanted, with files in a folder of their own."""
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        known = {
            PASSTHROUGH: lambda: passthrough(self.url),
            LITELLM: lambda: litellm_for_speed(self.url, self.venv, folder),
            HOMEWARD: lambda: homeward_for_speed(self.url, folder),
        }
        return [known[name]() for name in self.names]


def cost_part(setting: Setting) -> Iterator[Aim]:
    """The same load on all."""
    own, others = shares(1)
    with ExitStack() as stack:
        stack.enter_context(on_cores(others, setting.stub.process))
        gateways = setting.gateways()
        servers = [stack.enter_context(running(gateway, own, setting.folder)) for gateway in gateways]
        pairs = list(zip((direct(), *gateways), (setting.stub, *servers), strict=True))
        rounds = measure(pairs, setting.rounds, setting.seconds)
    names = (DIRECT, *setting.names)
    for show in (plain_table, burst_table, paced_table):
        print(f"\n{show(rounds, names)}")
    if HOMEWARD in names:
        yield from aims.of_cost(rounds)


def start_part(setting: Setting) -> Iterator[Aim]:
    """Cold starts, and memory."""
    own, others = shares(1)
    with on_cores(others, setting.stub.process):
        starts, memory = starting.measure(setting.gateways(), setting.rounds, own, setting.folder)
    print(f"\n{start_table(starts, memory)}")
    if HOMEWARD in setting.names:
        yield from aims.of_start(starts, memory)


def workers_part(setting: Setting) -> Iterator[Aim]:
    """One worker, and two."""
    runs = workers.measure(setting.url, setting.stub, setting.rounds, 2 * setting.seconds, setting.folder)
    print(f"\n{workers_table(runs)}")
    yield from aims.of_workers(runs[HOMEWARD])


def failover_part(setting: Setting) -> Iterator[Aim]:
    """Faults."""
    own, others = shares(1)
    with on_cores(others, setting.stub.process):
        seen = failover.measure(setting.names, setting.url, setting.venv, setting.folder, own)
    print(f"\n{failover_table(seen)}")
    yield from ()


PARTS = {"cost": cost_part, "start": start_part, "failover": failover_part, "workers": workers_part}


def asked_for() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(
        "python -m bench.gateway", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="these gateways (default: all)")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="these parts (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each gateway (5)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each load in a round (2)")
    parser.add_argument("--quick", action="store_true", help="one round of half a second: does it run?")
    parser.add_argument("--profile", action="store_true", help="only show where Homeward's time goes")
    parser.add_argument("--litellm-venv", type=Path, default=DEFAULT_VENV, help="LiteLLM's virtual environment")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    options = asked_for()
    print(machine())
    if LITELLM in options.only and not options.profile:
        print(f"LiteLLM {install(options.litellm_venv)}")
    rounds, seconds = (1, 0.5) if options.quick else (options.rounds, options.seconds)
    own, others = shares(1)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name, upstream(others) as stub:
        setting = Setting(options.only, rounds, seconds, options.litellm_venv, stub, Path(name))
        if options.profile:
            with on_cores(others):
                profile(setting.url, setting.folder, own, 5 * seconds)
            return
        for part in options.parts:
            print("", *PARTS[part](setting), sep="\n", flush=True)


def machine() -> str:
    """What it runs on, and how busy that is already."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("aiohttp", "starlette", "uvicorn"))
    own, others = shares(1)
    apart = "one for the gateways, the others for the load" if own != others else "gateways and load share them"
    return (
        f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores ({apart}), {packages}; "
        f"busy cores before we began: {psutil.cpu_percent(1.0) / 100 * (os.cpu_count() or 1):.1f}"
    )


if __name__ == "__main__":
    main()
