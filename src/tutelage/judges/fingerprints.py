"""By what a picture or a text is known again: its bytes, a perceptual hash, its words."""

import re
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # PyTorch takes seconds to import
    from PIL.Image import Image
    from torch import Tensor

SIDE: Final = 32
"""Pixels a side that are transformed."""
LOW: Final = 8
"""Lowest frequencies a side that are kept: 64 bits."""


def perceptual_hash(picture: "Image") -> np.uint64:
    """pHash: which of the 8 × 8 lowest frequencies of the grey picture are above their median.

    Rescaled, recompressed and slightly recoloured copies differ in few of the 64 bits; crops and mirror images in many.
    """
    from PIL.Image import Resampling
    from scipy.fft import dctn

    grey = np.asarray(picture.convert("L").resize((SIDE, SIDE), Resampling.LANCZOS), float)
    low = dctn(grey, norm="ortho")[:LOW, :LOW].ravel()
    low[np.abs(low) < 1e-6] = 0.0  # what is left of sums that cancel would decide bits of flat pictures
    return np.uint64(np.packbits(low > np.median(low)).view(">u8")[0])


class PerceptualHash:
    """Looks at pictures as networks do, and sees their hashes."""

    def pictures(self, images: "Sequence[Image]", batch: int = 64) -> "Tensor":
        """Hashes (N,) of RGB pictures, their 64 bits as int64."""
        import torch

        hashes = np.array([perceptual_hash(image) for image in images], np.uint64)
        return torch.from_numpy(hashes.view(np.int64))


PERCEPTUAL_HASH: Final = PerceptualHash()
"""One for all judges, so that they share what it saw."""


def bits_apart(one: NDArray[np.uint64], many: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Bits (N, M) in which hashes (N,) and (M,) differ, 0 to 64."""
    apart: NDArray[np.uint8] = np.bitwise_count(one[:, None] ^ many[None])
    return apart


def normalised(text: str) -> str:
    """A text by its words: case, accents, punctuation and spacing do not count.

    >>> normalised("A  Café-toy, please!")
    'a cafe toy please'
    """
    plain = "".join(
        letter for letter in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(letter)
    )
    return " ".join(re.findall(r"\w+", plain))
