"""How many triplets survive which judge, by skill, and how many would at other thresholds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tutelage.corpus.gate import Gate, Weighed, passes
from tutelage.corpus.reader import Corpus

QUANTILES: Final = np.arange(0, 1.0, 0.1)
"""Thresholds that are tried: at these shares of a judge's scores."""
ALL_SKILLS: Final = "all"


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
    """How many triplets of one skill were left after each judge, one judge after the other."""

    skill: str
    made: int
    after: dict[str, int]
    """Judge → how many it and those before it kept."""


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
    left, after = rows.copy(), {}
    for name, said in judges.items():
        left &= said.keep
        after[name] = int(left.sum())
    return Survival(skill=skill, made=int(rows.sum()), after=after)
