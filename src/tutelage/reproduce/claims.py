"""What is claimed, and what an interval says of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from tutelage.benches.intervals import Floats, Interval, bootstrap

HOLDS: Final = "holds"
FAILS: Final = "does not hold"
UNSURE: Final = "cannot tell"

Sums = Mapping[str, Mapping[str, tuple[Floats, Floats]]]
"""Metric → generator → what the pictures of each subject add up to (S,), and of how much (S,)."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Generators' figures, weighed and added up, are above a limit."""

    text: str
    metric: str
    weights: Mapping[str, float]
    """Generator → weight; a difference is +1 and −1."""
    least: float = 0.0
    """The limit."""
    paper: float | None = None
    """The same sum of the paper's figures; None: it gives none."""


@dataclass(frozen=True, kw_only=True)
class Said:
    """A claim and our figure."""

    claim: Claim
    value: float | None
    low: float | None
    high: float | None
    subjects: int
    """Over which the interval is."""

    @property
    def verdict(self) -> str:
        """`HOLDS`, `FAILS` or `UNSURE`, by the interval alone."""
        if self.low is None or self.high is None:
            return UNSURE
        if self.low > self.claim.least:
            return HOLDS
        return FAILS if self.high < self.claim.least else UNSURE


def above(text: str, metric: str, one: str, other: str, *, least: float = 0.0, paper: float | None = None) -> Claim:
    """The claim that `one` is above `other` by more than `least`."""
    return Claim(text=text, metric=metric, weights={one: 1.0, other: -1.0}, least=least, paper=paper)


def check(claim: Claim, sums: Sums, seed: int) -> Said | None:
    """Our figure, with a paired bootstrap over subjects; None if a generator that it is about was not asked."""
    measured = sums[claim.metric]
    if not claim.weights.keys() <= measured.keys():
        return None
    subjects = len(next(iter(measured.values()))[0])
    value, low, high = combined(claim.weights, measured, subjects, seed)
    return Said(claim=claim, value=value, low=low, high=high, subjects=subjects)


def combined(
    weights: Mapping[str, float], measured: Mapping[str, tuple[Floats, Floats]], subjects: int, seed: int
) -> Interval:
    """Σ weight · share over generators; a resample draws the same subjects for all of them."""

    def statistic(draws: Floats) -> Floats:
        shares = [weight * _share(draws, *measured[name]) for name, weight in weights.items()]
        return sum(shares[1:], start=shares[0])

    return bootstrap(statistic, subjects, seed)


def _share(draws: Floats, right: Floats, whole: Floats) -> Floats:
    """(R,): NaN where a resample has nothing of it."""
    part, of = draws @ right, draws @ whole
    share: Floats = np.divide(part, of, out=np.full(part.shape, np.nan), where=of > 0)
    return share
