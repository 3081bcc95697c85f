"""Reading settings: file, environment, command line."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from homeward.config.mistakes import closest, explain
from homeward.config.settings import PREFIX, Settings, default_data_dir
from homeward.protocol.errors import ConfigError

KEYS = PREFIX + "KEY_"
"""Before the variables that hold the keys of clouds: no settings, and read where a key is needed."""
OF_THE_SAMPLE = {"MODEL": ("models", "use"), "BASE_URL": ("service", "url"), "API_KEY": ("service", "api_key")}
"""Variables of the sample that Homeward grew from; a `HOMEWARD_…` variable for the same setting goes before them."""
FILE_NAME = "homeward.toml"


def load(
    command_line: Mapping[str, Any] | None = None,
    *,
    config: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from all sources.

    `command_line` holds top-level settings that were given as options (None: not given). `config` names the file;
    without it, `HOMEWARD_CONFIG` or `homeward.toml` in the data folder, if there. Relative paths in the file mean
    the file's folder.

    Raises ConfigError: a file that was named is missing, isn't TOML, or a value is wrong.
    """
    environment = os.environ if environment is None else environment
    given = {name: value for name, value in (command_line or {}).items() if value is not None}
    variables = from_environment(environment)
    path, named = config_path(config, environment, given, variables)
    content = read(path, named=named) if path else {}
    try:
        settings = Settings.model_validate(merge(content, variables, given))
    except ValidationError as error:
        # Dropped as cause: it holds every value, keys too.
        raise explain(error, path if content else None, content, variables) from None
    return with_absolute_paths(settings, path)


def config_path(
    config: Path | None, environment: Mapping[str, str], given: Mapping[str, Any], variables: Mapping[str, Any]
) -> tuple[Path | None, bool]:
    """The file to read and whether the user named it; (None, False) where there is none."""
    if config is not None:
        return config, True
    if name := environment.get(PREFIX + "CONFIG"):
        return Path(name), True
    folder = Path(given.get("data_dir") or variables.get("data_dir") or default_data_dir())
    path = folder / FILE_NAME
    return (path, False) if path.is_file() else (None, False)


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """`HOMEWARD_PORT=1` is `port`; `HOMEWARD_LLAMA_SLOTS=1` is `slots` in `[llama]`; an unknown one is an error."""
    known = known_variables()
    found: dict[str, Any] = {}
    for variable, (table_name, name) in OF_THE_SAMPLE.items():
        if value := environment.get(variable):
            found.setdefault(table_name, {})[name] = value
    for variable, value in environment.items():
        if not variable.startswith(PREFIX) or variable.startswith(KEYS) or variable == PREFIX + "CONFIG":
            continue
        keys = known.get(variable)
        if keys is None:
            near = closest(variable.removeprefix(PREFIX), [name.removeprefix(PREFIX) for name in known])
            perhaps = f"Perhaps {PREFIX}{near}. " if near else ""
            others = f"one of: {', '.join(sorted(known))}. Lists can stand in {FILE_NAME} only."
            raise ConfigError(
                f"The environment variable {variable} is not a setting of Homeward.",
                next_step=f"{perhaps}Unset it, or use {others}",
            )
        table = found if len(keys) == 1 else found.setdefault(keys[0], {})
        table[keys[-1]] = value
    return found


def known_variables() -> dict[str, tuple[str, ...]]:
    """The settings that a variable can hold, by its name."""
    known: dict[str, tuple[str, ...]] = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            for inner, inner_field in field.annotation.model_fields.items():
                if fits_a_variable(inner_field):
                    known[f"{PREFIX}{name}_{inner}".upper()] = (name, inner)
        elif fits_a_variable(field):
            known[f"{PREFIX}{name}".upper()] = (name,)
    return known


def fits_a_variable(field: FieldInfo) -> bool:
    """Whether its value can be written as one text, which a list or a table can't."""
    kinds = (field.annotation, *get_args(field.annotation))
    return not any(get_origin(kind) in {tuple, dict} for kind in kinds)


def read(path: Path, *, named: bool) -> dict[str, Any]:
    """The file's content. Raises ConfigError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        hint = "Create it, or leave out --config and HOMEWARD_CONFIG." if named else ""
        raise ConfigError(f"There is no configuration file {path}.", next_step=hint) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The configuration file {path} can't be read: {error}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            f"{path} is not valid TOML: {error}.", next_step="Text needs quotation marks, tables need [brackets]."
        ) from error


def merge(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Later layers win, table by table."""
    result: dict[str, Any] = {}
    for layer in layers:
        for key, value in layer.items():
            below = result.get(key)
            if isinstance(below, Mapping) and isinstance(value, Mapping):
                value = merge(below, value)  # noqa: PLW2901 - the loop's own copy
            result[key] = value
    return result


def with_absolute_paths(settings: Settings, path: Path | None) -> Settings:
    """Paths that do not depend on the working directory."""
    base = path.absolute().parent if path else Path.cwd()
    model = settings.llama.model
    llama = settings.llama
    if isinstance(model, Path):
        llama = llama.model_copy(update={"model": absolute(model, base)})
    return settings.model_copy(update={"data_dir": absolute(settings.data_dir, Path.cwd()), "llama": llama})


def absolute(path: Path, base: Path) -> Path:
    """`~` and relative paths resolved."""
    return Path(os.path.abspath(base / path.expanduser()))  # noqa: PTH100 - resolve() would follow links
