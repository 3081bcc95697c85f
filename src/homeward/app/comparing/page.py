"""A comparison as one HTML file: no script, nothing from elsewhere; light and dark; a table beside each chart."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from homeward.app.comparing.charts import Bar, dots, lengths
from homeward.app.comparing.figures import Figures, Spread
from homeward.app.comparing.html import Html, join, tag
from homeward.app.comparing.matrix import PLACES, UNKNOWN, Row, cost_words, matrix, seconds, task_rows
from homeward.protocol.place import Place

STYLE = Path(__file__).with_name("page.css")


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the page tells."""

    figures: tuple[Figures, ...]
    currency: str
    made_at: datetime
    machine: dict[str, str]
    prompts: tuple[str, ...]
    """Their titles."""
    repeat: int
    max_tokens: int
    command: str
    """What makes it again."""


def page_of(comparison: Comparison) -> str:
    """The file's text."""
    figures = comparison.figures
    names = [each.candidate.name for each in figures]
    body = tag(
        "main",
        tag("h1", "Where should it be answered?"),
        tag("p", introduction(comparison), class_="lead"),
        legend([each.candidate.place for each in figures]),
        section(
            "The decision matrix",
            table("The same prompts, asked of each backend", names, matrix(figures, comparison.currency)),
        ),
        *charts(comparison),
        section(
            "By task",
            tag("p", "Median seconds of a whole answer. Longer answers take longer: see the tokens above."),
            table("Whole answer by task", names, task_rows(figures)),
        ),
        section("How it was measured", method(comparison)),
        lang="en",
    )
    head = tag(
        "head",
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"),
        tag("title", f"Homeward: {' / '.join(names)} compared"),
        tag("style", Html(STYLE.read_text(encoding="utf-8"))),
    )
    return "<!doctype html>\n" + tag("html", head, tag("body", body), lang="en") + "\n"


def introduction(comparison: Comparison) -> str:
    """What was done, in two sentences."""
    asked = len(comparison.prompts) * comparison.repeat
    return (
        f"{asked} prompts to each of {len(comparison.figures)} backends, one at a time, on "
        f"{comparison.made_at:%d %B %Y at %H:%M}. The numbers hold for this machine, this network and this hour."
    )


def legend(places: Sequence[Place]) -> Html:
    """What the colours mean; each place once."""
    items = (
        tag("li", tag("span", class_="swatch", aria_hidden="true"), PLACES[place], class_=place.value)
        for place in dict.fromkeys(places)
    )
    return tag("ul", *items, class_="legend", aria_label="Colours of the places")


def section(title: str, *content: str) -> Html:
    """A part with its heading."""
    return tag("section", tag("h2", title), *content)


def table(caption: str, names: Sequence[str], rows: Sequence[Row]) -> Html:
    """Criteria in rows, backends in columns; the best ones are marked, not by colour alone."""

    def cell(words: str, *, best: bool) -> Html:
        return tag("td", words, " ", tag("span", "best", class_="mark")) if best else tag("td", words)

    head = tag("tr", tag("td"), *(tag("th", name, scope="col") for name in names))
    lines = (
        tag(
            "tr",
            tag("th", row.title, scope="row"),
            *(cell(words, best=n in row.best) for n, words in enumerate(row.cells)),
        )
        for row in rows
    )
    content = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", *lines))
    # A wide table scrolls by itself, also with the keyboard.
    return tag("div", content, class_="scroll", tabindex="0", role="region", aria_label=caption)


class Shown(msgspec.Struct, frozen=True):
    """One chart, and the table beside it."""

    title: str
    explained: str
    draw: Callable[[str, Sequence[Bar], str], Html]
    values: Callable[[Figures], Spread | None]
    words: Callable[[float], str]
    unit: str = ""
    """Of the chart's axis."""


def charts(comparison: Comparison) -> tuple[Html, ...]:
    """One section per chart; costs only where there are some."""
    each_answer = "Each dot is an answer, the stroke their median."
    shown = [
        Shown("Until the first word", each_answer, dots, lambda each: each.first_token, seconds, "s"),
        Shown("Until the whole answer", each_answer, dots, lambda each: each.total, seconds, "s"),
        Shown(
            "Tokens per second",
            "Behind the first one; the median of all answers.",
            lengths,
            lambda each: each.speed,
            lambda value: f"{value:.1f}",
        ),
        Shown(
            "What left this machine",
            "Bytes of all requests together, the warm-up's included.",
            lengths,
            lambda each: Spread((float(each.bytes_out),)),
            lambda value: f"{value:,.0f}" if value else "nothing",
        ),
    ]
    if any(each.cost for each in comparison.figures):
        shown.append(
            Shown(
                "What it cost",
                "All requests together, by the prices of the configuration.",
                lengths,
                lambda each: None if each.cost is None else Spread((each.cost,)),
                lambda value: cost_words(value, comparison.currency),
            )
        )
    return tuple(chart_section(each, comparison.figures) for each in shown)


def chart_section(shown: Shown, figures: Sequence[Figures]) -> Html:
    """The chart, and the same as a table."""
    bars = [
        Bar(each.candidate.name, each.candidate.place, values, shown.words(values.median) if values else UNKNOWN)
        for each in figures
        for values in (shown.values(each),)
    ]
    content = tag("div", numbers(shown, bars), class_="scroll", tabindex="0", role="region", aria_label=shown.title)
    return section(
        shown.title,
        tag("p", shown.explained),
        tag("div", shown.draw(shown.title, bars, shown.unit), content, class_="figure"),
    )


def numbers(shown: Shown, bars: Sequence[Bar]) -> Html:
    """What the chart shows, as a table; with the spread where there are several answers."""
    spread = any(bar.values and len(bar.values.values) > 1 for bar in bars)
    heads = ("Backend", "Median", "Lowest", "95 of 100", "Highest") if spread else ("Backend", "Value")

    def cells(bar: Bar) -> tuple[str, ...]:
        if bar.values is None or not spread:
            return (bar.words, *("" for _ in heads[2:]))
        values = bar.values
        return tuple(shown.words(each) for each in (values.median, min(values.values), values.p95, max(values.values)))

    return tag(
        "table",
        tag("caption", shown.title),
        tag("thead", tag("tr", *(tag("th", each, scope="col") for each in heads))),
        tag(
            "tbody",
            *(tag("tr", tag("th", bar.name, scope="row"), *(tag("td", each) for each in cells(bar))) for bar in bars),
        ),
    )


def method(comparison: Comparison) -> Html:
    """Machine, versions, prompts, and the command."""
    facts = (join(tag("dt", name), tag("dd", value)) for name, value in comparison.machine.items())
    rounds = f", {comparison.repeat} times each" if comparison.repeat > 1 else ""
    return join(
        tag(
            "p",
            "One short question went first to each backend: it loads the model, and counts in no time but the first "
            f"use. Then the prompts followed one at a time{rounds}, with at most {comparison.max_tokens} tokens per "
            "answer. Times are those of Homeward's own receipts. Neither questions nor answers stand in this file, and "
            "nothing here says how good the answers were.",
        ),
        tag("p", f"Prompts: {'; '.join(comparison.prompts)}."),
        tag("p", "Do it again:"),
        tag("pre", tag("code", comparison.command)),
        tag("dl", *facts),
    )
