"""95 % intervals: Wilson's for shares of independent items, the bootstrap for everything else."""

import math
from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Z: Final = 1.959963984540054
"""The 97.5 % point of the normal distribution."""
RESAMPLES: Final = 2000
_CHUNK: Final = 100

Floats = NDArray[np.float64]


class Interval(NamedTuple):
    """A figure and the ends of its interval; None where nothing could be measured."""

    value: float | None
    low: float | None
    high: float | None


NOTHING: Final = Interval(None, None, None)


def wilson(right: int, n: int) -> Interval:
    """The share `right / n` of independent items (Wilson 1927); never outside [0, 1], sound for shares of 0 and 1."""
    if n == 0:
        return NOTHING
    share, spread = right / n, Z * Z / n
    middle = (share + spread / 2) / (1 + spread)
    half = Z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return Interval(share, min(share, max(0.0, middle - half)), max(share, min(1.0, middle + half)))


def bootstrap_mean(values: Floats, seed: int) -> Interval:
    """The mean of independent values (n,); percentile bootstrap."""
    return bootstrap(lambda weights: weights @ values / weights.sum(1), len(values), seed)


def bootstrap_ratio(part: Floats, whole: Floats, seed: int) -> Interval:
    """`part.sum() / whole.sum()` where each item (n,) brings several, dependent, answers."""
    return bootstrap_mean_ratio(part[:, None], whole[:, None], seed)


def bootstrap_mean_ratio(part: Floats, whole: Floats, seed: int) -> Interval:
    """Mean over columns of `part.sum(0) / whole.sum(0)` for items' contributions (n, columns).

    Columns with nothing in them are left out of the mean.
    """

    def statistic(weights: Floats) -> Floats:
        total = weights @ whole
        ratio = np.divide(weights @ part, total, out=np.zeros_like(total), where=total > 0)
        return _divide(ratio.sum(1), (total > 0).sum(1))

    return bootstrap(statistic, len(part), seed)


def bootstrap(statistic: Callable[[Floats], Floats], n: int, seed: int) -> Interval:
    """Percentile bootstrap over `n` items.

    `statistic` takes how often each item is drawn, (resamples, n), and gives one figure for each; not-a-number marks a
    resample without one, which is left out.
    """
    if n == 0:
        return NOTHING
    return interval_of(float(statistic(np.ones((1, n)))[0]), resampled(statistic, n, seed))


def resampled(statistic: Callable[[Floats], Floats], n: int, seed: int) -> Floats:
    """The figures (RESAMPLES,) of a bootstrap, for whoever puts several together; see `bootstrap`."""
    rng = np.random.default_rng([seed, n])
    draws = [statistic(rng.multinomial(n, np.full(n, 1 / n), _CHUNK).astype(float)) for _ in range(RESAMPLES // _CHUNK)]
    return np.concatenate(draws)


def interval_of(value: float, figures: Floats) -> Interval:
    """A figure with the percentiles of its resamples; nothing if it is not a finite number."""
    if not math.isfinite(value):
        return NOTHING
    figures = figures[np.isfinite(figures)]
    low, high = np.quantile(figures, (0.025, 0.975)) if len(figures) else (value, value)
    return Interval(value, float(low), float(high))


def auc(positive: Floats, negative: Floats) -> float:
    """Probability that a value of `positive` is above one of `negative`, ties counting half; nan if either is empty."""
    ones = np.ones((1, len(positive) + len(negative)))
    return float(_weighted_auc(np.concatenate([positive, negative]), len(positive), ones)[0])


def bootstrap_auc(scores: Floats, same: NDArray[np.bool_], pairs: NDArray[np.int64], n: int, seed: int) -> Interval:
    """AUC of pair scores, bootstrapped by subject.

    Args:
        scores: similarity of each pair (P,).
        same: whether it is a pair of one subject (P,).
        pairs: the numbers, in [0, n), of each pair's two subjects (P, 2).
        n: how many subjects there are.
        seed: of the resamples. A pair of two subjects counts as often as the product of their draws, a pair of one as
            often as its subject was drawn.
    """
    order = np.argsort(~same, kind="stable")
    sorted_pairs, split = pairs[order], int(same.sum())

    def statistic(weights: Floats) -> Floats:
        left, right = weights[:, sorted_pairs[:, 0]], weights[:, sorted_pairs[:, 1]]
        right[:, :split] = 1
        return _weighted_auc(scores[order], split, left * right)

    return bootstrap(statistic, n, seed)


def grouped_auc(scores: Floats, good: NDArray[np.bool_], groups: NDArray[np.int64], seed: int) -> Interval:
    """AUC of items' scores (N,) for what is good (N,), bootstrapped by group (N,): numbers from 0 on."""
    order = np.argsort(~good, kind="stable")
    ranked, members, split = scores[order], groups[order], int(good.sum())
    return bootstrap(lambda weights: _weighted_auc(ranked, split, weights[:, members]), count_of(groups), seed)


def count_of(groups: NDArray[np.int64]) -> int:
    """How many groups there are, numbered from 0 on."""
    return int(groups.max()) + 1 if len(groups) else 0


def _weighted_auc(scores: Floats, split: int, weights: Floats) -> Floats:
    """AUC (R,) of the first `split` scores over the others, with weights (R, P)."""
    _, level = np.unique(scores, return_inverse=True)
    order = np.argsort(level, kind="stable")
    starts = np.flatnonzero(np.diff(level[order], prepend=-1))
    positive = weights * (np.arange(len(scores)) < split)
    by_level = np.add.reduceat(positive[:, order], starts, axis=1)
    others = np.add.reduceat((weights - positive)[:, order], starts, axis=1)
    below = np.cumsum(others, 1) - others / 2
    return _divide((by_level * below).sum(1), by_level.sum(1) * others.sum(1))


def _divide(part: Floats, whole: Floats) -> Floats:
    """Quotients, nan where there is nothing to divide by."""
    quotient: Floats = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return quotient
