"""Marks of answers whose truth is known: the right picture, and every way of being wrong."""

import io
import math
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy.spatial.distance import cdist

from tutelage.benches.subjects.examiner import (
    OTHERS,
    REAL,
    Examiner,
    Mark,
    gallery,
    other_toys,
    real_scenes,
    texture,
)
from tutelage.benches.subjects.manifold import Manifold
from tutelage.benches.subjects.questions import Question, SubjectsBench, held_out_toy, questions
from tutelage.toybox.render import render
from tutelage.toybox.scene import KINDS, Scene

BENCH = SubjectsBench(subjects=2, candidates=4, renders=150)
ASKED = questions(BENCH)


@pytest.fixture(scope="module")
def examiner() -> Examiner:
    return Examiner.prepare(BENCH, device="cpu", workers=1)


def picture(scene: Scene) -> Image.Image:
    return Image.fromarray(render(scene, 128)[0])


@pytest.fixture(scope="module")
def demonstrations() -> dict[str, list[Image.Image]]:
    return {question.toy: [picture(scene) for scene in question.demonstrations] for question in ASKED}


@pytest.fixture
def mark(examiner: Examiner, demonstrations: dict[str, list[Image.Image]]):
    def marks(answers: list[Image.Image], asked: list[Question] = ASKED) -> list[Mark]:
        return examiner.mark(asked, answers, demonstrations)

    return marks


def test_real_pictures_are_right_and_new(mark) -> None:
    marks = mark([picture(question.target) for question in ASKED])
    assert all(one.subject and one.text and not one.copy for one in marks), marks
    for real in ("photo", "texture"):  # one in ten lies outside, as among the real pictures themselves
        assert sum(getattr(one, real) for one in marks) >= 7
    assert any(one.overall for one in marks)


def test_another_toy_of_the_kind_is_not_the_right_one(mark) -> None:
    strangers = [replace(question.target, subject=other_toys(question.subject.kind, BENCH)[0]) for question in ASKED]
    marks = mark([picture(scene) for scene in strangers])
    assert not any(one.subject or one.overall for one in marks)
    assert all(one.text for one in marks)


def test_a_toy_that_is_nobody_known_is_not_taken_for_one_who_is(mark) -> None:
    """Its colours are another's: the right one is not picked by default."""
    other = questions(SubjectsBench(subjects=26))[24 * 5].subject
    marks = mark(
        [picture(replace(question.target, subject=replace(other, kind=question.subject.kind))) for question in ASKED]
    )
    assert sum(one.subject for one in marks) < len(marks) / 2


def test_a_copy_is_seen_through(mark, demonstrations: dict[str, list[Image.Image]]) -> None:
    def saved_again(image: Image.Image) -> Image.Image:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=75)
        return Image.open(file).convert("RGB")

    for change in (lambda image: image, saved_again):
        marks = mark([change(demonstrations[question.toy][-1]) for question in ASKED])
        assert all(one.copy and one.subject for one in marks)
        assert not any(one.text or one.overall for one in marks)


def test_answers_to_other_prompts_fail_the_text_alone(mark) -> None:
    swapped = ASKED[1:5] + ASKED[:1] + ASKED[6:] + ASKED[5:6]
    marks = mark([picture(question.target) for question in swapped])
    assert not any(one.text or one.overall for one in marks)
    assert all(one.subject for one in marks)
    assert all(one.named["kind"] for one in marks)


def noise(count: int) -> list[Image.Image]:
    rng = np.random.default_rng(0)
    return [Image.fromarray(rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)) for _ in range(count)]


def test_nothing_is_no_picture(mark) -> None:
    rng = np.random.default_rng(0)
    flat = [Image.new("RGB", (128, 128), tuple(rng.integers(0, 256, 3).tolist())) for _ in ASKED]
    assert not any(one.texture or one.text or one.overall for one in mark(flat))


def test_noise_is_farther_from_real_pictures_than_answers_are(examiner: Examiner) -> None:
    answers = [picture(question.target) for question in ASKED]
    near, far = (cdist(texture(examiner.look, some), examiner.textures.real).min(1) for some in (answers, noise(10)))
    assert far.min() > 1.2 * np.median(near)


@pytest.mark.slow
def test_noise_and_blur_are_no_pictures_at_full_size() -> None:
    """A manifold of few pictures has a few that are far from all others, and so reach far."""
    full = Examiner.prepare(SubjectsBench(subjects=12, candidates=2), "cpu")
    asked = questions(SubjectsBench(subjects=12))
    true = [picture(question.target) for question in asked]
    blurred = [image.filter(ImageFilter.GaussianBlur(4)) for image in true]
    shares = [full.textures.holds(texture(full.look, some)).mean() for some in (true, blurred, noise(40))]
    assert shares[0] > 0.8
    assert shares[1] < shares[0] - 0.25
    assert shares[2] == 0


def test_what_is_named_is_what_the_prompt_says(mark) -> None:
    [one] = mark([picture(ASKED[2].target)], ASKED[2:3])
    assert set(one.named) == {"kind", "scene", "view"}


def test_overall_needs_all_three() -> None:
    right = Mark(subject=True, named={"kind": True, "view": True}, photo=True, texture=False, copy=True)
    assert right.overall
    for wrong in ({"subject": False}, {"named": {"kind": True, "view": False}}, {"photo": False}):
        assert not replace(right, **wrong).overall


def test_the_manifold_is_that_of_improved_precision() -> None:
    """Within some real picture's distance to its third nearest neighbour."""
    rng = np.random.default_rng(1)
    real, seen = rng.normal(size=(30, 3)), rng.normal(size=(80, 3)) * 1.5
    radii = [sorted(math.dist(a, b) for b in real)[3] for a in real]  # the nearest is itself
    within = [any(math.dist(point, a) <= radius for a, radius in zip(real, radii, strict=True)) for point in seen]
    manifold = Manifold.of(real)
    assert manifold.reach == pytest.approx(radii)
    assert 0 < sum(within) < len(within)
    assert manifold.holds(seen).tolist() == within


def test_nobody_asked_for_is_among_the_others_or_the_real() -> None:
    bench = SubjectsBench(subjects=24, renders=50)
    asked = {held_out_toy(number, 0) for number in range(24)}
    others = {toy for kind in KINDS for toy in other_toys(kind, bench)}
    real = {scene.subject for scene in real_scenes(bench)}
    assert len(asked) + len(others) + len(real) == len(asked | others | real) == 24 + 12 * 19 + 50
    assert 24 < OTHERS < REAL


def test_candidates_differ_in_nothing_but_who_they_are() -> None:
    first, second = (gallery(held_out_toy(number, 0), 6, 0) for number in (0, 1))
    assert [replace(scene, subject=None) for scene in first] == [replace(scene, subject=None) for scene in second]
    assert len({scene.layout for scene in first}) == 6
