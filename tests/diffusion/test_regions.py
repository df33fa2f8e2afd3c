"""Regions to be painted, as masks."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from tutelage.diffusion.latents import signed
from tutelage.diffusion.regions import dilated, hidden, latent_mask


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


def test_any_masked_pixel_masks_its_cell() -> None:
    mask = np.zeros((8, 8), bool)
    mask[3, 4] = True
    assert latent_mask([mask, ~mask], (4, 4))[0, 0].tolist()[1] == [0, 0, 1, 0]
    assert latent_mask([mask, ~mask], (4, 4))[1].all()


@given(arrays(np.bool_, (4, 6)))
def test_what_is_hidden_is_nothing_to_a_codec(mask: np.ndarray) -> None:  # type: ignore[type-arg]
    pixels = np.random.default_rng(0).integers(256, size=(4, 6, 3), dtype=np.uint8)
    shown = hidden(Image.fromarray(pixels), mask)
    assert np.array_equal(np.asarray(shown)[~mask], pixels[~mask])
    assert (abs(signed([shown])[0, :, mask]) < 0.004).all()
