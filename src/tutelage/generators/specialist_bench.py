"""Specialists on held-out toys: which of their pairs are right by the truth, before and after the judges.

config.json         what was asked
corpus/ taught/     the pairs, what judges said, and the ledger, as in a run
rows.json           what came of it
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tutelage.benches.base import Row, interval_row, progress
from tutelage.benches.editing.truth import Examiner, PairMarks, TrueEdit, true_edit
from tutelage.benches.intervals import NOTHING, Interval, bootstrap_mean, wilson
from tutelage.toybox.edits import TASKS, Task

if TYPE_CHECKING:
    from tutelage.judges.base import Judge
    from tutelage.segmentation.masks import Masks
    from tutelage.teachers.specialists.settings import Drawing
    from tutelage.triplet import Assignment, Triplet

BENCH: Final = "specialists"
PROTOCOL: Final = "held-out-edits"
ALL: Final = "all tasks"
LOCAL: Final = frozenset({"swap", "removal", "addition", "attribute", "background"})


@dataclass(frozen=True, kw_only=True)
class Marked:
    """A pair and what is true of it."""

    task: str
    what: str
    """Of the tasks that concern a toy or what it wears, which."""
    marks: PairMarks
    kept: bool
    """By the judges."""
    distilled: bool | None = None
    """Whether the distilled judge keeps it, if there is one."""
    id: str = ""
    """Of the assignment."""


def edits(tasks: Sequence[Task], items: int, side: int, ratios: Sequence[str], seed: int) -> Mapping[str, TrueEdit]:
    """Id of the assignment → the edit: `items` of each task, whose ratios take turns."""
    return {
        f"{task}-{number:05d}/00": true_edit(task, number, side, ratios[number % len(ratios)], seed)
        for number in range(items)
        for task in tasks
    }


def assignment(name: str, truth: TrueEdit) -> "Assignment":
    """What a specialist is told of an edit: the picture, its full caption, and the grammar's own order."""
    from tutelage.diffusion.pictures import png
    from tutelage.mining.edit_grammar import told
    from tutelage.toybox.captions import caption
    from tutelage.triplet import Assignment, Cluster, Order, Picture, Reference

    words = told(truth.edit)
    reference = Reference(picture=Picture(data=png(truth.picture(truth.shown))), caption=caption(truth.shown))
    cluster = Cluster(id=name.partition("/")[0], subject=reference.caption, references=(reference,))
    order = Order(phrase=words["phrase"], caption=words["caption"], fill=words["fill"])
    return Assignment(id=name, cluster=cluster, text=words["instruction"], skill=truth.edit.task, order=order)


def teach_pairs(
    out: Path,
    asked: Mapping[str, TrueEdit],
    base: str,
    drawing: "Drawing",
    seed: int,
    device: str,
    workers: int,
    branch: str = "",
) -> "Masks":
    """Have specialists make pairs into `out`, and judges judge them, both those of the recipe `omniedit` but for base,
    branch and drawing; what is there is kept. Gives who finds their masks.

    Raises:
        BadInput: a model cannot be had.
    """
    from tutelage.executors.local import Local
    from tutelage.recipes.omniedit import omniedit
    from tutelage.stages.taught import teach

    recipe = omniedit()
    run = replace(recipe, base=base, teacher=replace(recipe.teacher, branch=branch), seed=seed, device=device)
    guild = run.specialists()
    told: dict[str, Any] = {task: replace(guild.specialist(task), drawing=drawing) for task in TASKS}
    assignments = (assignment(name, truth) for name, truth in asked.items())
    teach(assignments, len(asked), replace(guild, **told), run.panel(), out, Local(workers=workers))
    return guild.swap.masks


def mark_pairs(
    out: Path, asked: Mapping[str, TrueEdit], examiner: Examiner, distilled: "Judge | None" = None
) -> Iterator[Marked]:
    """Yield what is true of every pair of a bench's corpus, and whether a judge besides those that saw it keeps it."""
    from tutelage.corpus.gate import KEPT
    from tutelage.corpus.reader import Corpus
    from tutelage.stages.taught import CORPUS

    corpus = Corpus(out / CORPUS)
    kept = set(corpus.rows(KEPT).tolist())
    for row in progress(range(len(corpus)), "marking", len(corpus)):
        triplet = corpus[row]
        name = triplet.id.rpartition("/")[0]
        truth = asked[name]
        what = ("toy" if truth.toy else "accessory") if truth.edit.task in ("swap", "removal", "addition") else ""
        marks = _marks(triplet, truth, examiner)
        keeps = None if distilled is None else distilled.judge([triplet])[0].keep
        yield Marked(task=triplet.skill, what=what, marks=marks, kept=row in kept, distilled=keeps, id=name)


def mask_overlaps(asked: Mapping[str, TrueEdit], masks: Any, device: str) -> Mapping[str, list[float]]:
    """Task → intersection over union of phrases' masks with the truth, in the pictures that specialists are given."""
    from tutelage.mining.edit_grammar import phrase_of
    from tutelage.segmentation.masks import load_segmenter
    from tutelage.toybox.anatomy import LABELS
    from tutelage.toybox.masks import labels_of
    from tutelage.toybox.render import render_labels

    found: dict[str, list[float]] = {}
    for truth in asked.values():
        if phrase := phrase_of(truth.edit):
            [mask] = load_segmenter(masks, device).mask([truth.picture(truth.shown)], phrase)
            named = [LABELS.index(label) for label in labels_of(phrase)]
            true = np.isin(render_labels(truth.shown, truth.size)[1], named)
            either = (mask | true).sum()
            found.setdefault(truth.edit.task, []).append(float((mask & true).sum() / either) if either else 1.0)
    return found


def rows_of(
    asked: Mapping[str, TrueEdit], marked: Sequence[Marked], overlaps: Mapping[str, Sequence[float]], seed: int
) -> list[Row]:
    """Rows by task, and by what is swapped, removed or added; then of all tasks."""
    rows = []
    for task in dict.fromkeys(truth.edit.task for truth in asked.values()):
        some = [one for one in marked if one.task == task]
        count = sum(truth.edit.task == task for truth in asked.values())
        rows += _task_rows(task, some, count, seed)
        rows += [_figure(task, "IoU of masks", list(overlaps.get(task, ())), seed)]
        for what in dict.fromkeys(one.what for one in some if one.what):
            part = [one for one in some if one.what == what]
            rows += _task_rows(f"{task}, {what}", part, len(part), seed)
    return rows + _task_rows(ALL, marked, len(asked), seed)


def _marks(triplet: "Triplet", truth: TrueEdit, examiner: Examiner) -> PairMarks:
    from tutelage.diffusion.pictures import decode

    source, target = decode(triplet.references[0].picture.data), decode(triplet.target)
    found, pair = truth.picture(truth.shown), target if truth.edit.task == "addition" else source
    given = pair.size == found.size and bool(np.array_equal(np.asarray(pair), np.asarray(found)))
    return examiner.marks(truth, source, target, given=given)


def _task_rows(name: str, some: Sequence[Marked], asked: int, seed: int) -> list[Row]:
    kept = [one for one in some if one.kept]
    rows = [
        _share(name, "made of what was asked for", len(some), asked),
        _right(name, "right, before the judges", some),
        _right(name, "right, after the judges", kept),
        _share(name, "kept by the judges", len(kept), len(some)),
    ]
    if any(one.distilled is not None for one in some):
        passed = [one for one in some if one.distilled]
        rows.append(_right(name, "right, after the distilled judge", passed))
        rows.append(_share(name, "kept by the distilled judge", len(passed), len(some)))
    for side in ("done", "kept", "source"):
        told = [value for one in some if (value := getattr(one.marks, side)) is not None]
        label = {"done": "edit done", "kept": "rest kept", "source": "source right"}[side]
        rows.append(_share(name, label, sum(told), len(told), len(some) - len(told)))
    outside = [one.marks.outside for one in some if one.marks.outside is not None]
    return [*rows, _figure(name, "PSNR outside the edit, dB", outside, seed, len(some) - len(outside))]


def _right(name: str, metric: str, some: Sequence[Marked]) -> Row:
    told = [one.marks.right for one in some if one.marks.right is not None]
    return _share(name, metric, sum(told), len(told), len(some) - len(told))


def _share(name: str, metric: str, count: int, whole: int, missing: int = 0) -> Row:
    return _row(name, metric, wilson(count, whole), whole, missing)


def _figure(name: str, metric: str, values: Sequence[float], seed: int, missing: int = 0) -> Row:
    interval = bootstrap_mean(np.asarray(values, np.float64), seed) if values else NOTHING
    return _row(name, metric, interval, len(values), missing)


def _row(name: str, metric: str, interval: Interval, n: int, missing: int) -> Row:
    return interval_row(BENCH, PROTOCOL, name, metric, interval, n, missing)
