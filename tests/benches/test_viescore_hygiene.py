"""The bench that shows what a judge that misbehaves does to scores."""

import json
from pathlib import Path

import pytest

from tutelage.benches.viescore_hygiene import TARGETS, hygiene_command
from tutelage.cli import main
from tutelage.errors import BadInput


def test_every_target_is_reached_and_coverage_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "rows.json"
    assert main(["bench", "viescore-hygiene", "--items", "21", "--limit", "0.1", "--json", str(path)]) == 0
    rows = {(row["row"], row["metric"]): row for row in json.loads(path.read_text())}
    assert all(rows[key[1:]]["value"] == 1.0 for key in TARGETS)
    whole, short = (rows[name, "coverage O"] for name in ("resumed run", "run with half the money"))
    assert whole["value"] > short["value"]
    assert whole["missing"] + round(whole["value"] * whole["n"]) == whole["n"] == 21
    assert (
        rows["run with half the money", "cost billed"]["value"]
        <= rows["run with half the money", "cost allowed"]["value"]
    )
    assert "coverage" in capsys.readouterr().out


def test_a_judge_that_never_answers_is_no_score() -> None:
    with pytest.raises(BadInput, match="1 at most together"):
        hygiene_command(items=4, refuse=0.9, stall=0.9)
    with pytest.raises(BadInput, match="at least 2"):
        hygiene_command(items=1)
