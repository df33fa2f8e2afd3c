"""Spearman's ρ, its averages and Krippendorff's α against libraries and published values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr

from tutelage.benches.agreement.alpha import LEVELS, Level, alpha, coincidences
from tutelage.benches.agreement.correlation import averaged, compat, fisher, mean, paired, spearman

SEEDS = st.integers(0, 2**32)
NAN = np.nan
PUBLISHED = np.array(
    [
        [NAN, NAN, NAN, NAN, NAN, 3, 4, 1, 2, 1, 1, 3, 3, NAN, 3],
        [1, NAN, 2, 1, 3, 3, 4, 3, NAN, NAN, NAN, NAN, NAN, NAN, NAN],
        [NAN, NAN, 2, 1, 3, 4, 4, NAN, 2, 1, 1, 3, 3, NAN, 4],
    ]
)
"""The worked example of Krippendorff's α."""


@given(SEEDS, st.integers(3, 40), st.integers(2, 6))
def test_rho_is_scipys(seed: int, size: int, levels: int) -> None:
    rng = np.random.default_rng(seed)
    left, right = rng.integers(levels, size=size).astype(float), rng.normal(size=size)
    found = spearman(paired(left, right), np.ones((1, size)))[0]
    if len(np.unique(left)) > 1:
        assert found == pytest.approx(spearmanr(left, right)[0], abs=1e-9)
    else:
        assert np.isnan(found)


@given(SEEDS)
def test_an_item_drawn_twice_counts_twice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    left, right = rng.integers(4, size=12).astype(float), rng.integers(3, size=12).astype(float)
    left[:2], right[-2:] = [0, 3], [0, 2]
    left[-2:], right[:2] = [1, 2], [2, 1]
    drawn = rng.multinomial(12, np.full(12, 1 / 12))
    twice = np.repeat(np.arange(12), drawn)
    found = spearman(paired(left, right), drawn[None].astype(float))[0]
    if len(np.unique(left[twice])) > 1 and len(np.unique(right[twice])) > 1:
        assert found == pytest.approx(spearmanr(left[twice], right[twice])[0], abs=1e-9)
    else:
        assert np.isnan(found)


def test_gaps_are_left_out() -> None:
    left, right = np.array([1, NAN, 2, 3, 4]), np.array([1, 5, NAN, 3, 2])
    pairs = paired(left, right)
    assert pairs.items.tolist() == [0, 3, 4]
    assert spearman(pairs, np.ones((1, 5)))[0] == pytest.approx(0.5)


def test_averages_differ_as_their_names_say() -> None:
    rhos = np.array([[0.2, 0.9, NAN]])
    assert mean(rhos)[0] == pytest.approx(0.55)
    assert fisher(rhos)[0] == pytest.approx(np.tanh((np.arctanh(0.2) + np.arctanh(0.9)) / 2))
    assert compat(rhos)[0] == pytest.approx(np.tanh(0.55))
    assert np.isnan(mean(np.array([[NAN]]))[0])
    assert fisher(np.array([[1.0, 1.0]]))[0] == pytest.approx(1, abs=1e-3)


def test_compat_shrinks_once_a_step_that_averages() -> None:
    one = [[np.array([0.5])], [np.array([0.7])]]
    assert averaged(one, compat)[0] == pytest.approx(np.tanh(0.6))
    two = [[np.array([0.4]), np.array([0.6])], [np.array([0.7]), np.array([0.7])]]
    assert averaged(two, compat)[0] == pytest.approx(np.tanh((np.tanh(0.5) + np.tanh(0.7)) / 2))


@pytest.mark.parametrize(("level", "published"), [("nominal", 0.691), ("interval", 0.811)])
def test_alpha_has_the_published_value(level: Level, published: float) -> None:
    found = coincidences(PUBLISHED)
    assert alpha(found, np.ones((1, 15)), level)[0] == pytest.approx(published, abs=5e-4)


@given(SEEDS, st.sampled_from(LEVELS), st.integers(2, 5), st.integers(1, 5))
def test_alpha_is_the_packages(seed: int, level: Level, raters: int, levels: int) -> None:
    krippendorff = pytest.importorskip("krippendorff")
    rng = np.random.default_rng(seed)
    values = rng.integers(levels + 1, size=(raters, 12)) / 2
    values[rng.random(values.shape) < 0.3] = NAN
    values[:2, :2] = [[0, 0.5], [0, 0.5]]  # somebody agrees, and there are two values
    weights = rng.integers(1, 4, size=(1, 12))
    found = alpha(coincidences(values), weights.astype(float), level)[0]
    repeated = np.repeat(values, weights[0], axis=1)
    assert found == pytest.approx(krippendorff.alpha(repeated, level_of_measurement=level), abs=1e-9)


def test_alpha_of_one_value_is_nothing() -> None:
    assert np.isnan(alpha(coincidences(np.ones((3, 4))), np.ones((1, 4)))[0])
