"""Benches of editors from questions to rows: every editor answers, every answer is marked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from tutelage.benches.base import Row
from tutelage.benches.editing.examiner import NONE, EditExaminer, Marks, edit_examiner
from tutelage.benches.editing.figures import figure_row, names_of, rows_of
from tutelage.benches.editing.questions import EditQuestion
from tutelage.diffusion.pictures import decode
from tutelage.errors import BadInput
from tutelage.generators.editors import Editor, EditSettings
from tutelage.generators.edits import (
    BATCH,
    draw_edits,
    mark_edits,
    write_edit_questions,
    write_marks,
    write_rows,
)
from tutelage.run import FREE, open_run

if TYPE_CHECKING:
    from tutelage.generators.edit_command import CurveBench, DistanceBench, EditBench

CURVE: Final = "editing"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which questions; more of them may be asked when a bench resumes."""

    bench: str
    data: Path
    seed: int
    items: int | None = field(default=None, metadata=FREE)


Measured = tuple[list[Row], dict[str, str]]
"""Rows, and network → hash."""


def run_distances(out: Path, told: "DistanceBench", bench: str, questions: Sequence[EditQuestion]) -> Measured:
    """Rows of every editor at one setting, over all pictures and by group.

    Raises:
        BadInput: `out` holds another bench, an editor cannot answer, or a network cannot be loaded.
    """
    editors = _open(out, told, bench, questions)
    examiner = edit_examiner(told.clip, told.dino, told.lpips, told.lpips_weights, told.device)
    setting = EditSettings(text=told.text_guidance, image=told.image_guidance)
    protocol = f"{len(questions)} pictures, seed {told.seed}"
    marked = _beside(told.beside, questions, examiner)
    for editor in editors:
        draw_edits(out, editor, questions, [setting])
        marked[editor.name] = mark_edits(out, editor, questions, setting, examiner)
        write_marks(out / editor.name, questions, marked[editor.name])
    rows = [
        row for name, marks in marked.items() for row in rows_of(bench, protocol, name, questions, marks, told.seed)
    ]
    write_rows(out, rows)
    return rows, examiner.hashes()


def run_curve(
    out: Path, told: "CurveBench", questions: Sequence[EditQuestion], points: Sequence[EditSettings]
) -> Measured:
    """Rows of every point of the curve: the mean over pictures and runs, and the standard deviation over runs.

    Raises:
        BadInput: see `run_distances`.
    """
    editors = _open(out, told, CURVE, questions)
    examiner = edit_examiner(told.clip, NONE, NONE, None, told.device)
    protocol = f"{len(questions)} pairs of {told.split}, text guidance {told.text_guidance:g}, {told.runs} runs"
    rows = [
        row
        for name, marks in _beside(told.beside, questions, examiner).items()
        for row in rows_of(CURVE, protocol, name, questions, marks, told.seed)
    ]
    for editor in editors:
        draw_edits(out, editor, questions, points)
        marked = {point: mark_edits(out, editor, questions, point, examiner) for point in points}
        for image in told.image_guidance:
            runs = [marks for point, marks in marked.items() if point.image == image]
            rows += point_rows(protocol, editor.name, f"image guidance {image:g}", runs, told.seed)
    write_rows(out, rows)
    return rows, examiner.hashes()


def point_rows(protocol: str, row: str, point: str, runs: Sequence[Sequence[Marks]], seed: int) -> list[Row]:
    """Rows of one point from the marks of each run: intervals are over pictures, whose runs are averaged first."""
    pictures = [
        {name: float(np.mean([mark[name] for mark in of_one])) for name in of_one[0]}
        for of_one in zip(*runs, strict=True)
    ]
    rows = []
    for name in names_of(pictures):
        rows.append(figure_row(CURVE, protocol, row, f"{name}: {point}", name, pictures, seed))
        if len(runs) > 1:
            spread = float(np.std([np.nanmean([mark[name] for mark in run]) for run in runs], ddof=1))
            rows.append(_spread(protocol, row, f"{name}, std over runs: {point}", spread, len(runs)))
    return rows


def _spread(protocol: str, row: str, metric: str, value: float, runs: int) -> Row:
    return Row(bench=CURVE, protocol=protocol, row=row, metric=metric, value=value, low=None, high=None, n=runs)


def _open(out: Path, told: "EditBench", bench: str, questions: Sequence[EditQuestion]) -> list[Editor]:
    """Make the bench's folder, and say who answers."""
    editors = told.editors()
    names = [*told.beside, *(editor.name for editor in editors)]
    if not names:
        raise BadInput("nobody is measured; give --images, --pipeline or --beside")
    open_run(Asked(bench=bench, data=told.data, seed=told.seed, items=told.items), out)
    write_edit_questions(out, questions)
    return editors


def _beside(names: Sequence[str], questions: Sequence[EditQuestion], examiner: EditExaminer) -> dict[str, list[Marks]]:
    """The marks of the sources as they are, and of the set's own edits if all questions have one."""
    files: dict[str, Callable[[EditQuestion], bytes | None]] = {
        "source": lambda question: question.source,
        "reference": lambda question: question.truth,
    }
    found: dict[str, list[Marks]] = {}
    for name in names:
        answers = [(one.id, data) for one in questions if (data := files[name](one)) is not None]
        if len(answers) == len(questions):
            found[name] = []
            for first in range(0, len(questions), BATCH):
                seen = [decode(data, f"{name} of {key}") for key, data in answers[first : first + BATCH]]
                found[name] += examiner.mark(questions[first : first + BATCH], seen)
    return found
