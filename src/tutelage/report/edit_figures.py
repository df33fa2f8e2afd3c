"""Figures of an editing run: the funnel by task beside OmniEdit's, who is right at what, the curve of guidance."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from xml.etree.ElementTree import Element

from tutelage.benches.base import Row
from tutelage.report.benched import figure_cell
from tutelage.report.charts import Line, tradeoff
from tutelage.report.edits import Edits, Point, editor_name, in_order
from tutelage.report.found import Found
from tutelage.report.markup import Child, el
from tutelage.report.sections import Section
from tutelage.report.tables import share_bar, table
from tutelage.report.wording import UNKNOWN, score, title
from tutelage.triplet import EDITS

ALL: Final = "all tasks"
BY_TASK: Final = {
    "right": "Right by the truth: the edit was done, and the rest was kept",
    "CLIP direction similarity": "Pictures change as their captions do (direction similarity of CLIP)",
}
"""Figures that are given for each task, in words; one that lies in [0, 1] is drawn."""
OVERALL: Final = (
    "edit done", "rest kept", "PSNR outside the edit, dB", "CLIP image similarity", "CLIP direction similarity"
)  # fmt: skip


def balance_table(found: Found) -> Element | None:
    """How many pairs of each task were made and kept, beside OmniEdit's own."""
    from tutelage.corpus.stats import OMNIEDIT, balance

    among = balance(found.corpus) if found.corpus is not None else []
    if not among:
        return None
    heads = ["task", "drawn", "kept", "of all drawn", "of all kept", "OmniEdit drew", "kept", "of all"]
    rows: list[list[Child]] = []
    for one in among:
        drawn, kept = OMNIEDIT[one.task]
        shares = (_percent(share) for share in (one.of_made, one.of_kept))
        ours: list[Child] = [f"{one.made:,}", share_bar(one.kept, one.made), *shares]
        rows.append([title(one.task), *ours, f"{drawn:,}", share_bar(kept, drawn), _percent(one.paper)])
    made, left = (sum(getattr(one, name) for one in among) for name in ("made", "kept"))
    drawn, kept = (sum(pair[at] for pair in OMNIEDIT.values()) for at in (0, 1))
    rows.append(["All", f"{made:,}", share_bar(left, made), "", "", f"{drawn:,}", share_bar(kept, drawn), ""])
    return table(heads, rows, caption="Pairs by task, beside those of OmniEdit (5.05 M → 505 K)", last=True)


def figures(edits: Edits | None) -> Section | None:
    """A table by task, and one over all tasks."""
    rows = [row for row in edits.rows if row.bench == "edits"] if edits else []
    if edits is None or not rows:
        return None
    tables = [_by_task(rows, metric, words) for metric, words in BY_TASK.items()]
    about = "Each figure with its 95 % interval below it. "
    about += "Specialists are counted where they made a pair; of an addition theirs is the picture before."
    body = [
        el("p", about),
        *(el("div", each, class_="panel") for each in (*tables, _overall(rows)) if each is not None),
    ]
    return Section(id="figures", title="How good it is", body=body)


def guidance(edits: Edits | None) -> Section | None:
    """The curve of similarity against direction over image guidance, one line an editor."""
    curves = {name: points for name in (edits.editors if edits else ()) if edits and (points := edits.curve(name))}
    if not curves:
        return None
    lines = [
        Line(
            name=editor_name(name),
            places=[(one.direction, one.image) for one in points],
            spreads=[(one.direction_std or 0.0, one.image_std or 0.0) for one in points],
            labels=[f"{one.guidance:g}" for one in points],
        )
        for name, points in curves.items()
    ]
    about = "Image guidance at each point; up is nearer to the source, right is nearer to what was asked for. Crosses "
    about += "are one standard deviation over runs with other noise (InstructPix2Pix, Fig. 8)."
    alt = "CLIP image similarity against direction similarity: " + "; ".join(map(_told, lines))
    axis = el("p", "CLIP direction similarity (across), CLIP image similarity (up)", class_="axis")
    chart = el("div", tradeoff(lines, alt), axis, class_="panel")
    return Section(id="guidance", title="Image guidance", body=[el("p", about), chart, _points(curves)])


def _by_task(rows: Sequence[Row], metric: str, words: str) -> Element | None:
    found = {(row.row, task): row for row in rows for name, task in [_split(row.metric)] if name == metric}
    names = in_order({who for who, _ in found})
    if not found:
        return None
    tasks = [task for task in (*EDITS, "") if any(at == task for _, at in found)]
    body: list[list[Child]] = [
        [title(task or ALL), *(figure_cell(found.get((who, task)), drawn=metric == "right") for who in names)]
        for task in tasks
    ]
    return table(["task", *map(editor_name, names)], body, caption=words, last=True)


def _overall(rows: Sequence[Row]) -> Element | None:
    found = {(row.row, name): row for row in rows for name, task in [_split(row.metric)] if not task}
    names, metrics = in_order({who for who, _ in found}), [one for one in OVERALL if any(at == one for _, at in found)]
    body: list[list[Child]] = [
        [editor_name(who), *(figure_cell(found.get((who, metric))) for metric in metrics)] for who in names
    ]
    return table(["", *metrics], body, caption="All tasks") if metrics else None


def _points(curves: Mapping[str, Sequence[Point]]) -> Element:
    body: list[list[Child]] = [
        [f"{editor_name(name)} at {one.guidance:g}", *_spread(one.image, one.image_std),
         *_spread(one.direction, one.direction_std)]
        for name, points in curves.items() for one in points
    ]  # fmt: skip
    return table(["image guidance", "image similarity", "std", "direction similarity", "std"], body)


def _spread(value: float, std: float | None) -> Iterator[str]:
    yield score(value)
    yield score(std) if std is not None else UNKNOWN


def _split(metric: str) -> tuple[str, str]:
    """A metric without the network it is by, and the task it is of: `CLIP direction similarity (x): swap`."""
    name, _, task = metric.rpartition(": ") if ": " in metric else (metric, "", "")
    return name.partition(" (")[0], task


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %" if share == share else UNKNOWN  # a share of nothing is no number


def _told(line: Line) -> str:
    points = (f"{label}: {x:.3f}, {y:.3f}" for label, (x, y) in zip(line.labels, line.places, strict=True))
    return f"{line.name} at " + ", ".join(points)
