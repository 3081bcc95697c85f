"""Where Homeward's processor time goes: itself under cProfile, with the same load.

Only its main thread is seen. A profiler makes calls dearer and leaves what C does inside one call as it is; so small
functions look worse here than they are. It goes by the clock: on a machine that does other things as well, all numbers
are too high. Trust the order, and the shares of packages, not the microseconds.
"""

import asyncio
import heapq
import pstats
import re
from collections import defaultdict
from collections.abc import Set
from pathlib import Path

import msgspec

from bench.gateway.candidates import homeward_for_speed
from bench.gateway.cost import BURST, PLAIN, USUAL, Cell, warm_up
from bench.gateway.load import Target, load
from bench.gateway.servers import running

FUNCTIONS = 30
PACKAGES = 15

WAITING = ("~", 0, "<method 'poll' of 'select.epoll' objects>")

Function = tuple[str, int, str]
"""File, line and name, as pstats has them."""


class Profile(msgspec.Struct):
    """Calls and own seconds of each function."""

    calls: dict[Function, int]
    seconds: dict[Function, float]

    def without(self, other: "Profile") -> "Profile":
        """What is beyond another one; a function that was not called more often only took longer by chance."""
        more = {function for function, calls in self.calls.items() if calls > other.calls.get(function, 0)}
        more.discard(WAITING)
        return Profile(
            {function: self.calls[function] - other.calls.get(function, 0) for function in more},
            {function: self.seconds[function] - other.seconds.get(function, 0.0) for function in more},
        )


def profile(url: str, folder: Path, on: Set[int], seconds: float) -> None:
    """Print the profile of plain requests and of streams; what start and end cost is taken off."""
    idle, _ = profiled(url, folder / "idle", on, PLAIN[USUAL], 0)
    for title, cell in (("plain requests", PLAIN[USUAL]), ("streams of 66 events", BURST[USUAL])):
        under_load, answers = profiled(url, folder / title, on, cell, seconds)
        print(f"\n## Where the time goes, {title}\n")
        show(under_load.without(idle), answers)


def profiled(url: str, folder: Path, on: Set[int], cell: Cell, seconds: float) -> tuple[Profile, int]:
    """Homeward from its start to its end under this load, and the number of answers."""
    folder.mkdir()
    result = folder / "profile"
    gateway = homeward_for_speed(url, folder, python=("-m", "cProfile", "-o", str(result)))
    with running(gateway, on, folder) as server:
        target = Target(server.port, gateway.model(cell.model), gateway.key, cell.stream)
        warm_up(gateway, server)
        sample = asyncio.run(load(target, connections=cell.connections, seconds=seconds))
    stats = pstats.Stats(str(result)).stats  # type: ignore[attr-defined]
    calls = {function: figures[1] for function, figures in stats.items()}
    own_seconds = {function: figures[2] for function, figures in stats.items()}
    return Profile(calls, own_seconds), len(sample.whole)


def show(spent: Profile, answers: int) -> None:
    """The packages and the functions with the most time of their own."""
    packages: defaultdict[str, float] = defaultdict(float)
    for (file, _, name), seconds in spent.seconds.items():
        packages[package_of(file, name)] += seconds * 1e6 / answers
    print(f"| {'package':50} | own µs per answer |\n|{'-' * 52}|{'-' * 18}:|")
    for package in heapq.nlargest(PACKAGES, packages, key=packages.__getitem__):
        print(f"| {package:50} | {packages[package]:17.0f} |")
    print(f"\n| {'function':60} | calls per answer | own µs per answer |\n|{'-' * 62}|{'-' * 17}:|{'-' * 18}:|")
    for function in heapq.nlargest(FUNCTIONS, spent.seconds, key=spent.seconds.__getitem__):
        calls, microseconds = spent.calls[function] / answers, spent.seconds[function] * 1e6 / answers
        print(f"| {in_words(*function)[-60:]:60} | {calls:16.1f} | {microseconds:17.1f} |")


def in_words(file: str, line: int, name: str) -> str:
    """A function as the table shows it."""
    return name if file == "~" else f"{package_of(file, name)}:{line} {name}"


def package_of(file: str, name: str) -> str:
    """The package of a function; down to the module for Homeward's own."""
    if file == "~":  # written in C: "<method 'send' of '_socket.socket' objects>", "<built-in method builtins.len>"
        package = re.search(r"(\w+)\.\w", name)
        return package[1] if package else "builtins"
    parts = Path(file).with_suffix("").parts
    if "homeward" in parts:
        return ".".join(parts[len(parts) - 1 - parts[::-1].index("homeward") :])
    if "site-packages" in parts:
        return parts[parts.index("site-packages") + 1]
    return "asyncio" if "asyncio" in parts else "standard library"
