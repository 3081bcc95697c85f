"""Saving what the page changes into `homeward.toml`: the user's own file, of which nothing else is touched."""

import errno
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from pydantic import ValidationError

from homeward.config.load import FILE_NAME, config_path, from_environment, merge, read
from homeward.config.mistakes import explain
from homeward.config.policy import When
from homeward.config.rewrite import with_table
from homeward.config.settings import PREFIX, Settings, default_data_dir
from homeward.config.table import Table
from homeward.protocol.errors import ConfigError

TABLES = ("policy", "privacy", "budget")
"""What can be saved."""
ELEMENTS = {"policy": {"rules": {"when": When().model_dump(mode="json")}}}
"""The arrays of tables in them, with the defaults of their elements."""
TRIES = 5
"""While somebody else keeps writing the file."""

Version = tuple[int, int, int] | None


class ConfigFile(msgspec.Struct, frozen=True):
    """The file that settings are saved in."""

    path: Path
    """It need not be there yet."""
    locked: str = ""
    """Why nothing can be saved, as a sentence; empty where nothing speaks against it."""


def config_file(
    command_line: Mapping[str, Any] | None = None,
    *,
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> ConfigFile:
    """The file that `load` reads with the same arguments, or would read. Raises ConfigError as `load` does."""
    environment = os.environ if environment is None else environment
    given = {name: value for name, value in (command_line or {}).items() if value is not None}
    variables = from_environment(environment)
    path, _ = config_path(config, environment, given, variables)
    folder = Path(given.get("data_dir") or variables.get("data_dir") or default_data_dir())
    forced = [f"{PREFIX}{table}_{name}".upper() for table in TABLES for name in variables.get(table, {})]
    locked = f"The environment variable {forced[0]} goes before what would be saved." if forced else ""
    return ConfigFile((path or folder / FILE_NAME).absolute(), locked)


def save_tables(path: Path, tables: Mapping[str, Table], environment: Mapping[str, str] | None = None) -> None:
    """Let these tables of the file say these settings, and only what differs from the default.

    Comments, and all that is not in these tables, stay, also where somebody changed the file a moment ago. It is
    replaced in one step; a new one is for its user alone.

    Raises ConfigError: there is a mistake in the file, or it can't be written.
    """
    variables = from_environment(os.environ if environment is None else environment)
    target = Path(os.path.realpath(path))  # a link stays a link
    try:
        for _ in range(TRIES):
            version = version_of(target)
            content = read(target, named=True) if version else {}
            different = differing(content, tables, variables, target)
            if not different or replaced(target, version, different, variables):
                return
    except OSError as error:
        raise ConfigError(
            f"{target} can't be written: {error.strerror}.",
            next_step="Look at its rights and at the room on the disk.",
        ) from error
    raise ConfigError(f"Another program keeps changing {path}.", next_step="Close it, then save again.")


def differing(
    content: Mapping[str, Any], tables: Mapping[str, Table], variables: Mapping[str, Any], path: Path
) -> Mapping[str, Table]:
    """Those of the tables that the file doesn't say yet. Raises ConfigError: it has a mistake."""
    try:
        settings = Settings.model_validate(merge(content, variables))
    except ValidationError as error:
        # Dropped as cause: it holds every value, keys too.
        raise explain(error, path, content, variables) from None
    return {name: table for name, table in tables.items() if getattr(settings, name) != table}


def replaced(target: Path, version: Version, tables: Mapping[str, Table], variables: Mapping[str, Any]) -> bool:
    """Put the new text in the file's place; False where it is not of this version any more.

    Raises ConfigError and OSError.
    """
    new = rewritten(target.read_bytes().decode() if version else "", tables, variables, target)
    if version and not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))  # not to be got around by replacing it
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = target.with_name(f"{target.name}.new")  # always the same: one who was killed leaves no more than one
    try:
        write_new(fresh, new.encode(), mode=target.stat().st_mode & 0o777 if version else 0o600)
        if version_of(target) != version:
            return False
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    return True


def rewritten(old: str, tables: Mapping[str, Table], variables: Mapping[str, Any], path: Path) -> str:
    """The text with these tables; its lines end as they did. Raises ConfigError: that would cost something else."""
    ends = "\r\n" if "\r\n" in old else "\n"
    new = old.replace("\r\n", "\n")
    try:
        for name, table in tables.items():
            wanted = table.model_dump(mode="json", exclude_defaults=True)
            default = type(table)().model_dump(mode="json")
            new = with_table(new, name, wanted, default, ELEMENTS.get(name, {}))
        right = is_right(old, new, tables, variables)
    except (tomllib.TOMLDecodeError, ValidationError):
        right = False
    if not right:
        raise ConfigError(
            f"{path} is written in a way that can't be changed here without losing something.",
            next_step="Change it with an editor.",
        )
    return new.replace("\n", ends)


def is_right(old: str, new: str, tables: Mapping[str, Table], variables: Mapping[str, Any]) -> bool:
    """Whether the new text says these tables, and of all others what the old one says."""
    before, after = tomllib.loads(old), tomllib.loads(new)
    others = [repr({key: each[key] for key in each if key not in tables}) for each in (before, after)]
    settings = Settings.model_validate(merge(after, variables))
    return others[0] == others[1] and all(getattr(settings, name) == table for name, table in tables.items())


def write_new(path: Path, data: bytes, *, mode: int) -> None:
    """A new file that is on disk when this returns, and never readable for more people than `mode` says."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    path.chmod(mode)


def version_of(path: Path) -> Version:
    """Another one after every change; None where there is no file."""
    try:
        stat = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino
