"""Which triplets a gallery shows, and what another threshold would change; arrays only, no pictures, no Gradio."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow.compute as pc

from tutelage.corpus.gate import Gate, passes
from tutelage.errors import BadInput
from tutelage.studio.columns import EDITS, SUBJECTS, Columns, Mask, Rows

ANY: Final = ""
DRAWN, KEPT, REJECTED, UNJUDGED = "drawn", "kept", "rejected", "not judged"
LOST: Final = "lost at "
"""Stage: `lost at delta-clip` was kept by the judges before it."""


@dataclass(frozen=True, kw_only=True)
class Filter:
    """What is looked for; what is empty says nothing."""

    stage: str = DRAWN
    skill: str = ANY
    task: str = ANY
    licence: str = ANY
    words: str = ""
    """In the text, in any case."""
    judge: str = ANY
    """Or one of its parts."""
    low: float = -np.inf
    high: float = np.inf
    """Of that judge's scores; what has none is left out as soon as one of these is finite."""


@dataclass(frozen=True, kw_only=True)
class Moved:
    """What another threshold of one judge would do, all others as they are."""

    before: int
    after: int
    leaves: Mask
    """(N,), kept now."""
    joins: Mask
    """(N,), not kept now."""


def stages(columns: Columns) -> list[str]:
    """The stages that a corpus has."""
    return [DRAWN, KEPT, REJECTED, *(f"{LOST}{judge}" for judge in columns.judges), UNJUDGED]


def matching(columns: Columns, wanted: Filter) -> Rows:
    """Rows (M,), ascending.

    Raises:
        BadInput: there is no such stage, task or judge.
    """
    mask = _stage(columns, wanted.stage)
    if wanted.skill:
        mask = mask & columns.skill.are(wanted.skill)
    if wanted.task:
        if wanted.task not in (SUBJECTS, EDITS):
            raise BadInput(f"there is no task '{wanted.task}'")
        mask = mask & (columns.editing if wanted.task == EDITS else ~columns.editing)
    if wanted.licence:
        mask = mask & columns.with_licence(wanted.licence)
    if wanted.words.strip():
        found = pc.match_substring(columns.text, wanted.words.strip(), ignore_case=True)
        mask = mask & found.combine_chunks().to_numpy(zero_copy_only=False)
    if wanted.judge and (np.isfinite(wanted.low) or np.isfinite(wanted.high)):
        scores = _scores(columns, wanted.judge)
        mask = mask & (scores >= wanted.low) & (scores <= wanted.high)
    return np.flatnonzero(mask)


def moved(columns: Columns, judge: str, low: float, high: float) -> Moved:
    """What letting scores in [low, high] of a judge through would change.

    Raises:
        BadInput: there is no such judge, or the band lets nothing through.
    """
    _scores(columns, judge)
    then = passes(Gate(bands={judge: (low, high)}), columns.judges, len(columns))
    now = columns.kept
    return Moved(before=int(now.sum()), after=int(then.sum()), leaves=now & ~then, joins=then & ~now)


def by_score(columns: Columns, rows: Rows, judge: str, *, falling: bool = True) -> Rows:
    """Rows in the order of a judge's scores, those without one last; of equal ones the earlier first."""
    scores = _scores(columns, judge)[rows]
    order = np.argsort(np.where(np.isfinite(scores), -scores if falling else scores, np.inf), kind="stable")
    return rows[order]


def _stage(columns: Columns, stage: str) -> Mask:
    known = {DRAWN: np.ones(len(columns), bool), KEPT: columns.kept, REJECTED: ~columns.kept, UNJUDGED: ~columns.judged}
    if stage in known:
        return known[stage]
    if stage.startswith(LOST) and stage.removeprefix(LOST) in columns.judges:
        return columns.lost_at(stage.removeprefix(LOST))
    raise BadInput(f"there is no stage '{stage}'")


def _scores(columns: Columns, judge: str) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    for name, said in columns.judges.items():
        for part, score in said.named(name):
            if part == judge:
                return score
    raise BadInput(f"there is no judge '{judge}'")
