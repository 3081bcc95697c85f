"""A keyring that lives in a JSON file, and can be locked: the real package `keyring` uses it in place of the system's.

Chosen by `keyring.set_keyring`, or by the variable PYTHON_KEYRING_BACKEND in another process.
"""

import json
import os
from pathlib import Path

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class MemoryKeyring(KeyringBackend):
    """Its file is named by KEYRING_FILE; nothing can be read or written while KEYRING_LOCKED is set."""

    priority = 1

    def get_password(self, service: str, username: str) -> str | None:
        return self._read().get(f"{service}/{username}")

    def set_password(self, service: str, username: str, password: str) -> None:
        self._write({**self._read(), f"{service}/{username}": password})

    def delete_password(self, service: str, username: str) -> None:
        kept = self._read()
        if kept.pop(f"{service}/{username}", None) is None:
            raise PasswordDeleteError("No such key")
        self._write(kept)

    def _read(self) -> dict[str, str]:
        if os.environ.get("KEYRING_LOCKED"):
            raise KeyringLocked("Failed to unlock the collection! canary")
        path = Path(os.environ["KEYRING_FILE"])
        kept: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        return kept

    def _write(self, kept: dict[str, str]) -> None:
        Path(os.environ["KEYRING_FILE"]).write_text(json.dumps(kept))
