"""Marks → rows, with marks made by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tutelage.benches.base import Row
from tutelage.benches.subjects.examiner import Mark
from tutelage.benches.subjects.figures import METRICS, SECONDS, Marked, comparison, rows_of, weighted_median
from tutelage.benches.subjects.questions import SubjectsBench, questions
from tutelage.benches.subjects.tables import in_tables, print_tables

BENCH = SubjectsBench(subjects=4, skills=("view", "accessory"))
ASKED = questions(BENCH)
RIGHT = Mark(subject=True, named={"kind": True, "scene": True, "view": True}, photo=True, texture=True, copy=False)
HALF = Mark(subject=True, named={"kind": True, "scene": False}, photo=True, texture=True, copy=False)
WRONG = Mark(subject=False, named={"kind": False}, photo=False, texture=False, copy=True)


def marked(name: str, marks: list[Mark], seconds: dict[int, float] | None = None) -> Marked:
    return Marked(name=name, questions=ASKED, marks=marks, seconds=seconds or {})


def by_metric(rows: list[Row]) -> dict[str, Row]:
    found = {row.metric: row for row in rows}
    assert len(found) == len(rows)
    return found


def test_shares_over_all_and_for_each_skill() -> None:
    """Toys 0 and 1 are drawn right, toy 2 by half, toy 3 wrong; of toy 2 the view is right."""
    marks = [RIGHT, RIGHT, RIGHT, RIGHT, RIGHT, HALF, WRONG, WRONG]
    rows = by_metric(rows_of(BENCH, marked("student", marks)))
    expected = {"subject": 6 / 8, "text": 16 / 19, "photo": 6 / 8, "overall": 5 / 8, "texture": 6 / 8, "copy": 2 / 8}
    expected |= {"subject: view": 3 / 4, "text: view": 9 / 10, "overall: view": 3 / 4, "copy: view": 1 / 4}
    expected |= {"subject: accessory": 3 / 4, "text: accessory": 7 / 9, "overall: accessory": 2 / 4}
    for metric, value in expected.items():
        assert rows[metric].value == pytest.approx(value), metric
    assert {row.n for name, row in rows.items() if ":" in name} == {4}
    assert {row.n for name, row in rows.items() if ":" not in name} == {8}
    assert all(map(in_tables, rows.values()))
    assert len(rows) == len(METRICS) * 3
    assert {(row.bench, row.row) for row in rows.values()} == {("toybox", "student")}
    assert rows["copy"].protocol == "toybox 4x2, 4 demonstrations, 1 of 20, 2000 renders, seed 0"


def test_intervals_are_over_toys() -> None:
    """Of 40 toys half are right in all pictures: as uncertain as 40 coins, not as 200."""
    bench = SubjectsBench(subjects=40)
    asked = questions(bench)
    marks = [RIGHT if question.number % 2 else WRONG for question in asked]
    row = by_metric(rows_of(bench, Marked("student", asked, marks, {})))["subject"]
    assert row.value == 0.5
    assert row.high - row.low == pytest.approx(2 * 1.96 * 0.5 / np.sqrt(40), rel=0.15)


def test_a_student_is_compared_with_its_expert() -> None:
    student = marked("student", [RIGHT] * 4 + [HALF] * 4, {1: 2.0, 2: 1.0, 3: 1.0})
    expert = marked("dreambooth", [RIGHT] * 6 + [WRONG] * 2, {1: 30.0, 2: 50.0})
    rows = by_metric(comparison(BENCH, student, expert))
    assert rows["subject above dreambooth"].value == pytest.approx(1 - 6 / 8)
    assert rows["text above dreambooth"].value == pytest.approx(16 / 20 - 18 / 20)
    assert rows["overall above dreambooth"].value == pytest.approx(4 / 8 - 6 / 8)
    faster = rows["times faster than dreambooth"]
    assert (faster.value, faster.n, faster.missing) == (30.0, 2, 2)
    assert not any(in_tables(row) for row in rows.values())
    assert "times faster than dreambooth" not in by_metric(comparison(BENCH, student, marked("dreambooth", [HALF] * 8)))


def test_the_same_answers_are_above_by_nothing() -> None:
    """Toys are drawn in pairs: what is hard for both does not widen the interval."""
    marks = [RIGHT, WRONG] * 4
    row = by_metric(comparison(BENCH, marked("student", marks), marked("dreambooth", marks)))[
        "subject above dreambooth"
    ]
    assert (row.value, row.low, row.high) == (0, 0, 0)


def test_seconds_are_the_median_of_new_toys() -> None:
    rows = by_metric(rows_of(BENCH, marked("student", [RIGHT] * 8, {1: 3.0, 2: 9.0, 3: 1.0})))
    assert (rows[SECONDS].value, rows[SECONDS].n, rows[SECONDS].missing) == (3.0, 3, 1)
    assert (rows[SECONDS].low, rows[SECONDS].high) == (1.0, 9.0)
    assert not in_tables(rows[SECONDS])


@given(values=arrays(float, st.integers(1, 12), elements=st.floats(-9, 9)), data=st.data())
def test_a_weighted_median_is_that_of_repeated_values(values: np.ndarray, data: st.DataObject) -> None:
    weights = data.draw(arrays(int, (3, len(values)), elements=st.integers(0, 4)).filter(lambda w: w.sum(1).all()))
    wanted = [np.quantile(np.repeat(values, row), 0.5, method="inverted_cdf") for row in weights]
    assert weighted_median(values, weights.astype(float)).tolist() == wanted


def test_tables_show_every_figure_with_its_interval(capsys: pytest.CaptureFixture[str]) -> None:
    rows = rows_of(BENCH, marked("renders", [RIGHT] * 8)) + rows_of(BENCH, marked("student", [HALF] * 8, {1: 1.5}))
    print_tables(rows)
    shown = capsys.readouterr().out
    assert BENCH.protocol in shown
    for word in ("renders", "student", *METRICS, "view", "accessory", "0.500"):
        assert word in shown
    assert shown.count("1.000–1.000") + shown.count("0.500–0.500") + shown.count("0.000–0.000") == 36
