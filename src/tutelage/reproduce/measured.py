"""Answers of generators, marked and compared with the subject's pictures, added up subject by subject."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tutelage.benches.base import Row
from tutelage.benches.intervals import Floats, bootstrap_ratio
from tutelage.benches.subjects.examiner import FEATURES
from tutelage.benches.subjects.figures import BENCH, METRICS, Marked, by_toy, comparison
from tutelage.benches.subjects.questions import Question, SubjectsBench, questions
from tutelage.diffusion.features import clip_features, picture_features
from tutelage.generators.base import Generator
from tutelage.generators.bench import answers_marked, figures_of, write_figures
from tutelage.generators.folder import pictures_of, shown
from tutelage.generators.given import Renders, file_name
from tutelage.reproduce.claims import Sums
from tutelage.reproduce.settings import Experiment
from tutelage.toybox.vision import folder_of

CLIP: Final = "toybox-clip"
AUTOMATIC: Final = ("dino", "clip-i", "clip-t")
"""Table 1's: mean cosine of an answer to its subject's demonstrations, by an identity network and by a CLIP, and of an
answer to its prompt (DreamBooth, §4.2)."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Everything that claims are about."""

    bench: SubjectsBench
    folder: Path
    rows: tuple[Row, ...]
    sums: Sums


def measured(
    experiment: Experiment, generators: Sequence[Generator], name: str, *, demonstrations: int = 4, first: str = ""
) -> Measured:
    """Have the generators answer in a folder of that name, which other experiments may share, and measure them.

    Args:
        experiment: which questions, and what marks them.
        generators: who answers; renders do anyway.
        name: folder in the experiment's.
        demonstrations: pictures that show a toy.
        first: the generator whose speed the others' is compared with; empty: none.

    Raises:
        BadInput: a generator cannot answer.
    """
    bench, folder = experiment.bench(demonstrations), experiment.out / name
    every = [Renders(bench=bench), *generators]
    marked = answers_marked(folder, every, bench, device=experiment.device, workers=experiment.workers)
    sums = {**_marks(marked.values(), bench), **_cosines(folder, list(marked), bench, experiment.device)}
    rows = figures_of(marked, bench)
    rows += [_row(bench, metric, one, *sums[metric][one]) for metric in AUTOMATIC for one in sums[metric]]
    others = [one for one in marked.values() if first in marked and one.name != first and one.seconds]
    compared = [row for one in others for row in comparison(bench, marked[first], one)]
    rows += [row for row in compared if row.metric.startswith("times faster than")]
    write_figures(folder, rows, marked, bench)
    return Measured(bench=bench, folder=folder, rows=tuple(rows), sums=sums)


def _marks(marked: Iterable[Marked], bench: SubjectsBench) -> dict[str, dict[str, tuple[Floats, Floats]]]:
    """The metrics of the bench, added up by subject."""
    every = list(marked)
    return {
        metric: {one.name: by_toy(one, gives, bench.subjects) for one in every} for metric, gives in METRICS.items()
    }


def _cosines(
    folder: Path, names: Sequence[str], bench: SubjectsBench, device: str
) -> dict[str, dict[str, tuple[Floats, Floats]]]:
    """`AUTOMATIC`, added up by subject."""
    asked = questions(bench)
    look, clip = picture_features(folder_of(FEATURES), device), clip_features(folder_of(CLIP), device)
    demonstrations = {question.toy: pictures_of(folder / file for file in shown(question)) for question in asked}
    networks = {"dino": look, "clip-i": clip}
    gallery = {
        metric: {toy: network.pictures(pictures).numpy() for toy, pictures in demonstrations.items()}
        for metric, network in networks.items()
    }
    texts = clip.texts([question.text for question in asked]).numpy()
    found: dict[str, dict[str, tuple[Floats, Floats]]] = {metric: {} for metric in AUTOMATIC}
    for name in names:
        pictures = pictures_of(folder / name / file_name(question.id) for question in asked)
        seen = {metric: network.pictures(pictures).numpy() for metric, network in networks.items()}
        for metric, features in seen.items():
            pairs = zip(asked, features, strict=True)
            scores = [float((gallery[metric][question.toy] @ one).mean()) for question, one in pairs]
            found[metric][name] = _added(asked, scores, bench.subjects)
        found["clip-t"][name] = _added(asked, (seen["clip-i"] * texts).sum(1).tolist(), bench.subjects)
    return found


def _added(asked: Sequence[Question], scores: Sequence[float], subjects: int) -> tuple[Floats, Floats]:
    total, count = np.zeros(subjects), np.zeros(subjects)
    for question, score in zip(asked, scores, strict=True):
        total[question.number] += score
        count[question.number] += 1
    return total, count


def _row(bench: SubjectsBench, metric: str, name: str, right: Floats, whole: Floats) -> Row:
    value, low, high = bootstrap_ratio(right, whole, bench.seed)
    protocol, n = bench.protocol, int(whole.sum())
    return Row(bench=BENCH, protocol=protocol, row=name, metric=metric, value=value, low=low, high=high, n=n)
