"""Oracles: the truth without noise, and with it raters whose errors depend on nothing but the question."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tutelage.errors import BadInput
from tutelage.toybox.captions import named
from tutelage.toybox.oracle import Oracle, damage, likeness
from tutelage.toybox.render import render
from tutelage.toybox.sampling import scene_at, subject_at
from tutelage.toybox.scene import Scene, describe

TOY, OTHER = subject_at(0), subject_at(1)
SCENE = Scene(subject=TOY, place="snow", accessory="crown", view="left")


@given(st.integers(0, 10**6), st.integers(0, 5))
def test_a_true_picture_gets_full_marks(index: int, view: int) -> None:
    toy = subject_at(index)
    scene = scene_at(toy, index, view)
    rating = Oracle().rate("x", wanted=toy, named=named(scene), shown=scene)
    assert (rating.subject, rating.text, rating.photo, rating.sc, rating.pq, rating.overall) == (1, 1, 1, 1, 1, 1)


def test_each_fault_costs_its_own_mark() -> None:
    truth, asked = Oracle(), named(SCENE)
    other = truth.rate("a", wanted=TOY, named=asked, shown=replace(SCENE, subject=OTHER))
    assert (other.subject, other.photo, other.overall) == (0, 1, 0)
    elsewhere = truth.rate("a", wanted=TOY, named={"scene": "sea", "view": "left"}, shown=SCENE)
    assert (elsewhere.subject, elsewhere.text, elsewhere.sc) == (1, 0, 0.5)
    ruined = truth.rate("a", wanted=TOY, named=asked, shown=SCENE, damage=0.5)
    assert (ruined.subject, ruined.text, ruined.photo, ruined.pq) == (1, 1, 0, 0)
    nobody = truth.rate("a", wanted=TOY, named=asked, shown=None)
    assert (nobody.subject, nobody.text, nobody.sc) == (0, 0, 0)
    anybody = truth.rate("a", wanted=None, named={}, shown=None)
    assert (anybody.subject, anybody.text, anybody.sc) == (1, 1, 1)


def test_likeness_counts_traits() -> None:
    assert likeness(TOY, None) == 0
    assert likeness(TOY, replace(TOY, width=TOY.width + 0.01)) == 1
    assert likeness(TOY, replace(TOY, belly=not TOY.belly, ears=2.0)) == pytest.approx(5 / 7)


def test_prompts_are_followed_in_shares() -> None:
    asked = {"scene": "snow", "accessory": "hat", "view": "left", "style": "cartoon"}
    assert Oracle().prompt_followed(asked, describe(SCENE)) == 0.5
    assert Oracle().prompt_followed({}, {}) == 1
    assert Oracle(noise=1).prompt_followed(asked, describe(SCENE)) == 0.5


def test_noise_is_the_share_of_wrong_answers() -> None:
    rater = Oracle(noise=0.2, seed=3)
    wrong = sum(not rater.subject_kept(TOY, TOY, item=str(item)) for item in range(4000))
    assert wrong / 4000 == pytest.approx(0.2, abs=0.03)
    assert not any(Oracle(noise=1).artefact_free(0.0, item=str(item)) for item in range(50))


def test_answers_do_not_depend_on_order_and_raters_differ() -> None:
    def ratings(items, seed):
        rater = Oracle(noise=0.5, seed=seed)
        return {i: rater.rate(str(i), wanted=TOY, named=named(SCENE), shown=SCENE) for i in items}

    assert ratings(range(40), 0) == ratings(reversed(range(40)), 0)
    assert ratings(range(40), 0) != ratings(range(40), 1)
    assert {r.sc for r in ratings(range(40), 0).values()} == {0.5, 1.0}


@pytest.mark.parametrize("noise", [-0.1, 1.5, float("nan")])
def test_noise_is_a_probability(noise: float) -> None:
    with pytest.raises(BadInput, match="noise"):
        Oracle(noise=noise)


def test_damage_is_the_share_of_visibly_wrong_pixels() -> None:
    image = render(SCENE, 32)[0].copy()
    assert damage(image, SCENE) == 0
    image[:16] = 255 - image[:16]
    assert 0.3 < damage(image, SCENE) <= 0.5
    with pytest.raises(BadInput, match="height, width, 3"):
        damage(np.zeros((32, 32), np.uint8), SCENE)
