"""What a segmenter is."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # PyTorch takes seconds to import
    import numpy as np
    from numpy.typing import NDArray
    from PIL.Image import Image


class Segmenter(Protocol):
    """Something that finds what a phrase names."""

    def mask(self, images: "Sequence[Image]", phrase: str) -> "list[NDArray[np.bool_]]":
        """Masks (H, W) of the pictures' own sizes; all False where a picture does not show it.

        Raises:
            BadInput: the phrase cannot be understood.
        """
        ...
