"""Masks by phrase in the toybox."""

import pytest
from PIL import Image

from tutelage.errors import BadInput
from tutelage.segmentation.masks import Masks
from tutelage.toybox.render import render_labels
from tutelage.toybox.sampling import subject_at
from tutelage.toybox.scene import Scene


@pytest.fixture(scope="module")
def crowned() -> Image.Image:
    return Image.fromarray(render_labels(Scene(subject=subject_at(3), accessory="crown", place="grass"))[0])


def test_a_phrase_that_is_not_there_has_no_mask(crowned: Image.Image) -> None:
    assert Masks().of(crowned, "the crown", "cpu") is not None
    assert Masks().of(crowned, "the balloon", "cpu") is None
    assert Masks(most=0.3).of(crowned, "the background", "cpu") is None


def test_shares_are_checked() -> None:
    with pytest.raises(BadInput, match="least of masks is 2"):
        Masks(least=2)
