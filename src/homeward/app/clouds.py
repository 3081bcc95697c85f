"""The clouds of the configuration as backends, and what a terminal shows of them."""

import os
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

from homeward.app.consents import FILE as CONSENTS_FILE
from homeward.app.consents import Consents
from homeward.app.instance import only_instance
from homeward.app.services import KINDS, THE_USERS
from homeward.backends import Backend, BackendRow, Connections
from homeward.backends.clouds import OPENAI_URL, base_url, cloud_row, locate_cloud
from homeward.backends.credentials import KEYRING_SECONDS, ApiKey, Credential, EntraToken
from homeward.backends.examine import Examination, examine
from homeward.backends.stored_keys import read_key, remove_key, store_key
from homeward.backends.threads import in_thread
from homeward.config import Settings
from homeward.config.clouds import CloudSettings
from homeward.config.show import written_key
from homeward.observability.audit import FILE as AUDIT_FILE
from homeward.observability.audit import Audit
from homeward.protocol.errors import ConfigError
from homeward.protocol.place import Place

ON_THIS_DEVICE = frozenset({*KINDS, THE_USERS, "llama", "foundry"})
RESERVED = ON_THIS_DEVICE | {*Place, "auto"}
"""Names that mean something else wherever a backend can be named."""
NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")
OWN_VARIABLES = {"azure": "AZURE_OPENAI_API_KEY", "openai": "OPENAI_API_KEY"}
"""Where other programs look for the key as well."""


def cloud_backends(
    settings: Settings, connections: Connections, *, environment: Mapping[str, str] | None = None
) -> dict[str, Backend]:
    """A backend for each cloud that is enabled, in the order of the configuration. Nothing is asked.

    Raises:
        ConfigError: a name is taken, or can't be one.
    """
    environment = os.environ if environment is None else environment
    check_names(settings)
    return {
        name: Backend(cloud_row(name, cloud), locate_cloud(cloud, credential_of(name, cloud, environment)), connections)
        for name, cloud in settings.clouds.items()
        if cloud.enabled
    }


def check_names(settings: Settings) -> None:
    """Raises ConfigError for a name that no cloud may have."""
    taken: dict[str, str] = {}
    for name in settings.clouds:
        table = f"[clouds.{written_key(name)}]"
        if not NAME.fullmatch(name):
            raise ConfigError(
                f"{table}: a cloud can't be called '{name}'.",
                next_step="Take small letters, digits, - and _ for [clouds.NAME], a letter first, 40 at most.",
            )
        if name in RESERVED:
            raise ConfigError(
                f"{table}: a cloud can't be called '{name}', which means something else.",
                next_step=f"Give it another name, for instance [clouds.my-{name}].",
            )
        variable = own_variable(name)
        if variable in taken:
            raise ConfigError(
                f"{table}: '{taken[variable]}' and '{name}' would take their keys from one variable, {variable}.",
                next_step="Rename one of them.",
            )
        taken[variable] = name


def credential_of(name: str, cloud: CloudSettings, environment: Mapping[str, str]) -> Credential | None:
    """What proves to it who asks; None where it wants nothing."""
    if cloud.auth == "none":
        return None
    if cloud.auth == "entra":
        return EntraToken(name)
    key, _ = given_key(name, cloud, environment)
    return ApiKey(name, key, key_variables(name, cloud)[0])


def given_key(name: str, cloud: CloudSettings, environment: Mapping[str, str]) -> tuple[str, str]:
    """Its key in a variable or in the configuration, and where that was; empty where there is none."""
    for variable in key_variables(name, cloud):
        if key := environment.get(variable, "").strip():
            return key, f"variable {variable}"
    key = cloud.api_key.get_secret_value().strip()
    return key, "configuration" if key else ""


def key_variables(name: str, cloud: CloudSettings) -> tuple[str, ...]:
    """The variables that may hold its key, in the order in which they are looked at.

    OpenAI's own one is meant for OpenAI, and its content goes nowhere else.
    """
    if cloud.api_key_env:
        return (cloud.api_key_env,)
    if cloud.kind == "openai" and base_url(cloud) != OPENAI_URL:
        return (own_variable(name),)
    return tuple(filter(None, (own_variable(name), OWN_VARIABLES.get(cloud.kind))))


def own_variable(name: str) -> str:
    """The variable for the key of the cloud of this name."""
    return "HOMEWARD_KEY_" + name.upper().replace("-", "_")


def cloud_named(settings: Settings, name: str) -> CloudSettings:
    """The settings of a cloud. Raises ConfigError where there is none of this name."""
    if name in settings.clouds:
        return settings.clouds[name]
    if name in ON_THIS_DEVICE:
        raise ConfigError(
            f"'{name}' is on this device; it is no cloud.", next_step="`homeward doctor` tells how it is."
        )
    known = f"There are: {', '.join(settings.clouds)}." if settings.clouds else "There is none yet."
    may_be = NAME.fullmatch(name) and name not in RESERVED
    raise ConfigError(
        f"The configuration has no cloud called '{name}'.",
        next_step=f"{known} Add [clouds.{name}] to it." if may_be else known,
    )


async def cloud_rows(settings: Settings) -> list[tuple[str, ...]]:
    """Name, place, kind, host, model, where the key is, prices of each cloud, as texts.

    Nothing is asked but the keyring.
    """
    check_names(settings)
    return [
        (
            name,
            cloud.place if cloud.enabled else "off",
            cloud.kind,
            cloud_row(name, cloud).host,
            cloud.model,
            await key_place(name, cloud),
            prices(cloud, settings.budget.currency),
        )
        for name, cloud in settings.clouds.items()
    ]


async def key_place(name: str, cloud: CloudSettings) -> str:
    """Where its key is, in words; the key itself stays there."""
    if cloud.auth != "key":
        return {"none": "none needed", "entra": "Entra ID"}[cloud.auth]
    _, place = given_key(name, cloud, os.environ)
    if place:
        return place
    try:
        return "keyring" if await in_thread(lambda: read_key(name), KEYRING_SECONDS) else "MISSING"
    except TimeoutError:
        return "keyring is locked"


def prices(cloud: CloudSettings, currency: str) -> str:
    """What a million tokens of prompt and of answer cost."""
    if cloud.input_price is None or cloud.output_price is None:
        return "unknown"
    return f"{cloud.input_price:g} / {cloud.output_price:g} {currency}"


async def examined(settings: Settings, names: Sequence[str]) -> AsyncGenerator[tuple[BackendRow, Examination], None]:
    """What came of trying these clouds out, one after the other; without names, all that are enabled.

    Raises:
        ConfigError: there is none of a name, or it is switched off.
    """
    for name in names:
        if not cloud_named(settings, name).enabled:
            raise ConfigError(
                f"The cloud '{name}' is switched off, so it is not asked.",
                next_step=f"Set `enabled = true` under [clouds.{name}].",
            )
    async with Connections() as connections:
        backends = cloud_backends(settings, connections)
        for name in names or backends:
            yield backends[name].row, await examine(backends[name], connections)


async def agreed(settings: Settings, name: str, *, withdraw: bool) -> str:
    """Agree that a cloud may be asked, or not any more, on record; what was done, as a sentence.

    Raises:
        ConfigError: there is no such cloud, Homeward is running, or it can't be written down.
        AuditError: it can't be put on record.
    """
    row = cloud_row(name, cloud_named(settings, name))
    with only_instance(settings.data_dir):
        audit = Audit(settings.data_dir / AUDIT_FILE)
        consents = Consents(settings.data_dir / CONSENTS_FILE, audit.note)
        try:
            if withdraw:
                await consents.withdraw(name)
                return f"Nothing goes to {name} any more."
            await consents.give(name, row.host)
        finally:
            await audit.close()
    price = prices(settings.clouds[name], settings.budget.currency)
    return (
        f"{name} ({row.model} at {row.host}; a million tokens of prompt and of answer: {price}) may be asked, "
        f"where your policy allows it. Take it back with: homeward backends agree {name} --withdraw"
    )


def keep_key(settings: Settings, name: str, entered: Callable[[], str]) -> str:
    """Keep a cloud's key in the keyring; what was done, as a sentence.

    Raises:
        ConfigError: there is no such cloud, it wants no key, nothing was entered, or the keyring can't be used.
    """
    cloud = cloud_named(settings, name)
    if cloud.auth != "key":
        raise ConfigError(f"The cloud '{name}' is asked without a key.", next_step="That is what its `auth` says.")
    key = entered().strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise ConfigError("That can't be a key, so nothing was stored.", next_step="Copy it once more.")
    store_key(name, key, variable=key_variables(name, cloud)[0])
    _, place = given_key(name, cloud, os.environ)
    sooner = f" The key in the {place} goes before it." if place else ""
    return f"The key of '{name}' is in the keyring.{sooner} Try it with: homeward backends test {name}"


def forget_key(name: str) -> str:
    """Remove a cloud's key from the keyring, also of one that is no longer configured. Raises ConfigError."""
    return f"The key of '{name}' was removed." if remove_key(name) else f"The keyring has no key of '{name}'."
