"""Spearman's ρ of resampled items, and how the ρ of raters, models and tasks are averaged.

Averages, each applied over raters, then models, then tasks:

mean      of ρ
Fisher z  tanh of the mean of artanh ρ (Fisher 1921)
compat    tanh of the mean of ρ: how figures that call themselves Fisher's were published with VIEScore; every step
          shrinks them
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tutelage.benches.intervals import Floats, Interval, bootstrap, count_of

LARGEST: Final = 0.9999
"""A ρ of ±1 has no finite z; it is averaged as this."""


class Pairs(NamedTuple):
    """Two scores of each of some items."""

    left: Floats
    right: Floats
    items: NDArray[np.int64]
    """Which items (n,)."""


def paired(left: Floats, right: Floats) -> Pairs:
    """Pairs of scores (items,), without the items where one of them is nan."""
    items = np.flatnonzero(np.isfinite(left) & np.isfinite(right))
    return Pairs(left[items], right[items], items)


def spearman(pairs: Pairs, weights: Floats) -> Floats:
    """ρ (R,) with items counted as often as `weights` (R, all items) say; nan where a side has one value only."""
    chosen = weights[:, pairs.items]
    if not len(pairs.items):
        return np.full(len(weights), np.nan)
    left, right = _ranks(pairs.left, chosen), _ranks(pairs.right, chosen)
    covariance = _covariance(left, right, chosen)
    spread = _covariance(left, left, chosen) * _covariance(right, right, chosen)
    rho = np.divide(covariance, np.sqrt(spread), out=np.full(len(weights), np.nan), where=spread > 1e-12)
    return np.asarray(rho.clip(-1, 1))


def grouped_spearman(left: Floats, right: Floats, groups: NDArray[np.int64], seed: int) -> Interval:
    """Spearman's ρ of two scores (N,) of the same items, bootstrapped by group (N,): numbers from 0 on."""
    pairs = paired(left, right)
    return bootstrap(lambda weights: spearman(pairs, weights[:, groups]), count_of(groups), seed)


def mean(values: Floats) -> Floats:
    """Mean over the last axis of what is defined; nan where nothing is."""
    defined = np.isfinite(values)
    count = defined.sum(-1)
    total = np.where(defined, values, 0).sum(-1)
    return np.asarray(np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0))


def fisher(values: Floats) -> Floats:
    """See the module."""
    return np.tanh(mean(np.arctanh(np.clip(values, -LARGEST, LARGEST))))


def compat(values: Floats) -> Floats:
    """See the module."""
    return np.tanh(mean(values))


AVERAGES: Final[Mapping[str, Callable[[Floats], Floats]]] = {"Fisher z": fisher, "mean": mean, "compat": compat}


def averaged(rhos: Sequence[Sequence[Floats]], average: Callable[[Floats], Floats]) -> Floats:
    """The average (R,) of ρ (R,) by model and rater; a model of which there is one ρ has nothing to be averaged."""
    models = [average(np.stack(of_raters, -1)) if len(of_raters) > 1 else of_raters[0] for of_raters in rhos]
    return average(np.stack(models, -1))


def _ranks(values: Floats, weights: Floats) -> Floats:
    """Mean ranks (R, n), from 0, of values (n,) of which there are `weights` (R, n) each."""
    _, level = np.unique(values, return_inverse=True)
    order = np.argsort(level, kind="stable")
    starts = np.flatnonzero(np.diff(level[order], prepend=-1))
    by_level = np.add.reduceat(weights[:, order], starts, axis=1)
    return np.asarray((np.cumsum(by_level, 1) - by_level / 2)[:, level])


def _covariance(left: Floats, right: Floats, weights: Floats) -> Floats:
    total = np.maximum(weights.sum(1), 1)
    left_mean, right_mean = (weights * left).sum(1) / total, (weights * right).sum(1) / total
    return np.asarray((weights * (left - left_mean[:, None]) * (right - right_mean[:, None])).sum(1) / total)
