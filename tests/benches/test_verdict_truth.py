"""Triplets whose truth is known, and raters who know it through noise."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tutelage.benches.subjects.questions import SubjectsBench
from tutelage.benches.verdicts.artefacts import ARTEFACTS
from tutelage.benches.verdicts.rendered import COPY, NONE, SUBJECT, Item, rendered_items
from tutelage.benches.verdicts.truth import TRUTHS, Rater, Truth
from tutelage.diffusion.pictures import decode
from tutelage.toybox.oracle import SOME_DAMAGE, Oracle
from tutelage.toybox.render import render
from tutelage.toybox.sampling import scene_at, subject_at

BENCH = SubjectsBench(subjects=1, candidates=3)
RIGHT = Truth(alike=1.0, followed={"scene": True, "view": True}, damage=0.0, copied=False)


@pytest.fixture(scope="module")
def items() -> list[Item]:
    return rendered_items(BENCH, workers=1)


def by_fault(items: list[Item], fault: str) -> list[Truth]:
    return [item.truth for item in items if item.fault.startswith(fault)]


def test_each_question_becomes_five_triplets(items: list[Item]) -> None:
    assert len(items) == 5 * len(BENCH.skills)
    assert len({item.triplet.id for item in items}) == len(items)
    assert {item.triplet.cluster for item in items} == {"0000"}
    assert {item.fault for item in items if item.fault.startswith("artefact")} == {
        f"artefact: {one}" for one in ARTEFACTS
    }


def test_each_fault_is_the_only_one(items: list[Item]) -> None:
    assert all(TRUTHS["all"](truth) for truth in by_fault(items, NONE))
    for fault, wrong in ((SUBJECT, "subject"), ("text", "text"), ("artefact", "photo")):
        for truth in by_fault(items, fault):
            assert [name for name in ("subject", "text", "photo", "new") if not TRUTHS[name](truth)] == [wrong], fault


def test_a_copy_is_a_demonstration_and_shows_nothing_of_what_is_asked(items: list[Item]) -> None:
    for item in items:
        files = [one.picture.data for one in item.triplet.references]
        assert (item.triplet.target in files) == (item.fault == COPY) == item.truth.copied
    assert not any(truth.text for truth in by_fault(items, COPY))


def test_items_are_the_same_again(items: list[Item]) -> None:
    assert rendered_items(BENCH, workers=1) == items


@pytest.mark.parametrize("name", ARTEFACTS)
@pytest.mark.parametrize("strength", [0.0, 1.0])
def test_an_artefact_can_be_seen_however_weak(name: str, strength: float) -> None:
    scene = scene_at(subject_at(4), 4, 0)
    image, mask = render(scene, 64)
    wrong = ARTEFACTS[name](image, mask, strength, np.random.default_rng(0))
    assert (wrong.shape, wrong.dtype) == (image.shape, image.dtype)
    off = np.abs(wrong.astype(int) - image).max(-1) > 24
    assert off.mean() > SOME_DAMAGE


def test_nobody_cannot_be_broken() -> None:
    image = np.full((8, 8, 3), 9, np.uint8)
    assert (ARTEFACTS["broken parts"](image, np.zeros((8, 8), bool), 1.0, np.random.default_rng(0)) == image).all()


class Told:
    def truths(self, triplets):
        return ["not to be known" if triplet.id.startswith("x") else RIGHT for triplet in triplets]


def test_raters_mark_by_what_they_are_told(make_triplet) -> None:
    known, unknown = make_triplet("a"), make_triplet("x")
    assert Rater(knower=Told()).rate([known, unknown]) == [(1.0, 1.0), "not to be known"]
    noisy = Rater(knower=Told(), noise=0.5, seeds=tuple(range(400)))
    [(sc, pq)] = noisy.rate([known])
    assert 0.7 < sc < 0.8  # half of the answers are one step off
    assert 0.7 < pq < 0.8


@pytest.mark.parametrize(
    ("change", "marks"),
    [
        ({}, (1.0, 1.0)),
        ({"alike": 0.9}, (0.5, 1.0)),
        ({"followed": {"scene": False, "view": False}}, (0.0, 1.0)),
        ({"damage": 0.1}, (1.0, 0.5)),
        ({"damage": 0.5}, (1.0, 0.0)),
    ],
)
def test_marks_are_imagenhubs(change: dict, marks: tuple[float, float]) -> None:
    truth = replace(RIGHT, **change)
    rating = Oracle().mark("a", alike=truth.alike, followed=truth.followed, damage=truth.damage)
    assert (rating.sc, rating.pq) == marks
    assert rating.overall == TRUTHS["all"](truth)


def test_pictures_can_be_opened(items: list[Item]) -> None:
    assert {decode(item.triplet.target).size for item in items} == {(128, 128)}


def test_truth_of_a_crawl_follows_from_its_labels(tmp_path: Path) -> None:
    from tutelage.benches.verdicts.taught import toys_of
    from tutelage.toybox.pages import label_line, make_page

    page = make_page(0, size=32)
    path = tmp_path / "labels.jsonl"
    path.write_text(label_line(page) + "\n", encoding="utf-8")
    toys = toys_of(path)
    drawn = {truth.url: truth.scene.subject for truth in page.truths if truth.scene and truth.scene.subject}
    assert toys == drawn
    assert toys
