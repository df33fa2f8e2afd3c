import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageEnhance
from scipy.ndimage import gaussian_filter

from tutelage.judges.fingerprints import PERCEPTUAL_HASH, bits_apart, normalised, perceptual_hash


def scene(seed: int, side: int = 128) -> Image.Image:
    """Smooth blobs, as photographs have."""
    rough = np.random.default_rng(seed).normal(size=(side, side, 3))
    smooth = gaussian_filter(rough, (side / 12, side / 12, 0))
    return Image.fromarray((255 * (smooth - smooth.min()) / np.ptp(smooth)).astype(np.uint8))


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def apart(one: Image.Image, other: Image.Image) -> int:
    return int(bits_apart(np.array([perceptual_hash(one)]), np.array([perceptual_hash(other)]))[0, 0])


@pytest.mark.parametrize("seed", range(5))
def test_copies_differ_in_few_bits_and_others_in_many(seed: int) -> None:
    image = scene(seed)
    copies = [image.resize((300, 200)), jpeg(image, 40), ImageEnhance.Brightness(image).enhance(0.8)]
    assert max(apart(image, copy) for copy in copies) <= 4
    assert min(apart(image, scene(other)) for other in range(100, 110)) > 10


def test_a_flat_picture_has_a_hash_of_its_brightness_only() -> None:
    greys = [Image.new("RGB", (50, 30), (level,) * 3) for level in (0, 90, 255)]
    assert apart(greys[1], greys[2]) == 0
    assert apart(greys[0], greys[1]) == 1


def test_bits_are_counted() -> None:
    hashes = np.array([0, 1, 2**63, 2**64 - 1], np.uint64)
    assert bits_apart(hashes[:2], hashes).tolist() == [[0, 1, 1, 64], [1, 0, 2, 63]]


def test_looked_at_it_is_the_same_hash() -> None:
    images = [scene(1), scene(2)]
    seen = PERCEPTUAL_HASH.pictures(images).numpy().view(np.uint64)
    assert seen.tolist() == [int(perceptual_hash(image)) for image in images]
    assert len(PERCEPTUAL_HASH.pictures([])) == 0


@given(st.text("aBÀéßİ_1 \t\n-!?'"))
def test_normalised_texts_stay(text: str) -> None:
    plain = normalised(text)
    assert normalised(plain) == plain
    assert plain == " ".join(plain.split())


def test_words_are_what_counts() -> None:
    assert normalised("A  Café-toy, PLEASE!\n") == normalised("a cafe toy please") == "a cafe toy please"
    assert normalised("Straße") == "strasse"
    assert normalised("a toy") != normalised("a boy")
    assert normalised("?!") == ""
