"""Open WebUI's environment, made by the real installers from a package of the test's own."""

import base64
import hashlib
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from homeward.app.open_webui import install as installing
from homeward.app.open_webui.install import (
    REQUIREMENTS,
    VERSION,
    Home,
    asked_version,
    candidates,
    commands,
    install,
    is_installed,
    suitable_python,
)
from homeward.protocol.errors import ConfigError

THIS = (sys.version_info.major, sys.version_info.minor)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "open-webui")
    home.root.mkdir()
    return home


def wheel(folder: Path) -> tuple[Path, str]:
    """A package `toy` and its hash."""
    path = folder / "toy-1.0-py3-none-any.whl"
    files = {
        "toy.py": "ANSWER = 42\n",
        "toy-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n",
        "toy-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(text)}\n"
        archive.writestr("toy-1.0.dist-info/RECORD", record + "toy-1.0.dist-info/RECORD,,\n")
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def requirements(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """In place of ours: one package, from a file."""
    path, digest = wheel(tmp_path)
    listed = tmp_path / "requirements.txt"
    listed.write_text(f"toy @ {path.as_uri()} --hash=sha256:{digest}\n", encoding="utf-8")
    monkeypatch.setattr(installing, "REQUIREMENTS", listed)
    return listed


def said_by(home: Home, code: str) -> str:
    return subprocess.run([str(home.python), "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("installer", ["pip", *(["uv"] if shutil.which("uv") else [])])
def test_the_list_is_installed(home: Home, requirements: Path, installer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """With uv, and without it; then it counts as whole."""
    if installer == "pip":
        monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(installing, "PYTHONS", (THIS,))
    shown: list[tuple[str, float]] = []
    assert not is_installed(home)
    install(home, lambda sentence, fraction: shown.append((sentence, fraction)))
    assert is_installed(home)
    assert said_by(home, "import toy; print(toy.ANSWER)") == "42"
    assert shown[-1] == (f"Open WebUI {VERSION} is installed.", 1.0)
    assert all(fraction < 1 for _, fraction in shown[:-1])


def test_a_half_made_environment_is_made_anew(home: Home, requirements: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of what was there stays."""
    monkeypatch.setattr(installing, "PYTHONS", (THIS,))
    remains = home.environment / "remains"
    remains.mkdir(parents=True)
    assert not is_installed(home)
    install(home, lambda *_: None)
    assert not remains.exists()
    assert is_installed(home)


def test_an_installation_that_fails_leaves_no_mark(
    home: Home, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where there was one; the error names the log, and the log the reason."""
    monkeypatch.setattr(installing, "PYTHONS", (THIS,))
    install(home, lambda *_: None)
    requirements.write_text(re.sub("sha256:.{8}", "sha256:00000000", requirements.read_text()), encoding="utf-8")
    assert not is_installed(home)  # the list is another one
    with pytest.raises(ConfigError, match=re.escape(str(home.install_log))):
        install(home, lambda *_: None)
    assert not home.mark.exists()
    assert "hash" in home.install_log.read_text(encoding="utf-8").lower()


def test_an_environment_whose_python_is_gone_is_not_whole(
    home: Home, requirements: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an upgrade of the system, say."""
    home.environment.mkdir()
    home.mark.write_text(installing.wanted_mark(), encoding="utf-8")
    assert not is_installed(home)


def test_an_interrupted_installer_is_ended(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl+C does not leave it working in the background."""
    endless = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"

    def interrupted(sentence: str, fraction: float) -> None:
        shown.append(int(sentence))
        raise KeyboardInterrupt

    shown: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        installing.carry_out([sys.executable, "-c", endless], home, interrupted, total=1)
    assert not Path(f"/proc/{shown[0]}").exists()


def test_the_first_suitable_python_is_taken() -> None:
    """Open WebUI 0.12.4 declares 3.11 and 3.12."""
    versions = {"mine": (3, 13), "broken": (), "old": (3, 9), "a": (3, 12), "b": (3, 11)}
    assert suitable_python(list(versions), versions.__getitem__) == "a"
    with pytest.raises(ConfigError, match=r"needs Python 3\.11 or 3\.12.*uv python install 3\.12"):
        suitable_python(["mine", "broken", "old"], versions.__getitem__)


def test_pythons_are_asked_what_they_are(tmp_path: Path) -> None:
    """One that is not there or does not run is none."""
    assert asked_version(sys.executable) == THIS
    assert asked_version(str(tmp_path / "python3")) == ()
    assert sys.executable in candidates(None)


def test_pip_and_uv_install_the_same_list(home: Home) -> None:
    """By their hashes, and nothing beyond it."""
    for uv in (None, "uv"):
        last = commands(home, "python3.12", uv)[-1]
        assert last[-4:] == ["--no-deps", "--require-hashes", "-r", str(REQUIREMENTS)]


def test_the_list_is_of_this_version_and_names_no_registry() -> None:
    """Without what only downloads could use."""
    listed = REQUIREMENTS.read_text(encoding="utf-8")
    assert f"\nopen-webui=={VERSION} \\\n" in listed
    assert "://" not in listed
    excluded = REQUIREMENTS.with_name("excludes.txt").read_text(encoding="utf-8").split()
    assert "torch" in excluded
    for name in excluded:
        assert not re.search(rf"^{name}==", listed, re.MULTILINE)
