"""Charts as SVG. Places are percentages of the chart and words keep their size, so it is readable at any width."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from tutelage.report.markup import el
from tutelage.report.wording import MINUS

Floats = NDArray[np.float64]

BINS: Final = 40
POINTS: Final = 600
"""Points of a curve at most; more are averaged."""
WINDOW: Final = 0.05
"""Share of a curve's points that its smooth line averages."""
DECADE: Final = 10.0
"""A curve whose greatest value is as many times its least is drawn on a logarithmic scale."""


@dataclass(frozen=True, kw_only=True)
class Axis:
    """Values on a line from 0 % to 100 %."""

    low: float
    high: float
    logarithmic: bool = False

    def at(self, value: float) -> float:
        """Where a value is, in percent."""
        low, high, here = (math.log10(v) if self.logarithmic else v for v in (self.low, self.high, value))
        return 100 * (here - low) / (high - low)

    def ticks(self, most: int = 6) -> list[tuple[float, str]]:
        """Round values within the axis, in percent and in words."""
        values = _decades(self.low, self.high, most) if self.logarithmic else _rounds(self.low, self.high, most)
        return [(self.at(value), _short(value, values)) for value in values]


def axis(values: Floats, *, logarithmic: bool = False) -> Axis:
    """An axis that holds finite `values` (N,), N at least 1, with some room."""
    low, high = float(values.min()), float(values.max())
    if logarithmic:
        room = max((high / low) ** 0.05, 1.01)
        return Axis(low=low / room, high=high * room, logarithmic=True)
    room = max(0.05 * (high - low), 0.01 * max(abs(low), abs(high)), 1e-9)
    return Axis(low=low - room, high=high + room)


def histogram(kept: Floats, rejected: Floats, lines: Sequence[tuple[float, str]], alt: str) -> Element:
    """Two sets of finite scores, at least one in all, as stacked bars, and limits with their labels as lines.

    The first limit is an edge between two bars.
    """
    limits = [value for value, _ in lines]
    edges = _edges(np.concatenate([kept, rejected, limits]), limits[0] if limits else 0.0)
    counts = [np.histogram(np.clip(part, edges[0], edges[-1]), edges)[0] for part in (kept, rejected)]
    across = Axis(low=float(edges[0]), high=float(edges[-1]))
    up = Axis(low=0, high=1.08 * float((counts[0] + counts[1]).max()))
    bars = [_bar(across, up, edges[at : at + 2], *(int(part[at]) for part in counts)) for at in range(len(edges) - 1)]
    return _chart(alt, [*_down(up, whole=True), *bars, *_along(across), *(_limit(across, *line) for line in lines)])


def curve(steps: Floats, values: Floats, alt: str, *, shares: bool = False) -> Element:
    """Values (N,), at least one of them finite, over rising steps (N,): as they are, thin, and smooth, thick.

    Values that are not finite leave a gap. Shares are never on a logarithmic scale.
    """
    steps, values = thinned(steps, values)
    finite = values[np.isfinite(values)]
    across = Axis(low=float(steps[0]), high=float(steps[-1])) if len(steps) > 1 else axis(steps)
    wide = bool(finite.min() > 0 and finite.max() > DECADE * finite.min())
    up = axis(finite, logarithmic=wide and not shares)
    raw = el("path", d=_path(across, up, steps, values), class_="raw")
    smooth = el("path", d=_path(across, up, steps, smoothed(values)), class_="smooth")
    plot = el("svg", raw, smooth, viewBox="0 0 100 100", preserveAspectRatio="none", width="100%", height="100%")
    return _chart(alt, [*_down(up), *_along(across), plot])


@dataclass(frozen=True, kw_only=True)
class Line:
    """Places that belong together, in order."""

    name: str
    places: Sequence[tuple[float, float]]
    """(across, up)."""
    spreads: Sequence[tuple[float, float]]
    """Of each, as far as its cross reaches in both directions."""
    labels: Sequence[str]


def tradeoff(lines: Sequence[Line], alt: str) -> Element:
    """Lines through places, of which there is at least one, with crosses for their spreads."""
    every = [pair for line in lines for pair in zip(line.places, line.spreads, strict=True)]
    ends = [[place[at] + sign * spread[at] for place, spread in every for sign in (-1, 1)] for at in (0, 1)]
    across, up = (axis(np.asarray(values, np.float64)) for values in ends)
    drawn = [_line(across, up, line, number) for number, line in enumerate(lines)]
    paths = [path for path, _ in drawn]
    plot = el("svg", paths, viewBox="0 0 100 100", preserveAspectRatio="none", width="100%", height="100%")
    return _chart(alt, [*_down(up), *_along(across), plot, *(marks for _, marks in drawn)])


def _line(across: Axis, up: Axis, line: Line, number: int) -> tuple[Element, Element]:
    """Its path, and its points with crosses and labels."""
    at = [(across.at(x), 100 - up.at(y)) for x, y in line.places]
    reach = [(across.at(x + dx) - across.at(x), up.at(y + dy) - up.at(y))
             for (x, y), (dx, dy) in zip(line.places, line.spreads, strict=True)]  # fmt: skip
    kind = f"series-{number % 3}"
    path = el("path", d="".join(f"{'L' if n else 'M'}{x:.2f} {y:.2f}" for n, (x, y) in enumerate(at)), class_=kind)
    marks: list[Element] = []
    for (x, y), (dx, dy), label in zip(at, reach, line.labels, strict=True):
        place = {"x1": f"{x - dx:.2f}%", "x2": f"{x + dx:.2f}%", "y1": f"{y:.2f}%", "y2": f"{y:.2f}%"}
        upright = {"x1": f"{x:.2f}%", "x2": f"{x:.2f}%", "y1": f"{y - dy:.2f}%", "y2": f"{y + dy:.2f}%"}
        marks += [el("line", **place), el("line", **upright), el("circle", cx=f"{x:.2f}%", cy=f"{y:.2f}%", r=4)]
        marks.append(el("text", label, x=f"{x:.2f}%", y=f"{y:.2f}%", dx=8, dy=-7))
    x, y = at[-1]
    marks.append(el("text", line.name, x=f"{x:.2f}%", y=f"{y:.2f}%", dx=8, dy=16, class_="series-name"))
    return path, el("g", marks, class_=kind)


def whisker(value: float, low: float | None, high: float | None) -> Element:
    """A figure in [0, 1] as a dot on a line, with its interval as a bar."""
    parts = [el("line", x1="0", x2="100%", y1=5, y2=5, class_="track")]
    if low is not None and high is not None:
        parts.append(el("line", x1=f"{100 * low:.1f}%", x2=f"{100 * high:.1f}%", y1=5, y2=5, class_="interval"))
    parts.append(el("circle", cx=f"{100 * value:.1f}%", cy=5, r=3.2))
    return el("svg", parts, class_="whisker", aria_hidden="true")


def thinned(steps: Floats, values: Floats) -> tuple[Floats, Floats]:
    """At most `POINTS` points, each the mean of the finite ones in its place; NaN where there are none."""
    if len(steps) <= POINTS:
        return steps, np.asarray(np.where(np.isfinite(values), values, np.nan), np.float64)
    parts = zip(np.array_split(steps, POINTS), np.array_split(values, POINTS), strict=True)
    means = [(part.mean(), _mean(among)) for part, among in parts]
    return np.asarray([step for step, _ in means]), np.asarray([value for _, value in means])


def smoothed(values: Floats) -> Floats:
    """Mean of the finite values around each one; NaN stays."""
    half = int(WINDOW * len(values) / 2)
    around = [_mean(values[max(0, at - half) : at + half + 1]) for at in range(len(values))]
    return np.asarray(np.where(np.isnan(values), np.nan, around), np.float64)


def nice(step: float) -> float:
    """The least of 1, 2 and 5 times a power of ten that is at least `step`, which is positive."""
    power = 10.0 ** math.floor(math.log10(step))
    return next((times * power for times in (1, 2, 5) if times * power >= step), 10 * power)


def _mean(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else math.nan


def _edges(values: Floats, origin: float) -> Floats:
    low, high = float(values.min()), float(values.max())
    step = nice(max(high - low, 1e-6 * max(1.0, abs(low), abs(high), abs(origin))) / BINS)
    first, last = math.floor((low - origin) / step), math.floor((high - origin) / step) + 1
    return origin + step * np.arange(first, last + 1, dtype=np.float64)


def _bar(across: Axis, up: Axis, edges: Floats, kept: int, rejected: int) -> Element | None:
    """Kept below, rejected above."""
    if not kept + rejected:
        return None
    left, right = (across.at(float(edge)) for edge in edges)
    place = {"x": f"{left:.2f}%", "width": f"{0.92 * (right - left):.2f}%"}
    said = el("title", f"{_plain(float(edges[0]))} to {_plain(float(edges[1]))}: {kept:,} kept, {rejected:,} rejected")
    tall = [up.at(kept), up.at(rejected)]
    tops = [100 - tall[0], 100 - tall[0] - tall[1]]
    parts = [
        el("rect", class_=name, y=f"{top:.2f}%", height=f"{height:.2f}%", **place)
        for name, top, height in zip(("kept", "rejected"), tops, tall, strict=True)
        if height
    ]
    return el("g", said, parts)


def _limit(across: Axis, value: float, name: str) -> Element:
    """A dashed line with its name, on the side where there is room."""
    at = across.at(value)
    away, anchor = (6, "start") if at < 60 else (-6, "end")
    line = el("line", x1=f"{at:.2f}%", x2=f"{at:.2f}%", y1="0", y2="100%")
    return el("g", line, el("text", name, x=f"{at:.2f}%", y="0", dx=away, dy=11, text_anchor=anchor), class_="limit")


def _along(across: Axis) -> list[Element]:
    base = el("line", x1="0", x2="100%", y1="100%", y2="100%", class_="base")
    return [base, *(el("text", name, x=f"{at:.2f}%", y="100%", dy=18, class_="x") for at, name in across.ticks(6))]


def _down(up: Axis, *, whole: bool = False) -> list[Element]:
    """Thin lines with their values at the left; `whole` ones only, for counts."""
    parts = []
    for at, name in up.ticks(5):
        if not (whole and "." in name):
            parts.append(el("line", x1="0", x2="100%", y1=f"{100 - at:.2f}%", y2=f"{100 - at:.2f}%", class_="grid"))
            parts.append(el("text", name, x="0", y=f"{100 - at:.2f}%", dx=-8, dy=4, class_="y"))
    return parts


def _chart(alt: str, parts: Sequence[Element | None]) -> Element:
    return el("div", el("svg", el("title", alt), parts, role="img"), class_="chart")


def _path(across: Axis, up: Axis, steps: Floats, values: Floats) -> str:
    """Runs of finite values; a value alone is a line of no length, which round ends show as a dot."""
    parts, drawing = [], False
    for step, value in zip(steps.tolist(), values.tolist(), strict=True):
        if math.isnan(value):
            drawing = False
            continue
        point = f"{across.at(step):.2f} {100 - up.at(value):.2f}"
        parts.append(f"L{point}" if drawing else f"M{point}L{point}")
        drawing = True
    return "".join(parts)


def _rounds(low: float, high: float, most: int) -> list[float]:
    step = nice((high - low) / most)
    return [step * number for number in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _decades(low: float, high: float, most: int) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for times in ((1, 2, 5), (1, 3), (1,)):
        values = [k * 10.0**power for power in powers for k in times if low <= k * 10.0**power <= high]
        if len(values) <= most:
            return values
    return values[:: math.ceil(len(values) / most)]


def _short(value: float, among: Sequence[float]) -> str:
    """As many decimals as tell neighbours apart; thousands as `12k`."""
    least = min((abs(b - a) for a, b in pairwise(among)), default=abs(value)) or 1.0
    decimals = max(0, -math.floor(math.log10(least) + 1e-9))
    if decimals > 6 or abs(value) >= 1e9:
        return f"{value:.3g}".replace("-", MINUS)
    thousands = least >= 1000 and value % 1000 == 0 and value != 0
    return (f"{value / 1000:,.0f}k" if thousands else f"{value:,.{decimals}f}").replace("-", MINUS)


def _plain(value: float) -> str:
    return f"{value:.6g}".replace("-", MINUS)
