"""What it was measured on and with."""

import importlib.metadata
import platform
from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]

import homeward
from homeward.engines.machine import physical_cores
from homeward.engines.memory import size_words

RUNTIMES = ("xllamacpp", "foundry-local-sdk")
CPU_INFO = Path("/proc/cpuinfo")


def machine_facts() -> dict[str, str]:
    """Names and values, for people; nothing that names the machine or its user."""
    return {
        "Processor": f"{processor()}, {physical_cores()} cores in use",
        "Memory": size_words(int(psutil.virtual_memory().total)),
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Homeward": homeward.__version__,
        "Python": platform.python_version(),
        **{name: version for name in RUNTIMES if (version := version_of(name))},
    }


def processor() -> str:
    """Its name as the system gives it."""
    try:
        lines = CPU_INFO.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def version_of(package: str) -> str:
    """The installed version; empty where there is none."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
