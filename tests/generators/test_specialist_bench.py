"""`tutelage bench specialists`: from held-out edits to rows, and again at once."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import tyro

from tutelage.benches.editing.truth import PairMarks
from tutelage.edit_pipeline import InstructionDriven
from tutelage.errors import BadInput
from tutelage.generators.specialist_bench import ALL, Marked, edits, mask_overlaps, rows_of, teach_pairs
from tutelage.generators.specialist_command import SpecialistBench, specialists_command
from tutelage.recipes.omniedit import omniedit
from tutelage.segmentation.masks import Masks
from tutelage.stages import taught
from tutelage.teachers.specialists.guild import Specialists
from tutelage.teachers.specialists.settings import Drawing


def test_the_command_makes_judges_and_marks_pairs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bench = SpecialistBench(
        out=tmp_path / "bench", items=1, tasks=("removal", "style"), drawing=Drawing(steps=1, guidance=1.0),
        json=tmp_path / "rows.json", device="cpu",
    )  # fmt: skip
    specialists_command(bench)
    rows = json.loads((tmp_path / "rows.json").read_text())
    assert {row["row"].partition(",")[0] for row in rows} == {"removal", "style", ALL}
    named = {(row["row"], row["metric"]): row for row in rows}
    assert named["style", "made of what was asked for"]["value"] == 1
    assert named["removal", "IoU of masks"]["n"] == 1
    assert named["style", "IoU of masks"]["n"] == 0
    assert "specialists: held-out-edits" in capsys.readouterr().out
    specialists_command(bench)
    assert json.loads((tmp_path / "bench" / "rows.json").read_text()) == rows


def test_specialists_are_given_the_branch_that_was_asked_for(
    tmp_path: Path, toybox_sd: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the same recipe takes it, by folder, on its own command line."""
    seen: list[Specialists] = []
    monkeypatch.setattr(taught, "teach", lambda _, __, teacher, *___: seen.append(teacher))
    teach_pairs(tmp_path, {}, str(toybox_sd), Drawing(steps=1), 0, "cpu", 1, str(tmp_path))
    teach_pairs(tmp_path, {}, str(toybox_sd), Drawing(steps=1), 0, "cpu", 1)
    assert [(one.removal.branch, one.specialist("swap").drawing.steps) for one in seen] == [(tmp_path, 1), ("", 1)]
    words = ["--teacher.branch", str(tmp_path)]
    run = tyro.cli(InstructionDriven, args=words, default=omniedit())
    assert run.specialists().specialist("background").branch == tmp_path  # type: ignore[attr-defined]
    with pytest.raises(BadInput, match="no model 'nowhere'"):
        replace(run, teacher=replace(run.teacher, branch="nowhere")).specialists()


def marked(task: str, right: bool | None, kept: bool, what: str = "") -> Marked:
    marks = PairMarks(done=right, kept=True, source=True, outside=40.0 if right else None)
    return Marked(task=task, what=what, marks=marks, kept=kept)


def test_rows_count_what_is_right_before_and_after() -> None:
    asked = edits(["swap", "style"], 4, 32, ["1:1"], 0)
    pairs = [marked("swap", right, kept, "toy") for right, kept in ((True, True), (False, False), (None, True))]
    rows = {(row.row, row.metric): row for row in rows_of(asked, [*pairs, marked("style", True, True)], {}, 0)}
    before, after = rows["swap", "right, before the judges"], rows["swap", "right, after the judges"]
    assert (before.value, before.n, before.missing) == (0.5, 2, 1)
    assert (after.value, after.n, after.missing) == (1.0, 1, 1)
    assert rows["swap", "made of what was asked for"].value == 0.75
    assert rows["swap", "kept by the judges"].value == pytest.approx(2 / 3)
    assert rows["swap, toy", "right, before the judges"].n == 2
    assert (rows["swap", "PSNR outside the edit, dB"].value, rows["swap", "PSNR outside the edit, dB"].missing) == (
        40,
        2,
    )
    assert rows[ALL, "kept by the judges"].n == 4


def test_what_a_distilled_judge_keeps_is_measured_beside_the_others() -> None:
    asked = edits(["swap"], 3, 32, ["1:1"], 0)
    pairs = [replace(marked("swap", at > 0, kept=True), distilled=at > 1) for at in range(3)]
    rows = {(row.row, row.metric): row for row in rows_of(asked, pairs, {}, 0)}
    assert rows["swap", "right, after the judges"].value == pytest.approx(2 / 3)
    after, kept = rows["swap", "right, after the distilled judge"], rows[ALL, "kept by the distilled judge"]
    assert (after.value, after.n, kept.value) == (1.0, 1, pytest.approx(1 / 3))


def test_a_distilled_judge_that_is_not_there_is_told_before_anything_is_drawn(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        specialists_command(SpecialistBench(out=tmp_path / "bench", distilled=str(tmp_path / "nowhere"), device="cpu"))
    assert not (tmp_path / "bench").exists()


def test_masks_of_the_toybox_are_near_the_truth() -> None:
    found = mask_overlaps(edits(["background"], 3, 128, ["1:1", "16:9"], 0), Masks(), "cpu")
    assert min(found["background"]) > 0.7


def test_nothing_asked_is_answered(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="at least 1 item"):
        SpecialistBench(out=tmp_path, items=0)
