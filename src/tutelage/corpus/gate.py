"""Which triplets are let through: thresholds on stored scores, applied on reading.

What a person said of a triplet is its verdict, whatever judges and thresholds say; theirs stay stored beside it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tutelage.errors import BadInput, did_you_mean
from tutelage.triplet import Verdict

PERSON: Final = "person"
"""The judge who looks at triplets by hand, such as in the studio."""


@dataclass(frozen=True, kw_only=True)
class Gate:
    """What a triplet must pass. A judge without a band counts by the `keep` it stored, and where it stored none, as one
    that keeps; a band for one of its parts, such as `viescore.SC`, stands in for what it stored as well. A triplet that
    `PERSON` judged passes if they kept it, and not if they did not.

    Raises:
        BadInput: a band lets nothing through.
    """

    bands: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Judge, or `judge.part` → least and greatest score let through; a triplet without that score is not."""

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
    parts: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
    """Name → scores (N,), NaN where there is none."""

    def named(self, judge: str) -> Iterator[tuple[str, NDArray[np.float64]]]:
        """Yield the judge's score and those of its parts, by the names that bands go by."""
        yield judge, self.score
        yield from ((f"{judge}.{part}", score) for part, score in self.parts.items())


def weigh(ids: pa.ChunkedArray, verdicts: pa.Table) -> dict[str, Weighed]:
    """Verdicts laid beside N triplets: judge → what it said, judges in order of their first verdict."""
    at = pc.index_in(verdicts["triplet"], value_set=ids.combine_chunks())
    known = verdicts.append_column("at", at).filter(pc.is_valid(at))
    judges = pc.unique(known["judge"]).to_pylist()
    return {judge: _weighed(known.filter(pc.equal(known["judge"], judge)), len(ids)) for judge in judges}


def passes(gate: Gate | None, judges: Mapping[str, Weighed], count: int) -> NDArray[np.bool_]:
    """Which of `count` triplets a gate lets through (count,); all of them without a gate.

    Raises:
        BadInput: the gate has a band for a judge that gave no verdicts, or for a part that none has, though others did.
    """
    through = np.ones(count, bool)
    if gate is None:
        return through
    scores = {name: score for judge, said in judges.items() for name, score in said.named(judge)}
    for name in gate.bands.keys() - scores.keys():
        if judges:
            raise BadInput(
                f"no verdicts of a judge '{name}'.{did_you_mean(name, scores)} There are {', '.join(scores)}"
            )
        through[:] = False
    lets = {judge: _lets(gate, judge, said) for judge, said in judges.items()}
    return np.asarray(np.logical_and.reduce([through, *lets.values()]) | _by_hand(lets, judges, count))


def survivors(judges: Mapping[str, Weighed], count: int) -> dict[str, NDArray[np.bool_]]:
    """Judge → which of `count` triplets (count,) were left after it and those before it, by what they stored.

    What a person kept no judge loses, so that the last of them leaves what `KEPT` lets through.
    """
    lets = {judge: said.keep for judge, said in judges.items()}
    left, saved, after = np.ones(count, bool), _by_hand(lets, judges, count), {}
    for judge, let in lets.items():
        left = left & (let | saved)
        after[judge] = left
    return after


def kept_by(verdicts: Sequence[Verdict]) -> bool:
    """Whether a triplet is kept by its verdicts as they are stored: the same as `KEPT`, for one."""
    by_hand = [verdict for verdict in verdicts if verdict.judge == PERSON]
    return all(verdict.keep for verdict in by_hand or verdicts)


def _lets(gate: Gate, judge: str, said: Weighed) -> NDArray[np.bool_]:
    bands = [_within(score, gate.bands[name]) for name, score in said.named(judge) if name in gate.bands]
    return np.logical_and.reduce(bands) if bands else said.keep


def _by_hand(lets: Mapping[str, NDArray[np.bool_]], judges: Mapping[str, Weighed], count: int) -> NDArray[np.bool_]:
    """What a person looked at and lets through."""
    return judges[PERSON].seen & lets[PERSON] if PERSON in judges else np.zeros(count, bool)


def _weighed(verdicts: pa.Table, count: int) -> Weighed:
    at = verdicts["at"].to_numpy()
    score, keep, seen = np.full(count, np.nan), np.ones(count, bool), np.zeros(count, bool)
    score[at] = pc.fill_null(verdicts["score"], np.nan).to_numpy()
    keep[at] = verdicts["keep"].to_numpy()
    seen[at] = True
    return Weighed(score=score, keep=keep, seen=seen, parts=_parts(verdicts, at, count))


def _parts(verdicts: pa.Table, at: NDArray[np.int64], count: int) -> dict[str, NDArray[np.float64]]:
    """Scores of parts by name, in order of their first appearance."""
    lists = verdicts["parts"].combine_chunks()
    names, values = (pc.struct_field(pc.list_flatten(lists), name) for name in ("name", "score"))
    rows, parts = at[pc.list_parent_indices(lists).to_numpy()], {}
    for name in pc.unique(names).to_pylist():
        which = pc.equal(names, name).to_numpy(zero_copy_only=False)
        parts[name] = np.full(count, np.nan)
        parts[name][rows[which]] = values.to_numpy(zero_copy_only=False)[which]
    return parts


def _within(score: NDArray[np.float64], band: tuple[float, float]) -> NDArray[np.bool_]:
    return (score >= band[0]) & (score <= band[1])
