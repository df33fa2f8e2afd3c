"""Pictures: deterministic, of any shape, and with masks that mean what they say."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tutelage.errors import BadInput
from tutelage.toybox.anatomy import LABELS
from tutelage.toybox.render import footprint, render, render_labels
from tutelage.toybox.sampling import random_scene, random_subject, subject_at
from tutelage.toybox.scene import ACCESSORIES, ENVIRONMENTS, EXPRESSIONS, KINDS, PLACES, STYLES, VIEWS, Scene

SEEDS = st.integers(0, 2**31)
SIDES = st.integers(32, 64)


def drawn(seed: int) -> Scene:
    rng = np.random.default_rng(seed)
    return random_scene(rng, random_subject(rng))


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_a_scene_is_always_the_same_picture(seed: int) -> None:
    first, again = render_labels(drawn(seed), 48), render_labels(drawn(seed), 48)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))


@given(SEEDS, SIDES, SIDES)
@settings(max_examples=12, deadline=None)
def test_any_shape_up_to_two_to_one_is_drawn(seed: int, height: int, width: int) -> None:
    image, mask = render(drawn(seed), (height, width))
    assert (image.shape, image.dtype) == ((height, width, 3), np.uint8)
    assert (mask.shape, mask.dtype) == ((height, width), np.bool_)
    assert mask.any()


@pytest.mark.parametrize("size", [(24, 48), (48, 24), (16, 16), (33, 47)])
def test_the_toy_stays_whole_in_the_longest_frames(size: tuple[int, int]) -> None:
    image, mask = render(Scene(subject=subject_at(0)), size)
    assert image.shape[:2] == size
    assert 0.08 < mask.sum() / min(size) ** 2 < 0.6


@pytest.mark.parametrize("size", [0, -1, 15, 4096, (64, 8), (16, 33), (100, 49)])
def test_impossible_sizes_are_refused(size: int | tuple[int, int]) -> None:
    with pytest.raises(BadInput, match="size"):
        render(Scene(subject=None), size)


@given(SEEDS)
@settings(max_examples=15, deadline=None)
def test_masks_are_tight(seed: int) -> None:
    """Beside the empty place: almost all of the mask is changed, and nothing is changed beyond the footprint."""
    scene = replace(drawn(seed), style="photo", environment="day")  # snowflakes lie before the toy and hide it
    image, mask = render(scene, 64)
    empty, nothing = render(scene.without_subject(), 64)
    changed = (image != empty).any(-1)
    assert not nothing.any()
    assert changed[mask].mean() > 0.95
    assert not (changed & ~footprint(scene, None, 64)).any()
    assert not (mask & ~footprint(scene, frozenset(LABELS[1:]), 64)).any()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_drawn_in_every_view_with_every_accessory(kind) -> None:
    toy = subject_at(1, kind=kind)
    for view in VIEWS:
        for accessory in ACCESSORIES:
            labels = render_labels(Scene(subject=toy, view=view, accessory=accessory), 48)[1]
            assert (labels > 0).mean() > 0.1, (view, accessory)
            assert set(np.unique(labels)) <= set(range(len(LABELS)))


@pytest.mark.parametrize("accessory", ACCESSORIES[1:])
def test_what_is_worn_has_its_own_label(accessory) -> None:
    labels = render_labels(Scene(subject=subject_at(1, kind="bear"), accessory=accessory), 64)[1]
    assert (labels == LABELS.index(accessory)).any()


@pytest.mark.parametrize("name", ["place", "view", "expression", "environment", "style", "layout"])
def test_each_word_of_a_scene_can_be_seen(name: str) -> None:
    values = {
        "place": PLACES,
        "view": VIEWS,
        "expression": EXPRESSIONS,
        "environment": ENVIRONMENTS,
        "style": STYLES,
        "layout": (0, 1),
    }[name]
    plain = Scene(subject=subject_at(1, kind="bear"), place="beach")
    pictures = {render(replace(plain, **{name: value}), 48)[0].tobytes() for value in values}
    assert len(pictures) == len(values)
