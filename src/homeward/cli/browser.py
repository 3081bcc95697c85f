"""`homeward browser`: the models that the pages in the browser are offered."""

from pathlib import Path

import click

from homeward.cli.models import Line, config_option, run, table
from homeward.config import load


@click.group()
def browser() -> None:
    """Models for the pages that run them in the browser."""


@browser.command("list")
@config_option
def list_models(config: Path | None) -> None:
    """What the pages are offered."""
    from homeward.app.browser_models import browser_models

    rows = [
        (name, f"{path.stat().st_size / 1e6:.1f} MB", str(path))
        for name, path in browser_models(load(config=config)).items()
    ]
    table(("NAME", "SIZE", "PATH"), rows)


@browser.command()
@click.argument("address")
@config_option
def fetch(config: Path | None, address: str) -> None:
    """Download an image classifier (one .onnx file) from ADDRESS, for the page "Draw a digit"."""
    from homeward.app.browser_models import fetch as bring

    name = run(bring(load(config=config), address, Line()))
    click.echo(f"{name} is here. The page /browser/digits/ offers it.")


@browser.command()
@click.argument("name")
@config_option
def remove(config: Path | None, name: str) -> None:
    """Delete a file that was fetched."""
    from homeward.app.browser_models import remove as delete

    delete(load(config=config), name)
    click.echo(f"{name} is deleted.")
