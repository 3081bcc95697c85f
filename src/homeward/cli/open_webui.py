"""`homeward open-webui`: Open WebUI, installed once, wired to Homeward, ended with Ctrl+C."""

import sys
from pathlib import Path

import click

from homeward.cli.models import Line, config_option
from homeward.config import load
from homeward.observability.logs import configure_for_commands


@click.command("open-webui")
@click.option("--port", type=click.IntRange(1, 65_535), default=8081, show_default=True, help="Its page's port.")
@click.option(
    "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Homeward's data folder; Open WebUI is in it."
)
@config_option
@click.option("--titles", is_flag=True, help="Titles, tags and follow-up questions too: more calls, on this device.")
@click.option("--docker", is_flag=True, help="Install nothing; print the command that runs it in Docker.")
@click.option("--open/--no-open", "open_", default=None, help="Open the page in the browser once it is ready.")
def open_webui(
    port: int, data_dir: Path | None, config: Path | None, titles: bool, docker: bool, open_: bool | None
) -> None:
    """Start Open WebUI on this machine, with Homeward behind it.

    The first start installs it into an environment of its own in the data folder; this takes minutes.
    A Homeward that runs on the data folder is used; where none does, its gateway is started.
    """
    settings = load({"data_dir": data_dir, "open": open_}, config=config)
    configure_for_commands()
    from homeward.app.open_webui.run import Wish, prepare_container, run

    wish = Wish(port=port, titles=titles, config=config)
    if docker:
        prepared = prepare_container(settings, wish, platform=sys.platform)
        click.echo(prepared.command)
        for note in prepared.notes:
            click.secho(note, fg="yellow", err=True)
    else:
        run(settings, wish, announce=click.echo, show=Line())
