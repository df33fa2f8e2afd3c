"""Charts hold every value, wherever the values lie."""

import math
import re
from xml.etree.ElementTree import Element, tostring

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.corpus.gate import Weighed
from tutelage.report.charts import POINTS, axis, curve, histogram, nice, smoothed, thinned, whisker
from tutelage.report.figures import limits
from tutelage.report.markup import document, el
from tutelage.report.wording import duration, moment, number, score

FLOATS = st.floats(-1e6, 1e6, allow_nan=False)
LISTS = st.lists(FLOATS, max_size=30).map(lambda values: np.asarray(values, float))


def bars(chart: Element) -> list[tuple[int, int]]:
    said = re.findall(r"(\d+) kept, (\d+) rejected</title>", tostring(chart, "unicode"))
    return [(int(kept), int(rejected)) for kept, rejected in said]


@given(LISTS, LISTS, st.none() | FLOATS)
def test_every_score_is_in_a_bar(kept: np.ndarray, rejected: np.ndarray, limit: float | None) -> None:
    if not len(kept) + len(rejected):
        return
    chart = histogram(kept, rejected, [] if limit is None else [(limit, "limit")], "scores")
    assert [sum(each) for each in zip(*bars(chart), strict=True)] == [len(kept), len(rejected)]
    places = [float(value) for value in re.findall(r'"(-?[\d.]+)%"', tostring(chart, "unicode"))]
    assert all(-0.02 <= place <= 100.02 for place in places)


def test_a_limit_is_between_two_bars() -> None:
    """No bar mixes scores of both sides."""
    kept, rejected = np.linspace(0.0201, 0.3, 50), np.linspace(-0.2, 0.0199, 50)
    assert all(0 in bar for bar in bars(histogram(kept, rejected, [(0.02, "limit")], "scores")))


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=1, max_size=50))
def test_curves_leave_out_what_is_not_finite(values: list[float]) -> None:
    loss = np.asarray(values, float)
    if not np.isfinite(loss).any():
        return
    paths = curve(np.arange(1.0, len(loss) + 1), loss, "loss").findall(".//path")
    assert len(paths) == 2
    for path in paths:
        points = re.findall(r"[ML](\S+) ([^ML]+)", path.get("d"))
        assert points
        assert all(-0.01 <= float(place) <= 100.01 for point in points for place in point)
    assert paths[0].get("d").count("L") == np.isfinite(loss).sum()


@pytest.mark.parametrize("shares", [True, False])
def test_shares_are_never_on_a_logarithmic_scale(shares: bool) -> None:
    """Losses that fall a hundredfold are; on a scale of its logarithm a share of .1 lies halfway from .01 to 1."""
    chart = curve(np.arange(3.0), np.asarray([0.01, 0.1, 1.0]), "shares", shares=shares)
    points = re.findall(r"[ML]\S+ (\S+?)(?=[ML]|$)", chart.findall(".//path")[0].get("d") or "")
    assert (float(points[-2]) > 80) == shares


def test_long_curves_are_thinned_without_losing_their_level() -> None:
    values = np.ones(10 * POINTS)
    values[100:200] = np.nan
    steps, loss = thinned(np.arange(len(values), dtype=float), values)
    assert len(steps) == len(loss) == POINTS
    assert np.isnan(loss).sum() == 10
    assert np.nanmax(smoothed(loss)) == np.nanmin(smoothed(loss)) == 1
    np.testing.assert_array_equal(np.isnan(smoothed(loss)), np.isnan(loss))


@given(FLOATS, st.floats(1e-6, 1e6))
def test_ticks_are_few_and_within(low: float, span: float) -> None:
    scale = axis(np.asarray([low, low + span]))
    ticks = scale.ticks()
    assert len(ticks) <= 7
    assert all(-1e-6 <= at <= 100 + 1e-6 for at, _ in ticks)


@given(st.floats(1e-6, 1.0), st.floats(10, 1e6))
def test_logarithmic_ticks(low: float, times: float) -> None:
    scale = axis(np.asarray([low, low * times]), logarithmic=True)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 6
    assert all(0 <= at <= 100 for at, _ in ticks)


@given(st.floats(1e-12, 1e12))
def test_nice_steps(step: float) -> None:
    assert step <= nice(step) <= 2.5000001 * step
    assert f"{nice(step):e}"[0] in "125"


def test_an_interval_is_drawn_where_it_is() -> None:
    drawn = tostring(whisker(0.5, 0.25, 1.0), "unicode")
    assert 'x1="25.0%"' in drawn
    assert 'x2="100.0%"' in drawn
    assert "interval" not in tostring(whisker(0.5, None, None), "unicode")


def weighed(scores: list[float], keep: list[bool]) -> Weighed:
    return Weighed(score=np.asarray(scores), keep=np.asarray(keep, bool), seen=np.ones(len(scores), bool))


@pytest.mark.parametrize(
    ("scores", "keep", "known", "low", "high"),
    [
        ([0.1, 0.3], [False, True], [0.9, 0.25], 0.25, None),
        ([0.1, 0.3], [False, True], [], 0.2, None),
        ([0.1, 0.3], [True, False], [], None, 0.2),
        ([0.1, 0.3, 0.5], [False, True, False], [], 0.2, 0.4),
        ([0.1, 0.3], [False, False], [0.2, 0.4], 0.4, None),
        ([0.1, 0.3], [True, True], [], None, None),
        ([math.nan], [False], [], None, None),
    ],
)
def test_limits_follow_from_verdicts(
    scores: list[float], keep: list[bool], known: list[float], low: float | None, high: float | None
) -> None:
    found = [None if limit is None else pytest.approx(limit.value) for limit in limits(weighed(scores, keep), known)]
    assert [low, high] == found


def test_numbers_in_words() -> None:
    assert [duration(value) for value in (0.44, 59.6, 61, 3599.9, 7500, math.nan)] == [
        "0.4 s", "1 min 00 s", "1 min 01 s", "1 h 00 min", "2 h 05 min", "–"
    ]  # fmt: skip
    assert [score(value) for value in (-0.0123, None, math.inf)] == ["−0.012", "no score", "no score"]
    assert [number(value) for value in ("1.5", 2, "inf")] == [1.5, 2, math.inf]
    assert all(math.isnan(number(value)) for value in (None, "x", True, [], 10**400))
    assert [moment(value) for value in (0, math.nan, -1, 1e20)] == ["1 January 1970, 00:00 UTC", "", "", ""]


def test_text_between_elements_stays_in_place() -> None:
    page = document("t", "", "a", el("b", "b"), None, ["c", el("i"), "d\ud800\0"])
    assert "<body>a<b>b</b>c<i></i>d?\0</body>" in page.decode()
