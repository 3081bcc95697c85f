"""Importing the package does nothing that can be put off."""

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import sys, threading
import homeward.history
assert threading.active_count() == 1
late = {"alembic", "asyncpg", "aiosqlite", "chainlit"} & set(sys.modules)
assert not late, late
"""


def test_importing_opens_nothing_and_brings_no_heavy_friends(tmp_path: Path) -> None:
    there = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-W", "error", "-c", PROGRAM], check=True, cwd=tmp_path, env=there)
    assert list(tmp_path.iterdir()) == []
