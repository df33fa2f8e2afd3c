"""Where a student looked: its demonstrations with a heat map each, and each one's share."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tutelage.diffusion.pictures import decode, png
from tutelage.studio.artists import Artists, Wish
from tutelage.triplet import Reference

Floats = NDArray[np.float64]

STOPS: Final = (0.0, 0.35, 0.7, 1.0)
COLOURS: Final = ((30, 20, 60), (150, 40, 120), (245, 120, 60), (255, 240, 160))
"""From what was not looked at to what was looked at most; light grows all the way, also for the colour-blind."""
OPAQUE: Final = 0.62
LEAST_SIDE: Final = 256


@dataclass(frozen=True, kw_only=True)
class Heat:
    """One demonstration."""

    picture: bytes
    """PNG: the demonstration under its map."""
    share: float
    """Of all attention."""
    caption: str


def attention(artists: Artists, wish: Wish, index: int) -> list[Heat]:
    """Draw picture `index` of a wish again and say where the student looked, demonstration by demonstration.

    Raises:
        BadInput: the model cannot be loaded, or the wish does not fit it.
    """
    from tutelage.diffusion.sample import image_seed
    from tutelage.students.attended import watched
    from tutelage.students.base import Request
    from tutelage.students.guidance import TwoWeights, within

    with artists.busy:
        student, _ = artists.student
        request = Request(text=wish.prompt, references=wish.shown, seed=image_seed(wish.seed, index))
        guidance = within(wish.interval, TwoWeights(text=max(1.0, wish.text), references=wish.references))
        with watched(student.network.attention) as seen:
            how: dict[str, Any] = {"steps": wish.steps, "guidance": guidance, "negative": wish.negative}
            list(chain.from_iterable(student.generate([request], **how)))
        maps = seen.maps(len(wish.shown)).double().numpy()
    return laid_over(wish.shown, maps)


def laid_over(shown: Sequence[Reference], maps: Floats) -> list[Heat]:
    """Heat maps (K, s, s) laid over K demonstrations, all on one scale."""
    most = float(maps.max())
    return [
        Heat(
            picture=png(_coloured(reference, one / most)),
            share=float(one.sum() / maps.sum()),
            caption=reference.caption,
        )
        for reference, one in zip(shown, maps, strict=True)
    ]


def _coloured(reference: Reference, heat: Floats) -> Image.Image:
    """A map (s, s) in [0, 1] over the square that the student sees of a demonstration."""
    from tutelage.diffusion.vision import squared

    picture = squared(decode(reference.picture.data))[0]
    side = max(LEAST_SIDE, picture.width)
    smooth = Image.fromarray(heat.astype(np.float32)).resize((side, side), Image.Resampling.BICUBIC)
    values = np.clip(np.asarray(smooth, np.float64), 0, 1)
    ramp = np.stack([np.interp(values, STOPS, channel) for channel in zip(*COLOURS, strict=True)], -1)
    under = np.asarray(picture.resize((side, side)).convert("L"), np.float64)[..., None]
    mixed = OPAQUE * ramp + (1 - OPAQUE) * under
    return Image.fromarray(mixed.round().astype(np.uint8))
