"""`homeward audit`: what left this machine, from the audit log."""

import math
import re
import sys
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from homeward.cli.models import config_option, table
from homeward.config import load
from homeward.observability.audit import (
    FILE,
    AuditBegun,
    AuditEnded,
    AuditNote,
    Transfer,
    Unreadable,
    decode,
    read,
    read_raw,
    transfers,
)
from homeward.observability.spend import cost_of

HEAD = ("WHEN", "PLACE", "BACKEND", "HOST", "MODEL", "BYTES OUT", "FINDINGS", "RULE", "COST", "ENDED")
TOTALS_HEAD = ("BACKEND", "ATTEMPTS", "BYTES OUT", "COST")
UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
WHY = {"damaged": "cut off or altered", "newer": "written by a newer Homeward"}


def moment(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    """A time back from now, such as 7d, or a date in this machine's zone; as UTC."""
    if value is None:
        return None
    try:
        if match := re.fullmatch(r"(\d+)([mhdw])", value):
            return datetime.now(UTC) - timedelta(**{UNITS[match[2]]: int(match[1])})
        return datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(
            f"“{value}” is neither a time such as 7d or 12h nor a date such as 2026-11-22."
        ) from error


@click.command()
@click.option("--since", callback=moment, help="Only from then on: 7d, 12h, or a date such as 2026-11-22.")
@click.option("--backend", help="Only what went to this backend.")
@click.option("--json", "as_json", is_flag=True, help="Print the log's own lines.")
@click.option("--verify", is_flag=True, help="Say which lines are damaged, and which attempts have no end.")
@config_option
def audit(config: Path | None, since: datetime | None, backend: str | None, as_json: bool, verify: bool) -> None:
    """Show what left this machine: when, where to, how many bytes, why, what it cost. The texts are not on record."""
    settings = load(config=config)
    path = settings.data_dir / FILE
    if verify:
        sys.exit(0 if say_what_is_wrong(path) else 1)
    if as_json:
        for text in raw_lines(path, since, backend):
            click.echo(text)
        return
    lines = list(read(path))
    unread = sum(isinstance(line, Unreadable) for line in lines)
    chosen = of_backend(transfers(lines, since=since), backend)
    if chosen:
        table(HEAD, [row(each, settings.budget.currency) for each in chosen])
        click.echo()
        table(TOTALS_HEAD, totals(chosen, settings.budget.currency))
    elif unread:
        click.echo("What can be read of the log tells of nothing that has left this machine.")
    elif backend and (named := unknown_beside(transfers(lines), backend, settings.clouds)):
        click.echo(f"The log knows no backend called {backend}; it names: {', '.join(map(printable, named))}.")
    else:
        click.echo(nothing(since, backend))
    if unread:
        click.secho(f"{unread} lines of the log can't be read: homeward audit --verify", fg="yellow", err=True)


def of_backend(chosen: Iterable[Transfer], backend: str | None) -> list[Transfer]:
    """Those to this backend; all where none is named."""
    return [each for each in chosen if backend is None or each.begun.backend == backend]


def unknown_beside(on_record: Iterable[Transfer], backend: str, clouds: Collection[str]) -> list[str]:
    """What the log names, where this backend is neither there nor a cloud of the configuration; else empty."""
    named = {each.begun.backend for each in on_record}
    return [] if backend in named or backend in clouds else sorted(named)


def nothing(since: datetime | None, backend: str | None) -> str:
    """That there is nothing to show, as a sentence."""
    to = f" for {backend}" if backend else ""
    from_then = f" since {clock_words(since)}" if since else ""
    return f"Nothing has left this machine{to}{from_then}."


def row(transfer: Transfer, currency: str) -> tuple[str, ...]:
    """One attempt as cells."""
    begun, ended = transfer.begun, transfer.ended
    cells = (
        clock_words(begun.at),
        begun.place.value,
        begun.backend,
        begun.host,
        begun.model,
        f"{ended.bytes_out:,}" if ended else "not known",
        finding_words(begun),
        begun.rule,
        cost_words([transfer], currency),
        (ended.error or "complete") if ended else "no end on record",
    )
    return tuple(printable(cell) or "-" for cell in cells)


def totals(chosen: Sequence[Transfer], currency: str) -> list[tuple[str, ...]]:
    """One row per backend, and one for all where there are several."""
    names = sorted({each.begun.backend for each in chosen})
    rows = [total(name, of_backend(chosen, name), currency) for name in names]
    return rows if len(rows) == 1 else [*rows, total("all", chosen, currency)]


def total(name: str, chosen: Sequence[Transfer], currency: str) -> tuple[str, ...]:
    """The sums of these attempts."""
    sent = sum(each.ended.bytes_out for each in chosen if each.ended)
    return printable(name), str(len(chosen)), f"{sent:,}", cost_words(chosen, currency)


def cost_words(chosen: Sequence[Transfer], currency: str) -> str:
    """What they cost together; with what is not known for certain, the most that it can have been."""
    known = all(each.ended and each.ended.cost is not None for each in chosen)
    if not known and not any(each.begun.at_most_cost or (each.ended and each.ended.cost) for each in chosen):
        return "not known"
    return f"{'' if known else 'at most '}{math.fsum(map(cost_of, chosen)):.4f} {currency}"


def finding_words(begun: AuditBegun) -> str:
    """Kinds and numbers of what was found in the request."""
    words = ", ".join(f"{kind} {count}" for kind, count in sorted(begun.findings.items()))
    return f"{words} (masked)" if words and begun.masked else words


def clock_words(moment: datetime) -> str:
    """In this machine's zone."""
    return f"{moment.astimezone():%Y-%m-%d %H:%M:%S}"


def printable(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(each if each.isprintable() else "?" for each in text)


def raw_lines(path: Path, since: datetime | None, backend: str | None) -> list[bytes]:
    """The log's own lines about what was chosen, both of each attempt, and notes; without a choice, all."""
    if since is None and backend is None:
        return [text.rstrip() for _, text in read_raw(path)]
    lines = [(decode(text, number), text.rstrip()) for number, text in read_raw(path)]
    chosen = of_backend(transfers((line for line, _ in lines), since=since), backend)
    keys = {(each.begun.request, each.begun.attempt) for each in chosen}

    def wanted(line: AuditBegun | AuditEnded | AuditNote | Unreadable) -> bool:
        if isinstance(line, AuditNote):
            return (since is None or line.at >= since) and backend in (None, line.details.get("backend"))
        return not isinstance(line, Unreadable) and (line.request, line.attempt) in keys

    return [text for line, text in lines if wanted(line)]


def say_what_is_wrong(path: Path) -> bool:
    """Print it; whether every line can be read and belongs to something."""
    lines = list(read(path))
    unread = [line for line in lines if isinstance(line, Unreadable)]
    for line in unread:
        click.secho(f"line {line.number}: {WHY[line.why]}", fg="red")
    found = transfers(lines)
    begun = {(each.begun.request, each.begun.attempt) for each in found}
    alone = [line for line in lines if isinstance(line, AuditEnded) and (line.request, line.attempt) not in begun]
    for end in alone:
        click.secho(f"{clock_words(end.at)}: the end of an attempt whose beginning is missing", fg="red")
    for each in found:
        if each.ended is None:
            words = f"{clock_words(each.begun.at)}: the attempt at {each.begun.backend} has no end; it runs now, or"
            click.secho(f"{printable(words)} Homeward was killed in its middle", fg="yellow")
    whole = not unread and not alone
    click.echo(f"{path}: {len(lines)} lines, {len(found)} attempts, {'whole' if whole else 'DAMAGED'}")
    return whole
