"""The file in which keys are kept, and those of it that are in force while Homeward runs.

A key itself is shown once and never written down; what is kept of it can't be turned back into it.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog
from filelock import FileLock, Timeout

from homeward.config import Settings
from homeward.config.edit import version_of, write_new
from homeward.gate.keys import Key, Ring, digest_of, new_key, ring_of
from homeward.protocol.errors import ConfigError
from homeward.protocol.key_use import NO_LIMITS, SCOPES, KeyLimits, KeyScope, KeyUse

log = structlog.get_logger(__name__)

FILE = "keys.json"
LOCK = "keys.lock"
LOCK_SECONDS = 5
"""Longer than anybody needs to write a line."""
LOOK_SECONDS = 1.0
"""How often the file is looked at, at most, and so how long a removed key can still be used."""
VARIABLE = "HOMEWARD_GATEWAY_API_KEY"
LONGEST_NAME = 60


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What stands in the file."""

    keys: tuple[Key, ...] = ()


class KeyFile:
    """Keys on disk, shared by all processes that use the data folder; for its user alone."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / FILE
        self._lock = data_dir / LOCK

    def read(self) -> tuple[Key, ...]:
        """All keys, in the order in which they were made. Raises ConfigError."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Content).keys
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"The file of the keys, {self.path}, can't be read.",
                next_step="Correct it; or remove it, and make the keys anew with `homeward keys add NAME`.",
                detail=type(error).__name__,
            ) from None

    def add(self, name: str, scopes: Sequence[KeyScope], limits: KeyLimits = NO_LIMITS) -> str:
        """Make a key and keep what is needed of it; the key itself is told this once.

        Raises ConfigError: there is one of this name, it is no name, or the file can't be read or written.
        """
        if not name.isprintable() or name != name.strip() or not 0 < len(name) <= LONGEST_NAME:
            raise ConfigError(
                f"A key's name has 1 to {LONGEST_NAME} characters, all of which can be seen.",
                next_step="Call it after the program that will have it, such as `editor`.",
            )
        with self._alone():
            keys = self.read()
            if any(key.name == name for key in keys):
                raise ConfigError(
                    f"There is a key called {name} already.",
                    next_step=f"Choose another name, or remove that one: homeward keys remove {name}",
                )
            key = new_key()
            made = Key(
                name=name,
                digest=digest_of(key),
                scopes=tuple(scope for scope in SCOPES if scope in scopes),
                created_at=datetime.now(UTC).replace(microsecond=0),
                limits=limits,
            )
            self._write([*keys, made])
        return key

    def remove(self, name: str) -> None:
        """Forget a key; whoever has it is refused from a second later on. Raises ConfigError, also if there is none."""
        with self._alone():
            keys = self.read()
            left = [key for key in keys if key.name != name]
            if len(left) == len(keys):
                raise ConfigError(f"There is no key called {name}.", next_step="See them with: homeward keys list")
            self._write(left)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with FileLock(self._lock, timeout=LOCK_SECONDS):
                yield
        except Timeout:
            raise ConfigError("Another program is changing the keys.", next_step="Try again in a moment.") from None
        except OSError as error:
            raise ConfigError(
                f"{self.path} can't be written: {error.strerror}.",
                next_step="Look at its rights and at the room on the disk.",
            ) from error

    def _write(self, keys: Iterable[Key]) -> None:
        fresh = self.path.with_name(f"{FILE}.new")
        try:
            write_new(fresh, msgspec.json.format(msgspec.json.encode(Content(tuple(keys)))) + b"\n", mode=0o600)
            fresh.replace(self.path)
        finally:
            fresh.unlink(missing_ok=True)


class KeysInForce:
    """Asked on each request: the file's keys and the one of the settings; a change of the file counts soon after it.

    The file is small and read where it is asked for, at most once in `LOOK_SECONDS`. Where it can't be read, no key is
    right until it can: a key that was removed must not come back by a fault.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises ConfigError: the file can't be read."""
        self._file = KeyFile(settings.data_dir)
        key = settings.gateway.api_key.get_secret_value()
        self._usual = usual_limits(settings)
        use = KeyUse(VARIABLE, frozenset(SCOPES), self._usual)
        self._of_settings = ((bytes.fromhex(digest_of(key)), use),) if key else ()
        self._clock = clock
        self._version = version_of(self._file.path)
        self._ring = self._read()
        self._next_look = clock() + LOOK_SECONDS

    def __call__(self) -> Ring:
        """The keys of this moment."""
        now = self._clock()
        if now >= self._next_look:
            self._next_look = now + LOOK_SECONDS
            self._look()
        return self._ring

    def _look(self) -> None:
        try:
            version = version_of(self._file.path)
            if version != self._version or self._ring.shut:
                self._ring = self._read()
                self._version = version
        except (ConfigError, OSError) as error:
            if not self._ring.shut:
                log.error("keys.unreadable", detail=str(error))  # noqa: TRY400 - a sentence, no traceback
            self._ring = Ring(shut=True)

    def _read(self) -> Ring:
        return Ring(self._of_settings + ring_of(self._file.read(), self._usual).known)


def usual_limits(settings: Settings) -> KeyLimits:
    """Those of a key that has none of its own."""
    gateway = settings.gateway
    return KeyLimits(requests_per_minute=gateway.requests_per_minute, at_once=gateway.at_once)


def key_rows(settings: Settings) -> list[tuple[str, str, str, str]]:
    """Name, scopes, day and limits of each key, with the one of the settings.

    Raises ConfigError: the file can't be read.
    """
    usual = usual_limits(settings)
    rows = [
        (
            key.name,
            " ".join(key.scopes),
            f"{key.created_at.astimezone():%Y-%m-%d}",
            limits_in_words(key.limits.or_else(usual)),
        )
        for key in KeyFile(settings.data_dir).read()
    ]
    if settings.gateway.api_key.get_secret_value():
        rows.append((f"({VARIABLE})", " ".join(SCOPES), "-", limits_in_words(usual)))
    return rows


def limits_in_words(limits: KeyLimits) -> str:
    """For the list of keys."""
    words = []
    if limits.requests_per_minute is not None:
        words.append(f"{limits.requests_per_minute} per minute")
    if limits.at_once is not None:
        words.append(f"{limits.at_once} at once")
    return ", ".join(words) or "-"
