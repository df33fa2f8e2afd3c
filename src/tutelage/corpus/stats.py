"""How many triplets survive which judge, by skill, and how many would at other thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tutelage.corpus.gate import KEPT, Gate, Weighed, passes, survivors
from tutelage.corpus.reader import Corpus
from tutelage.triplet import SKILLS

QUANTILES: Final = np.arange(0, 1.0, 0.1)
"""Thresholds that are tried: at these shares of a judge's scores."""
ALL_SKILLS: Final = "all"
OMNIEDIT: Final[Mapping[str, tuple[int, int]]] = {
    "swap": (1_500_000, 150_000),
    "removal": (1_000_000, 100_000),
    "addition": (1_000_000, 100_000),
    "background": (500_000, 50_000),
    "environment": (500_000, 50_000),
    "style": (250_000, 25_000),
    "attribute": (300_000, 30_000),
}
"""Task → pairs that OmniEdit's specialists made, and how many its judge kept. They add up to the paper's 5.05 M → 505 K
(OmniEdit, data table)."""


@dataclass(frozen=True, kw_only=True)
class Alone:
    """What one judge did, whatever the others said."""

    judge: str
    judged: int
    kept: int
    """Of those it judged."""
    unscored: int
    """Of those it judged, how many it could not give a score."""


@dataclass(frozen=True, kw_only=True)
class Survival:
    """How many triplets of one skill were left after each judge, one judge after the other; see `gate.survivors`."""

    skill: str
    made: int
    after: dict[str, int]
    """Judge → how many were left."""


@dataclass(frozen=True, kw_only=True)
class Balance:
    """A task's share of an editing corpus, before and after the judges; of all rows that have OmniEdit's tasks."""

    task: str
    made: int
    kept: int
    of_made: float
    of_kept: float
    """NaN if nothing was kept."""
    paper: float
    """Share of OmniEdit's pairs, the same before and after: its judge kept a tenth of every task."""


@dataclass(frozen=True, kw_only=True)
class WhatIf:
    """How many triplets would be kept if one judge had another threshold and all others kept theirs."""

    judge: str
    threshold: float
    at_least: int
    """With scores of at least the threshold. Judges that did not look at a triplet count as keeping it."""
    at_most: int


def alone(corpus: Corpus) -> list[Alone]:
    """One row a judge, in the order in which they judged."""
    return [
        Alone(
            judge=name,
            judged=int(said.seen.sum()),
            kept=int((said.seen & said.keep).sum()),
            unscored=int((said.seen & np.isnan(said.score)).sum()),
        )
        for name, said in corpus.judges().items()
    ]


def survival(corpus: Corpus) -> list[Survival]:
    """One row a skill, in alphabetical order, after a row for all of them."""
    table = corpus.columns("id", "skill")
    skills, judges = np.asarray(table["skill"].to_pylist(), object), corpus.judges(table["id"])
    chosen = {ALL_SKILLS: np.ones(len(skills), bool)} | {name: skills == name for name in sorted(set(skills))}
    return [_survival(name, rows, judges) for name, rows in chosen.items()]


def balance(corpus: Corpus, gate: Gate = KEPT) -> list[Balance]:
    """One row for each of OmniEdit's tasks that the corpus has; none if it has none that is not a skill of SuTI too."""
    table = corpus.columns("id", "skill")
    skills = np.asarray(table["skill"].to_pylist(), object)
    if not set(skills) & (OMNIEDIT.keys() - set(SKILLS)):
        return []
    through = passes(gate, corpus.judges(table["id"]), len(skills))
    counts = {task: (int((skills == task).sum()), int((through & (skills == task)).sum())) for task in OMNIEDIT}
    made, kept = (sum(pair[at] for pair in counts.values()) for at in (0, 1))
    paper = sum(pair[0] for pair in OMNIEDIT.values())
    return [
        Balance(
            task=task,
            made=some,
            kept=left,
            of_made=some / made,
            of_kept=left / kept if kept else np.nan,
            paper=OMNIEDIT[task][0] / paper,
        )
        for task, (some, left) in counts.items()
        if some
    ]


def what_if(corpus: Corpus, thresholds: Sequence[float] = ()) -> list[WhatIf]:
    """Rows by judge and rising threshold: those given, or tenths of the judge's scores, rounded to four digits.

    A judge's score is followed by the parts it is made of. Judges that never gave a score have no rows.
    """
    ids = corpus.column("id")
    judges, count = corpus.judges(ids), len(ids)
    rows = []
    for name, values in (named for judge, said in judges.items() for named in said.named(judge)):
        scores = values[np.isfinite(values)]
        for threshold in sorted(set(thresholds or _tenths(scores))) if len(scores) else ():
            bands = {"at_least": (threshold, np.inf), "at_most": (-np.inf, threshold)}
            kept = {side: int(passes(Gate(bands={name: band}), judges, count).sum()) for side, band in bands.items()}
            rows.append(WhatIf(judge=name, threshold=threshold, **kept))
    return rows


def _tenths(scores: NDArray[np.float64]) -> list[float]:
    """Quantiles as they are printed, so that a printed threshold gives the printed count."""
    return [float(f"{value:.4g}") for value in np.quantile(scores, QUANTILES)]


def _survival(skill: str, rows: NDArray[np.bool_], judges: dict[str, Weighed]) -> Survival:
    after = {name: int((left & rows).sum()) for name, left in survivors(judges, len(rows)).items()}
    return Survival(skill=skill, made=int(rows.sum()), after=after)
