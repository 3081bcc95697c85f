"""Which processor cores are whose: what is measured has its own, so that the load does not take from it."""

import os
from collections.abc import Iterator, Set
from contextlib import contextmanager

import psutil


def cores() -> list[int]:
    """The cores that this process may use now; empty where the system lets nobody choose, as macOS."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


def shares(workers: int) -> tuple[set[int], set[int]]:
    """Cores for so many workers, and for the load: apart where there are enough of them, else all for both."""
    there = cores()
    if len(there) > workers:
        return set(there[-workers:]), set(there[:-workers])
    return set(there), set(there)


@contextmanager
def on_cores(where: Set[int], *others: psutil.Process) -> Iterator[None]:
    """This process, whatever it starts meanwhile, and the others run on these cores; then where this process did."""
    processes, before = (psutil.Process(), *others), set(cores())
    for process in processes:
        _move(process, where)
    try:
        yield
    finally:
        for process in processes:
            _move(process, before)


def _move(process: psutil.Process, to: Set[int]) -> None:
    """With all its threads; nothing happens where the system knows no such thing."""
    if not to:
        return
    for thread in process.threads():
        os.sched_setaffinity(thread.id, to)
