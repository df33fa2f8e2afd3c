"""The thresholds of a distilled judge, chosen on clusters that it has not learnt from."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tutelage.benches.intervals import Floats
from tutelage.judges.distillation.threshold import threshold_for_precision

FEW: Final = 30
"""Marked triplets of a task below which the thresholds of all do for it too: it takes 16 right ones in a row to show
with confidence .8 that nine in ten are right.
"""

Thresholds = dict[str, float | None]
"""Mark → the lowest that is kept; None: none gives the wanted precision."""


def thresholds(
    said: Mapping[str, Floats], marks: Mapping[str, Floats], chosen: NDArray[np.bool_], good: float, precision: float
) -> Thresholds:
    """Those that give the wanted precision on the chosen ones of N triplets, by the strong judge.

    Args:
        said: the distilled judge's marks, mark → (N,).
        marks: the strong judge's, (N,) each, nan where there is none.
        chosen: (N,).
        good: the strong judge's mark from which a triplet should be kept.
        precision: in (0, 1).
    """
    found: Thresholds = {}
    for mark, values in marks.items():
        there = chosen & np.isfinite(values)
        found[mark] = threshold_for_precision(said[mark][there], values[there] >= good, precision)
    return found


def task_thresholds(
    said: Mapping[str, Floats],
    marks: Mapping[str, Floats],
    chosen: NDArray[np.bool_],
    tasks: Sequence[str],
    good: float,
    precision: float,
) -> dict[str, Thresholds]:
    """Those of each task of edits that has enough marks; `tasks` are N names, empty where a triplet is no edit."""
    found = {}
    for task in sorted(set(tasks) - {""}):
        of_task = chosen & (np.asarray(tasks, object) == task)
        if min(int((of_task & np.isfinite(values)).sum()) for values in marks.values()) >= FEW:
            found[task] = thresholds(said, marks, of_task, good, precision)
    return found
