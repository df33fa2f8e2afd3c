"""Verdicts follow from intervals alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.reproduce.claims import FAILS, HOLDS, UNSURE, Claim, Said, above, check
from tutelage.reproduce.experiments import figure6_claims, filter_claims, gate_of, name_of
from tutelage.reproduce.paper import FIGURE6, TABLE1, TABLE2, TABLE3
from tutelage.reproduce.tables import CLAIMS1, CLAIMS2, CLAIMS3

WHOLE = np.ones(40)


def said(low: float | None, high: float | None, least: float = 0.0) -> Said:
    claim = Claim(text="", metric="overall", weights={"a": 1.0}, least=least)
    return Said(claim=claim, value=low, low=low, high=high, subjects=40)


@pytest.mark.parametrize(
    ("low", "high", "least", "verdict"),
    [
        (0.01, 0.2, 0.0, HOLDS),
        (-0.2, -0.01, 0.0, FAILS),
        (-0.1, 0.1, 0.0, UNSURE),
        (0.0, 0.1, 0.0, UNSURE),
        (0.0, 0.0, 0.0, UNSURE),
        (0.01, 0.2, 0.1, UNSURE),
        (0.01, 0.09, 0.1, FAILS),
        (-0.01, 0.09, -0.02, HOLDS),
        (None, None, 0.0, UNSURE),
    ],
)
def test_a_verdict_is_what_the_interval_says(low: float, high: float, least: float, verdict: str) -> None:
    assert said(low, high, least).verdict == verdict


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(-1, 1))
def test_a_claim_and_its_opposite_never_both_hold(low: float, width: float, least: float) -> None:
    one, other = said(low, low + width, least), said(-low - width, -low, -least)
    assert (one.verdict, other.verdict) in {(HOLDS, FAILS), (FAILS, HOLDS), (UNSURE, UNSURE)}


def test_differences_are_paired() -> None:
    """Subjects differ by far more than generators do; on each of them the first is better by .1."""
    rng = np.random.default_rng(0)
    hard = rng.uniform(0, 0.9, 40)
    sums = {"overall": {"a": (hard + 0.1, WHOLE), "b": (hard, WHOLE), "c": (hard + rng.normal(0, 0.2, 40), WHOLE)}}
    better = check(above("", "overall", "a", "b"), sums, 0)
    worse = check(above("", "overall", "b", "a"), sums, 0)
    noisy = check(above("", "overall", "c", "b", least=0.02), sums, 0)
    assert better is not None
    assert worse is not None
    assert noisy is not None
    assert (better.value, better.low, better.high) == pytest.approx((0.1, 0.1, 0.1))
    assert (better.verdict, worse.verdict, noisy.verdict) == (HOLDS, FAILS, UNSURE)
    assert better.subjects == 40


def test_a_claim_about_somebody_who_was_not_asked_is_left_out() -> None:
    assert check(above("", "overall", "a", "z"), {"overall": {"a": (WHOLE, WHOLE)}}, 0) is None


def test_subjects_of_which_nothing_is_there_count_for_nothing() -> None:
    half = np.repeat([1.0, 0.0], 20)
    sums = {"text: view": {"a": (half, half), "b": (np.zeros(40), half)}}
    found = check(above("", "text: view", "a", "b"), sums, 0)
    assert found is not None
    assert (found.value, found.low, found.high) == (1, 1, 1)


@pytest.mark.parametrize(
    ("claims", "paper"), [(CLAIMS1, TABLE1), (CLAIMS2, TABLE2), (CLAIMS3, TABLE3), (figure6_claims(), FIGURE6)]
)
def test_what_is_claimed_is_what_the_paper_reports(claims: list[Claim], paper: dict[str, dict[str, float]]) -> None:
    """The paper's own figure of a claim is the sum of its tables' figures, and is on the claim's side of the limit."""
    for claim in claims:
        if claim.paper is not None:
            total = sum(weight * paper[name][claim.metric] for name, weight in claim.weights.items())
            assert claim.paper == pytest.approx(total, abs=1e-9), claim.text
            assert claim.paper > claim.least, claim.text


def test_the_slope_over_ranks_is_of_a_rise() -> None:
    names = [name_of(least) for least in (None, 0.1, 0.3, 0.47)]
    assert names == ["unfiltered", "delta-0.1", "delta-0.3", "delta-0.47"]
    [slope] = [claim for claim in filter_claims(names) if len(claim.weights) == 4]
    assert sum(slope.weights.values()) == 0
    assert [slope.weights[name] for name in names] == [-1.5, -0.5, 0.5, 1.5]
    last = filter_claims(names)[0]
    assert last.weights == {"delta-0.47": 1.0, "unfiltered": -1.0}
    assert last.paper == pytest.approx(0.28)


def test_one_limit_is_moved() -> None:
    run = {"delta-clip": (0.1, 2.0), "likeness": (0.6, 0.98)}
    assert gate_of(run, 0.3, likeness=True) == {"delta-clip": (0.3, 2.0), "likeness": (0.6, 0.98)}
    assert gate_of({}, 0.3, likeness=True) == {"delta-clip": (0.3, 2.0)}
    assert gate_of(run, None, likeness=False) == {"delta-clip": (-2.0, 2.0), "likeness": (-2.0, 2.0)}
