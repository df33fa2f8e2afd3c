"""What a BrushNet learns from: empty places, regions, and captions that go with them."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.mining.edit_grammar import told
from tutelage.toybox.edits import random_edit
from tutelage.toybox.scene import ENVIRONMENTS, OUTDOORS, PLACES, STYLES, VIEWS
from tutelage.training import masking
from tutelage.training.brush_examples import REMOVALS, UNTOLD, Painted, draw_example
from tutelage.training.masking import LEAST, SHARES, region, whole_toy
from tutelage.training.renders import Renders


@pytest.fixture(scope="module")
def renders(tmp_path_factory: pytest.TempPathFactory) -> Renders:
    made = Renders(folder=tmp_path_factory.mktemp("renders") / "few", subjects=6, views=2, size=48).build(1)
    made.emptied().build(1)
    return made


def drawn(renders: Renders, count: int) -> list[Painted]:
    places = renders.emptied()
    return [draw_example(renders, places, np.random.default_rng([7, n])) for n in range(count)]


def test_places_are_the_first_pictures_with_nobody_there(renders: Renders) -> None:
    places = renders.emptied()
    assert (len(places), places.folder.name) == (6, "few-empty")
    assert not places.labels.any()
    for number in range(len(places)):
        assert places.scene(number) == renders.scene(number * renders.views).without_subject()
        away = places.images[number] != renders.images[number * renders.views]
        assert away.any()
        assert not away[renders.labels[number * renders.views] == 0].all()


def test_places_of_every_kind_are_learnt() -> None:
    scenes = [Renders(folder=Path("none"), subjects=6000).emptied().scene(n) for n in range(1500)]
    assert {one.subject for one in scenes} == {None}
    assert {(one.place, one.style) for one in scenes} == set(product(PLACES, STYLES))
    assert {(one.place, one.view) for one in scenes} == set(product(PLACES, VIEWS))
    weather = {(one.place, one.environment) for one in scenes if one.place in OUTDOORS}
    assert weather == set(product(OUTDOORS, ENVIRONMENTS))


def test_a_removal_is_the_picture_around_the_toy_and_the_place_in_it(renders: Renders) -> None:
    """And its words are those of the order for it."""
    examples = [one for one in drawn(renders, 120) if not one.labels.any()]
    places, captions = renders.emptied(), {one.caption for one in examples}
    assert 0.5 * REMOVALS < len(examples) / 120 < 2 * REMOVALS
    for one in examples:
        pixels = np.asarray(one.picture)
        inside = [(place[one.mask] == pixels[one.mask]).all() for place in places.images]
        around = [(seen[~one.mask] == pixels[~one.mask]).all() for seen in renders.images[:: renders.views]]
        assert any(here and there for here, there in zip(inside, around, strict=True))
    rng = np.random.default_rng(0)
    orders = [random_edit("removal", renders.scene(n * renders.views), rng) for n in range(6) for _ in range(9)]
    fills = {told(one)["fill"] for one in orders if one.after.subject is None}
    assert captions & fills
    assert all("empty place" in caption for caption in captions - {""})


def test_of_other_pictures_nothing_is_changed(renders: Renders) -> None:
    examples = [one for one in drawn(renders, 60) if one.labels.any()]
    known = {picture.tobytes() for picture in renders.images}
    assert all(np.asarray(one.picture).tobytes() in known for one in examples)
    assert all(one.mask.any() and not one.mask.all() for one in examples)


def test_now_and_then_nothing_is_said(renders: Renders) -> None:
    silent = np.mean([one.caption == "" for one in drawn(renders, 300)])
    assert 0.3 * UNTOLD < silent < 2 * UNTOLD


def test_an_example_follows_from_its_numbers(renders: Renders) -> None:
    one, again = drawn(renders, 1)[0], drawn(renders, 1)[0]
    assert (one.picture.tobytes(), one.caption) == (again.picture.tobytes(), again.caption)
    assert np.array_equal(one.mask, again.mask)


@settings(max_examples=60)
@given(st.integers(0, 2**32), st.integers(0, 11), st.integers(0, 11))
def test_a_region_is_large_enough_and_a_toy_within_its_own(renders: Renders, seed: int, ours: int, theirs: int) -> None:
    labels, other = renders.labels[ours], renders.labels[theirs]
    mask = region(labels, other, np.random.default_rng(seed))
    assert mask.dtype == bool
    assert mask.mean() >= LEAST
    assert (whole_toy(labels, other, np.random.default_rng(seed)) >= (labels > 0)).all()


def test_masks_do_not_tell_what_they_hide(renders: Renders) -> None:
    """About half of those of a toy reach to where another one stands."""
    labels, other = renders.labels[0], np.zeros_like(renders.labels[0])
    other[:4, :4] = 1
    assert not labels[:10, :10].any()
    covered = [whole_toy(labels, other, np.random.default_rng(n))[:4, :4].all() for n in range(200)]
    assert 0.35 < np.mean(covered) < 0.65


def test_a_toy_that_wears_nothing_has_something_to_be_taken_off(renders: Renders) -> None:
    bare, crowned = renders.labels[0].copy(), np.zeros_like(renders.labels[0])
    bare[bare > 3] = 0
    crowned[2:8, 20:30] = 5
    regions = [region(bare, crowned, np.random.default_rng(n)) for n in range(200)]
    assert sum(bool(one[2:8, 20:30].all() and one.mean() < 0.15) for one in regions) > 20


def test_every_kind_of_region_is_drawn() -> None:
    assert sum(SHARES.values()) == pytest.approx(1)
    assert set(SHARES) == set(masking._DRAWN)
