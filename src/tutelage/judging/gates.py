"""Thresholds: what a gate keeps when they are chosen on one half of the clusters and applied to the other.

`calibrated` is the panel of least scores with the largest recall whose precision is, with confidence, the wanted one
(see `judges.distillation.threshold`); the greatest scores, which tell copies, stay the pipeline's. `paper's survival`
keeps the share that SuTI kept, 500 K of 1.8 M. `pipeline` is what the recipe `suti` asks for.
"""

import hashlib
import itertools
from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from tutelage.benches.base import Row
from tutelage.benches.intervals import Floats, Interval
from tutelage.benches.verdicts.figures import Examined, grouped_share
from tutelage.judges.distillation.threshold import CONFIDENCE, lowest, threshold_for_survival

SURVIVAL: Final = 500 / 1800
"""Share of triplets that SuTI kept."""
SURVIVALS: Final = (0.5, SURVIVAL, 0.1)
"""Shares at which precision is printed."""
GOALS: Final = ("subject", "text", "subject and text", "all")
"""What a gate is to let through, in `benches.verdicts.truth.TRUTHS`."""
PANELS: Final = (
    ("delta-clip",),
    ("likeness",),
    ("distilled",),
    ("delta-clip", "likeness"),
    ("clip-t", "likeness"),
    ("distilled.SC",),
    ("likeness", "distilled.SC"),
)
"""Judges and metrics that are given thresholds together; those without scores are left out."""
TRIED: Final = 40
"""Thresholds of each judge that are tried: quantiles of its scores."""

Bands = Mapping[str, tuple[float, float]]
"""Judge → least and greatest score let through."""


def gate_rows(examined: Examined, scores: Mapping[str, Floats], wanted: float, pipeline: Bands) -> list[Row]:
    """Precision, recall and thresholds of every gate; where no threshold gives the precision, they are missing."""
    half, within = first_half(examined), _no_copies(scores, pipeline)
    rows = []
    for goal, panel in itertools.product(GOALS, PANELS):
        if set(panel) <= scores.keys():
            bands = calibrated({name: within[name][half] for name in panel}, examined.of(goal)[half], wanted)
            rows += _rows(examined, " + ".join(panel), f"{goal}, calibrated", goal, within, bands)
    for goal in GOALS:
        paper = {"delta-clip": (threshold_for_survival(scores["delta-clip"][half], SURVIVAL), np.inf)}
        rows += _rows(examined, "delta-clip", f"{goal}, paper's survival", goal, scores, paper)
        rows += _rows(examined, " + ".join(pipeline), f"{goal}, pipeline", goal, scores, pipeline)
    return rows


def survival_rows(examined: Examined, name: str, scores: Floats) -> list[Row]:
    """What is true of the best by one score, fewer and fewer of them: whether a threshold can be strict enough."""
    rows = []
    for share in SURVIVALS:
        kept = scores >= threshold_for_survival(scores, share)
        for truth in GOALS:
            right = grouped_share(examined.of(truth).astype(float), examined, kept.astype(float))
            rows.append(examined.row(name, f"precision of the best {share:.0%}: {truth}", right, int(kept.sum())))
    return rows


def calibrated(scores: Mapping[str, Floats], good: NDArray[np.bool_], wanted: float) -> Bands | None:
    """Lower thresholds that, together, keep most of what is good at the wanted precision; None if none do.

    Args:
        scores: judge → (N,); nan is never kept.
        good: (N,), whether it should be kept.
        wanted: precision in (0, 1).
    """
    steps = [np.nanquantile(values, np.linspace(0, 1, TRIED, endpoint=False)) for values in scores.values()]
    best, found = 0.0, None
    for levels in itertools.product(*(np.unique(step) for step in steps)):
        kept = np.all([values >= level for values, level in zip(scores.values(), levels, strict=True)], 0)
        right = float((kept & good).sum())
        if right > best and lowest(np.asarray([right]), np.asarray([kept.sum()]), CONFIDENCE)[0] >= wanted:
            best, found = right, levels
    return None if found is None else {name: (float(level), np.inf) for name, level in zip(scores, found, strict=True)}


def first_half(examined: Examined) -> NDArray[np.bool_]:
    """(N,): the half of the clusters, by their names, on which thresholds are chosen."""
    return np.asarray([hashlib.sha256(name.encode()).digest()[0] % 2 == 0 for name in examined.clusters])


def _no_copies(scores: Mapping[str, Floats], pipeline: Bands) -> dict[str, Floats]:
    """Judge → (N,), nan above the greatest score that the pipeline lets through."""
    most = {name: high for name, (_, high) in pipeline.items()}
    return {name: np.where(values > most.get(name, np.inf), np.nan, values) for name, values in scores.items()}


def _rows(
    examined: Examined, gate: str, how: str, goal: str, scores: Mapping[str, Floats], bands: Bands | None
) -> list[Row]:
    """A gate's figures on the half that its thresholds were not chosen on."""
    rest = ~first_half(examined)
    if bands is None:
        nothing = Interval(None, None, None)
        return [examined.row(gate, f"{figure}: {how}", nothing, int(rest.sum())) for figure in ("precision", "recall")]
    within = [(scores[name] >= low) & (scores[name] <= high) for name, (low, high) in bands.items()]
    kept = np.all(within, 0) & rest
    good = examined.of(goal)
    right = (kept & good).astype(float)
    figures: dict[str, tuple[Interval, int]] = {
        "precision": (grouped_share(right, examined, kept.astype(float)), int(kept.sum())),
        "recall": (grouped_share(right, examined, (good & rest).astype(float)), int((good & rest).sum())),
        "kept": (grouped_share(kept.astype(float), examined, rest.astype(float)), int(rest.sum())),
    }
    rows = [examined.row(gate, f"{figure}: {how}", interval, n) for figure, (interval, n) in figures.items()]
    for name, (low, _) in bands.items():
        rows.append(examined.row(gate, f"threshold of {name}: {how}", Interval(low, None, None), int((~rest).sum())))
    return rows
