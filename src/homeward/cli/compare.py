"""`homeward compare`: the same prompts to several backends, measured on this machine."""

import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from homeward.cli.models import Line, config_option, run, table
from homeward.config import Settings, load
from homeward.observability.logs import configure_for_commands
from homeward.protocol.errors import InvalidRequestError
from homeward.protocol.place import Place

if TYPE_CHECKING:
    from homeward.app.comparing.figures import Figures
    from homeward.app.comparing.measure import Candidate
    from homeward.app.comparing.opening import Comparable
    from homeward.app.comparing.prompts import Prompt

OUTPUT = Path("homeward-compare.html")


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for."""

    prompts: Path | None
    backends: tuple[str, ...]
    """Empty: those that are asked by default."""
    repeat: int
    max_tokens: int
    output: Path
    cloud: bool
    yes: bool

    @property
    def command(self) -> str:
        """The command line again."""
        words = ["homeward", "compare", "--repeat", str(self.repeat), "--max-tokens", str(self.max_tokens)]
        words += ["--prompts", str(self.prompts)] if self.prompts else []
        words += ["--backends", ",".join(self.backends)] if self.backends else []
        words += ["--cloud"] if self.cloud else []
        words += ["--output", str(self.output)] if self.output != OUTPUT else []
        return shlex.join(words)


Open = Callable[[Settings], "AbstractAsyncContextManager[Comparable]"]


@click.command()
@click.option(
    "--prompts",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A file with a prompt on each line, or with JSON lines [eight prompts of Homeward's own].",
)
@click.option("--backends", default="", help="Which ones, with commas between [all but the clouds].")
@click.option("--repeat", type=click.IntRange(1, 100), default=1, show_default=True, help="Ask each prompt so often.")
@click.option("--max-tokens", type=click.IntRange(1, 8192), default=128, show_default=True, help="Longest answer.")
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), default=OUTPUT, show_default=True, help="The page."
)
@click.option("--cloud", is_flag=True, help="Ask the clouds as well.")
@click.option("--yes", is_flag=True, help="Agree that these prompts go to the clouds that are asked.")
@config_option
@click.pass_obj
def compare(opener: Open | None, /, config: Path | None, backends: str, **options: object) -> None:
    """Ask several backends the same, and show how fast, private and costly they are: as a table and an HTML page.

    A cloud is asked only with --cloud or by its name, and only where you agreed on the page once or say --yes.
    Stop a running Homeward before: two models that compute at once hinder each other.
    """
    from homeward.app.comparing.opening import configured

    configure_for_commands()
    names = tuple(filter(None, (name.strip() for name in backends.split(","))))
    wish = msgspec.convert({**options, "backends": names}, Wish)
    figures = run(compared(wish, load(config=config), opener or configured))
    sys.exit(0 if any(each.answered for each in figures) else 1)


async def compared(wish: Wish, settings: Settings, opener: Open) -> "list[Figures]":
    """Measure, print the table, write the page."""
    from homeward.app.comparing.figures import figures_of
    from homeward.app.comparing.matrix import matrix
    from homeward.app.comparing.measure import measure
    from homeward.app.comparing.prompts import OURS, read_prompts

    prompts = read_prompts(wish.prompts) if wish.prompts else OURS
    if not wish.output.absolute().parent.is_dir():  # said before minutes and money are spent
        raise unwritable(wish.output)
    figures = []
    async with opener(settings) as comparable:
        candidates = chosen(comparable.candidates, wish)
        for candidate in candidates:
            if candidate.place in (Place.NETWORK, Place.CLOUD):
                click.echo(announcement(candidate, prompts, wish, settings.budget.currency))
        if wish.yes:
            comparable.agree(candidate.name for candidate in candidates)
        for candidate in candidates:
            measured = await measure(
                candidate, prompts, comparable.ask, repeat=wish.repeat, max_tokens=wish.max_tokens, show=Line()
            )
            figures.append(figures_of(measured))
    click.echo()
    rows = matrix(figures, settings.budget.currency)
    table(("", *(each.candidate.name for each in figures)), [(row.title, *row.cells) for row in rows])
    write_page(figures, prompts, wish, settings.budget.currency)
    click.echo(f"\nThe page with charts: {wish.output}")
    return figures


def chosen(candidates: "Sequence[Candidate]", wish: Wish) -> "list[Candidate]":
    """Which ones are asked.

    Raises:
        InvalidRequestError: a name is none of theirs, nothing is left, or the user did not agree to one.
    """
    known = {candidate.name: candidate for candidate in candidates}
    if unknown := [name for name in wish.backends if name not in known]:
        raise InvalidRequestError(
            f"There is no backend called {', '.join(unknown)}.", next_step=f"There are: {', '.join(known)}."
        )
    taken = [known[name] for name in dict.fromkeys(wish.backends)] or [
        each for each in candidates if asked_by_default(each, wish)
    ]
    if not taken:
        raise InvalidRequestError("There is nothing to compare.", next_step="Add a model: homeward models add PATH.")
    away = [each for each in taken if each.place in (Place.NETWORK, Place.CLOUD)]
    if not wish.yes and (unasked := [f"{each.name} ({each.host})" for each in away if not each.consented]):
        raise InvalidRequestError(
            f"You have not agreed yet that prompts go to {', '.join(unasked)}.",
            next_step="Say --yes for these prompts, agree on the page, or name others with --backends.",
        )
    return taken


def asked_by_default(candidate: "Candidate", wish: Wish) -> bool:
    """Whether it is asked where none is named."""
    if candidate.place is Place.CLOUD:
        return wish.cloud
    return candidate.place is not Place.NETWORK or candidate.consented or wish.yes


def announcement(candidate: "Candidate", prompts: "Sequence[Prompt]", wish: Wish, currency: str) -> str:
    """What will leave this machine, and what it may cost."""
    from homeward.app.comparing.measure import most_it_costs

    most = most_it_costs(candidate, prompts, repeat=wish.repeat, max_tokens=wish.max_tokens)
    cost = (
        "its prices are not in the configuration" if most is None else f"it costs at most about {most:.4f} {currency}"
    )
    count = len(prompts) * wish.repeat + 1
    return f"{count} prompts leave this machine for {candidate.name} ({candidate.host}); {cost}."


def write_page(figures: "Sequence[Figures]", prompts: "Sequence[Prompt]", wish: Wish, currency: str) -> None:
    """Raises InvalidRequestError: it can't be written there."""
    from homeward.app.comparing.machine import machine_facts
    from homeward.app.comparing.page import Comparison, page_of

    comparison = Comparison(
        figures=tuple(figures),
        currency=currency,
        made_at=datetime.now().astimezone(),
        machine=machine_facts(),
        prompts=tuple(prompt.title for prompt in prompts),
        repeat=wish.repeat,
        max_tokens=wish.max_tokens,
        command=wish.command,
    )
    try:
        wish.output.write_text(page_of(comparison), encoding="utf-8")
    except OSError as error:
        raise unwritable(wish.output) from error


def unwritable(output: Path) -> InvalidRequestError:
    """What to say where there can't be a page."""
    return InvalidRequestError(
        f"The page can't be written to {output}.", next_step="Choose another file with --output."
    )
