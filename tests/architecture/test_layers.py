"""The folders that show the architecture are all analysed, and importing them does nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "src/homeward"
IMPORTABLE_ALONE = [
    *("protocol", "config", "observability", "routing", "privacy", "engines", "backends", "history", "discovery"),
    *("models", "completion", "gate", "gateway", "status", "manage", "browser", "chat", "app", "cli"),
]


def test_every_folder_with_code_is_a_package() -> None:
    """import-linter doesn't look into a folder without `__init__.py`."""
    folders = {path.parent for path in SOURCE.rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_package_is_listed_here() -> None:
    """A new package joins the test below."""
    assert sorted(path.parent.name for path in SOURCE.glob("*/__init__.py")) == sorted(IMPORTABLE_ALONE)


@pytest.mark.parametrize("package", IMPORTABLE_ALONE)
def test_importing_a_package_does_nothing(package: str, tmp_path: Path) -> None:
    """No files, no environment, no Chainlit, no database, no network library started."""
    script = (
        "import os, sys; before = dict(os.environ)\n"
        f"import homeward.{package}\n"
        "assert dict(os.environ) == before, 'environment changed'\n"
        "heavy = {'chainlit', 'alembic', 'xllamacpp', 'openai', 'numpy'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
