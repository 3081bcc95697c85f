"""Which backends outside this device the user agreed to, in one small file of the data folder."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import msgspec
import structlog

from homeward.config.edit import write_new
from homeward.protocol.errors import ConfigError

log = structlog.get_logger(__name__)

FILE = "consents.json"

_VERSION = 1


class Note(Protocol):
    """Puts on record what decides about what may leave this device."""

    async def __call__(self, about: str, /, **details: str | int | float | bool | None) -> None:
        """Raises AuditError: it could not be written."""


async def no_note(_about: str, /, **_details: str | int | float | bool | None) -> None:
    """For those who only look."""


class Consent(msgspec.Struct, frozen=True):
    """One backend that the user agreed to."""

    host: str
    """The machine that it was given for; with another one it is void."""
    at: datetime


class _Stored(msgspec.Struct, frozen=True):
    version: int
    consents: dict[str, Consent]


class Consents:
    """What the user agreed to. For one event loop, and one process that changes it."""

    def __init__(self, path: Path, note: Note = no_note) -> None:
        """Reads the file; one that can't be understood counts as no consent."""
        self.note = note
        """Where a change is put on record; may be set later, before the first change."""
        self._path = path
        self._given: Mapping[str, Consent] = stored(path)
        self._changing = asyncio.Lock()

    def given(self, backend: str, host: str) -> bool:
        """Whether words may go to this machine under this backend's name."""
        consent = self._given.get(backend)
        return consent is not None and consent.host == host

    async def give(self, backend: str, host: str) -> None:
        """From now on words may go there. It counts once it is on record and on disk.

        Raises AuditError and ConfigError: it can't be, so nothing has changed.
        """
        async with self._changing:
            await self.note("consent", backend=backend, host=host, given=True)
            given = {**self._given, backend: Consent(host, datetime.now(UTC))}
            await self._store(given)
            self._given = given

    async def withdraw(self, backend: str) -> None:
        """From now on nothing goes there any more; this counts at once.

        Raises AuditError and ConfigError: it can't be written down, so the consent is back after a restart.
        """
        async with self._changing:
            consent = self._given.get(backend)
            if consent is None:
                return
            self._given = {name: each for name, each in self._given.items() if name != backend}
            await self._store(self._given)
            await self.note("consent", backend=backend, host=consent.host, given=False)

    async def _store(self, given: Mapping[str, Consent]) -> None:
        try:
            await asyncio.to_thread(store, self._path, given)
        except OSError as error:
            raise ConfigError(
                f"What you agreed to can't be written down: {error.strerror}.",
                next_step="Look at the rights of the data folder and at the room on the disk, then try again.",
                detail=str(error),
            ) from error


def stored(path: Path) -> Mapping[str, Consent]:
    """What the file says."""
    try:
        content = msgspec.json.decode(path.read_bytes(), type=_Stored)
    except FileNotFoundError:
        return {}
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        log.warning("consents_unreadable", error=type(error).__name__)
        return {}
    return content.consents if content.version == _VERSION else {}


def store(path: Path, given: Mapping[str, Consent]) -> None:
    """Replace the file in one step. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    write_new(fresh, msgspec.json.format(msgspec.json.encode(_Stored(_VERSION, dict(given))), indent=1), mode=0o600)
    fresh.replace(path)
