"""`homeward backends`: the clouds of the configuration, their keys, and whether they work."""

import sys
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from homeward.cli.models import config_option, run, table
from homeward.config import load
from homeward.observability.logs import configure_for_commands

if TYPE_CHECKING:
    from homeward.backends.examine import Examination

COLOURS = {"ok": "green", "note": "yellow", "failed": "red"}
FAULTS = {"settings": "In the settings:", "network": "In the network:", "service": "At the service:", None: ""}
EMPTY = "There are no clouds in the configuration; Homeward asks none. docs/clouds.md shows how to add one."


@click.group()
def backends() -> None:
    """The clouds and services elsewhere that may answer."""
    configure_for_commands()


@backends.command("list")
@config_option
def list_backends(config: Path | None) -> None:
    """Show the clouds of the configuration, and where their keys are. None of them is asked."""
    from homeward.app.clouds import cloud_rows

    rows = run(cloud_rows(load(config=config)))
    if rows:
        table(("NAME", "PLACE", "KIND", "HOST", "MODEL", "KEY", "PRICE PER MILLION TOKENS"), rows)
    else:
        click.echo(EMPTY)


@backends.command()
@click.argument("names", nargs=-1)
@config_option
def test(config: Path | None, names: Sequence[str]) -> None:
    """Try clouds out: name, connection, key, model, a short answer; say exactly what is wrong.

    What is sent is "Say hello.", never a word of yours; it costs a few tokens. Without NAMES: all of them.
    """
    sys.exit(0 if run(tried_out(config, names)) else 1)


async def tried_out(config: Path | None, names: Sequence[str]) -> bool:
    """Print what comes of each; whether all of them work."""
    from homeward.app.clouds import examined

    settings = load(config=config)
    if not settings.clouds:
        click.echo(EMPTY)
    fine = True
    async with aclosing(examined(settings, names)) as examinations:
        async for row, examination in examinations:
            click.secho(f"{row.name}: {row.model} at {row.host} ({row.place})", bold=True)
            for line in lines(examination):
                click.echo(line)
            fine = fine and examination.ok
    return fine


def lines(examination: "Examination") -> list[str]:
    """Each step in a line; where one failed, what to do about it below it."""
    shown = []
    for step in examination.steps:
        result = click.style(f"{step.result:<6}", fg=COLOURS[step.result])
        shown.append(f"  {result}  {step.name:<10}  {step.sentence}")
        if step.next_step:
            shown.append(f"{'':22}{FAULTS[step.fault]} {step.next_step}")
    if examination.total_seconds is not None:
        shown.append(f"  It works: an answer took {examination.total_seconds:.2f} s.")
    return shown


@backends.command()
@click.argument("name")
@click.option("--remove", is_flag=True, help="Remove the key from the keyring.")
@config_option
def key(config: Path | None, name: str, remove: bool) -> None:
    """Keep the key of a cloud in the keyring of the system. It is asked for, or read from standard input."""
    from homeward.app.clouds import forget_key, keep_key

    settings = load(config=config)
    if remove:
        click.echo(forget_key(name))
    else:
        click.echo(keep_key(settings, name, entered_key))


@backends.command()
@click.argument("name")
@click.option("--withdraw", is_flag=True, help="Nothing may go there any more.")
@config_option
def agree(config: Path | None, name: str, withdraw: bool) -> None:
    """Agree that a cloud may be asked, where there is no page to ask you. Homeward must not run meanwhile."""
    from homeward.app.clouds import agreed

    click.echo(run(agreed(load(config=config), name, withdraw=withdraw)))


def entered_key() -> str:
    """What was typed, hidden; or the first line of what was piped in. Not an argument: those are seen by others."""
    if sys.stdin.isatty():
        return str(click.prompt("Key", hide_input=True))
    return sys.stdin.readline()
