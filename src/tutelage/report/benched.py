"""The bench's figures: generators in rows, metrics in columns, an interval at every figure."""

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Final
from xml.etree.ElementTree import Element

from tutelage.benches.base import Row, shown
from tutelage.report.bench import RENDERS, generator_name, in_order
from tutelage.report.charts import whisker
from tutelage.report.found import Found
from tutelage.report.markup import Child, el
from tutelage.report.sections import Section
from tutelage.report.tables import table, unfolds
from tutelage.report.wording import MINUS, UNKNOWN, title
from tutelage.triplet import SKILLS

METRICS: Final = {
    "subject": "the right subject among others of its kind",
    "text": "of what the prompt names, what is there",
    "photo": "within what real pictures look like",
    "overall": "all three right",
    "texture": "the same as photo, looking at grain and edges; stricter",
    "copy": "nearer to a demonstration than pictures of one subject are; less is better",
}
"""What the toybox bench measures, in words."""
Figures = dict[tuple[str, str], Row]
"""(generator, metric) → figure."""
_PIECES: Final = re.compile(r"\s*[:/,()]\s*")


def figures(found: Found) -> Section | None:
    """A table for each bench and protocol, and one for each skill folded below it."""
    rows = found.bench.rows if found.bench else ()
    if not rows:
        return None
    skills = {*SKILLS, *(question.skill for question in (found.bench.questions if found.bench else ()))}
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.bench, row.protocol), []).append(row)
    body = [_group(name, group, skills) for name, group in groups.items()]
    about = "Each figure with its 95 % interval below it; a line under it shows both on a scale from 0 to 1. "
    about += "The oracle is what the same measures say of true renders: no generator can be expected to do better."
    return Section(id="figures", title="How good it is", body=[el("p", about), *body])


def split(metric: str, skills: Collection[str]) -> tuple[str, str]:
    """A metric's name without the skill it is of, and that skill; empty if it is of all.

    `text: view`, `view/text` and `text (view)` are all (`text`, `view`).
    """
    pieces = [piece for piece in _PIECES.split(metric) if piece]
    skill = next((piece for piece in pieces if piece in skills), "")
    left = [piece for piece in pieces if piece != skill]
    return (": ".join(left), skill) if skill and left else (metric, "")


def _group(name: tuple[str, str], rows: Sequence[Row], skills: Collection[str]) -> Element:
    by_skill: dict[str, Figures] = {"": {}}
    for row in rows:
        metric, skill = split(row.metric, skills)
        by_skill.setdefault(skill, {})[row.row, metric] = row
    every = by_skill.pop("")
    tables = [_table(figures, title(skill)) for skill, figures in by_skill.items()]
    known = [f"{metric}: {words}" for metric, words in METRICS.items() if any(metric == name for _, name in every)]
    return el(
        "div",
        el("h3", title(name[0]), el("small", name[1])),
        _table(every, "") if every else None,
        el("p", "; ".join(known), class_="facts") if known else None,
        unfolds("By skill", *tables) if tables else None,
        class_="panel",
    )


def _table(figures: Figures, caption: str) -> Element:
    """Generators by metrics, the oracle apart at the foot; below it, line by line, what few generators have."""
    names = in_order({name for name, _ in figures})
    counts = Counter(metric for _, metric in figures)
    shared = [metric for metric, count in counts.items() if 2 * count > len(names)]
    scale = {metric for metric in shared if all(_within(row) for (_, of), row in figures.items() if of == metric)}
    body: list[list[Child]] = [
        [
            generator_name(name),
            *(figure_cell(figures.get((name, metric)), drawn=metric in scale) for metric in shared),
            _items([row for (whose, metric), row in figures.items() if whose == name and metric in shared]),
        ]
        for name in names
        if any((name, metric) in figures for metric in shared)
    ]
    alone: list[list[Child]] = [
        [f"{generator_name(name)}: {metric}", figure_cell(row), f"{row.n:,}"]
        for (name, metric), row in figures.items()
        if metric not in shared
    ]
    return el(
        "div",
        table(["", *shared, "items"], body, caption=caption, last=names[-1] == RENDERS) if body else None,
        table(["", "figure", "items"], alone, caption="Further figures") if alone else None,
    )


def _within(row: Row) -> bool:
    """Whether a figure and its interval lie in [0, 1]."""
    return all(0 <= end <= 1 for end in (row.value, row.low, row.high) if end is not None)


def figure_cell(row: Row | None, *, drawn: bool = False) -> Child:
    """A figure with its interval below it, and `drawn` on a line from 0 to 1."""
    if row is None or row.value is None:
        return "missing" if row else UNKNOWN
    ends = [shown(end) for end in (row.low, row.high) if end is not None]
    return el(
        "span",
        el("b", shown(row.value).replace("-", MINUS)),
        el("small", " to ".join(ends).replace("-", MINUS)) if ends else None,
        whisker(row.value, row.low, row.high) if drawn else None,
        el("small", f"{row.missing:,} missing") if row.missing else None,
        class_="figure",
    )


def _items(rows: Sequence[Row]) -> str:
    """How many items the figures of a generator are made from."""
    counts = sorted({row.n for row in rows})
    return f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
