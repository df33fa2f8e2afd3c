"""Which triplets are let through: thresholds on stored scores, applied on reading."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tutelage.errors import BadInput, did_you_mean


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What a triplet must pass. A judge without a band counts by the `keep` it stored, and where it stored none, as one
    that keeps.

    Raises:
        BadInput: a band lets nothing through.
    """

    bands: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Judge → least and greatest score let through; a triplet without a score from that judge is not."""

    def __post_init__(self) -> None:
        for judge, (low, high) in self.bands.items():
            if not low <= high:
                raise BadInput(f"the band of '{judge}' is {low:g} to {high:g}; give the least score first")


KEPT: Final = Gate()
"""What every judge kept when it judged."""


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """What one judge said of N triplets."""

    score: NDArray[np.float64]
    """(N,), NaN where it could not say or did not look."""
    keep: NDArray[np.bool_]
    """(N,), True where it did not look."""
    seen: NDArray[np.bool_]
    """(N,), where it looked."""

    def within(self, low: float, high: float) -> NDArray[np.bool_]:
        """(N,), where the score lies in [low, high]."""
        return (self.score >= low) & (self.score <= high)


def weigh(ids: pa.ChunkedArray, verdicts: pa.Table) -> dict[str, Weighed]:
    """Verdicts laid beside N triplets: judge → what it said, judges in order of their first verdict."""
    at = pc.index_in(verdicts["triplet"], value_set=ids.combine_chunks())
    known = verdicts.append_column("at", at).filter(pc.is_valid(at))
    judges = pc.unique(known["judge"]).to_pylist()
    return {judge: _weighed(known.filter(pc.equal(known["judge"], judge)), len(ids)) for judge in judges}


def passes(gate: Gate | None, judges: Mapping[str, Weighed], count: int) -> NDArray[np.bool_]:
    """Which of `count` triplets a gate lets through (count,); all of them without a gate.

    Raises:
        BadInput: the gate has a band for a judge that gave no verdicts, though others did.
    """
    through = np.ones(count, bool)
    if gate is None:
        return through
    for name in gate.bands.keys() - judges.keys():
        if judges:
            raise BadInput(
                f"no verdicts of a judge '{name}'.{did_you_mean(name, judges)} There are {', '.join(judges)}"
            )
        through[:] = False
    for name, said in judges.items():
        through &= said.within(*gate.bands[name]) if name in gate.bands else said.keep
    return through


def _weighed(verdicts: pa.Table, count: int) -> Weighed:
    at = verdicts["at"].to_numpy()
    score, keep, seen = np.full(count, np.nan), np.ones(count, bool), np.zeros(count, bool)
    score[at] = pc.fill_null(verdicts["score"], np.nan).to_numpy()
    keep[at] = verdicts["keep"].to_numpy()
    seen[at] = True
    return Weighed(score=score, keep=keep, seen=seen)
