"""OmniEdit's claims on held-out toys: an editor beside its specialists and beside others that differ in one thing."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from tutelage.errors import BadInput
from tutelage.report.bench import by_hash
from tutelage.reproduce.claims import Claim, Sums, above, check
from tutelage.reproduce.edit_measured import (
    METRICS,
    RENDERS,
    RIGHT,
    SOURCE,
    SPECIALIST,
    EditsMeasured,
    measured,
)
from tutelage.reproduce.edit_settings import EditExperiment
from tutelage.reproduce.edit_students import (
    GENERALIST,
    ONLY,
    REFINED,
    UNFILTERED,
    UNREFINED,
    kind,
    only,
    trained,
)
from tutelage.reproduce.edit_students import check as check_students
from tutelage.reproduce.result import Line, Result
from tutelage.toybox.edits import TASKS

SHAPES: Final = ("9:16", "16:9")
PAR: Final = 0.02
"""Shares within this are as good as each other."""
WITHIN: Final = 0.05
"""A loss below this is none for another aspect ratio, whose pictures have other sizes and the same toys."""
SHOWN: Final = 2
"""Edits of each task on the page."""
ON_ONE_BASE: Final = ("concat-transformer", "controlnet", "editnet")
"""The students of SD3's transformer."""
COMPARISONS: Final[Mapping[str, str]] = {
    "specialists": "The student of all pairs beside the specialist of each task that made them.",
    "sources": "It beside students of one task's pairs each, in that task.",
    "filter": "It beside a student of all pairs, whatever the judges said.",
    "refined": "Students of the same pairs, refined and as they were.",
    "students": "EditNet, ControlNet and channel concatenation on the same pairs and the same transformer. With "
    "concatenation all of it learns; the other two leave it as it is and learn a branch.",
    "shapes": "It on upright and wide pictures beside square ones, of the same toys and edits.",
}
ABOUT: Final = (
    "All are trained in as many steps, with the same batch and learning rate, and edit the same toys, which no "
    "training has seen. An edit is right if what was to change reads as wanted, by networks that read the true picture "
    "right, and the rest as before. What a specialist did not make is not right; of an addition it makes the source. "
)
FIGURES: Final = (
    "Ours with its 95 % interval, over toys: each is edited in all tasks. Source does nothing, and renders are the "
    "true edits. PSNR is of local edits, outside of what the true edit may touch; a student's codec is in it, while "
    "specialists paste what they drew into the source."
)


def compare(experiment: EditExperiment, name: str) -> Result:
    """One comparison, or with the name `edits` all of them (`refined` only where there is such a corpus).

    Raises:
        BadInput: a student cannot be trained, or a picture not be drawn.
    """
    chosen = every(experiment) if name == "edits" else (name.removeprefix("edit-"),)
    if "refined" in chosen and experiment.refined is None:
        raise BadInput("nothing was refined; give --refined a corpus of the run's pairs, refined")
    names = list(dict.fromkeys(one for comparison in chosen for one in students_of(experiment, comparison)))
    beside = _beside(experiment)
    check_students(experiment, names)
    students = {one: trained(experiment, one) for one in names}
    found = [measured(experiment, students, specialists="specialists" in chosen)]
    if "shapes" in chosen:
        found += [measured(experiment, {GENERALIST: students[GENERALIST]}, ratio) for ratio in SHAPES]
    sums = _joined([one.sums for one in found])
    said = [check(claim, sums, experiment.seed) for one in chosen for claim in claims(experiment, one)]
    return Result(
        name=name,
        title="Editors" if name == "edits" else f"Editors: {chosen[0]}",
        about=ABOUT + " ".join(COMPARISONS[one] for one in chosen) + beside,
        metrics=METRICS,
        rows=[row for one in found for row in one.rows],
        said=[one for one in said if one is not None],
        paper={},
        students={one: {"triplets": made.triplets, "steps": made.steps} for one, made in students.items()},
        experiment=experiment,
        folder=found[0].folder,
        axis={},
        groups=TASKS,
        figures=FIGURES,
        lines=[line for one in found for line in _lines(one)],
    )


def every(experiment: EditExperiment) -> tuple[str, ...]:
    """The comparisons that can be made."""
    return tuple(one for one in COMPARISONS if one != "refined" or experiment.refined is not None)


def students_of(experiment: EditExperiment, comparison: str) -> list[str]:
    """The students that a comparison needs."""
    return {
        "sources": [GENERALIST, *only()],
        "filter": [GENERALIST, UNFILTERED],
        "refined": [REFINED, UNREFINED],
        "students": [kind(experiment, one) for one in ON_ONE_BASE],
    }.get(comparison, [GENERALIST])


def claims(experiment: EditExperiment, comparison: str) -> list[Claim]:
    """What is claimed of a comparison; "at least" is but for `PAR`."""
    concatenation, controlnet, editnet = (kind(experiment, one) for one in ON_ONE_BASE)
    if comparison == "specialists":
        return [_at_least(f"The generalist is at least as good as the specialist: {task}", f"{RIGHT}: {task}",
                          GENERALIST, SPECIALIST) for task in TASKS]  # fmt: skip
    if comparison == "sources":
        return [_at_least(f"The generalist is at least as good as the student of that task alone: {task}",
                          f"{RIGHT}: {task}", GENERALIST, f"{ONLY}{task}") for task in TASKS]  # fmt: skip
    if comparison == "filter":
        return _helps("Filtering helps", GENERALIST, UNFILTERED)
    if comparison == "refined":
        return _helps("Refinement helps", REFINED, UNREFINED)
    if comparison == "students":
        return [
            _at_least("EditNet is at least as good as ControlNet", RIGHT, editnet, controlnet),
            _at_least("ControlNet is at least as good as concatenation", RIGHT, controlnet, concatenation),
            _at_least("EditNet is at least as good as concatenation", RIGHT, editnet, concatenation),
        ]
    return [
        above(f"{ratio} loses nothing against 1:1 (less than {WITHIN:g})", RIGHT, f"{GENERALIST} {ratio}", GENERALIST,
              least=-WITHIN)
        for ratio in SHAPES
    ]  # fmt: skip


def _beside(experiment: EditExperiment) -> str:
    """What is said of editors that were trained otherwise.

    Raises:
        BadInput: one has the name of another row.
    """
    names = [Path(model).name for model in experiment.beside]
    taken = {one for comparison in COMPARISONS for one in students_of(experiment, comparison)}
    if double := {SOURCE, SPECIALIST, RENDERS, *taken} & set(names):
        raise BadInput(f"--beside: '{min(double)}' is the name of another row; give the folder another name")
    return f" Trained otherwise, and only shown beside them: {', '.join(names)}." if names else ""


def _helps(text: str, one: str, other: str) -> list[Claim]:
    by_task = [above(f"… {task}", f"{RIGHT}: {task}", one, other) for task in TASKS]
    return [above(text, RIGHT, one, other), *by_task]


def _at_least(text: str, metric: str, one: str, other: str) -> Claim:
    return above(text, metric, one, other, least=-PAR)


def _joined(several: Sequence[Sums]) -> Sums:
    """Sums of other generators under the same metrics."""
    return {metric: {name: of for one in several for name, of in one[metric].items()} for metric in several[0]}


def _lines(found: EditsMeasured) -> list[Line]:
    """A few edits of each task, by hash of their ids: the source first, the truth last."""
    lines = []
    shown = SHOWN if SOURCE in found.pictures else 1
    for task in TASKS:
        among = sorted((one for one in found.questions if one.groups == (task,)), key=lambda one: by_hash(one.id))
        for one in among[:shown]:
            pictures = {name: of[one.id] for name, of in _in_order(found.pictures).items() if one.id in of}
            lines.append(Line(skill=task, text=one.instruction, pictures=pictures))
    return lines


def _in_order(pictures: Mapping[str, Mapping[str, bytes]]) -> dict[str, Mapping[str, bytes]]:
    def place(name: str) -> int:
        first = name.partition(" ")[0]
        return (SOURCE, SPECIALIST, "", RENDERS).index(first if first in (SOURCE, SPECIALIST, RENDERS) else "")

    return {name: pictures[name] for name in sorted(pictures, key=place)}
