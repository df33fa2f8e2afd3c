"""MSE, PSNR and SSIM of two pictures of one size, over all pixels or over some."""

import math
from typing import Final

import numpy as np
import torch
from torch import Tensor

from tutelage.diffusion.vision import Picture, rgb
from tutelage.errors import BadInput

Planes = Tensor
"""A picture: float32 (3, H, W) in [0, 1]."""
Region = Tensor
"""Some of its pixels: bool (H, W)."""

LEAST_SIDE: Final = 11
"""Pixels a side of SSIM's window."""


def planes(picture: Picture) -> Planes:
    """A picture as numbers.

    Raises:
        BadInput: an array that is not uint8 (H, W, 3).
    """
    return torch.from_numpy(np.array(rgb(picture))).permute(2, 0, 1).float() / 255


def mse(left: Planes, right: Planes, where: Region | None = None) -> float:
    """Mean squared difference over pixels and channels; over those of `where` alone, nan if it is empty."""
    error = (left - right).double() ** 2
    return float((error if where is None else error[:, where]).mean())


def psnr(left: Planes, right: Planes, where: Region | None = None) -> float:
    """10 · log10(1 / MSE) in dB; infinite where there is no difference."""
    error = mse(left, right, where)
    return math.inf if error == 0 else -10 * math.log10(error)


def ssim(left: Planes, right: Planes, where: Region | None = None) -> float:
    """Structural similarity (Wang et al. 2004): Gaussian windows of σ 1.5, mean over channels and pixels, at most 1.

    With `where`, the mean over windows whose middle is in it; nan if it is empty.

    Raises:
        BadInput: a side is smaller than a window.
    """
    from torchmetrics.functional.image import structural_similarity_index_measure

    if min(left.shape[1:]) < LEAST_SIDE:
        raise BadInput(f"SSIM of {left.shape[2]} x {left.shape[1]} pixels; a side must have at least {LEAST_SIDE}")
    _, local = structural_similarity_index_measure(
        left[None], right[None], data_range=1.0, reduction="none", return_full_image=True
    )
    return float((local[0] if where is None else local[0][:, where]).mean())
