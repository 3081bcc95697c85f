"""`homeward models`, `homeward discover` and `homeward doctor`: what the models page shows, in a terminal.

They share the list of models with a Homeward that is running: what is chosen here, it loads a moment later.
"""

import asyncio
import sys
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import TypeVar

import click

from homeward.config import load
from homeward.observability.logs import configure_for_commands

T = TypeVar("T")

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Configuration file [homeward.toml in the data folder].",
)


@click.group()
def models() -> None:
    """The models of this machine."""
    configure_for_commands()


@models.command("list")
@click.option("--catalogue", is_flag=True, help="What Foundry's catalogue offers; asks it over the network.")
@config_option
def list_models(config: Path | None, catalogue: bool) -> None:
    """Show the models of this machine; the one with * answers."""
    from homeward.app.terminal import catalogue_rows, model_rows

    settings = load(config=config)
    if catalogue:
        table(
            ("ALIAS", "VARIANT", "SIZE", "CONTEXT", "DEVICE", "LICENCE", "HERE", "MEMORY"),
            run(catalogue_rows(settings)),
        )
    else:
        table(("", "NAME", "ENGINE", "SIZE", "CONTEXT", "LICENCE", "MEMORY", "PATH"), run(model_rows(settings)))


@models.command()
@click.argument("name")
@config_option
def get(config: Path | None, name: str) -> None:
    """Download a model from Foundry's catalogue, by its alias or exact variant, and check it.

    Ctrl+C stops it; the same command goes on where it stopped.
    """
    from homeward.app.terminal import download

    name = run(download(load(config=config), name, Line()))
    click.echo(f"{name} is here and whole. Let it answer with: homeward models use {name}")


@models.command()
@click.argument("path", type=click.Path(path_type=Path))
@config_option
def add(config: Path | None, path: Path) -> None:
    """Put a model of your own on the list: a GGUF file, or a folder for ONNX Runtime GenAI. Nothing is copied."""
    from homeward.app.terminal import add as put_on_list

    name = put_on_list(load(config=config), path, Line())
    click.echo(f"{name} is whole and on the list. Let it answer with: homeward models use {name}")


@models.command()
@click.argument("name", required=False)
@config_option
def verify(config: Path | None, name: str | None) -> None:
    """Read every byte of a model's files, or of all models', and say what is wrong with them."""
    from homeward.app.terminal import verified

    whole = True
    for model, problems in verified(load(config=config), name, Line()):
        whole = whole and not problems
        click.secho(f"{model}: {'whole' if not problems else 'DAMAGED'}", fg="red" if problems else "green")
        for problem in problems:
            click.echo(f"  {problem}")
    sys.exit(0 if whole else 1)


@models.command()
@click.argument("name")
@click.option("--delete-files", is_flag=True, help="Delete what was downloaded; files of your own always stay.")
@config_option
def remove(config: Path | None, name: str, delete_files: bool) -> None:
    """Take a model off the list."""
    from homeward.app.terminal import remove as take_off_list

    click.echo(run(take_off_list(load(config=config), name, delete_files=delete_files)))


@models.command()
@click.argument("name")
@config_option
def use(config: Path | None, name: str) -> None:
    """Let this model answer: a name of the list, `starter`, or a service's model such as ollama/llama3.2."""
    from homeward.app.terminal import use as choose

    choice = run(choose(load(config=config), name))
    click.echo(f"{choice} answers from now on. A running Homeward loads it now.")


@click.command()
@config_option
def discover(config: Path | None) -> None:
    """Look for model services that run on this machine; only this machine is asked, and nothing is started."""
    from homeward.app.terminal import discovered

    configure_for_commands()

    for line in run(discovered(load(config=config))):
        click.echo(line)


@click.command()
@config_option
def doctor(config: Path | None) -> None:
    """Say what this machine has to run models with, and what is wrong."""
    from homeward.app.terminal import findings

    configure_for_commands()

    fine = True
    for finding in run(findings(load(config=config))):
        fine = fine and finding.level != "fail"
        colour = {"ok": "green", "warn": "yellow", "fail": "red"}[finding.level]
        click.echo(f"{click.style(f'{finding.level:<4}', fg=colour)}  {finding.title}: {finding.sentence}")
    sys.exit(0 if fine else 1)


def run(work: Awaitable[T]) -> T:
    """Carry out what waits; Ctrl+C ends it in good order."""

    async def until_done() -> T:
        return await work

    return asyncio.run(until_done())


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Columns as wide as their widest entry."""
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    for row in (head, *rows):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


class Line:
    """One line that tells how far something is: rewritten in a terminal, every tenth of the way in a file."""

    def __init__(self) -> None:
        self._told = -1

    def __call__(self, what: str, fraction: float) -> None:
        """Show `what` at this part of its way, from 0 to 1."""
        if sys.stdout.isatty():
            click.echo(f"\r\x1b[K{what}", nl=fraction >= 1)
        elif (step := int(fraction * 10)) != self._told:
            self._told = step
            click.echo(what)
