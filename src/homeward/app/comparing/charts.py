"""Charts as inline SVG: one line per backend, coloured by its place, the numbers written beside."""

import math
from collections.abc import Callable, Sequence

import msgspec

from homeward.app.comparing.figures import Spread
from homeward.app.comparing.html import Html, join, tag
from homeward.protocol.place import Place

WIDTH = 640
LINE = 58
"""Height of one backend's line."""
RIGHT = 140
"""Room for what is written behind the longest one."""
AXIS = 26


class Bar(msgspec.Struct, frozen=True):
    """One backend's line."""

    name: str
    place: Place
    values: Spread | None
    """What was measured; None is shown as a gap with a word."""
    words: str
    """What is written beside: the value, or why there is none."""


def dots(title: str, bars: Sequence[Bar], unit: str) -> Html:
    """Every answer as a dot, and the median as a stroke: how much they differ is to be seen."""

    def shapes(bar: Bar, x: Callable[[float], float]) -> Html:
        assert bar.values is not None
        points = [
            tag("circle", cx=f"{x(value):.1f}", cy=f"{-7 + 14 * ((n * 0.618) % 1):.1f}", r=4, class_="dot")
            for n, value in enumerate(bar.values.values)
        ]
        at = f"{x(bar.values.median):.1f}"
        return join(*points, tag("line", x1=at, x2=at, y1=-14, y2=14, class_="median"))

    return chart(title, bars, unit, shapes, end=lambda values: max(values.values))


def lengths(title: str, bars: Sequence[Bar], unit: str) -> Html:
    """The median as a bar."""

    def shapes(bar: Bar, x: Callable[[float], float]) -> Html:
        assert bar.values is not None
        return tag("rect", x=0, y=-11, width=f"{x(bar.values.median):.1f}", height=22, rx=3, class_="length")

    return chart(title, bars, unit, shapes, end=lambda values: values.median)


def chart(
    title: str,
    bars: Sequence[Bar],
    unit: str,
    shapes: Callable[[Bar, Callable[[float], float]], Html],
    end: Callable[[Spread], float],
) -> Html:
    """Lines over an axis that begins at zero; `end` is where a line's shapes end."""
    highest = max((end(bar.values) for bar in bars if bar.values), default=0.0)
    step = nice_step(highest)
    steps = max(1, math.ceil(highest / step - 1e-9))

    def x(value: float) -> float:
        return value / (steps * step) * (WIDTH - RIGHT)

    def drawn(bar: Bar, number: int) -> Html:
        return line(bar, number, shapes(bar, x), x(end(bar.values))) if bar.values else line(bar, number, Html(), 0)

    bottom = LINE * len(bars)
    return tag(
        "svg",
        tag("title", title),
        tag("desc", "; ".join(f"{bar.name}: {bar.words}" for bar in bars)),
        *(grid_line(x(step * n), bottom, number(step * n), unit if n == 0 else "") for n in range(steps + 1)),
        *(drawn(bar, n) for n, bar in enumerate(bars)),
        viewBox=f"-1 0 {WIDTH + 2} {bottom + AXIS}",
        role="img",
        class_="chart",
    )


def line(bar: Bar, number: int, shapes: Html, end: float) -> Html:
    """One backend: its name above, its shapes, its value behind them."""
    return tag(
        "g",
        tag("text", bar.name, x=0, y=-20, class_="name"),
        shapes,
        tag("text", bar.words, x=f"{end + 10:.1f}", y=5, class_="value"),
        transform=f"translate(0 {number * LINE + 38})",
        class_=bar.place.value,
    )


def grid_line(x: float, bottom: int, words: str, unit: str) -> Html:
    """A value of the axis; the first one tells the unit as well."""
    return join(
        tag("line", x1=f"{x:.1f}", x2=f"{x:.1f}", y1=22, y2=bottom, class_="grid"),
        tag(
            "text",
            f"{words} {unit}".strip(),
            x=f"{x:.1f}",
            y=bottom + 18,
            class_="tick",
            text_anchor="start" if x == 0 else "middle",
        ),
    )


def nice_step(highest: float) -> float:
    """1, 2 or 5 times a power of ten, so that about five of them reach the highest value."""
    if highest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest / 5))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor * 5 >= highest * (1 - 1e-9))


def number(value: float) -> str:
    """As short as it can be."""
    return f"{round(value, 10):,.10g}"
