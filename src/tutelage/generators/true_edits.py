"""Editors beside specialists, on held-out toys or on pairs of a corpus: what is asked, and what is true of answers."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from tutelage.benches.base import Row, interval_row, progress
from tutelage.benches.editing.questions import EditQuestion
from tutelage.benches.editing.truth import Examiner, PairMarks, TrueEdit
from tutelage.benches.intervals import NOTHING, Interval, bootstrap_mean, wilson
from tutelage.diffusion.pictures import decode, png
from tutelage.toybox.captions import caption
from tutelage.toybox.edits import edit_mask
from tutelage.triplet import Triplet

BENCH: Final = "edits"
SIDES: Final = {"right": "right", "done": "edit done", "kept": "rest kept"}
"""What is true of an answer → its metric."""
OUTSIDE: Final = "PSNR outside the edit, dB"

Told = tuple[str, PairMarks]
"""A task, and what is true of an answer."""


def true_questions(asked: Mapping[str, TrueEdit]) -> list[EditQuestion]:
    """What is asked about held-out toys, by id, with the true answers."""
    return [
        EditQuestion(
            id=name,
            groups=(truth.edit.task,),
            source=png(truth.picture(truth.edit.before)),
            instruction=truth.edit.instruction,
            before=caption(truth.edit.before),
            after=caption(truth.edit.after),
            mask=edit_mask(truth.edit, truth.size),
            truth=png(truth.picture(truth.edit.after)),
        )
        for name, truth in asked.items()
    ]


def paired_questions(triplets: Iterable[Triplet]) -> list[EditQuestion]:
    """What is asked about pairs: their sources and instructions. What was made of them is not the truth."""
    return [
        EditQuestion(
            id=one.id,
            groups=(one.skill,),
            source=one.references[0].picture.data,
            instruction=one.text,
            before=one.references[0].caption,
            after=one.caption,
        )
        for one in triplets
    ]


def told_answers(folder: Path, asked: Mapping[str, TrueEdit], examiner: Examiner) -> Iterator[Told]:
    """Yield what is true of an editor's answers, which lie in its folder by id.

    Raises:
        BadInput: one cannot be read.
    """
    for name, truth in progress(asked.items(), f"reading {folder.name}", len(asked)):
        file, source = folder / f"{name}.png", truth.picture(truth.edit.before)
        target = decode(file.read_bytes(), str(file)).resize(source.size)
        yield truth.edit.task, examiner.marks(truth, source, target, given=True, changed="target")


def told_rows(protocol: str, name: str, told: Sequence[Told], seed: int) -> list[Row]:
    """Rows of who answered, over all tasks and for each."""
    groups = {"": list(told)} | {task: [one for one in told if one[0] == task] for task, _ in told}
    rows: list[Row] = []
    for task, some in groups.items():
        ending, marks = f": {task}" if task else "", [one for _, one in some]
        for side, metric in SIDES.items():
            known = [value for one in marks if (value := getattr(one, side)) is not None]
            share = wilson(sum(known), len(known))
            rows.append(_row(protocol, name, f"{metric}{ending}", share, len(known), len(marks) - len(known)))
        outside = [one.outside for one in marks if one.outside is not None]
        spared = bootstrap_mean(np.asarray(outside, np.float64), seed) if outside else NOTHING
        rows.append(_row(protocol, name, f"{OUTSIDE}{ending}", spared, len(outside), len(marks) - len(outside)))
    return rows


def _row(protocol: str, name: str, metric: str, interval: Interval, n: int, missing: int) -> Row:
    return interval_row(BENCH, protocol, name, metric, interval, n, missing)
