"""Keys on disk, and those in force while Homeward runs."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import structlog
from filelock import FileLock

from homeward.app.keys import FILE, LOCK, LOOK_SECONDS, KeyFile, KeysInForce, key_rows
from homeward.app.listen import listening_socket
from homeward.app.serve import page_url
from homeward.config import Settings, load
from homeward.gate.keys import DEFAULT_SCOPES, digest_of
from homeward.protocol.errors import ConfigError
from homeward.protocol.key_use import SCOPES, KeyLimits


@pytest.fixture
def file(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "data")


SettingsWith = Callable[..., Settings]


@pytest.fixture
def settings_with(tmp_path: Path) -> SettingsWith:
    """Settings on the same folder as `file`, with these variables."""

    def make(**variables: str) -> Settings:
        return load({"data_dir": tmp_path / "data"}, environment=variables)

    return make


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_key_is_shown_once_and_kept_as_a_digest(file: KeyFile) -> None:
    """What is on disk can't be used."""
    key = file.add("editor", DEFAULT_SCOPES)
    (kept,) = file.read()
    assert (kept.name, kept.digest, kept.scopes) == ("editor", digest_of(key), DEFAULT_SCOPES)
    assert kept.created_at.tzinfo is not None
    assert key not in file.path.read_text()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such rights")
def test_the_file_is_for_its_user_alone(file: KeyFile) -> None:
    """Whatever the umask; also after a change."""
    before = os.umask(0)
    try:
        file.add("editor", DEFAULT_SCOPES)
        file.add("notes", DEFAULT_SCOPES)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700


def test_two_keys_need_two_names(file: KeyFile) -> None:
    """And the first one stays what it was."""
    file.add("editor", DEFAULT_SCOPES)
    before = file.read()
    with pytest.raises(ConfigError, match=r"a key called editor already.*homeward keys remove editor"):
        file.add("editor", SCOPES)
    assert file.read() == before


@pytest.mark.parametrize("name", ["", " ", "a\nb", "a\x1b[31m", " a", "a" * 61, "a\u202eb"])
def test_a_name_can_be_shown(file: KeyFile, name: str) -> None:
    """It stands in lists and logs (S13)."""
    with pytest.raises(ConfigError, match="1 to 60 characters"):
        file.add(name, DEFAULT_SCOPES)
    assert file.read() == ()


def test_scopes_are_kept_once_and_in_order(file: KeyFile) -> None:
    """However they were given."""
    file.add("editor", ("cloud", "models", "cloud"))
    assert file.read()[0].scopes == ("models", "cloud")


def test_a_removed_key_is_gone(file: KeyFile) -> None:
    """The others stay."""
    for name in ("one", "two", "three"):
        file.add(name, DEFAULT_SCOPES)
    file.remove("two")
    assert [key.name for key in file.read()] == ["one", "three"]
    with pytest.raises(ConfigError, match="no key called two"):
        file.remove("two")


def test_none_is_lost_when_many_are_made_at_once(file: KeyFile) -> None:
    """Each writer waits for the one before."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: file.add(f"key {number}", DEFAULT_SCOPES), range(24)))
    assert len({key.digest for key in file.read()}) == 24


def test_nobody_waits_for_ever(file: KeyFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a writer that hangs."""
    monkeypatch.setattr("homeward.app.keys.LOCK_SECONDS", 0.01)
    file.add("one", DEFAULT_SCOPES)
    with FileLock(file.path.with_name(LOCK)), pytest.raises(ConfigError, match="Another program is changing the keys"):
        file.add("two", DEFAULT_SCOPES)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b'{"keys":[{"name":"x"}]}',
        b'{"keys":[],"more":1}',
        b'{"keys":[{"name":"x","digest":"short","scopes":["models"],"created_at":"2026-11-22T00:00:00Z"}]}',
        b'{"keys":[{"name":"x","digest":"' + b"0" * 64 + b'","scopes":["all"],"created_at":"2026-11-22T00:00:00Z"}]}',
    ],
)
def test_a_damaged_file_is_not_taken_for_an_empty_one(
    file: KeyFile, settings_with: SettingsWith, content: bytes
) -> None:
    """Homeward does not start with it, and nothing is written over it."""
    file.path.parent.mkdir()
    file.path.write_bytes(content)
    for use in (file.read, lambda: file.add("x", SCOPES), lambda: KeysInForce(settings_with())):
        with pytest.raises(ConfigError, match="can't be read") as caught:
            use()
        assert str(file.path) in str(caught.value)
    assert file.path.read_bytes() == content


def test_a_folder_that_can_t_be_written_is_named(tmp_path: Path) -> None:
    """As a sentence."""
    (tmp_path / "data").write_text("a file")
    with pytest.raises(ConfigError, match=r"keys\.json"):
        KeyFile(tmp_path / "data").add("x", SCOPES)


def test_without_any_key_none_is_needed(settings_with: SettingsWith) -> None:
    """On a machine that has not even a data folder."""
    assert not KeysInForce(settings_with())().asks


def test_the_key_of_the_settings_counts_with_all_scopes(settings_with: SettingsWith, file: KeyFile) -> None:
    """And beside it those of the file."""
    own = file.add("editor", ("models",))
    ring = KeysInForce(settings_with(HOMEWARD_GATEWAY_API_KEY="of-the-variable"))()
    of_settings, of_file = ring.use_of(b"of-the-variable"), ring.use_of(own.encode())
    assert of_settings is not None
    assert of_settings.scopes == frozenset(SCOPES)
    assert of_file is not None
    assert (of_file.name, set(of_file.scopes)) == ("editor", {"models"})
    assert ring.use_of(b"") is None


def test_limits_of_the_file_and_of_the_settings(settings_with: SettingsWith, file: KeyFile) -> None:
    """A key's own come first; the key of the settings has the usual ones."""
    own, none = file.add("editor", ("models",), KeyLimits(at_once=1)), file.add("notes", ("models",))
    assert b"limits" not in file.path.read_bytes().split(b'"notes"')[1]  # as an older Homeward reads it
    variables = {"HOMEWARD_GATEWAY_API_KEY": "of-the-variable", "HOMEWARD_GATEWAY_REQUESTS_PER_MINUTE": "60"}
    ring = KeysInForce(settings_with(**variables))()
    limits = [use.limits for key in (own, none, "of-the-variable") if (use := ring.use_of(key.encode()))]
    usual = KeyLimits(requests_per_minute=60)
    assert limits == [KeyLimits(requests_per_minute=60, at_once=1), usual, usual]


def test_a_change_counts_after_a_moment(settings_with: SettingsWith, file: KeyFile) -> None:
    """Not at each request, but within a second."""
    clock = Clock()
    keys = KeysInForce(settings_with(), clock)
    key = file.add("editor", SCOPES).encode()
    clock.now = LOOK_SECONDS - 0.01
    assert keys().use_of(key) is None
    clock.now = LOOK_SECONDS
    assert keys().use_of(key) is not None
    file.remove("editor")
    clock.now = 2 * LOOK_SECONDS
    assert keys().use_of(key) is None
    assert not keys().asks
    file.add("other", SCOPES)
    file.path.unlink()
    clock.now = 3 * LOOK_SECONDS
    assert not keys().asks


def test_an_unchanged_file_is_not_read_again(settings_with: SettingsWith, file: KeyFile) -> None:
    """Nor looked at more often than each second, however many requests there are."""
    file.add("editor", SCOPES)
    clock = Clock()
    keys = KeysInForce(settings_with(), clock)
    first = keys()
    for step in range(20):
        clock.now = step * LOOK_SECONDS / 4
        assert keys() is first


@pytest.mark.parametrize("damage", ["text", "folder"])
def test_while_the_file_cannot_be_read_no_key_is_right(settings_with: SettingsWith, file: KeyFile, damage: str) -> None:
    """A key that was removed must not come back by a fault; said once in the log; all is well when the file is."""
    key = file.add("editor", SCOPES)
    good = file.path.read_bytes()
    clock = Clock()
    keys = KeysInForce(settings_with(HOMEWARD_GATEWAY_API_KEY="of-the-variable"), clock)
    file.path.unlink()
    if damage == "text":
        file.path.write_text("{")
    else:
        file.path.mkdir()
    with structlog.testing.capture_logs() as logs:
        for now in (1, 2, 3):
            clock.now = now * LOOK_SECONDS
            assert keys().asks
            assert keys().use_of(key.encode()) is None
            assert keys().use_of(b"of-the-variable") is None
    assert [entry["event"] for entry in logs] == ["keys.unreadable"]
    if damage == "text":
        file.path.unlink()
    else:
        file.path.rmdir()
    file.path.write_bytes(good)
    clock.now = 4 * LOOK_SECONDS
    assert keys().use_of(key.encode()) is not None


def test_the_list_tells_where_keys_are(settings_with: SettingsWith, file: KeyFile) -> None:
    """The one of the settings too, and never a key."""
    key = file.add("editor", ("models", "answers"))
    rows = key_rows(settings_with(HOMEWARD_GATEWAY_API_KEY="canary"))
    assert [row[:2] for row in rows] == [
        ("editor", "models answers"),
        ("(HOMEWARD_GATEWAY_API_KEY)", "models answers embeddings cloud"),
    ]
    assert "canary" not in str(rows)
    assert key not in str(rows)


def test_other_machines_are_not_let_in_without_a_key(tmp_path: Path) -> None:
    """`homeward up` ends with a sentence, before it has loaded anything (S6)."""
    variables = {**os.environ, "HOMEWARD_DATA_DIR": str(tmp_path), "HOMEWARD_PORT": "0"}
    done = subprocess.run(
        [sys.executable, "-m", "homeward", "up", "--no-open", "--host", "0.0.0.0"],
        check=False,
        env=variables,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "without a key Homeward does not listen on 0.0.0.0" in done.stderr
    assert "homeward keys add NAME" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / FILE).exists()


def test_with_a_key_the_address_is_tried() -> None:
    """One that this machine doesn't have, so that no other one is let in here."""
    with pytest.raises(ConfigError, match=r"Can't listen on 192\.0\.2\.1"):
        listening_socket("192.0.2.1", 0, has_key=True)


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),
        ("::", "http://127.0.0.1:80"),
        ("192.0.2.1", "http://192.0.2.1:80"),
    ],
)
def test_the_page_is_opened_at_an_address_that_works(host: str, url: str) -> None:
    """All addresses are none."""
    assert page_url(host, 80) == url
