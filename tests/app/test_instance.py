"""One Homeward per data folder."""

from pathlib import Path

import pytest

from homeward.app.instance import only_instance
from homeward.protocol.errors import ConfigError


def test_a_second_one_is_sent_to_the_first(tmp_path: Path) -> None:
    """With its address, once it has one."""
    with only_instance(tmp_path / "data") as first:
        with pytest.raises(ConfigError, match="already runs"), only_instance(tmp_path / "data"):
            pass
        first.publish("http://127.0.0.1:1234")
        told = pytest.raises(ConfigError, match=r"at http://127\.0\.0\.1:1234 \(process \d+\)")
        with told, only_instance(tmp_path / "data"):
            pass


def test_the_folder_is_free_again_afterwards(tmp_path: Path) -> None:
    """And says nothing of the one that is gone."""
    for _ in range(2):
        with only_instance(tmp_path) as instance:
            instance.publish("http://127.0.0.1:1234")
    assert not (tmp_path / "homeward.address").exists()


def test_the_folder_is_made_for_this_user_only(tmp_path: Path) -> None:
    """Conversations are nobody else's business."""
    with only_instance(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path: Path) -> None:
    """Here a file stands in its place."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="can't be made"), only_instance(tmp_path / "file" / "data"):
        pass
