"""Suites that nobody here wrote, in an environment of their own: OpenAI's tests of its client, and schemathesis."""

import hashlib
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

LOCK = Path(__file__).with_name("requirements.lock")
DONE = "done"


def environment(folder: Path, python: Path) -> Path:
    """The interpreter of an environment with what the lock names; made unless `folder` has it already."""
    home = folder / f"environment-{_digest(LOCK.read_bytes())[:12]}"
    interpreter = home / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not (home / DONE).exists():
        shutil.rmtree(home, ignore_errors=True)
        _run(python, "-m", "venv", str(home))
        _run(interpreter, "-m", "pip", "install", "--quiet", "--no-deps", "--require-hashes", "-r", str(LOCK))
        (home / DONE).touch()
    return interpreter


def openai_source(folder: Path, python: Path, version: str) -> Path:
    """The unpacked source of openai-python: its wheel has no tests. Raises ValueError: it isn't the lock's file."""
    source = folder / f"openai-{version}"
    if not (source / DONE).exists():
        options = ("--quiet", "--no-deps", "--no-binary", "openai", "--dest", str(folder))
        _run(python, "-m", "pip", "download", *options, f"openai=={version}")
        archive = folder / f"openai-{version}.tar.gz"
        if f"sha256:{_digest(archive.read_bytes())}" not in LOCK.read_text(encoding="utf-8"):
            raise ValueError(f"{archive.name} is not the file that {LOCK.name} names.")
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        (source / DONE).touch()
    return source


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _run(python: Path, *command: str) -> None:
    subprocess.run([python, *command], check=True)
