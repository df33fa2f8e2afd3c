"""What has been seen lately: many editors are asked about the same edits, whose own pictures need one look."""

import hashlib
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from tutelage.diffusion.vision import Picture
from tutelage.toybox.render import Size, render
from tutelage.toybox.scene import Scene

MEMORY: Final = 4096
"""Pictures that are remembered."""

Found = TypeVar("Found")


@lru_cache(maxsize=MEMORY)
def rendered(scene: Scene, size: Size) -> tuple[NDArray[np.uint8], NDArray[np.bool_]]:
    """As `render`; nobody may write into it."""
    return render(scene, size)


def remembered(
    pictures: Sequence[NDArray[np.uint8]],
    known: dict[bytes, Found],
    look: Callable[[Sequence[Picture]], Sequence[Found]],
) -> list[Found]:
    """What is seen in pictures, of which those in `known` are not looked at again."""
    keys = [hashlib.sha256(str(pixels.shape).encode() + pixels.tobytes()).digest() for pixels in pictures]
    new = {key: pixels for key, pixels in zip(keys, pictures, strict=True) if key not in known}
    if new:
        if len(known) > MEMORY:
            known.clear()
            new = dict(zip(keys, pictures, strict=True))
        known.update(zip(new, look(list(new.values())), strict=True))
    return [known[key] for key in keys]
