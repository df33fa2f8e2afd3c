"""The bench of an editing run: an editor beside specialists, on toys whose truth is known and on held-out pictures."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tutelage.benches.editing.truth import Examiner, PairMarks, true_edit
from tutelage.corpus.reader import Corpus
from tutelage.corpus.writer import Committer
from tutelage.diffusion.load import load_pipeline
from tutelage.errors import BadInput
from tutelage.generators.true_edits import told_rows, true_questions
from tutelage.judges.panel import Panel
from tutelage.report.edits import read_edits
from tutelage.stages.batches import is_held_out, without_held_out
from tutelage.stages.edited import EDITS, Beside, measure_edits
from tutelage.stages.learnt import MODEL
from tutelage.stages.settings import EditBenching, EditLearning
from tutelage.students import student
from tutelage.students.settings import EditShape
from tutelage.teachers.specialists.guild import Specialists
from tutelage.toybox.masks import Segmenter
from tutelage.toybox.reader import Reader
from tutelage.training.settings import Schedule

SHARE = 0.5


@pytest.fixture
def run(tiny_sd: Path, tmp_path: Path, make_triplet: Any, make_cluster: Any) -> Path:
    """A run with a fresh editor, and pairs of two tasks that specialists made."""
    student("instruct-pix2pix").from_base(load_pipeline(tiny_sd, "cpu"), EditShape()).save(tmp_path / MODEL)
    with Committer(tmp_path / "corpus") as committer:
        for number in range(12):
            cluster = make_cluster(f"{number:02d}", sizes=((32, 32),))
            committer.append([make_triplet(
                f"{number:02d}", "make it blue", skill=("swap", "style")[number % 2], caption="a blue bear toy",
                references=cluster.references,
            )])  # fmt: skip
    return tmp_path


def beside(run: Path, toys: bool, **changes: Any) -> Beside:
    told: dict[str, Any] = {"tasks": ("swap", "style"), "teacher": Specialists(base=""), "panel": Panel(judges=())}
    return Beside(out=run, toys=toys, held_out=SHARE, workers=1, device="cpu", **(told | changes))


def bench(clip: Path, **changes: Any) -> EditBenching:
    quick: dict[str, Any] = {"items": 2, "steps": 1, "side": 32, "curve": (1.0, 2.0), "curve_items": 1, "curve_runs": 2}
    return EditBenching(clip=str(clip), **(quick | changes))


def test_held_out_pictures_are_asked_about_and_not_learnt_from(run: Path, tiny_clip: Path) -> None:
    how = bench(tiny_clip)
    counts = measure_edits(how, beside(run, toys=False))
    corpus = Corpus(run / "corpus")
    learnt = without_held_out(corpus, corpus.rows(None), SHARE)
    asked = read_edits(run / EDITS)
    assert asked is not None
    assert counts["edits"] == len(asked.asked) == 4
    assert not {one.id for one in asked.asked} & {one.id for one in corpus.take(learnt.tolist())}
    assert asked.editors == ("specialist", "student")
    assert all(asked.picture(who, one) for who in ("source", "specialist", "student") for one in asked.asked)
    [first, second] = asked.curve("student")
    assert (first.guidance, second.guidance) == (1.0, 2.0)
    assert first.image_std is not None
    named = {(row.row, row.metric.partition(" (")[0]) for row in asked.rows}
    assert {("student", "CLIP direction similarity"), ("specialist", "CLIP direction similarity")} <= named
    assert measure_edits(how, beside(run, toys=False)) == counts
    with pytest.raises(BadInput, match="is held out; give more pages or a larger"):
        measure_edits(how, replace(beside(run, toys=False), held_out=0.0))


def test_toys_are_asked_about_with_their_truth(run: Path, tiny_clip: Path) -> None:
    how = bench(tiny_clip, items=1, specialists=False, curve=())
    measure_edits(how, beside(run, toys=True))
    asked = read_edits(run / EDITS)
    assert asked is not None
    assert [one.task for one in asked.asked] == ["swap", "style"]
    assert all(asked.picture("truth", one) for one in asked.asked)
    rows = {row.metric: row for row in asked.rows if row.row == "student"}
    assert {"right", "right: swap", "edit done: style", "rest kept"} <= rows.keys()
    assert rows["PSNR outside the edit, dB"].n == rows["PSNR outside the edit, dB: swap"].n
    with pytest.raises(BadInput, match="was started with side = 32, not 64"):
        measure_edits(replace(how, side=64), beside(run, toys=True))


def test_of_an_addition_an_editor_is_told_by_its_target() -> None:
    """Unlike specialists, who make the source."""
    truth = true_edit("addition", 0, 128)
    before, after = truth.picture(truth.edit.before), truth.picture(truth.edit.after)
    examiner = Examiner(Reader.load(device="cpu"), Segmenter.load(device="cpu"))
    assert examiner.marks(truth, before, after, given=True, changed="target").right in (True, None)
    undone = examiner.marks(truth, before, before, given=True, changed="target")
    assert undone.done in (False, None)
    assert (undone.source, undone.outside) == (True, 100.0)
    [question] = true_questions({"addition-0": truth})
    assert (question.instruction, question.groups) == (truth.edit.instruction, ("addition",))


def test_shares_are_of_what_could_be_told() -> None:
    marks = [PairMarks(done=done, kept=True, source=True, outside=None) for done in (True, False, None)]
    rows = {row.metric: row for row in told_rows("p", "student", [("swap", one) for one in marks], 0)}
    assert (rows["right"].value, rows["right"].n, rows["right"].missing) == (0.5, 2, 1)
    assert rows["right: swap"].value == rows["right"].value
    assert rows["PSNR outside the edit, dB"].value is None


def test_a_picture_is_held_out_by_its_id_alone() -> None:
    names = [f"{number:04x}" for number in range(2000)]
    few, many = ({name for name in names if is_held_out(name, share)} for share in (0.1, 0.3))
    assert few < many
    assert 0.07 < len(few) / len(names) < 0.13
    assert not any(is_held_out(name, 0.0) for name in names)
    with pytest.raises(BadInput, match="held_out of learning is 1"):
        EditLearning(schedule=Schedule(steps=1, batch=1, lr=1.0), held_out=1.0)
