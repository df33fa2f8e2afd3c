"""The bench of judges from triplets to rows: everyone weighs every triplet, the truth stands beside it."""

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from tutelage.benches.base import Row, progress
from tutelage.benches.intervals import Floats
from tutelage.benches.subjects.questions import FIVE, SubjectsBench
from tutelage.benches.verdicts.edited import EditTruth
from tutelage.benches.verdicts.figures import Examined, ceiling_rows, fault_rows, score_rows
from tutelage.benches.verdicts.rendered import rendered_items
from tutelage.benches.verdicts.taught import CrawlTruth
from tutelage.benches.verdicts.truth import Knower, Rater, Truth
from tutelage.corpus.reader import Corpus
from tutelage.diffusion.features import clip_features, picture_features
from tutelage.errors import BadInput
from tutelage.judges.base import Judge
from tutelage.judges.looking import remembering
from tutelage.judging.gates import Bands, gate_rows, survival_rows
from tutelage.judging.known import CrawlKnower, Remembered
from tutelage.judging.seats import METRICS, Networks, metric_scores, seats
from tutelage.toybox.oracle import Oracle
from tutelage.triplet import SKILLS, Triplet, Verdict

TOGETHER: Final = 192
"""Triplets in memory at a time."""
TRUTHS: Final = "truths"
PARTS: Final = ("SC", "PQ")
"""Of a verdict; each is measured as a judge is."""
STRONG: Final = 0.05
"""Share of wrong answers of the judge `oracle`: a strong one, not the truth itself."""


@dataclass(frozen=True, kw_only=True)
class Measure:
    """What is measured with, and how."""

    networks: Networks
    raters: tuple[Oracle, ...]
    """Who else marks the triplets, imperfectly."""
    precision: float
    """Wanted of a gate, in (0, 1)."""
    pipeline: Bands
    """The gate that is in use."""
    settings: Mapping[str, Mapping[str, Any]]
    """Judge → settings of its own."""
    seed: int = 0


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Triplets that are known, some at a time, and what is measured on them."""

    protocol: str
    parts: Iterator[list[Triplet]]
    knower: Knower
    faults: Mapping[str, str]
    """Triplet → what was done to it; empty where nothing was."""
    count: int


def rendered(toys: int, seed: int, candidates: int, workers: int) -> Drawn:
    """Held-out toys, rendered with one fault each (`benches.verdicts.rendered`)."""
    asked = SubjectsBench(subjects=toys, seed=seed, candidates=candidates)
    items = rendered_items(asked, workers)
    truths = {item.triplet.id: item.truth for item in items}
    return Drawn(
        protocol=f"rendered {toys}x{len(FIVE)}x5, seed {seed}",
        parts=_parts([item.triplet for item in items]),
        knower=Exact(truths),
        faults={item.triplet.id: item.fault for item in items},
        count=len(items),
    )


def taught(
    corpus: Corpus, clusters: int, truth: CrawlKnower, folder: Path, seed: int, without: Collection[str] = ()
) -> Drawn:
    """The triplets of some clusters of a corpus, kept and rejected, the truth about them as far as it can be told.

    `without` are clusters that a judge has learnt from.

    Raises:
        BadInput: the corpus is empty.
    """
    rows = rows_of(corpus, clusters, seed, without)
    return Drawn(
        protocol=f"taught {clusters} clusters, {truth.protocol}",
        parts=(corpus.take(rows[first : first + TOGETHER]) for first in range(0, len(rows), TOGETHER)),
        knower=Remembered(truth, folder / TRUTHS, truth.protocol),
        faults={},
        count=len(rows),
    )


@dataclass(frozen=True)
class Exact:
    """Somebody who was there when the triplets were made."""

    known: Mapping[str, Truth]

    def truths(self, triplets: Sequence[Triplet]) -> list[Truth | str]:
        """The truth about each triplet."""
        return [self.known[triplet.id] for triplet in triplets]


def crawl_truth(labels: Path, candidates: int, renders: int, seed: int, device: str, workers: int) -> CrawlKnower:
    """Who knows about a crawl's toys, marked as answers to all six skills are, and about edits of its pictures.

    Raises:
        BadInput: the labels cannot be read, a count is out of range, or the device is absent.
    """
    bench = SubjectsBench(skills=SKILLS, candidates=candidates, renders=renders, seed=seed)
    return CrawlKnower(CrawlTruth.prepare(labels, bench, device, workers), EditTruth.prepare(labels, device))


def rows_of(corpus: Corpus, clusters: int, seed: int, without: Collection[str] = ()) -> list[int]:
    """Rows of the triplets of `clusters` clusters, drawn by their names, cluster by cluster.

    Raises:
        BadInput: the corpus holds no clusters but those `without` which it is wanted.
    """
    names = corpus.column("cluster").to_pylist()
    if not set(names) - set(without):
        raise BadInput(f"{corpus.path} holds no triplets that can be used; give a corpus with more clusters")
    order = sorted(set(names) - set(without), key=lambda name: hashlib.sha256(f"{seed} {name}".encode()).digest())
    place = {name: at for at, name in enumerate(order[:clusters])}
    return sorted((row for row, name in enumerate(names) if name in place), key=lambda row: (place[names[row]], row))


def measure(drawn: Drawn, how: Measure) -> tuple[list[Row], dict[str, str]]:
    """All figures on these triplets, and why registered judges are not among them.

    Raises:
        BadInput: a judge cannot be loaded.
    """
    rater = Rater(knower=drawn.knower, noise=STRONG, seeds=(how.seed + 1_000,))
    judges, absent = seats(how.networks, {**how.settings, "oracle": {"rater": rater}})
    examined, scores = weigh(drawn, judges, how)
    marks = examined.marks(how.raters)
    rows = ceiling_rows(examined, marks)
    for name, given in scores.items():
        rows += score_rows(examined, name, given, marks)
        rows += fault_rows(examined, name, given) if drawn.faults else []
    rows += gate_rows(examined, scores, how.precision, how.pipeline)
    return rows + survival_rows(examined, "delta-clip", scores["delta-clip"]), absent


def weigh(drawn: Drawn, judges: Mapping[str, Judge], how: Measure) -> tuple[Examined, dict[str, Floats]]:
    """What is true of the triplets, and judge or metric → (N,) scores, nan where there is none.

    Triplets of which the truth cannot be known are left out.
    """
    clip = clip_features(how.networks.clip, how.networks.device)
    network = picture_features(how.networks.network, how.networks.device)
    known: list[tuple[Triplet, Truth]] = []
    said: dict[str, list[Verdict]] = {name: [] for name in judges}
    measured: list[dict[str, Floats]] = []
    for part in progress(drawn.parts, "weighing", -(-drawn.count // TOGETHER)):
        found = list(zip(part, drawn.knower.truths(part), strict=True))
        sound = [(triplet, truth) for triplet, truth in found if not isinstance(truth, str)]
        triplets = [triplet for triplet, _ in sound]
        known += [(_without_pictures(triplet), truth) for triplet, truth in sound]
        with remembering():
            measured.append(metric_scores(triplets, clip, network))
            for name, judge in judges.items():
                said[name] += judge.judge(triplets)
    examined = Examined(
        protocol=drawn.protocol,
        ids=[triplet.id for triplet, _ in known],
        clusters=[triplet.cluster for triplet, _ in known],
        truths=[truth for _, truth in known],
        faults=[drawn.faults.get(triplet.id, triplet.skill) for triplet, _ in known],
        seed=how.seed,
    )
    scores = {name: np.concatenate([part[name] for part in measured]) for name in METRICS}
    for name, verdicts in said.items():
        scores |= _scores(name, verdicts)
    return examined, scores


def _scores(name: str, verdicts: Sequence[Verdict]) -> dict[str, Floats]:
    """The scores of a judge and, where it has them, of its parts SC and PQ, as (N,)."""
    every = {name: [one.score for one in verdicts]}
    told = [{part.name: part.score for part in one.parts} for one in verdicts]
    if any(parts.keys() >= set(PARTS) for parts in told):
        every |= {f"{name}.{part}": [parts.get(part) for parts in told] for part in PARTS}
    return {key: np.asarray(values, np.float64) for key, values in every.items()}  # None becomes nan


def _parts(triplets: Sequence[Triplet]) -> Iterator[list[Triplet]]:
    for first in range(0, len(triplets), TOGETHER):
        yield list(triplets[first : first + TOGETHER])


def _without_pictures(triplet: Triplet) -> Triplet:
    """What is left of a triplet when its pictures need not be kept in memory."""
    return replace(triplet, target=b"", references=())
