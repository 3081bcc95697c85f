"""What this machine has to give: memory that is free for a child, cores, and the end of a process tree."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]

_CGROUP_ROOT = Path("/sys/fs/cgroup")
_OWN_CGROUP = Path("/proc/self/cgroup")


def available_memory_bytes(cgroups: Path = _CGROUP_ROOT, own_cgroup: Path = _OWN_CGROUP) -> int:
    """Bytes that a new process can use without swapping: the machine's, or less in a limited container."""
    free = int(psutil.virtual_memory().available)
    return max(0, min((free, *_cgroup_rooms(cgroups, own_cgroup))))


def physical_cores() -> int:
    """Cores that this process may use, a core with two threads counted once; at least 1."""
    cores = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    if sys.platform == "linux":
        cores = min(cores, len(os.sched_getaffinity(0)))
    return max(1, cores)


def kill_process_tree(pid: int) -> None:
    """Kill a process and its descendants; for Windows, which has no process groups to kill."""
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for member in (*process.children(recursive=True), process):
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()


def _cgroup_rooms(cgroups: Path, own_cgroup: Path) -> Iterator[int]:
    """Room under the limit of each memory cgroup (version 2 or 1) that this process is in."""
    try:
        lines = own_cgroup.read_text().splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, own = line.split(":", 2)
        if controllers == "":
            names, root = ("memory.max", "memory.current", "inactive_file"), cgroups
        elif "memory" in controllers.split(","):
            names = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
            root = cgroups / "memory"
        else:
            continue
        folder = root / own.lstrip("/")
        # inside a container the own path may lie outside of what is mounted: then only the root is to be seen
        for level in (folder, *folder.parents):
            room = _room(level, *names)
            if room is not None:
                yield room
            if level == root:
                break


def _room(folder: Path, limit: str, usage: str, reclaimable: str) -> int | None:
    """None where there is no limit, or nothing to read."""
    try:
        allowed = int((folder / limit).read_text())
        used = int((folder / usage).read_text())
        for line in (folder / "memory.stat").read_text().splitlines():
            name, _, value = line.partition(" ")
            if name == reclaimable:  # page cache that the kernel drops on demand
                used -= int(value)
    except (OSError, ValueError):  # "max" is no number: no limit
        return None
    return allowed - used
