"""The command's options and messages; what is done stands elsewhere, imported when it is needed."""

import sys
from pathlib import Path
from typing import Any

import click

import homeward
from homeward.cli.audit import audit
from homeward.cli.backends import backends
from homeward.cli.browser import browser
from homeward.cli.compare import compare
from homeward.cli.keys import keys
from homeward.cli.models import config_option, discover, doctor, models
from homeward.cli.open_webui import open_webui
from homeward.cli.route import route
from homeward.config import Settings, load
from homeward.config.gateway import GatewaySettings
from homeward.protocol.errors import HomewardError

HELP = {name: field.description or "" for name, field in Settings.model_fields.items()}


class Sentences(click.Group):
    """Our errors as sentences on standard error, exit status 1, no traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except HomewardError as error:
            click.secho(str(error), fg="red", err=True)
            ctx.exit(1)


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(homeward.__version__, prog_name="Homeward")
def main() -> None:
    """Private, local-first chat: a model on this machine answers, and every answer says where it was made.

    Each option is also an environment variable (HOMEWARD_PORT) and a line of homeward.toml (port = 8080).
    """


main.add_command(models)
main.add_command(discover)
main.add_command(doctor)
main.add_command(backends)
main.add_command(browser)
main.add_command(keys)
main.add_command(audit)
main.add_command(compare)
main.add_command(route)
main.add_command(open_webui)


@main.command()
@click.option("--host", help=HELP["host"])
@click.option("--port", type=int, help=HELP["port"])
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help=HELP["data_dir"])
@config_option
@click.option("--open/--no-open", default=None, help=HELP["open"])
@click.option("--watch/--no-watch", default=None, help=HELP["watch"])
@click.option("--debug/--no-debug", default=None, help=HELP["debug"])
def up(config: Path | None, **options: Any) -> None:
    """Start Homeward and open its page."""
    settings = load(options, config=config)
    if settings.watch:
        watch(config, options)
        return
    from homeward.app.compose import Parts
    from homeward.app.page import assembled_page
    from homeward.app.serve import run
    from homeward.config.edit import config_file
    from homeward.observability.logs import configure

    configure(debug=settings.debug, log_format=settings.log_format)
    file = config_file(options, config=config)
    parts = Parts(settings)
    run(parts, lambda port: assembled_page(settings, file, parts, port), announce=click.echo)


@main.command()
@click.option("--host", help=HELP["host"])
@click.option("--port", type=int, help=HELP["port"])
@click.option("--data-dir", type=click.Path(path_type=Path, file_okay=False), help=HELP["data_dir"])
@config_option
@click.option("--workers", type=click.IntRange(1, 64), help=GatewaySettings.model_fields["workers"].description)
@click.option("--debug/--no-debug", default=None, help=HELP["debug"])
def gateway(config: Path | None, workers: int | None, **options: Any) -> None:
    """Start the gateway alone: /v1 for other programs, without the page."""
    of_the_gateway = {"workers": workers} if workers is not None else None
    settings = load({**options, "open": False, "gateway": of_the_gateway}, config=config)
    from homeward.app.compose import Parts, assembled_gateway
    from homeward.observability.logs import configure

    configure(debug=settings.debug, log_format=settings.log_format)
    parts = Parts(settings, page=False)
    if settings.gateway.workers > 1:
        from homeward.app.workers.keeper import run as keep

        keep(parts, announce=click.echo)
    else:
        from homeward.app.serve import run

        run(parts, lambda port: assembled_gateway(settings, parts, port), announce=click.echo)


def watch(config: Path | None, options: dict[str, Any]) -> None:
    """Run `homeward up` as a child that starts anew when a source file of ours changes."""
    import watchfiles

    command = [sys.executable, "-m", "homeward", "up", "--no-watch", "--no-open"]
    if config:
        command += ["--config", str(config)]
    for name in ("host", "port", "data_dir"):
        if options[name] is not None:
            command += ["--" + name.replace("_", "-"), str(options[name])]
    if options["debug"]:
        command.append("--debug")
    source = Path(homeward.__file__).parent
    watchfiles.run_process(source, target=shell_words(command), target_type="command")


def shell_words(command: list[str]) -> str:
    """One line that the watcher takes apart again."""
    import shlex

    return shlex.join(command)


@main.group()
def config() -> None:
    """The configuration file."""


@config.command()
@config_option
def check(config: Path | None) -> None:
    """Say what is wrong with the configuration, with the line and the fix."""
    from homeward.app.completing import check_rules
    from homeward.config.edit import config_file
    from homeward.config.notes import notes

    settings = load(config=config)
    path = config_file(config=config).path
    click.echo(f"Configuration file: {path}{'' if path.is_file() else ' (there is none yet)'}")
    check_rules(settings)
    click.secho("The configuration is right.", fg="green")
    for note in notes(settings):
        click.secho(note, fg="yellow")
    click.echo(f"Data folder: {settings.data_dir}")


@config.command()
@config_option
def show(config: Path | None) -> None:
    """Print every setting as it is in force, with its meaning, as TOML."""
    from homeward.config.show import as_toml

    click.echo(as_toml(load(config=config)), nl=False)


@main.group()
def history() -> None:
    """The stored conversations."""


@history.command()
@config_option
def migrate(config: Path | None) -> None:
    """Create or upgrade the history's tables; needed for PostgreSQL only, SQLite does it at start."""
    import asyncio

    from homeward.app.compose import database_url
    from homeward.history import migrate as upgrade

    click.echo(f"The history's tables are at version {asyncio.run(upgrade(database_url(load(config=config))))}.")
