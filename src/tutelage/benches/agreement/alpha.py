"""Krippendorff's α: agreement of any number of raters, with gaps, beyond what chance gives.

α = 1 − D_o / D_e, from the coincidence matrix of values within units (Krippendorff 2011, "Computing Krippendorff's
alpha-reliability"). Written here rather than taken from a package so that thousands of resamples are one matrix
product; a test compares it with the package.
"""

from typing import Final, Literal, NamedTuple, get_args

import numpy as np

from tutelage.benches.intervals import Floats

Level = Literal["nominal", "ordinal", "interval"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)


class Coincidences(NamedTuple):
    """How often values met in a unit."""

    values: Floats
    """(V,), rising."""
    counts: Floats
    """(units, V, V), each unit's pairs of raters counted 1 / (raters − 1)."""


def coincidences(ratings: Floats) -> Coincidences:
    """The coincidences of ratings (raters, units); nan is not rated, and units with one rating say nothing."""
    values = np.unique(ratings[np.isfinite(ratings)])
    given = (ratings[..., None] == values).sum(0).astype(np.float64)  # (units, V)
    raters = given.sum(1)
    pairs = given[:, :, None] * given[:, None, :] - np.eye(len(values)) * given[:, :, None]
    return Coincidences(values, pairs / np.maximum(raters - 1, 1)[:, None, None])


def alpha(found: Coincidences, weights: Floats, level: Level = "interval") -> Floats:
    """α (R,) with units counted as often as `weights` (R, units) say; nan where all values are one."""
    size = len(found.values)
    total = (weights @ found.counts.reshape(len(found.counts), -1)).reshape(-1, size, size)
    margins = total.sum(2)
    far = _distances(found.values, margins, level)
    observed = (total * far).sum((1, 2))
    expected = (margins[:, :, None] * margins[:, None, :] * far).sum((1, 2))
    share = np.divide(observed, expected, out=np.full(len(weights), np.nan), where=expected > 0)
    return np.asarray(1 - (margins.sum(1) - 1) * share)


def _distances(values: Floats, margins: Floats, level: Level) -> Floats:
    """Squared differences (R or 1, V, V) of values (V,) that occur `margins` (R, V) times."""
    if level == "nominal":
        return (1 - np.eye(len(values)))[None]
    places = values[None] if level == "interval" else np.cumsum(margins, 1) - margins / 2
    return np.asarray((places[:, :, None] - places[:, None, :]) ** 2)
