"""Ratios of ways that take turns, with the spread of their median."""

import statistics
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.benches.base import AtMost
from tutelage.benches.ratios import BENCH, RATIO, by_turns, least_row, ratio_row, ratios, report, targets
from tutelage.benches.subjects.toys import toy_clusters

VALUES = st.lists(st.floats(0.01, 100), min_size=1, max_size=9)


@given(values=VALUES)
def test_the_figure_is_the_median_and_its_interval_within_the_spread(values: list[float]) -> None:
    row = ratio_row("R1", values)
    assert row.value == pytest.approx(statistics.median(values))
    assert row.low is not None
    assert row.high is not None
    assert min(values) <= row.low <= row.value <= row.high <= max(values)  # type: ignore[operator]
    assert (row.bench, row.metric, row.n) == (BENCH, RATIO, len(values))
    assert "cores" in row.protocol


def test_what_must_hold_for_all_is_the_least() -> None:
    row = least_row("R6", [0.9, 0.99, 0.95])
    assert (row.value, row.low, row.high, row.n) == (0.9, 0.9, 0.99, 3)


def test_ways_take_turns() -> None:
    done: list[str] = []
    seconds = by_turns({"a": lambda: done.append("a"), "b": lambda: done.append("b")}, 3)
    assert done == ["a", "b"] * 3
    assert [len(each) for each in seconds.values()] == [3, 3]
    assert min(min(each) for each in seconds.values()) >= 0
    assert ratios([6.0, 9.0], [2.0, 3.0]) == [3.0, 3.0]


def test_rows_are_printed_beside_their_targets_and_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report([ratio_row("R4, batch 1", [1.5]), ratio_row("R9", [3.0])], tmp_path / "rows.json")
    said = capsys.readouterr().out
    assert "ABOVE" in said
    assert "reached" in said
    assert '"R4, batch 1"' in (tmp_path / "rows.json").read_text()
    assert isinstance(targets()[BENCH, "R4, batch 1", RATIO], AtMost)


def test_toys_are_clusters() -> None:
    some = toy_clusters(2, first=3, pictures=2, size=32)
    assert [one.id for one in some] == ["0003", "0004"]
    assert some == toy_clusters(3, first=2, pictures=2, size=32)[1:]
    assert all(len(one.references) == 2 and all(ref.caption for ref in one.references) for one in some)
