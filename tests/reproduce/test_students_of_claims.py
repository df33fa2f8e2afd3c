"""Students at equal budgets."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tutelage.corpus.reader import Corpus
from tutelage.errors import BadInput
from tutelage.reproduce.parts import draw_part, write_part
from tutelage.reproduce.settings import Experiment, Filter
from tutelage.reproduce.students import copy_paste, learning, lesson_of, neighbours, re_imagen, suti
from tutelage.run import plain


def test_the_runs_own_student_is_taken_as_it_is(quick: dict[str, Any], finished_run: Path) -> None:
    found = suti(Experiment(**quick))
    assert (found.model, found.triplets, found.steps) == (finished_run / "model", 7, 2)


def test_with_other_steps_all_students_have_these(quick: dict[str, Any], finished_run: Path) -> None:
    """And nothing else differs from the run's but what the student is about."""
    experiment = Experiment(**quick, learning_steps=3)
    made = {"suti": suti(experiment), "re-imagen": re_imagen(experiment), "copy-paste": copy_paste(experiment)}
    assert {one.steps for one in made.values()} == {3}
    assert made["suti"].triplets == 7
    assert made["re-imagen"].triplets == made["copy-paste"].triplets == 3 * 2, "as many subjects and prompts"
    before = plain(lesson_of(finished_run))
    for name, one in made.items():
        assert one.model == experiment.out / "students" / name / "model"
        told = plain(lesson_of(one.model.parent))
        assert told["schedule"] == {**before["schedule"], "steps": 3}
        assert told["training"]["demonstrations"] == (2 if name == "re-imagen" else 3)
        assert {key for key in told if told[key] != before[key]} <= {"schedule", "training", "gate"}
    times = {name: (one.model / "model_index.json").stat().st_mtime_ns for name, one in made.items()}
    assert suti(experiment) == made["suti"]
    assert (made["suti"].model / "model_index.json").stat().st_mtime_ns == times["suti"]


def test_neighbours_are_real_pictures_by_their_captions(quick: dict[str, Any], finished_run: Path) -> None:
    for triplet in Corpus(neighbours(Experiment(**quick))).triplets():
        assert triplet.provenance.teacher == "neighbour"
        assert len(triplet.references) == 2
        assert triplet.text in {"a red bear toy", "a blue hat"}
    assert not (finished_run / "neighbours").exists()


def test_neighbours_may_be_told_by_name_alone(quick: dict[str, Any], finished_run: Path) -> None:
    made = list(Corpus(neighbours(Experiment(**quick), captions=False)).triplets())
    assert {triplet.target for triplet in made} == {
        triplet.target for triplet in Corpus(neighbours(Experiment(**quick))).triplets()
    }
    for triplet in made:
        assert {triplet.text, *(reference.caption for reference in triplet.references)} == {triplet.subject}


def test_a_part_is_drawn_by_what_triplets_are_called(finished_run: Path, tmp_path: Path) -> None:
    """Whatever else there is, and it is written once."""
    corpus = Corpus(finished_run / "corpus")
    every = corpus.rows(None)
    few = draw_part(corpus, every, 3).tolist()
    assert len(set(few)) == 3
    assert draw_part(corpus, every[::-1], 5).tolist()[:3] == few
    for _ in range(2):
        part = Corpus(write_part(corpus, few, tmp_path / "part"))
        assert sorted(part.column("id").to_pylist()) == sorted(corpus.column("id").take(few).to_pylist())


def test_a_run_without_a_student_is_told(quick: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no finished student"):
        learning(Experiment(**{**quick, "run": tmp_path}))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"thresholds": (0.1, 0.2)}, "at least three"),
        ({"thresholds": (0.3, 0.2, 0.4)}, "above the one before"),
        ({"thresholds": (0.3, 0.4, 2.5)}, "below 2"),
        ({"learning_steps": 0}, "learning-steps is 0"),
        ({"json": Path("absent/result.json")}, "a folder that exists"),
    ],
)
def test_settings_out_of_range_are_refused(changes: dict[str, Any], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        replace(Filter(), **changes)
