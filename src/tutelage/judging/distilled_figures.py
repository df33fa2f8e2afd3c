"""How good a distilled judge is on clusters that it has not seen, as rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tutelage.benches.agreement.correlation import grouped_spearman
from tutelage.benches.base import Row, interval_row
from tutelage.benches.intervals import NOTHING, Floats, Interval, bootstrap_ratio
from tutelage.judges.distillation.scorer import OVERALL, ScorerConfig

BENCH: Final = "distill"


@dataclass(frozen=True, kw_only=True)
class Heard:
    """Everybody's marks of N triplets; nan where somebody gave none."""

    clusters: Sequence[str]
    tasks: Sequence[str]
    """Of edits; empty where a triplet is none."""
    said: Mapping[str, Floats]
    """The distilled judge's: mark → (N,)."""
    marks: Mapping[str, Floats]
    """The strong judge's."""
    raters: Mapping[str, Floats]
    """Mark → (raters, N); empty if there are none."""
    good: float
    """Mark from which the strong judge would keep a triplet."""
    seed: int
    labels: str
    """Who the strong judge is."""

    @property
    def groups(self) -> NDArray[np.int64]:
        """(N,): the cluster of each, as numbers from 0 on."""
        return np.unique(np.asarray(self.clusters, object), return_inverse=True)[1].astype(np.int64)


def rows_of(heard: Heard, config: ScorerConfig) -> list[Row]:
    """Spearman with the strong judge and with raters, the raters' own, and what each threshold keeps."""
    rows = []
    for mark, strong in heard.marks.items():
        mine, raters = heard.said[mark], list(heard.raters.get(mark, ()))
        rows.append(_row(heard, "distilled", f"Spearman with {heard.labels}: {mark}", [(mine, strong)]))
        if raters:
            rows.append(_row(heard, "distilled", f"Spearman with raters: {mark}", [(mine, one) for one in raters]))
            rows.append(_row(heard, heard.labels, f"Spearman with raters: {mark}", [(strong, one) for one in raters]))
            rows.append(_row(heard, "raters", f"Spearman with raters: {mark}", list(combinations(raters, 2))))
        rows += _kept(heard, mark, config)
    return rows


def _row(heard: Heard, name: str, metric: str, pairs: Sequence[tuple[Floats, Floats]]) -> Row:
    """Mean over pairs of correlations where both are there; the ends of the interval are means of ends."""
    each = [one for pair in pairs if (one := _spearman(heard, *pair)).value is not None]
    mean = Interval(*(float(np.mean([one[end] for one in each])) for end in range(3))) if each else NOTHING
    there = int(np.isfinite(pairs[0][0] + pairs[0][1]).sum()) if pairs else 0
    return _made(heard, name, metric, mean, there)


def _spearman(heard: Heard, left: Floats, right: Floats) -> Interval:
    there = np.isfinite(left) & np.isfinite(right)
    groups = np.unique(heard.groups[there], return_inverse=True)[1].astype(np.int64)
    return grouped_spearman(left[there], right[there], groups, heard.seed)


def _kept(heard: Heard, mark: str, config: ScorerConfig) -> list[Row]:
    """Precision, recall and share of what the thresholds on a mark keep, by the strong judge; of edits by task too."""
    there = np.isfinite(heard.said[mark]) & np.isfinite(heard.marks[mark])
    tasks = np.asarray(heard.tasks, object)
    rows = _limited(heard, mark, config, there, "")
    for task in sorted({task for task in heard.tasks if task and mark == OVERALL}):
        rows += _limited(heard, mark, config, there & (tasks == task), task)
    return rows


def _limited(heard: Heard, mark: str, config: ScorerConfig, there: NDArray[np.bool_], task: str) -> list[Row]:
    """The same of some triplets: all of them, or those of a task."""
    limits = [config.threshold(mark, one) for one in heard.tasks]
    good = (heard.marks[mark] >= heard.good) & there
    kept = there & (heard.said[mark] >= np.asarray([np.inf if one is None else one for one in limits]))
    end = f" | {task}" if task else ""
    name = f"{mark} for {config.precision:g}{end}"
    figures = {"precision": (good & kept, kept), "recall": (good & kept, good), "kept": (kept, there)}
    rows = [
        _made(heard, "distilled", f"{figure}: {name}", _share(heard, part, whole), int(whole.sum()))
        for figure, (part, whole) in figures.items()
    ]
    base = _made(heard, heard.labels, f"share of good: {mark}{end}", _share(heard, good, there), int(there.sum()))
    limit = Interval(config.threshold(mark, task), None, None)
    return [base, *rows, _made(heard, "distilled", f"threshold: {name}", limit, int(there.sum()))]


def _share(heard: Heard, part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> Interval:
    groups = heard.groups
    count = int(groups.max()) + 1 if len(groups) else 0
    sums = [np.bincount(groups, weights=one, minlength=count).astype(np.float64) for one in (part, whole)]
    return bootstrap_ratio(sums[0], sums[1], heard.seed)


def _made(heard: Heard, name: str, metric: str, interval: Interval, n: int) -> Row:
    protocol = f"unseen clusters, {len(set(heard.clusters))}, seed {heard.seed}"
    missing = len(heard.clusters) - n if metric.startswith("Spearman") else 0
    return interval_row(BENCH, protocol, name, metric, interval, n, missing)
