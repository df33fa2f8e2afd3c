"""Students at equal budgets: all are trained as the run's own student was, and differ in what is said of each."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tutelage.corpus.gate import Gate
from tutelage.corpus.reader import Corpus
from tutelage.errors import BadInput
from tutelage.judges.panel import Panel
from tutelage.reproduce.settings import Experiment
from tutelage.run import CONFIG
from tutelage.stages.learnt import MODEL, STUDENT, learn
from tutelage.stages.mined import captioned, clusters_of
from tutelage.stages.settings import Imagining, Learning
from tutelage.stages.taught import CORPUS, teach
from tutelage.students.settings import SutiShape, SutiTraining
from tutelage.training.settings import Schedule
from tutelage.triplet import Cluster

NEIGHBOURS, NAMED = "neighbours", "named-neighbours"
"""Folders of the corpora whose targets are the subjects' own pictures, by their captions and by their names alone."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A student, and what it was made of."""

    model: Path
    triplets: int
    steps: int


def suti(experiment: Experiment) -> Trained:
    """The run's own student, or one like it with the steps that are asked for."""
    how = learning(experiment)
    if how == lesson_of(experiment.run):
        kept = Corpus(experiment.run / CORPUS).rows(Gate(bands=how.gate))
        return Trained(model=experiment.run / MODEL, triplets=len(kept), steps=how.schedule.steps)
    return train(experiment, "suti", how, experiment.run / CORPUS)


def re_imagen(experiment: Experiment) -> Trained:
    """Re-Imagen (Chen et al. 2023): a real picture is the target, two others of its subject are its references."""
    how = learning(experiment)
    how = replace(how, gate={}, training=replace(how.training, demonstrations=2))
    return train(experiment, "re-imagen", how, neighbours(experiment))


def copy_paste(experiment: Experiment) -> Trained:
    """SuTI's first version: k − 1 of a subject's pictures are the demonstrations, the k-th is the target."""
    return train(experiment, "copy-paste", replace(learning(experiment), gate={}), neighbours(experiment))


def named_alone(experiment: Experiment) -> Trained:
    """The same where captions name the subject and say nothing else, as those of shops do."""
    corpus = neighbours(experiment, captions=False)
    return train(experiment, "named-alone", replace(learning(experiment), gate={}), corpus)


def train(experiment: Experiment, name: str, how: Learning, corpus: Path) -> Trained:
    """A student of a corpus, in the experiment's `students` folder.

    Raises:
        BadInput: see `stages.learnt.learn`.
    """
    folder = experiment.out / "students" / name
    folder.mkdir(parents=True, exist_ok=True)
    counts = learn(how, _told(experiment.run)[1], experiment.device, folder, corpus)
    return Trained(model=folder / MODEL, **counts)


def learning(experiment: Experiment) -> Learning:
    """How every student is trained: as the run's, in as many steps as the experiment says."""
    how = lesson_of(experiment.run)
    steps = experiment.learning_steps or how.schedule.steps
    return replace(how, schedule=replace(how.schedule, steps=steps))


def lesson_of(run: Path) -> Learning:
    """How a run's student was trained.

    Raises:
        BadInput: the run has no finished student, or was made by another version.
    """
    path = run / STUDENT / CONFIG
    if not (run / MODEL).is_dir():
        raise BadInput(f"{run} has no finished student; give --run the folder of a finished `tutelage run suti`")
    try:
        config: dict[str, Any] = json.loads(path.read_bytes())["config"]
        levels = config["shape"]["levels"]
        shape = {**config["shape"], "levels": None if levels is None else tuple(levels)}
        parts = {
            "shape": SutiShape(**shape),
            "training": SutiTraining(**config["training"]),
            "schedule": Schedule(**config["schedule"]),
            "gate": {judge: (float(low), float(high)) for judge, (low, high) in config["gate"].items()},
        }
        return Learning(**{**config, **parts})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} does not say how a student was trained ({error}); run this version's recipe") from error


def neighbours(experiment: Experiment, *, captions: bool = True) -> Path:
    """The corpus of the run's clusters without experts: as many subjects, and at most as many triplets of each."""
    out, (imagined, _) = experiment.out / (NEIGHBOURS if captions else NAMED), _told(experiment.run)
    out.mkdir(parents=True, exist_ok=True)
    found = clusters_of(experiment.run, imagined)
    clusters = found if captions else map(_named, found)
    assignments = [assignment for cluster in clusters for assignment in captioned(cluster, imagined.prompts)]
    teach(assignments, len(assignments), None, Panel(judges=()), out)
    return out / CORPUS


def _named(cluster: Cluster) -> Cluster:
    references = tuple(replace(reference, caption=cluster.subject) for reference in cluster.references)
    return replace(cluster, references=references)


def _told(run: Path) -> tuple[Imagining, int]:
    """How many subjects a run has, and prompts of each; and its seed."""
    path = run / CONFIG
    try:
        config = json.loads(path.read_bytes())["config"]
        told, seed = config["imagining"], int(config["seed"])
        return Imagining(prompts=int(told["prompts"]), subjects=told["subjects"]), seed
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path} does not say how many subjects there are ({error}); run `tutelage run suti`") from error
