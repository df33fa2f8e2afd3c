"""Regions of toys to be painted, drawn as specialists ask for them.

Had a mask always the outline of what it hides, it would tell what to paint there. At drawing it does not: a crown is to
stand where a hat was. So half of the masks of toys and of what they wear are joined with another picture's, which
leaves it to the words.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from tutelage.diffusion.regions import dilated
from tutelage.toybox.anatomy import LABELS

Mask = NDArray[np.bool_]
Labels = NDArray[np.uint8]

PARTS: Final = ("body", "head", "limbs")
JOINED, BOXED = 0.5, 0.2
"""Shares of masks that are joined with another's, and of those that are given as their box, as some detectors do."""
REACH: Final = (0.03, 0.08)
"""How far masks are dilated, as a share of the shorter side: about as far as specialists do it."""
RIM: Final = 0.01
"""The same of a background: the toy is cut off at its edge."""
LEAST: Final = 0.002
"""Least share of a picture that a mask covers; with less, specialists do not find it."""


def region(labels: Labels, other: Labels, rng: np.random.Generator) -> Mask:
    """A region (H, W) of a picture with these labels (H, W); the other labels are of another picture."""
    kind = str(rng.choice(list(SHARES), p=list(SHARES.values())))
    drawn = _DRAWN[kind](labels, other, rng)
    return drawn if drawn.mean() >= LEAST else _anything(labels, other, rng)


def whole_toy(labels: Labels, other: Labels, rng: np.random.Generator) -> Mask:
    """The toy with all it wears."""
    return _around(_joined(labels > 0, other > 0, rng), rng)


def _worn(labels: Labels, other: Labels, rng: np.random.Generator) -> Mask:
    """What is worn; of a toy that wears nothing, where another does, as when something was taken off it."""
    ours, theirs = (~_of(one, ("background", *PARTS)) for one in (labels, other))
    return _around(_joined(ours, theirs, rng) if ours.any() else theirs, rng)


def _part(labels: Labels, other: Labels, rng: np.random.Generator) -> Mask:
    return _around(_of(labels, (str(rng.choice(PARTS)),)), rng)


def _background(labels: Labels, other: Labels, rng: np.random.Generator) -> Mask:
    """All but the toy."""
    return dilated(labels == 0, RIM)


def _anything(labels: Labels, other: Labels, rng: np.random.Generator) -> Mask:
    """Up to three strokes of any width, or up to three boxes."""
    picture = Image.new("1", labels.shape[::-1])
    pen, boxes = ImageDraw.Draw(picture), rng.random() < 0.5
    for _ in range(rng.integers(1, 4)):
        ends = np.sort(rng.random((2, 2)), axis=0) if boxes else rng.random((4, 2))
        points = [tuple(point) for point in ends * labels.shape[::-1]]
        if boxes:
            pen.rectangle(points, fill=1)
        else:
            pen.line(points, fill=1, width=round(rng.uniform(0.05, 0.2) * min(labels.shape)), joint="curve")
    return np.asarray(picture, np.bool_)


SHARES: Final = {"toy": 0.3, "worn": 0.25, "part": 0.15, "background": 0.15, "anything": 0.15}
"""Kind of region → how often it is drawn."""
_DRAWN: Final[dict[str, Callable[[Labels, Labels, np.random.Generator], Mask]]] = {
    "toy": whole_toy,
    "worn": _worn,
    "part": _part,
    "background": _background,
    "anything": _anything,
}


def _of(labels: Labels, names: tuple[Any, ...]) -> Mask:
    return np.isin(labels, [LABELS.index(name) for name in names])


def _joined(ours: Mask, theirs: Mask, rng: np.random.Generator) -> Mask:
    return ours | theirs if rng.random() < JOINED else ours


def _around(mask: Mask, rng: np.random.Generator) -> Mask:
    """Dilated, or its box."""
    grown = dilated(mask, float(rng.uniform(*REACH)))
    if grown.any() and rng.random() < BOXED:
        grown = grown.copy()
        grown[ndimage.find_objects(grown.astype(np.uint8))[0]] = True
    return grown
