"""Reading settings: file, environment, command line; and saying what is wrong in which line."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from homeward.config.settings import Settings, default_data_dir
from homeward.protocol.errors import ConfigError

PREFIX = "HOMEWARD_"
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
        raise explain(error, path if content else None, content, variables) from error
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
    known: dict[str, tuple[str, ...]] = {}
    for name, field in Settings.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            for inner in field.annotation.model_fields:
                known[f"{PREFIX}{name}_{inner}".upper()] = (name, inner)
        else:
            known[f"{PREFIX}{name}".upper()] = (name,)
    found: dict[str, Any] = {}
    for variable, (table_name, name) in OF_THE_SAMPLE.items():
        if value := environment.get(variable):
            found.setdefault(table_name, {})[name] = value
    for variable, value in environment.items():
        if not variable.startswith(PREFIX) or variable == PREFIX + "CONFIG":
            continue
        keys = known.get(variable)
        if keys is None:
            raise ConfigError(
                f"The environment variable {variable} is not a setting of Homeward.",
                next_step=f"Unset it, or use one of: {', '.join(sorted(known))}.",
            )
        table = found if len(keys) == 1 else found.setdefault(keys[0], {})
        table[keys[-1]] = value
    return found


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


def explain(
    error: ValidationError, path: Path | None, content: Mapping[str, Any], variables: Mapping[str, Any]
) -> ConfigError:
    """Each wrong value with its source and what it may be."""
    lines = [f"{source(problem['loc'], path, content, variables)}: {sentence(problem)}" for problem in error.errors()]
    return ConfigError(
        "The configuration is wrong. " + " ".join(lines),
        next_step="Correct it, then check with `homeward config check`.",
    )


def source(
    location: tuple[int | str, ...], path: Path | None, content: Mapping[str, Any], variables: Mapping[str, Any]
) -> str:
    """Where a value came from: variable, file and line, or option."""
    keys = [str(key) for key in location if not is_union_branch(str(key))]
    if holds(variables, keys):
        return PREFIX + "_".join(keys).upper()
    if path is not None and holds(content, keys):
        return f"{path}, line {line_of(path.read_text(encoding='utf-8'), keys)}"
    return "--" + "-".join(keys).replace("_", "-")


def is_union_branch(key: str) -> bool:
    """Pydantic appends the branch of a union that it tried (`path`, `literal[…]`) to the location."""
    return key == "path" or "[" in key


def holds(layer: Mapping[str, Any], keys: list[str]) -> bool:
    """Whether a layer has a value under these keys."""
    value: Any = layer
    for key in keys:
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[key]
    return True


def line_of(text: str, keys: list[str]) -> int:
    """The line, from 1, in which a key stands: the last `[table]` above counts."""
    table: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[\s*([\w.\s\"-]+?)\s*\]", line):
            table = [part.strip(' "') for part in header[1].split(".")]
            if table == keys:
                return number
        elif (match := re.match(r"\s*([\w.\"-]+)\s*=", line)) and [
            *table,
            *(part.strip('"') for part in match[1].split(".")),
        ] == keys:
            return number
    return 1


def sentence(problem: ErrorDetails) -> str:
    """What is wrong, and what the value may be."""
    name = ".".join(str(key) for key in problem["loc"] if not is_union_branch(str(key)))
    if problem["type"] == "extra_forbidden":
        return f"there is no setting `{name}`; {nearest(problem['loc'])}."
    return f"`{name}` is {problem['input']!r}: {problem['msg'].lower()}."


def nearest(location: tuple[int | str, ...]) -> str:
    """The names that the table has."""
    table: type[BaseModel] = Settings
    for key in location[:-1]:
        field = table.model_fields.get(str(key))
        inner = [field.annotation, *get_args(field.annotation)] if field else []
        table = next((each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)), table)
    return "there are " + ", ".join(table.model_fields)
