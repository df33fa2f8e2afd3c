"""Editors compared: from a run's pairs to verdicts, as a user asks for them."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tutelage.benches.editing.truth import PairMarks
from tutelage.cli import main
from tutelage.corpus.reader import Corpus
from tutelage.corpus.writer import Committer
from tutelage.errors import BadInput
from tutelage.generators.specialist_bench import edits
from tutelage.reproduce.edit_marks import Marker
from tutelage.reproduce.edit_measured import METRICS, OUTSIDE, RIGHT, sums_of
from tutelage.reproduce.edit_settings import EditExperiment
from tutelage.reproduce.edit_students import GENERALIST, check, lesson, rows, shown, trained
from tutelage.reproduce.edits import ON_ONE_BASE, claims, compare, every, students_of
from tutelage.run import plain, read_log, write_atomic
from tutelage.stages.learnt import learn
from tutelage.stages.settings import EditLearning
from tutelage.toybox.edits import TASKS
from tutelage.training.settings import Schedule

SHORT = EditLearning(schedule=Schedule(steps=1, batch=2, lr=1e-3), bf16=False)


@pytest.fixture(scope="module")
def refined(edited_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of some of the run's pairs and of one of another run's."""
    out, corpus = tmp_path_factory.mktemp("refined") / "corpus", Corpus(edited_run / "corpus")
    with Committer(out) as committer:
        some = [*corpus.take([5, 2, 13]), replace(corpus[0], id="another/0")]
        committer.append([replace(one, id=f"{one.id}/refined") for one in some])
    return out


@pytest.fixture
def experiment(edited_run: Path, tiny_sd: Path, tiny_sd3: Path, tmp_path: Path) -> EditExperiment:
    told: dict[str, Any] = {
        "unet": str(tiny_sd),
        "dit": str(tiny_sd3),
        "learning": SHORT,
        "branch": "",
        "device": "cpu",
    }
    return EditExperiment(run=edited_run, out=tmp_path / "out", items=1, steps=1, **told)


@pytest.mark.e2e
def test_comparisons_have_verdicts_and_share_what_is_drawn(
    experiment: EditExperiment, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = f"--run {experiment.run} --out {experiment.out} --unet {experiment.unet} --dit {experiment.dit} --items 1 "
    told += "--side 32 --steps 1 --drawing.steps 1 --drawing.guidance 1 --device cpu "
    told += "--learning.schedule.steps 1 --learning.schedule.batch 2 --learning.no-bf16 --learning.student editnet"
    words = [*told.split(), "--branch", ""]
    assert main(["reproduce", "edit-students", *words]) == 0
    result = json.loads((experiment.out / "edit-students.json").read_text(encoding="utf-8"))
    students = (GENERALIST, "concat-transformer", "controlnet")
    assert result["students"] == {name: {"triplets": 13, "steps": 1} for name in students}
    figures = {(row["row"], row["metric"]): row for row in result["rows"]}
    assert {name for name, _ in figures} == {*result["students"], "source", "renders"}
    assert figures["renders", OUTSIDE]["value"] == 100
    assert len(result["claims"]) == 3
    page = (experiment.out / "edit-students.html").read_text(encoding="utf-8")
    assert all(claim["text"] in page for claim in result["claims"])
    assert page.count("data:image/webp;base64,") == 7 * 5
    drawn = {path: path.stat().st_mtime_ns for path in experiment.out.rglob("*.png")}
    kept = tmp_path / "kept.json"
    another = str(experiment.out / "students" / "controlnet" / "model")
    assert main(["reproduce", "edit-specialists", *words, "--beside", another, "--json", str(kept)]) == 0
    result = json.loads(kept.read_text(encoding="utf-8"))
    assert result["students"].keys() == {GENERALIST}
    assert result["about"].endswith("Trained otherwise, and only shown beside them: model.")
    rights = [row for row in result["rows"] if (row["row"], row["metric"]) == ("specialist", RIGHT)]
    assert 0 < rights[0]["n"] <= 7
    assert len(result["claims"]) == 7
    assert any((row["row"], row["metric"]) == ("model", RIGHT) for row in result["rows"])
    assert {path: path.stat().st_mtime_ns for path in drawn} == drawn
    assert [len(list(read_log(path.parent))) for path in experiment.out.glob("edits-1x1/marks/*/log.jsonl")] == [7] * 6
    assert "Editors: specialists" in capsys.readouterr().out


def test_shapes_stand_beside_squares(experiment: EditExperiment, monkeypatch: pytest.MonkeyPatch) -> None:
    """And all comparisons at once; what is true of answers is another test's business."""
    good = PairMarks(done=True, kept=True, source=True, outside=40.0)
    monkeypatch.setattr(Marker, "mark", lambda _, name, asked, found: dict.fromkeys(found, good))
    experiment = replace(experiment, side=32)
    found = compare(experiment, "edit-shapes")
    assert {row.row for row in found.rows} == {
        f"{name}{ratio}" for name in (GENERALIST, "source", "renders") for ratio in ("", " 9:16", " 16:9")
    }
    assert [one.value for one in found.said] == [0, 0]
    assert {line.skill for line in found.lines} == {*TASKS}
    for line in found.lines:
        names = [name.partition(" ")[0] for name in line.pictures]
        assert names == ["source", GENERALIST, "renders"]
    with pytest.raises(BadInput, match="give --refined"):
        compare(experiment, "edit-refined")


def test_students_differ_in_one_thing(experiment: EditExperiment, refined: Path) -> None:
    experiment = replace(experiment, refined=refined)
    base = plain(lesson(experiment, GENERALIST))
    for name in {one for comparison in every(experiment) for one in students_of(experiment, comparison)}:
        told = plain(lesson(experiment, name))
        differs = {key for key in told if told[key] != base[key]}
        assert differs == ({"student", "base"} if name in ON_ONE_BASE else set()), name
    assert {lesson(experiment, name).base for name in ON_ONE_BASE} == {experiment.dit}
    assert students_of(experiment, "students") == [*ON_ONE_BASE]
    corpora = {name: Corpus(shown(experiment, name)) for name in ("refined", "unrefined", "only-swap", "unfiltered")}
    refined_ids = [name.removesuffix("/refined") for name in corpora["refined"].column("id").to_pylist()]
    assert sorted(refined_ids) == sorted(corpora["unrefined"].column("id").to_pylist())
    assert set(corpora["only-swap"].column("skill").to_pylist()) == {"swap"}
    assert not len(corpora["unfiltered"].verdict_table())
    before = corpora["only-swap"].version
    assert Corpus(shown(experiment, "only-swap")).version == before


def test_the_runs_own_student_is_taken_where_it_is_the_same(experiment: EditExperiment, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with Committer(run / "corpus") as committer:
        committer.append(Corpus(experiment.run / "corpus").take(range(4)))
    write_atomic(run / "config.json", json.dumps({"config": {"seed": 0}}).encode())
    told = replace(experiment, run=run)
    learn(lesson(told, GENERALIST), 0, "cpu", run)
    assert trained(told, GENERALIST).model == run / "model"
    other = replace(told, learning=replace(SHORT, optimiser="adafactor"))
    assert trained(other, GENERALIST).model == experiment.out / "students" / GENERALIST / "model"


def test_sums_count_what_is_not_made_as_not_right() -> None:
    asked = edits(TASKS, 2, 32, ("1:1",), 0)
    good = PairMarks(done=True, kept=True, source=True, outside=40.0)
    blind = PairMarks(done=None, kept=True, source=True, outside=None)
    marks = dict.fromkeys(asked) | {"swap-00000/00": good, "swap-00001/00": blind, "style-00001/00": good}
    alone = {name: good for name, truth in asked.items() if truth.edit.task == "swap"}
    sums = sums_of({"one": marks, "only-swap": alone}, asked, 2)
    assert {metric for metric, of in sums.items() if "only-swap" in of} == {f"{metric}: swap" for metric in METRICS}
    assert [of.tolist() for of in sums["right: swap"]["one"]] == [[1, 0], [1, 0]]
    assert [of.tolist() for of in sums["right: style"]["one"]] == [[0, 1], [1, 1]]
    assert [of.tolist() for of in sums["right"]["one"]] == [[1, 1], [7, 6]]
    assert [of.tolist() for of in sums[OUTSIDE]["one"]] == [[40, 40], [1, 1]]
    assert f"{OUTSIDE}: style" not in sums
    assert np.isfinite(sums["rest kept"]["one"][0]).all()


def test_every_claim_is_about_those_who_are_asked(experiment: EditExperiment) -> None:
    for comparison in ("specialists", "sources", "filter", "refined", "students", "shapes"):
        asked = {*students_of(experiment, comparison), "specialist", "generalist 9:16", "generalist 16:9"}
        for claim in claims(experiment, comparison):
            assert claim.weights.keys() <= asked
            assert sum(claim.weights.values()) == 0
    assert "refined" not in every(experiment)


def test_what_cannot_be_done_is_told_before_anything_is_trained(experiment: EditExperiment, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="give --refined"):
        rows(experiment, "refined")
    with pytest.raises(BadInput, match="is not that of a run"):
        check(replace(experiment, run=tmp_path), [GENERALIST])
    with pytest.raises(BadInput, match="no model"):
        check(replace(experiment, dit=str(tmp_path / "absent")), ["editnet"])
    with pytest.raises(BadInput, match="items is 0"):
        replace(experiment, items=0)
    with pytest.raises(BadInput, match="give each its own name"):
        replace(experiment, beside=("one/model", "another/model"))
    for name in ("unfiltered", "source"):
        with pytest.raises(BadInput, match=f"'{name}' is the name of another row"):
            compare(replace(experiment, beside=(f"some/{name}",)), "edit-filter")
    with pytest.raises(BadInput, match="seed is -1"):
        replace(experiment, seed=-1)
    strict = replace(experiment, learning=replace(SHORT, gate={"clip-image": (0.9, 1.0)}))
    with pytest.raises(BadInput, match="passes the judges"):
        check(strict, ["only-swap"])
