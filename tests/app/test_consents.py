"""What the user agreed to: kept, void for another machine, and on record before it counts."""
# ruff: noqa: ASYNC240  # one small file, and nobody waits

import asyncio
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from homeward.app.consents import Consents
from homeward.protocol.errors import AuditError, ConfigError

HOST = "my.openai.azure.com"


class Record:
    """What was noted; can refuse."""

    def __init__(self) -> None:
        self.notes: list[tuple[str, dict[str, Any]]] = []
        self.fails = False

    async def note(self, about: str, /, **details: Any) -> None:
        if self.fails:
            raise AuditError("The audit log can't be written.")
        self.notes.append((about, details))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "consents.json"


async def test_a_consent_is_kept(path: Path) -> None:
    """By the next Homeward, too; for its user's eyes only."""
    consents = Consents(path)
    assert not consents.given("azure", HOST)
    await consents.give("azure", HOST)
    for each in (consents, Consents(path)):
        assert each.given("azure", HOST)
        assert not each.given("openai", HOST)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["consents.json"]


async def test_another_machine_needs_another_consent(path: Path) -> None:
    """Whoever changes the address in the configuration is asked again; the way back needs no new one."""
    consents = Consents(path)
    await consents.give("azure", HOST)
    assert not consents.given("azure", "elsewhere.example")
    await consents.give("azure", "elsewhere.example")
    assert not Consents(path).given("azure", HOST)


async def test_a_consent_is_withdrawn(path: Path) -> None:
    consents = Consents(path)
    await consents.give("azure", HOST)
    await consents.give("openai", "api.openai.com")
    await consents.withdraw("azure")
    for each in (consents, Consents(path)):
        assert not each.given("azure", HOST)
        assert each.given("openai", "api.openai.com")


async def test_both_are_on_record(path: Path) -> None:
    record = Record()
    consents = Consents(path, record.note)
    await consents.give("azure", HOST)
    await consents.withdraw("azure")
    await consents.withdraw("azure")
    assert record.notes == [
        ("consent", {"backend": "azure", "host": HOST, "given": True}),
        ("consent", {"backend": "azure", "host": HOST, "given": False}),
    ]


async def test_no_consent_without_a_record(path: Path) -> None:
    record = Record()
    record.fails = True
    consents = Consents(path, record.note)
    with pytest.raises(AuditError):
        await consents.give("azure", HOST)
    assert not consents.given("azure", HOST)
    assert not path.exists()


async def test_no_consent_without_a_file(path: Path) -> None:
    path.parent.write_text("a file in the folder's place")
    consents = Consents(path)
    with pytest.raises(ConfigError, match="can't be written down") as caught:
        await consents.give("azure", HOST)
    assert caught.value.next_step
    assert not consents.given("azure", HOST)


async def test_a_withdrawal_counts_at_once(path: Path) -> None:
    """Also where it can't be written down, which is said."""
    record = Record()
    consents = Consents(path, record.note)
    await consents.give("azure", HOST)
    path.unlink()
    path.mkdir()
    with pytest.raises(ConfigError):
        await consents.withdraw("azure")
    assert not consents.given("azure", HOST)
    path.rmdir()
    await consents.give("azure", HOST)
    record.fails = True
    with pytest.raises(AuditError):
        await consents.withdraw("azure")
    assert not Consents(path).given("azure", HOST)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"null", b"\xff", b"[" * 20_000, b'{"version": 1, "consents": {"azure": "yes"}}',
     b'{"version": 2, "consents": {"azure": {"host": "my.openai.azure.com", "at": "2026-01-01T00:00:00Z"}}}'],
)  # fmt: skip
async def test_what_is_not_understood_is_no_consent(path: Path, content: bytes) -> None:
    """Asking once more harms nobody."""
    path.parent.mkdir()
    path.write_bytes(content)
    with capture_logs():
        consents = Consents(path)
    assert not consents.given("azure", HOST)
    await consents.give("azure", HOST)
    assert Consents(path).given("azure", HOST)


async def test_a_file_that_cannot_be_read_is_no_consent(path: Path) -> None:
    path.mkdir(parents=True)
    with capture_logs() as logs:
        assert not Consents(path).given("azure", HOST)
    assert [each["event"] for each in logs] == ["consents_unreadable"]


async def test_many_at_once(path: Path) -> None:
    """None is lost."""
    consents = Consents(path)
    await asyncio.gather(*(consents.give(f"cloud-{number}", HOST) for number in range(10)))
    assert all(Consents(path).given(f"cloud-{number}", HOST) for number in range(10))
