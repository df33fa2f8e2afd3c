"""Thresholds chosen on one half hold on the other, and figures are those of other implementations."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from tutelage.benches.agreement.correlation import grouped_spearman
from tutelage.benches.intervals import auc, grouped_auc
from tutelage.benches.verdicts.figures import Examined, ceiling_rows, fault_rows, score_rows
from tutelage.benches.verdicts.truth import Truth
from tutelage.judging.gates import calibrated, first_half, gate_rows, survival_rows
from tutelage.toybox.oracle import Oracle

N = 300
RNG = np.random.default_rng(0)
RIGHT = RNG.random((2, N)) < 0.7
SCORES = {
    "delta-clip": RIGHT[1] + RNG.normal(0, 0.2, N),
    "likeness": RIGHT[0] + RNG.normal(0, 0.2, N),
}
EXAMINED = Examined(
    protocol="invented",
    ids=[f"t{n}" for n in range(N)],
    clusters=[f"c{n // 3}" for n in range(N)],
    truths=[
        Truth(alike=1.0 if subject else 0.5, followed={"scene": bool(text)}, damage=0.0, copied=False)
        for subject, text in RIGHT.T
    ],
    faults=["none" if one else "subject" for one in RIGHT[0]],
)


def by_metric(rows, name: str) -> dict:
    return {row.metric: row for row in rows if row.row == name}


def test_two_judges_reach_what_one_cannot() -> None:
    rows = gate_rows(EXAMINED, SCORES, 0.9, {"delta-clip": (0.5, 2.0), "likeness": (0.9, 2.0)})
    alone, both = (by_metric(rows, name) for name in ("delta-clip", "delta-clip + likeness"))
    assert alone["precision: all, calibrated"].value is None
    assert both["precision: all, calibrated"].value >= 0.88
    assert both["recall: all, calibrated"].value > 0.9
    assert both["recall: all, pipeline"].value < both["recall: all, calibrated"].value
    assert alone["kept: all, paper's survival"].value == pytest.approx(0.278, abs=0.08)
    assert not any("distilled" in row.row for row in rows)


def test_thresholds_are_chosen_on_the_other_half() -> None:
    half = first_half(EXAMINED)
    assert 0.3 < half.mean() < 0.7
    assert len({(cluster, one) for cluster, one in zip(EXAMINED.clusters, half, strict=True)}) == N // 3
    spoilt = {name: np.where(half, values, 0.0) for name, values in SCORES.items()}
    for first, second in zip(*(gate_rows(EXAMINED, one, 0.9, {}) for one in (SCORES, spoilt)), strict=True):
        assert not first.metric.startswith("threshold") or first.value == second.value


def test_what_is_too_much_alike_is_not_kept() -> None:
    copies = np.arange(N) % 5 == 0
    truths = [replace(truth, copied=bool(copy)) for truth, copy in zip(EXAMINED.truths, copies, strict=True)]
    scores = {**SCORES, "likeness": np.where(copies, 3.0, SCORES["likeness"])}
    for most, reached in ((2.0, True), (4.0, False)):
        rows = gate_rows(replace(EXAMINED, truths=truths), scores, 0.9, {"likeness": (0.0, most)})
        both = by_metric(rows, "delta-clip + likeness")
        assert (both["precision: all, calibrated"].value is not None) == reached


def test_what_has_no_score_is_not_kept() -> None:
    scores = {"delta-clip": np.where(np.arange(N) < 150, np.nan, 1.0)}
    good = np.arange(N) >= 150
    assert calibrated(scores, good, 0.9) == {"delta-clip": (1.0, np.inf)}


def test_the_best_are_fewer_and_no_better_at_what_a_score_does_not_see() -> None:
    found = by_metric(survival_rows(EXAMINED, "delta-clip", SCORES["delta-clip"]), "delta-clip")
    assert found["precision of the best 10%: text"].value > 0.95
    assert found["precision of the best 10%: subject"].value < 0.85


def test_figures_are_those_of_other_implementations() -> None:
    marks = EXAMINED.marks([Oracle(noise=0.1, seed=seed) for seed in range(3)])
    scores = np.where(np.arange(N) < 5, np.nan, SCORES["likeness"])
    found = by_metric(score_rows(EXAMINED, "likeness", scores, marks), "likeness")
    good = RIGHT[0][5:]
    assert found["AUC: subject"].value == pytest.approx(auc(scores[5:][good], scores[5:][~good]))
    assert (found["AUC: subject"].n, found["AUC: subject"].missing) == (N - 5, 5)
    each = [spearmanr(scores[5:], row[5:]).statistic for row in marks["sc"]]
    assert found["Spearman with raters: sc"].value == pytest.approx(np.mean(each))
    between = [spearmanr(marks["sc"][a], marks["sc"][b]).statistic for a, b in ((0, 1), (0, 2), (1, 2))]
    ceiling = by_metric(ceiling_rows(EXAMINED, marks), "raters")["Spearman with raters: sc"]
    assert ceiling.value == pytest.approx(np.mean(between))
    assert ceiling.low < ceiling.value < ceiling.high


def test_faults_are_told_apart_one_by_one() -> None:
    [row] = fault_rows(EXAMINED, "likeness", SCORES["likeness"])
    assert row.metric == "AUC without | subject"
    assert row.value > 0.95


def test_what_never_varies_has_no_rank() -> None:
    groups = np.arange(20) // 2
    assert grouped_spearman(np.ones(20), np.arange(20.0), groups, 0).value is None
    assert grouped_auc(np.arange(20.0), np.ones(20, bool), groups, 0).value is None


def test_intervals_are_over_clusters() -> None:
    """Ten copies of each item say no more than one."""
    once = grouped_spearman(SCORES["likeness"][:60], RIGHT[0][:60].astype(float), np.arange(60), 0)
    copies = [np.repeat(one, 10) for one in (SCORES["likeness"][:60], RIGHT[0][:60].astype(float), np.arange(60))]
    assert grouped_spearman(*copies, 0) == pytest.approx(once)
