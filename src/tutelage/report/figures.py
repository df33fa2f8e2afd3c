"""Scores and losses: histograms of what judges said, what other thresholds would keep, the student's loss."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from tutelage.report.charts import curve, histogram
from tutelage.report.found import Found
from tutelage.report.markup import Child, el
from tutelage.report.sections import Section
from tutelage.report.tables import share_bar, table
from tutelage.report.wording import MINUS, counted, judge_name, score

if TYPE_CHECKING:
    from tutelage.corpus.gate import Weighed
    from tutelage.corpus.stats import WhatIf

DELTA_CLIP: Final = "delta-clip"
THRESHOLD: Final = "threshold"
"""Name of the setting that holds λ, wherever it is in a config."""
EQUATION: Final = "How much better the picture shows the prompt than every demonstration does (SuTI, Eq. 6)."


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A score at which a judge's verdicts change."""

    value: float
    exact: bool
    """Else it is the middle between the nearest scores on either side."""

    def __str__(self) -> str:
        return f"{self.value:g}".replace("-", MINUS) if self.exact else f"≈ {score(self.value)}"


def limits(said: "Weighed", known: Sequence[float] = ()) -> tuple[Limit | None, Limit | None]:
    """The least and the greatest score that a judge keeps, as its verdicts show; None: there is no such limit.

    The least is the first of the `known` limits that agrees with every verdict, if one does.
    """
    finite = said.seen & np.isfinite(said.score)
    kept, rejected = said.score[finite & said.keep], said.score[finite & ~said.keep]
    least, most = (kept.min(), kept.max()) if len(kept) else (np.inf, np.inf)
    below, above = rejected[rejected < least].max(initial=-np.inf), rejected[rejected > most].min(initial=np.inf)
    return _between(float(below), float(least), known), _between(float(most), float(above))


def scores(found: Found) -> Section | None:
    """A histogram for each judge that gave scores, and how many triplets other thresholds would keep."""
    from tutelage.corpus.stats import what_if

    if found.corpus is None:
        return None
    tried = what_if(found.corpus)
    panels = [
        _judge(name, said, found, [row for row in tried if row.judge == name])
        for name, said in found.corpus.judges().items()
        if np.isfinite(said.score).any()
    ]
    about = (
        "Scores of every picture drawn. Kept is what all judges kept; the dashed line is the limit of the one judge."
    )
    return Section(id="scores", title="What the judges said", body=[el("p", about), *panels]) if panels else None


def thresholds(config: Mapping[str, Any]) -> Iterator[float]:
    """Every number that a config calls a threshold, at any depth."""
    for name, value in config.items():
        if isinstance(value, dict):
            yield from thresholds(value)
        elif name == THRESHOLD and isinstance(value, int | float):
            yield float(value)


def losses(found: Found) -> Section | None:
    """The student's loss over its steps."""
    if found.losses is None:
        return None
    step, loss = found.losses.step, found.losses.loss
    finite = np.isfinite(loss)
    if not finite.any():
        about = (
            f"{counted(len(loss), 'loss value')} in the log, none of them finite: training went wrong from the start."
        )
        return Section(id="loss", title="How the student learned", body=[el("p", about)])
    last = loss[finite][-max(1, int(finite.sum() * 0.05)) :].mean()
    about = f"Loss at {int(step[0]):,} to {int(step[-1]):,} steps, as logged (thin) and smooth (thick). "
    about += f"Mean of its last twentieth: {last:.4g}."
    about += f" {counted(int((~finite).sum()), 'value')} not finite, left out." if not finite.all() else ""
    alt = f"loss over steps, from {loss[finite][0]:.4g} to {loss[finite][-1]:.4g}"
    drawn = el("div", curve(step, loss, alt), el("p", "steps", class_="axis"), class_="panel")
    return Section(id="loss", title="How the student learned", body=[el("p", about), drawn])


def _between(low: float, high: float, known: Sequence[float] = ()) -> Limit | None:
    """A limit in [low, high], of which either end may be infinite."""
    fitting = [Limit(value=value, exact=True) for value in known if low <= value <= high]
    middle = [Limit(value=(low + high) / 2, exact=False)] if math.isfinite(high - low) else []
    return next(iter(fitting + middle), None)


def _judge(name: str, said: "Weighed", found: Found, tried: Sequence["WhatIf"]) -> Element:
    shown, finite = judge_name(name), np.isfinite(said.score)
    ends = limits(said, list(thresholds(found.config)) if name == DELTA_CLIP else [])
    kept, rejected = (said.score[finite & which] for which in (found.kept, ~found.kept))
    words = [f"{side} {end}" for side, end in zip(("kept above", "kept up to"), ends, strict=True) if end]
    lines = list(zip([end.value for end in ends if end], words, strict=True))
    alt = f"histogram of {shown}: " + ", ".join([f"{len(kept):,} kept", f"{len(rejected):,} rejected", *words])
    chart = el("div", histogram(kept, rejected, lines, alt), el("p", f"score of {shown}", class_="axis"))
    return el(
        "div",
        el("h3", shown),
        el("p", EQUATION) if name == DELTA_CLIP else None,
        _legend(len(kept), len(rejected), int((said.seen & ~finite).sum())),
        el("div", chart, _tried(tried, ends, found.kept), class_="split"),
        class_="panel",
    )


def _legend(kept: int, rejected: int, unsure: int) -> Element:
    parts = [_swatch("kept", kept), _swatch("rejected", rejected)]
    return el("div", parts, el("span", f"{unsure:,} without a score") if unsure else None, class_="legend")


def _swatch(name: str, count: int) -> Element:
    return el("span", el("i", class_=f"swatch {name}"), f"{count:,} {name}")


def _tried(rows: Sequence["WhatIf"], ends: tuple[Limit | None, Limit | None], kept: NDArray[np.bool_]) -> Element:
    """What-if table; the last row is what was kept."""
    low, high = ends
    upper = high is not None and low is None
    side, now = ("up to", high) if upper else ("from", low)
    counts = [row.at_most if upper else row.at_least for row in rows]
    named = [f"{row.threshold:.4f}".replace("-", MINUS) for row in rows] + [f"as judged: {now}" if now else "as judged"]
    counts = [*counts, int(kept.sum())]
    body: list[list[Child]] = [
        [name, f"{count:,}", share_bar(count, len(kept))] for name, count in zip(named, counts, strict=True)
    ]
    caption = "What would be kept with another limit"
    return table([f"kept {side} a score of", "triplets", "of all drawn"], body, caption=caption, last=True)
