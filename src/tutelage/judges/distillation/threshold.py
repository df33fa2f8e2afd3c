"""The threshold that gives a wanted precision, or a wanted survival rate."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta

from tutelage.errors import BadInput

CONFIDENCE = 0.8
"""That the precision of what a chosen threshold keeps is the one that was wanted, or more."""


def threshold_for_precision(
    scores: NDArray[np.float64], good: NDArray[np.bool_], wanted: float, confidence: float = CONFIDENCE
) -> float | None:
    """The lowest threshold that keeps, with confidence, at least a share `wanted` of good ones; None if none does.

    Many thresholds are tried, so the best by chance would disappoint later: what must reach `wanted` is the lower end
    of the one-sided Clopper-Pearson interval of the precision.

    Args:
        scores: (N,); kept is what has at least the threshold. Not-a-number is never kept.
        good: (N,) whether it should be kept.
        wanted: precision in (0, 1).
        confidence: in (0, 1).

    Raises:
        BadInput: `wanted` or `confidence` is outside (0, 1).
    """
    for name, value in (("precision", wanted), ("confidence", confidence)):
        if not 0 < value < 1:
            raise BadInput(f"{name} {value:g}: choose a share between 0 and 1, such as 0.9")
    there = np.isfinite(scores)
    levels, at = np.unique(-scores[there], return_inverse=True)  # best first
    kept = np.cumsum(np.bincount(at, minlength=len(levels)))
    right = np.cumsum(np.bincount(at, weights=good[there], minlength=len(levels))).astype(np.float64)
    enough = np.flatnonzero(lowest(right, kept, confidence) >= wanted)
    return float(-levels[enough[-1]]) if len(enough) else None


def lowest(right: NDArray[np.float64], kept: NDArray[np.int64], confidence: float) -> NDArray[np.float64]:
    """Lower end of the one-sided Clopper-Pearson interval of `right / kept`; 0 where nothing is right."""
    lower = beta.ppf(1 - confidence, right, kept - right + 1)
    return np.where(right > 0, np.nan_to_num(lower), 0.0)


def threshold_for_survival(scores: NDArray[np.float64], share: float) -> float:
    """The threshold that keeps this share in (0, 1) of scores (N,)."""
    return float(np.nanquantile(scores, 1 - share))
