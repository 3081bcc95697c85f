"""Keys in the system's keyring: in no file of ours, and in no variable.

All of it blocks, and may have the system ask the user to unlock the keyring.
"""

from homeward.protocol.errors import ConfigError

SERVICE = "homeward"
"""What the keyring shows as the owner of our keys; the user is the backend's name."""


def read_key(backend: str) -> str:
    """The key that is stored for a backend; empty where none is, or where there is no keyring that can be read."""
    import keyring

    try:
        return keyring.get_password(SERVICE, backend) or ""
    except Exception:  # noqa: BLE001 - whatever D-Bus or the system raised
        return ""


def store_key(backend: str, key: str, *, variable: str) -> None:
    """Keep a key for a backend, in place of any other one. `variable` is the one that can hold it instead.

    Raises:
        ConfigError: there is no keyring, or it is locked.
    """
    import keyring

    try:
        keyring.set_password(SERVICE, backend, key)
    except Exception as error:  # noqa: BLE001 - as above
        raise _unusable(error, f"Unlock it and try again, or put the key into the variable {variable}.") from None


def remove_key(backend: str) -> bool:
    """Forget a backend's key; False where none is stored. Raises like `store_key`."""
    import keyring

    try:
        if keyring.get_password(SERVICE, backend) is None:
            return False
        keyring.delete_password(SERVICE, backend)
    except Exception as error:  # noqa: BLE001 - as above
        raise _unusable(error, "Unlock it and try again.") from None
    return True


def _unusable(error: Exception, next_step: str) -> ConfigError:
    """Never with the error's text: it is for programmers, and the keyring's own."""
    return ConfigError(
        "This machine has no keyring that can be used, or it is locked.",
        next_step=next_step,
        detail=type(error).__name__,
    )
