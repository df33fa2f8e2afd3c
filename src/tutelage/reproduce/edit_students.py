"""Editors at equal budgets: all are trained in one way, and differ in what they are shown or in what they are.

generalist                                all tasks, what the judges kept
only-swap, only-removal, ...              one task of it: what an editor learns from a single source
unfiltered                                all tasks, whatever the judges said
refined, unrefined                        the same pairs, refined and as they were
concat-transformer, controlnet, editnet   the generalist's data, another kind of student, all on one base
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tutelage.corpus.gate import Gate
from tutelage.corpus.reader import Corpus
from tutelage.diffusion.load import local_folder
from tutelage.errors import BadInput
from tutelage.reproduce.edit_settings import EditExperiment
from tutelage.reproduce.parts import CORPORA, write_part
from tutelage.reproduce.students import Trained
from tutelage.run import CONFIG, plain
from tutelage.stages.batches import rows_by_id
from tutelage.stages.learnt import MODEL, STUDENT, learn
from tutelage.stages.refined import ENDING
from tutelage.stages.settings import EditLearning
from tutelage.stages.taught import CORPUS
from tutelage.students import EDITORS
from tutelage.toybox.checkpoints import checkpoint
from tutelage.triplet import EDITS

GENERALIST: Final = "generalist"
UNFILTERED: Final = "unfiltered"
REFINED, UNREFINED = "refined", "unrefined"
ONLY: Final = "only-"
"""And the task."""


def kind(experiment: EditExperiment, student: str) -> str:
    """Who is the student of that kind that learns from all that was kept."""
    return GENERALIST if student == experiment.learning.student else student


def trained(experiment: EditExperiment, name: str) -> Trained:
    """A student by its name, in the experiment's `students` folder, or the run's own.

    Raises:
        BadInput: the run has no such pairs, or see `stages.learnt.learn`.
    """
    how, seed = lesson(experiment, name), run_seed(experiment.run)
    if name == GENERALIST and (own := _of_the_run(experiment.run, how)) is not None:
        return own
    folder = experiment.out / "students" / name
    folder.mkdir(parents=True, exist_ok=True)
    counts = learn(how, seed, experiment.device, folder, shown(experiment, name))
    return Trained(model=folder / MODEL, **counts)


def check(experiment: EditExperiment, names: list[str]) -> None:
    """See that all students can be begun, before the first is trained for hours.

    Raises:
        BadInput: a base is absent, or the run has no pairs for one of them.
    """
    run_seed(experiment.run)
    for name in names:
        local_folder(checkpoint(lesson(experiment, name).base))
        rows(experiment, name)


def lesson(experiment: EditExperiment, name: str) -> EditLearning:
    """How a student of that name is trained: a part of the corpus is written for it without verdicts."""
    how = experiment.lesson(name if name in EDITORS else "")
    return how if name == GENERALIST or name in EDITORS else replace(how, gate={})


def shown(experiment: EditExperiment, name: str) -> Path:
    """The corpus that a student learns from."""
    if name == GENERALIST or name in EDITORS:
        return experiment.run / CORPUS
    chosen = rows(experiment, name).tolist()
    return write_part(Corpus(source(experiment, name)), chosen, experiment.out / CORPORA / name)


def source(experiment: EditExperiment, name: str) -> Path:
    """The corpus that a student's is a part of.

    Raises:
        BadInput: it is to be refined, and nothing was.
    """
    if name == REFINED and experiment.refined is None:
        raise BadInput("nothing was refined; give --refined the corpus of `tutelage run refine`")
    return experiment.refined if name == REFINED and experiment.refined else experiment.run / CORPUS


def rows(experiment: EditExperiment, name: str) -> NDArray[np.int64]:
    """Which rows of `source` a student learns from.

    Raises:
        BadInput: there are none.
    """
    corpus, gate = Corpus(source(experiment, name)), Gate(bands=experiment.learning.gate)
    if name == UNFILTERED:
        return corpus.rows(None)
    if name in (REFINED, UNREFINED):
        return _in_both(experiment, name)
    kept = rows_by_id(corpus, gate)
    if not name.startswith(ONLY):
        return kept
    task = name.removeprefix(ONLY)
    skills = np.asarray(corpus.column("skill").to_pylist())[kept]
    if not (skills == task).any():
        raise BadInput(f"{corpus.path} keeps no pair of the task '{task}'; make more, or ask less of them")
    chosen: NDArray[np.int64] = kept[skills == task]
    return chosen


def run_seed(run: Path) -> int:
    """The seed of a run.

    Raises:
        BadInput: it is none.
    """
    path = run / CONFIG
    try:
        return int(json.loads(path.read_bytes())["config"]["seed"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(
            f"{path} is not that of a run ({error}); give --run what `tutelage run omniedit` made"
        ) from error


def only(tasks: tuple[str, ...] = EDITS) -> list[str]:
    """The students of one task each."""
    return [f"{ONLY}{task}" for task in tasks]


def _in_both(experiment: EditExperiment, name: str) -> NDArray[np.int64]:
    """Rows of the pairs that are kept both as they were and refined."""
    gate, places = Gate(bands=experiment.learning.gate), {}
    for one, own in ((UNREFINED, gate), (REFINED, Gate())):
        corpus = Corpus(source(experiment, one))
        ids = corpus.column("id").to_pylist()
        places[one] = {ids[row].removesuffix(ENDING): row for row in rows_by_id(corpus, own).tolist()}
    both = sorted(places[REFINED].keys() & places[UNREFINED].keys())
    if not both:
        raise BadInput(
            f"no pair of {experiment.refined} is of {experiment.run}; give what `tutelage run refine` made of its pairs"
        )
    return np.asarray([places[name][one] for one in both], np.int64)


def _of_the_run(run: Path, how: EditLearning) -> Trained | None:
    """The run's own student, if it was trained like that."""
    path = run / STUDENT / CONFIG
    if not (run / MODEL).is_dir() or not path.is_file():
        return None
    if json.loads(path.read_bytes())["config"] != plain(how):
        return None
    kept = rows_by_id(Corpus(run / CORPUS), Gate(bands=how.gate))
    return Trained(model=run / MODEL, triplets=len(kept), steps=how.schedule.steps)
