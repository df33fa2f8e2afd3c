"""Benches of editors from questions to rows: every editor answers, every answer is marked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from tutelage.benches.base import Row
from tutelage.benches.editing.examiner import NONE, EditExaminer, Marks, edit_examiner
from tutelage.benches.editing.figures import coverage_rows, figure_row, names_of, rows_of
from tutelage.benches.editing.questions import EditQuestion
from tutelage.errors import BadInput
from tutelage.generators.editors import Editor, EditSettings, made_elsewhere
from tutelage.generators.edits import (
    FINDINGS,
    Marked,
    answer_file,
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
IMAGES: Final = "images"
"""Whoever made the pictures of a folder."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which questions; more of them may be asked when a bench resumes."""

    bench: str
    data: Path
    seed: int
    items: int | None = field(default=None, metadata=FREE)


class Answer(Protocol):
    """Finds the file of an answer."""

    def __call__(self, question: EditQuestion, settings: EditSettings) -> bytes | None:
        """None: there is none."""
        ...


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
    for editor in editors:
        draw_edits(out, editor, questions, [setting])
    marked = _beside(out, told.beside, questions, examiner)
    for name, answer in _answers(out, told, editors).items():
        marked[name] = mark_edits(out / FINDINGS / name, questions, partial(answer, settings=setting), examiner)
        write_marks(out / name, questions, marked[name].marks)
    rows = []
    for name, (marks, missing) in marked.items():
        rows += coverage_rows(bench, protocol, name, len(questions), missing)
        rows += rows_of(bench, protocol, name, questions, marks, told.seed)
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
    rows = []
    for name, (marks, _) in _beside(out, told.beside, questions, examiner).items():
        rows += rows_of(CURVE, protocol, name, questions, marks, told.seed)
    for editor in editors:
        draw_edits(out, editor, questions, points)
    for name, answer in _answers(out, told, editors).items():
        found, whole = out / FINDINGS / name, len(questions) * len(points)
        marked = {at: mark_edits(found, questions, partial(answer, settings=at), examiner) for at in points}
        lost = {f"{at.place}/{one}": why for at, part in marked.items() for one, why in part.missing.items()}
        rows += coverage_rows(CURVE, protocol, name, whole, lost)
        for image in told.image_guidance:
            runs = [part.marks for at, part in marked.items() if at.image == image]
            rows += point_rows(protocol, name, f"image guidance {image:g}", runs, told.seed)
    write_rows(out, rows)
    return rows, examiner.hashes()


def point_rows(protocol: str, row: str, point: str, runs: Sequence[Sequence[Marks]], seed: int) -> list[Row]:
    """Rows of one point from the marks of each run: intervals are over pictures, whose runs are averaged first."""
    names = names_of([mark for run in runs for mark in run])
    pictures = [
        {name: float(np.mean([mark.get(name, np.nan) for mark in of_one])) for name in names}
        for of_one in zip(*runs, strict=True)
    ]
    rows = []
    for name in names:
        rows.append(figure_row(CURVE, protocol, row, f"{name}: {point}", name, pictures, seed))
        means = [mean for run in runs if (mean := _mean(run, name)) is not None]
        if len(means) > 1:
            spread = float(np.std(means, ddof=1))
            rows.append(_spread(protocol, row, f"{name}, std over runs: {point}", spread, len(means)))
    return rows


def _mean(run: Sequence[Marks], name: str) -> float | None:
    """Of the pictures that have the figure."""
    there = [mark[name] for mark in run if not np.isnan(mark.get(name, np.nan))]
    return float(np.mean(there)) if there else None


def _spread(protocol: str, row: str, metric: str, value: float, runs: int) -> Row:
    return Row(bench=CURVE, protocol=protocol, row=row, metric=metric, value=value, low=None, high=None, n=runs)


def _open(out: Path, told: "EditBench", bench: str, questions: Sequence[EditQuestion]) -> list[Editor]:
    """Make the bench's folder, and say who answers."""
    editors = told.editors()
    if not told.beside and not editors and told.images is None:
        raise BadInput("nobody is measured; give --images, --pipeline or --beside")
    open_run(Asked(bench=bench, data=told.data, seed=told.seed, items=told.items), out)
    write_edit_questions(out, questions)
    return editors


def _answers(out: Path, told: "EditBench", editors: Sequence[Editor]) -> dict[str, Answer]:
    """Who answered → where each answer is: what editors drew, and what somebody else made."""

    def drawn(question: EditQuestion, settings: EditSettings, *, folder: Path) -> bytes | None:
        return answer_file(folder, question, settings).read_bytes()

    def given(question: EditQuestion, settings: EditSettings, *, folder: Path) -> bytes | None:
        return made_elsewhere(folder, question.id, settings)

    made: dict[str, Answer] = {editor.name: partial(drawn, folder=out / editor.name) for editor in editors}
    return made if told.images is None else {IMAGES: partial(given, folder=told.images), **made}


def _beside(
    out: Path, names: Sequence[str], questions: Sequence[EditQuestion], examiner: EditExaminer
) -> dict[str, Marked]:
    """The marks of the sources as they are, and of the set's own edits if all questions have one."""
    files: dict[str, Callable[[EditQuestion], bytes | None]] = {
        "source": lambda question: question.source,
        "reference": lambda question: question.truth,
    }
    whole = [name for name in names if all(files[name](one) is not None for one in questions)]
    return {name: mark_edits(out / FINDINGS / name, questions, files[name], examiner) for name in whole}
