"""`homeward route`: where a prompt would be answered, and why."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from homeward.cli.models import config_option, run
from homeward.config import load
from homeward.observability.logs import configure_for_commands

if TYPE_CHECKING:
    from homeward.manage.policy_state import Explanation
    from homeward.protocol.chat import Mode


@click.command()
@click.argument("prompt")
@click.option(
    "--mode",
    type=click.Choice(["auto", "device", "cloud"]),
    default="auto",
    help="As on the page: what the policy says, this device only, or the cloud first [auto].",
)
@click.option("--json", "as_json", is_flag=True, help="The whole explanation as JSON.")
@config_option
def route(prompt: str, mode: "Mode", as_json: bool, config: Path | None) -> None:
    """Say where PROMPT would be answered, and why; `-` reads it from standard input.

    It is decided like a question on the page, and then nobody is asked: no model is loaded, nothing is sent, kept or
    logged.
    """
    from homeward.app.explaining import explained_here

    configure_for_commands()
    text = sys.stdin.read() if prompt == "-" else prompt
    why = run(explained_here(load(config=config), text, mode))
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(why), indent=2))
    else:
        click.echo("\n".join((*why.sentences, "", *facts(why))))


def facts(why: "Explanation") -> list[str]:
    """What was known of the prompt, in numbers."""
    known = why.facts
    certain = "" if known.task else ", not certain enough to count"
    rows = {
        "task": f"{known.task_guess}, {known.task_probability:.0%}{certain}",
        "complexity": f"{known.complexity_score:.2f} of 1: {', '.join(known.evidence) or 'no evidence'}",
        "tokens": str(known.tokens),
        "findings": ", ".join(f"{kind} ({count})" for kind, count in sorted(known.findings.items())) or "none",
        "rule": why.rule,
        "took": f"{known.seconds * 1000:.1f} ms",
    }
    return [f"{name:<12}{value}" for name, value in rows.items()]
