"""`homeward keys`: which programs may use the API, and for what."""

from collections.abc import Sequence
from pathlib import Path

import click

from homeward.cli.models import config_option, table
from homeward.config import load
from homeward.observability.logs import configure_for_commands
from homeward.protocol.key_use import SCOPES, KeyLimits, KeyScope

NO_KEYS = "There are no keys: any program on this machine may use /v1, as long as Homeward listens here only."


@click.group()
def keys() -> None:
    """The keys with which programs use the API."""
    configure_for_commands()


@keys.command()
@click.argument("name")
@click.option(
    "--scope",
    "scopes",
    type=click.Choice(SCOPES),
    multiple=True,
    help="What the key allows; give it once for each [models, answers, embeddings]. "
    "Without `cloud`, whatever the program asks stays on this device.",
)
@click.option(
    "--requests-per-minute",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many requests it may send in a minute [as [gateway] says; any number, where it says nothing].",
)
@click.option(
    "--at-once",
    type=click.IntRange(min=1),
    metavar="N",
    help="How many of its requests may run at once [likewise].",
)
@config_option
def add(
    config: Path | None,
    name: str,
    scopes: Sequence[KeyScope],
    requests_per_minute: int | None,
    at_once: int | None,
) -> None:
    """Make a key for the program NAME, and print it: it is shown this once, and can't be shown again.

    From the first key on, every program needs one.
    """
    from homeward.app.keys import KeyFile
    from homeward.gate.keys import DEFAULT_SCOPES

    limits = KeyLimits(requests_per_minute=requests_per_minute, at_once=at_once)
    key = KeyFile(load(config=config).data_dir).add(name, scopes or DEFAULT_SCOPES, limits)
    click.echo("Keep this key where its program finds it; it is not shown again:", err=True)
    click.echo(key)


@keys.command("list")
@config_option
def list_keys(config: Path | None) -> None:
    """Show whose keys there are, what each allows, and how much; not the keys themselves, which nobody has."""
    from homeward.app.keys import key_rows

    rows = key_rows(load(config=config))
    if rows:
        table(("NAME", "SCOPES", "MADE", "LIMITS"), rows)
    else:
        click.echo(NO_KEYS)


@keys.command()
@click.argument("name")
@config_option
def remove(config: Path | None, name: str) -> None:
    """Take the key of the program NAME away; a Homeward that runs refuses it a second later."""
    from homeward.app.keys import KeyFile, key_rows

    settings = load(config=config)
    KeyFile(settings.data_dir).remove(name)
    click.echo(f"The key called {name} is removed.")
    if not key_rows(settings):
        click.secho(NO_KEYS, fg="yellow")
