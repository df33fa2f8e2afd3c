"""Intervals against known values and against brute force."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.benches.intervals import (
    NOTHING,
    auc,
    bootstrap_auc,
    bootstrap_mean,
    bootstrap_mean_ratio,
    bootstrap_ratio,
    wilson,
)


@pytest.mark.parametrize(
    ("right", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_wilson_gives_the_published_figures(right: int, n: int, low: float, high: float) -> None:
    assert wilson(right, n) == pytest.approx((right / n, low, high), abs=5e-5)


@given(st.integers(1, 5000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_its_share_within_0_and_1(counts: tuple[int, int]) -> None:
    value, low, high = wilson(*counts)
    assert 0 <= low <= value <= high <= 1


def test_nothing_measured_gives_nothing() -> None:
    empty = np.zeros(0)
    assert wilson(0, 0) == NOTHING
    assert bootstrap_mean(empty, 0) == NOTHING
    assert bootstrap_ratio(np.zeros(3), np.zeros(3), 0) == NOTHING
    assert np.isnan(auc(empty, np.ones(2)))


def test_the_mean_has_the_interval_of_its_standard_error() -> None:
    values = np.random.default_rng(0).normal(5, 2, 1000)
    value, low, high = bootstrap_mean(values, 0)
    error = 1.96 * values.std() / np.sqrt(len(values))
    assert value == pytest.approx(values.mean())
    assert (low, high) == pytest.approx((value - error, value + error), abs=0.02)


def test_the_bootstrap_is_seeded() -> None:
    values = np.arange(50.0)
    assert bootstrap_mean(values, 3) == bootstrap_mean(values, 3)
    assert bootstrap_mean(values, 3) != bootstrap_mean(values, 4)


def test_a_ratio_is_of_sums_and_its_interval_knows_clusters() -> None:
    rng = np.random.default_rng(0)
    whole = np.full(400, 10.0)
    clustered = np.where(rng.random(400) < 0.5, 10.0, 0.0)  # all ten right or none: 400 answers, not 4 000
    value, low, high = bootstrap_ratio(clustered, whole, 0)
    assert value == clustered.sum() / 4000
    assert high - low == pytest.approx(2 * 1.96 * 0.5 / 20, rel=0.1)


def test_the_mean_of_ratios_leaves_empty_columns_out() -> None:
    part, whole = np.array([[1.0, 0, 2], [1, 0, 0]]), np.array([[2.0, 0, 2], [2, 0, 0]])
    assert bootstrap_mean_ratio(part, whole, 0).value == pytest.approx((0.5 + 1) / 2)


SCORES = st.lists(st.integers(0, 6).map(float), min_size=1, max_size=12)


@given(SCORES, SCORES)
def test_auc_is_the_share_of_pairs_in_order(positive: list[float], negative: list[float]) -> None:
    pairs = list(itertools.product(positive, negative))
    brute = sum((p > n) + 0.5 * (p == n) for p, n in pairs) / len(pairs)
    assert auc(np.array(positive), np.array(negative)) == pytest.approx(brute)


def test_auc_by_subject_is_plain_auc_with_an_interval_around_it() -> None:
    rng = np.random.default_rng(0)
    pairs = np.array([(i, j) for i in range(20) for j in range(i, 20)])
    same = pairs[:, 0] == pairs[:, 1]
    scores = rng.normal(same * 1.5, 1)
    value, low, high = bootstrap_auc(scores, same, pairs, 20, 0)
    assert value == pytest.approx(auc(scores[same], scores[~same]))
    assert 0.5 < low < value < high < 1


def test_auc_by_subject_weighs_pairs_by_how_often_their_subjects_are_drawn() -> None:
    """One subject decides: whoever draws it has AUC 0, whoever does not 1."""
    pairs = np.array([(0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2)])
    same = pairs[:, 0] == pairs[:, 1]
    perfect = bootstrap_auc(np.array([1.0, 1, 1, 0, 0, 0]), same, pairs, 3, 0)
    assert perfect == (1, 1, 1)
    spoilt = bootstrap_auc(np.array([-1.0, 1, 1, 0, 0, 0]), same, pairs, 3, 0)
    assert spoilt.value == pytest.approx(2 / 3)
    assert spoilt.low < 2 / 3 < spoilt.high
