"""What the machine has to give."""

from pathlib import Path

import psutil  # type: ignore[import-untyped, unused-ignore]
import pytest

from homeward.engines.machine import available_memory_bytes, physical_cores

MB = 1_000_000


def _cgroup(folder: Path, limit: str, used: int, reclaimable: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon 5\ninactive_file {reclaimable}\nother 3\n")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own"
    path.write_text("0::/system/homeward\n")
    return path


def test_without_limits_the_machine_counts(tmp_path: Path, own: Path) -> None:
    """No cgroup files at all: what psutil says."""
    free = psutil.virtual_memory().available
    assert available_memory_bytes(tmp_path, own) == pytest.approx(free, rel=0.3)


def test_a_containers_limit_counts(tmp_path: Path, own: Path) -> None:
    """100 MB allowed, 60 used, of which 10 can be dropped: 50 left."""
    _cgroup(tmp_path / "system/homeward", str(100 * MB), 60 * MB, 10 * MB)
    assert available_memory_bytes(tmp_path, own) == 50 * MB


def test_the_tightest_of_all_levels_counts(tmp_path: Path, own: Path) -> None:
    """A limit further out binds as well; `max` is none."""
    _cgroup(tmp_path / "system/homeward", "max", 1 * MB, 0)
    _cgroup(tmp_path / "system", str(30 * MB), 10 * MB, 0)
    _cgroup(tmp_path, str(90 * MB), 10 * MB, 0)
    assert available_memory_bytes(tmp_path, own) == 20 * MB


def test_an_exceeded_limit_leaves_nothing(tmp_path: Path, own: Path) -> None:
    """Never less than zero."""
    _cgroup(tmp_path / "system/homeward", str(10 * MB), 60 * MB, 0)
    assert available_memory_bytes(tmp_path, own) == 0


def test_the_older_kind_of_cgroup_counts_too(tmp_path: Path, own: Path) -> None:
    """Version 1, in a container: the own path is not visible there, the root is."""
    own.write_text("12:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n0::/x\n")
    root = tmp_path / "memory"
    root.mkdir()
    (root / "memory.limit_in_bytes").write_text(str(80 * MB))
    (root / "memory.usage_in_bytes").write_text(str(50 * MB))
    (root / "memory.stat").write_text(f"cache 1\ntotal_inactive_file {5 * MB}\n")
    assert available_memory_bytes(tmp_path, own) == 35 * MB


def test_there_is_always_a_core() -> None:
    """And never more than the machine has."""
    assert 1 <= physical_cores() <= (psutil.cpu_count() or 1)
