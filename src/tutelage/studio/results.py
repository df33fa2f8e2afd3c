"""What the ratings come to: means with intervals, by model and aspect, and how far raters agree."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from tutelage.benches.agreement.figures import alpha_row
from tutelage.benches.agreement.ratings import Ratings
from tutelage.benches.base import Row
from tutelage.benches.intervals import Floats, Interval, bootstrap_mean

SEED: Final = 0


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One model's mean in one aspect, or in the whole (SuTI's AND, ImagenHub's O)."""

    model: str
    aspect: str
    figure: Interval
    """Bootstrap over items; an item's ratings are averaged first."""
    n: int
    """Items."""


def standings(ratings: Ratings) -> list[Standing]:
    """By model, then aspect; the whole is taken rater by rater."""
    return [
        Standing(model=model, aspect=aspect, figure=bootstrap_mean(means, SEED), n=len(means))
        for at, model in enumerate(ratings.models)
        for aspect in ratings.aspects
        for means in [_by_item(ratings.of(aspect)[:, at])]
    ]


def agreement(ratings: Ratings) -> list[Row]:
    """Krippendorff's α of each aspect and the whole, as `tutelage agreement` prints it."""
    return [alpha_row(ratings, aspect, "interval", ratings.task, SEED) for aspect in ratings.aspects]


def _by_item(said: Floats) -> Floats:
    """Means (N,) over the raters of ratings (raters, items), of the items that anybody rated."""
    rated = np.isfinite(said)
    counts = rated.sum(0)
    return np.asarray(np.where(rated, said, 0).sum(0)[counts > 0] / counts[counts > 0])
