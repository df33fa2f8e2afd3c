"""What a BrushNet learns from: pictures of toys with a region to be painted, and what is to be painted there.

In one of seven a toy is to be removed: around the region is the picture with the toy, and so what is left of its
shadow, in it the same place with nobody there.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tutelage.toybox.captions import varied_caption
from tutelage.training.masking import region, whole_toy
from tutelage.training.renders import Renders

REMOVALS: Final = 1 / 7
"""Share of the examples."""
UNTOLD: Final = 0.1
"""Share of the examples without words, for guidance."""


@dataclass(frozen=True)
class Painted:
    """One example."""

    picture: Image.Image
    """RGB, as it is when the region is painted."""
    mask: NDArray[np.bool_]
    """(H, W): the region."""
    labels: NDArray[np.uint8]
    """(H, W): what covers it then."""
    caption: str


def draw_example(renders: Renders, places: Renders, rng: np.random.Generator) -> Painted:
    """One example; `places` are `renders.emptied()`."""
    other = renders.labels[rng.integers(len(renders))]
    if rng.random() < REMOVALS:
        return _removal(renders, places, other, rng)
    pick = int(rng.integers(len(renders)))
    labels = renders.labels[pick]
    mask = region(labels, other, rng)
    caption = "" if rng.random() < UNTOLD else varied_caption(renders.scenes[pick], rng)
    return Painted(Image.fromarray(renders.images[pick]), mask, labels, caption)


def _removal(renders: Renders, places: Renders, other: NDArray[np.uint8], rng: np.random.Generator) -> Painted:
    place = int(rng.integers(len(places)))
    pick = place * renders.views
    mask = whole_toy(renders.labels[pick], other, rng)
    pixels = np.where(mask[..., None], places.images[place], renders.images[pick])
    caption = "" if rng.random() < UNTOLD else varied_caption(renders.scenes[pick].without_subject(), rng)
    return Painted(Image.fromarray(pixels), mask, places.labels[place], caption)
