"""Masks by phrase in the toybox, and what is done to a mask."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from tutelage.errors import BadInput
from tutelage.segmentation.masks import Masks, dilated
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


@given(arrays(np.bool_, (12, 16)), st.floats(0.1, 0.4))
def test_dilating_reaches_so_many_pixels_and_eroding_undoes_no_less(mask: np.ndarray, share: float) -> None:  # type: ignore[type-arg]
    reach = share * 12
    grown = dilated(mask, share)
    rows, columns = np.nonzero(mask)
    away = np.hypot(*(np.indices(mask.shape)[:, None] - np.stack([rows, columns])[:, :, None, None]))
    assert np.array_equal(grown, (away <= reach).any(0))
    assert (dilated(mask, -share) <= mask).all()


def test_less_than_a_pixel_is_nothing() -> None:
    mask = np.eye(10, dtype=bool)
    assert dilated(mask, 0.05) is mask
