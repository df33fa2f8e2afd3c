"""Faults of generated pictures, put into clean renders: what a judge of quality has to see.

Each takes RGB pixels (H, W, 3) in [0, 255], the mask (H, W) of the toy, a strength in [0, 1] and random numbers, and
gives pixels of the same shape.
"""

import io
from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]


def blur(image: Pixels, _: Mask, strength: float, __: np.random.Generator) -> Pixels:
    """A Gaussian of 1.2 to 3 pixels at 128: what few denoising steps leave."""
    radius = (1.2 + 1.8 * strength) * len(image) / 128
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(radius)))


def noise(image: Pixels, _: Mask, strength: float, rng: np.random.Generator) -> Pixels:
    """Independent noise on every channel, of standard deviation 12 to 40."""
    return _bytes(image + rng.normal(0, 12 + 28 * strength, image.shape))


def blocks(image: Pixels, _: Mask, strength: float, __: np.random.Generator) -> Pixels:
    """The blocks of a JPEG of quality 12 to 3."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=round(12 - 9 * strength))
    return np.asarray(Image.open(file).convert("RGB"))


def broken(image: Pixels, mask: Mask, strength: float, rng: np.random.Generator) -> Pixels:
    """The toy in three to five bands that have slipped to either side, by up to a third of its width."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return image
    wrong = image.copy()
    reach = max(2, round((0.12 + 0.2 * strength) * (columns[-1] - columns[0] + 1)))
    for at, band in enumerate(np.array_split(rows, int(rng.integers(3, 6)))):
        wrong[band] = np.roll(image[band], (-1) ** at * reach, axis=1)
    return wrong


def saturation(image: Pixels, _: Mask, strength: float, __: np.random.Generator) -> Pixels:
    """Colours and contrast burnt out, as by too much guidance."""
    vivid = ImageEnhance.Color(Image.fromarray(image)).enhance(2.5 + 2 * strength)
    return np.asarray(ImageEnhance.Contrast(vivid).enhance(1.4 + 0.6 * strength))


ARTEFACTS: Final[Mapping[str, Callable[[Pixels, Mask, float, np.random.Generator], Pixels]]] = {
    "blur": blur,
    "noise": noise,
    "blocks": blocks,
    "broken parts": broken,
    "over-saturation": saturation,
}
"""Fault → how it is made."""


def _bytes(values: NDArray[np.float64]) -> Pixels:
    return np.clip(values + 0.5, 0, 255).astype(np.uint8)
