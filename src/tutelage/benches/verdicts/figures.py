"""Scores against the truth and against raters, as rows.

`AUC: text` and the like are the probability that a target of which that is true scores higher than one of which it is
not. `Spearman with raters` is the mean over raters of the correlation of their marks with the scores; its ceiling is
the mean over pairs of raters of the correlation of their marks with each other. All intervals are bootstraps over
clusters, since targets of one toy are not independent.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tutelage.benches.agreement.correlation import grouped_spearman
from tutelage.benches.base import Row, interval_row
from tutelage.benches.intervals import NOTHING, Floats, Interval, bootstrap_ratio, grouped_auc
from tutelage.benches.verdicts.truth import TRUTHS, Truth, rated
from tutelage.toybox.oracle import Oracle

BENCH: Final = "judges"
RATERS: Final = "raters"
MARKS: Final = ("sc", "pq", "overall")
"""What raters mark: ImagenHub's two, and the root of their product."""


@dataclass(frozen=True, kw_only=True)
class Examined:
    """N triplets and what is known of them."""

    protocol: str
    ids: Sequence[str]
    clusters: Sequence[str]
    truths: Sequence[Truth]
    faults: Sequence[str]
    """What was done to each, such as `artefact: blur`, or what skill it was made for."""
    seed: int = 0
    """Of the resamples."""

    @property
    def groups(self) -> NDArray[np.int64]:
        """(N,): the cluster of each, as numbers from 0 on."""
        return np.unique(np.asarray(self.clusters, object), return_inverse=True)[1].astype(np.int64)

    def of(self, name: str) -> NDArray[np.bool_]:
        """(N,): where something of `TRUTHS` is true."""
        return np.asarray([TRUTHS[name](truth) for truth in self.truths], np.bool_)

    def marks(self, raters: Sequence[Oracle]) -> dict[str, Floats]:
        """What raters mark → (raters, N)."""
        given = [[rated(*one, rater) for one in zip(self.ids, self.truths, strict=True)] for rater in raters]
        marks = {name: np.asarray([[getattr(one, name) for one in row] for row in given]) for name in ("sc", "pq")}
        return marks | {"overall": np.sqrt(marks["sc"] * marks["pq"])}

    def row(self, name: str, metric: str, interval: Interval, n: int, missing: int = 0) -> Row:
        """One figure."""
        return interval_row(BENCH, self.protocol, name, metric, interval, n, missing)


def score_rows(examined: Examined, name: str, scores: Floats, raters: Mapping[str, Floats]) -> list[Row]:
    """All figures of one judge or metric.

    Args:
        examined: the triplets.
        name: of the judge or metric.
        scores: (N,), nan where there is none.
        raters: what `Examined.marks` gives.
    """
    there = np.isfinite(scores)
    n, missing = int(there.sum()), int((~there).sum())
    rows = []
    for truth in TRUTHS:
        area = grouped_auc(scores[there], examined.of(truth)[there], _regrouped(examined, there), examined.seed)
        rows.append(examined.row(name, f"AUC: {truth}", area, n, missing))
    for mark, given in raters.items():
        interval = _mean_spearman([(row, scores) for row in given], there, examined)
        rows.append(examined.row(name, f"Spearman with raters: {mark}", interval, n, missing))
    return rows


def fault_rows(examined: Examined, name: str, scores: Floats) -> list[Row]:
    """AUC of targets without a fault over those with each kind of fault; only where faults were made."""
    faults = np.asarray(examined.faults, object)
    there, sound = np.isfinite(scores), faults == "none"
    rows = []
    for fault in sorted(set(examined.faults) - {"none"}):
        chosen = there & (sound | (faults == fault))
        area = grouped_auc(scores[chosen], sound[chosen], _regrouped(examined, chosen), examined.seed)
        rows.append(examined.row(name, f"AUC without | {fault}", area, int((chosen & ~sound).sum())))
    return rows


def ceiling_rows(examined: Examined, raters: Mapping[str, Floats]) -> list[Row]:
    """How well raters agree with each other, and with the truth."""
    every = np.ones(len(examined.ids), np.bool_)
    rows = []
    for mark, given in raters.items():
        pairs = _mean_spearman(list(combinations(given, 2)), every, examined)
        rows.append(examined.row(RATERS, f"Spearman with raters: {mark}", pairs, len(examined.ids)))
    for truth in TRUTHS:
        right = examined.of(truth).astype(float)
        share = grouped_share(right, examined)
        rows.append(examined.row("truth", f"share: {truth}", share, len(right)))
    return rows


def grouped_share(values: Floats, examined: Examined, of: Floats | None = None) -> Interval:
    """Sum of values (N,) over the sum of `of` (N,), which is 1 each by default; bootstrapped by cluster."""
    groups = examined.groups
    whole = np.ones_like(values) if of is None else of
    if not whole.sum():
        return NOTHING
    count = int(groups.max()) + 1
    part, every = (_sums(groups, one, count) for one in (values * whole, whole))
    return bootstrap_ratio(part, every, examined.seed)


def _sums(groups: NDArray[np.int64], values: Floats, count: int) -> Floats:
    return np.bincount(groups, weights=values, minlength=count).astype(np.float64)


def _mean_spearman(pairs: Sequence[tuple[Floats, Floats]], there: NDArray[np.bool_], examined: Examined) -> Interval:
    """Mean over pairs of scores of their correlations where there are any; the ends are means of ends."""
    groups = _regrouped(examined, there)
    each = [grouped_spearman(left[there], right[there], groups, examined.seed) for left, right in pairs]
    found = [one for one in each if one.value is not None]
    return Interval(*(float(np.mean([one[end] for one in found])) for end in range(3))) if found else NOTHING


def _regrouped(examined: Examined, there: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The clusters of a part of the triplets, as numbers from 0 on."""
    return np.unique(examined.groups[there], return_inverse=True)[1].astype(np.int64)
