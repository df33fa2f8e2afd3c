"""Pairs of pictures → encoded examples: both in one bucket of one aspect ratio, cut alike, and never squashed."""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from PIL import Image, ImageOps
from torch import Tensor

from tutelage.diffusion.latents import encode_pictures, fitted_size
from tutelage.diffusion.pictures import decode
from tutelage.diffusion.sample import coarsest_cell, picture_size
from tutelage.diffusion.text import TextConditions
from tutelage.errors import BadInput
from tutelage.students.examples import Example, encode_each
from tutelage.triplet import Triplet

RATIOS: Final = ((1, 1), (2, 3), (3, 2), (3, 4), (4, 3), (9, 16), (16, 9))
"""Width to height: OmniEdit's."""
ALIKE: Final = 0.05
"""How far the aspect ratios of a source and its target may be apart, as a logarithm: rounding to whole cells."""

Size = tuple[int, int]
"""(height, width) in pixels."""
Encode = Callable[[Sequence[Image.Image]], Tensor]
"""RGB pictures of one size → (B, C, h, w)."""


def buckets(pipeline: Any) -> list[Size]:
    """The sizes that pairs are learnt at, one an aspect ratio, each of at most the model's native number of pixels."""
    native, cell = picture_size(pipeline, None), coarsest_cell(pipeline)
    return sorted({fitted_size((height, width), native, cell) for width, height in RATIOS})


def bucket(size: Size, among: Sequence[Size]) -> Size:
    """The one of these that is nearest in aspect ratio to a picture of `size` = (height, width)."""
    return min(among, key=lambda one: abs(_slant(one) - _slant(size)))


class PairEncoder:
    """Encodes triplets of editing, and remembers sources and instructions: a source has several targets."""

    def __init__(self, pipeline: Any, sources: Encode, most: int = 1 << 15) -> None:
        """`sources` encodes source pictures as the student wants them; `most` of each kind is remembered."""
        self._pipeline, self._sources, self.sizes = pipeline, sources, buckets(pipeline)
        self._source = lru_cache(most)(self._encode_source)
        self._target = lru_cache(most)(self._encode_target)
        self._text = lru_cache(most)(self._encode_text)

    def example(self, triplet: Triplet) -> Example:
        """Encode a triplet at the bucket of its target's aspect ratio.

        Raises:
            BadInput: a picture cannot be read, there is not exactly one source, or it is not of its target's shape.
        """
        if len(triplet.references) != 1:
            raise BadInput(f"{triplet.id} has {len(triplet.references)} references; an edit has one, its source")
        source = triplet.references[0].picture
        latents, size = self._target(triplet.target, triplet.id)
        text = self._text(triplet.text)
        shown = self._source(source.data, source.url or f"the source of {triplet.id}", size, triplet.id)
        return Example(id=triplet.id, latents=latents, text=text, references=shown, captions=text)

    def bucket(self, size: Size) -> Size:
        """What a target of that (height, width) is learnt at."""
        return bucket(size, self.sizes)

    def _encode_target(self, data: bytes, name: str) -> tuple[Tensor, Size]:
        """(C, h, w), and the size of the picture as it came."""
        picture = decode(data, name)
        size = (picture.height, picture.width)
        return encode_pictures(self._pipeline.vae, [_cut(picture, self.bucket(size))])[0].cpu(), size

    def _encode_source(self, data: bytes, name: str, size: Size, pair: str) -> Tensor:
        """(1, C, h, w), cut as a target of `size` is."""
        picture = decode(data, name)
        if abs(_slant((picture.height, picture.width)) - _slant(size)) > ALIKE:
            raise BadInput(
                f"{pair}: the source is {picture.width} x {picture.height} pixels, the target {size[1]} x {size[0]}; "
                "make both of one aspect ratio"
            )
        return self._sources([_cut(picture, self.bucket(size))]).float().cpu()

    def _encode_text(self, text: str) -> TextConditions:
        found = encode_each(self._pipeline, [text])
        return TextConditions(found.hidden.float().cpu(), None if found.pooled is None else found.pooled.float().cpu())


def _cut(picture: Image.Image, size: Size) -> Image.Image:
    return ImageOps.fit(picture, (size[1], size[0]), Image.Resampling.LANCZOS)


def _slant(size: Size) -> float:
    return math.log(size[0] / size[1])
