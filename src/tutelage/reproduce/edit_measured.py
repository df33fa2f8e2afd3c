"""Editors' answers about held-out toys, and what is true of them, added up toy by toy.

Folder `edits-1x1` of an experiment, or of another aspect ratio:

config.json questions.jsonl     what is asked
NAME/ID.png                     answers of a student
specialists/                    their pairs, as in a run
marks/NAME/log.jsonl            what was found in answers
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tutelage.benches.base import Row, interval_row
from tutelage.benches.editing.questions import EditQuestion
from tutelage.benches.editing.truth import Examiner, PairMarks, TrueEdit
from tutelage.benches.intervals import Floats, bootstrap_ratio
from tutelage.corpus.reader import Corpus
from tutelage.generators.editors import EditSettings, StudentEditor
from tutelage.generators.edits import answer_file, draw_edits, write_edit_questions
from tutelage.generators.specialist_bench import LOCAL, edits, mark_pairs, teach_pairs
from tutelage.generators.true_edits import BENCH, OUTSIDE, true_questions
from tutelage.reproduce.claims import Sums
from tutelage.reproduce.edit_marks import Marked, Marker
from tutelage.reproduce.edit_settings import EditExperiment
from tutelage.reproduce.edit_students import ONLY
from tutelage.reproduce.students import Trained
from tutelage.run import open_run
from tutelage.stages.taught import CORPUS
from tutelage.teachers.specialists.settings import Drawing
from tutelage.toybox.edits import TASKS

SQUARE: Final = "1:1"
RIGHT: Final = "right"
METRICS: Final = (RIGHT, "edit done", "rest kept", OUTSIDE)
SPECIALIST: Final = "specialist"
SOURCE, RENDERS = "source", "renders"
"""Who does nothing, and who knows the truth."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Which questions; answers lie in a folder of this."""

    items: int
    side: int
    ratio: str
    seed: int


@dataclass(frozen=True, kw_only=True)
class Taught:
    """How specialists answer them; their folder is a run directory of this."""

    base: str
    branch: str
    drawing: Drawing


@dataclass(frozen=True, kw_only=True)
class EditsMeasured:
    """Everything that claims are about, at one aspect ratio."""

    folder: Path
    questions: Sequence[EditQuestion]
    rows: tuple[Row, ...]
    sums: Sums
    pictures: Mapping[str, Mapping[str, bytes]]
    """Who answered → id of a question → the picture; specialists have no answer to some."""


def measured(
    experiment: EditExperiment, students: Mapping[str, Trained], ratio: str = SQUARE, *, specialists: bool = False
) -> EditsMeasured:
    """Have students, editors beside them, and specialists answer at an aspect ratio; what is drawn already is kept.

    At another ratio than 1:1 each has its name and the ratio, such as `generalist 9:16`. A student of one task is asked
    for that one.

    Raises:
        BadInput: one cannot answer, or the folder holds answers to other questions.
    """
    folder, asked, questions = _opened(experiment, ratio)
    marker = Marker.load(folder, experiment.device)
    found = {SOURCE: {one.id: one.source for one in questions}}
    editors = {name: str(made.model) for name, made in students.items()}
    editors |= {Path(model).name: model for model in experiment.beside if ratio == SQUARE}
    found |= {name: _answers(experiment, folder, name, model, questions) for name, model in editors.items()}
    found[RENDERS] = {one.id: one.truth or b"" for one in questions}
    marks: dict[str, Marked] = {name: marker.mark(name, asked, answers) for name, answers in found.items()}
    if specialists:
        found[SPECIALIST], marks[SPECIALIST] = _specialists(experiment, folder, asked, marker.examiner)
    ending = "" if ratio == SQUARE else f" {ratio}"
    sums = sums_of({f"{name}{ending}": one for name, one in marks.items()}, asked, experiment.items)
    rows = tuple(_rows(sums, f"held-out edits, {ratio}", experiment.seed))
    pictures = {f"{name}{ending}": one for name, one in found.items()}
    return EditsMeasured(folder=folder, questions=questions, rows=rows, sums=sums, pictures=pictures)


def sums_of(marks: Mapping[str, Marked], asked: Mapping[str, TrueEdit], items: int) -> Sums:
    """Metric, over all tasks or `metric: task` → who was asked for all that → sums by toy (items,), and of how much.

    What was not made is not right. The spared outside is that of local edits.
    """
    found: dict[str, dict[str, tuple[Floats, Floats]]] = {}
    for metric in METRICS:
        for task in (None, *TASKS):
            if metric == OUTSIDE and task is not None and task not in LOCAL:
                continue
            names = [name for name, truth in asked.items() if task in (None, truth.edit.task)]
            key = metric if task is None else f"{metric}: {task}"
            found[key] = {
                who: _added(metric, names, said, items) for who, said in marks.items() if said.keys() >= set(names)
            }
    return found


def _added(metric: str, names: Iterable[str], said: Marked, items: int) -> tuple[Floats, Floats]:
    part, whole = np.zeros(items), np.zeros(items)
    for name in names:
        value = _value(metric, said[name])
        if value is not None:
            number = int(name.partition("/")[0].rpartition("-")[2])
            part[number] += value
            whole[number] += 1
    return part, whole


def _value(metric: str, marks: PairMarks | None) -> float | None:
    """None: nothing can be said."""
    if marks is None:
        return 0.0 if metric == RIGHT else None
    values = (marks.right, marks.done, marks.kept, marks.outside)
    value = dict(zip(METRICS, values, strict=True))[metric]
    return None if value is None else float(value)


def _opened(experiment: EditExperiment, ratio: str) -> tuple[Path, Mapping[str, TrueEdit], list[EditQuestion]]:
    told = Asked(items=experiment.items, side=experiment.side, ratio=ratio, seed=experiment.seed)
    folder = open_run(told, experiment.out / f"{BENCH}-{ratio.replace(':', 'x')}")
    asked = edits(TASKS, experiment.items, experiment.side, (ratio,), experiment.seed)
    questions = true_questions(asked)
    write_edit_questions(folder, questions)
    return folder, asked, questions


def _answers(
    experiment: EditExperiment, folder: Path, name: str, model: str, questions: Sequence[EditQuestion]
) -> dict[str, bytes]:
    editor = StudentEditor(
        model=model, steps=experiment.steps, seed=experiment.seed, name=name, device=experiment.device
    )
    settings = EditSettings(text=experiment.text_guidance, image=experiment.image_guidance)
    own = [one for one in questions if not name.startswith(ONLY) or one.groups == (name.removeprefix(ONLY),)]
    draw_edits(folder, editor, own, [settings])
    return {one.id: answer_file(folder / name, one, settings).read_bytes() for one in own}


def _specialists(
    experiment: EditExperiment, folder: Path, asked: Mapping[str, TrueEdit], examiner: Examiner
) -> tuple[dict[str, bytes], Marked]:
    """What specialists made, and what is true of it: of an addition they make the source."""
    who = Taught(base=experiment.unet, branch=experiment.branch, drawing=experiment.drawing)
    out = open_run(who, folder / "specialists")
    told = (experiment.unet, experiment.drawing, experiment.seed, experiment.device, experiment.workers)
    teach_pairs(out, asked, *told, branch=experiment.branch)
    made = {one.id.rpartition("/")[0]: one for one in Corpus(out / CORPUS).triplets(None)}
    shown = {
        name: one.references[0].picture.data if one.skill == "addition" else one.target for name, one in made.items()
    }
    return shown, dict.fromkeys(asked) | {one.id: one.marks for one in mark_pairs(out, asked, examiner)}


def _rows(sums: Sums, protocol: str, seed: int) -> Iterable[Row]:
    for metric, of in sums.items():
        for name, (part, whole) in of.items():
            interval = bootstrap_ratio(part, whole, seed)
            yield interval_row(BENCH, protocol, name, metric, interval, int(whole.sum()))
