"""What `tutelage bench judges` prints: figures where they belong, gates by what they are to keep."""

import re

import pytest

from tutelage.benches.base import Row, interval_row
from tutelage.benches.intervals import Interval
from tutelage.judging.tables import print_tables


def row(name: str, metric: str, value: float | None, protocol: str = "rendered") -> Row:
    ends = (None, None) if value is None or metric.startswith("threshold") else (value - 0.05, value + 0.05)
    return interval_row("judges", protocol, name, metric, Interval(value, *ends), 10)


ROWS = [
    row("truth", "share: text", 0.6),
    row("raters", "Spearman with raters: sc", 0.8),
    row("clip-t", "AUC: text", 0.968),
    row("clip-t", "Spearman with raters: sc", -0.284),
    row("clip-t", "AUC without | copy", 0.111),
    row("delta-clip", "precision: text, calibrated", 0.927),
    row("delta-clip", "recall: text, calibrated", 0.333),
    row("delta-clip", "kept: text, calibrated", 0.3),
    row("delta-clip", "threshold of delta-clip: text, calibrated", 0.453),
    row("delta-clip", "precision: all, calibrated", None),
    row("delta-clip", "recall: all, calibrated", None),
    row("delta-clip", "precision: text, paper's survival", 0.783),
    row("delta-clip", "recall: text, paper's survival", 0.267),
    row("delta-clip", "kept: text, paper's survival", 0.28),
    row("delta-clip", "threshold of delta-clip: text, paper's survival", 0.471),
]


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", "100")
    print_tables(ROWS, 0.9)
    return [re.sub(r"\s+", " ", line).strip() for line in capsys.readouterr().out.splitlines()]


def test_judges_stand_below_the_truth_and_the_raters(shown: list[str]) -> None:
    assert shown.index("(share true) 0.600") < shown.index("clip-t 0.968")
    assert shown.index("raters with each other 0.800") < shown.index("clip-t -0.284")
    assert "-.33–-.23" in shown
    assert not any("0.111" in line for line in shown)  # by fault: in the rows alone


def test_a_gate_says_what_it_keeps_and_whether_that_is_enough(shown: list[str]) -> None:
    text, everything = shown.index("text:"), shown.index("all:")
    assert "delta-clip calibrated ≥ 0.453 0.927 reached 0.333 0.300" in shown[text:everything]
    assert "delta-clip paper's survival ≥ 0.471 0.783 BELOW 0.267 0.280" in shown[text:everything]
    assert "delta-clip calibrated none not reached" in shown[everything:]


def test_each_protocol_has_its_tables(capsys: pytest.CaptureFixture[str]) -> None:
    print_tables([*ROWS, row("clip-t", "AUC: text", 0.5, "taught")], 0.8)
    out = capsys.readouterr().out
    assert out.count("AUC by what is true") == 2
