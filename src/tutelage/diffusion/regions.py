"""Regions of pictures that are to be painted: wider ones, their cells among the latents, pictures without them."""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

GREY: Final = 127
"""What stands where nothing may be seen: 0 to a codec."""


def dilated(mask: NDArray[np.bool_], share: float) -> NDArray[np.bool_]:
    """A mask (H, W) whose boundary is moved outwards by a share of the shorter side; inwards if it is negative."""
    from scipy import ndimage

    reach = abs(share) * min(mask.shape)
    if reach < 1 or mask.all() or not mask.any():
        return mask
    away = ndimage.distance_transform_edt(~mask if share > 0 else mask)
    grown: NDArray[np.bool_] = away <= reach if share > 0 else away > reach
    return grown


def latent_mask(masks: Sequence[NDArray[np.bool_]], size: tuple[int, int]) -> Tensor:
    """Masks (H, W) → (B, 1, h, w) in {0, 1}: cells of which any pixel is masked."""
    stacked = torch.from_numpy(np.stack(masks))[:, None].float()
    return F.adaptive_max_pool2d(stacked, size)


def hidden(picture: Image.Image, mask: NDArray[np.bool_]) -> Image.Image:
    """The picture, RGB, with mid-grey inside a mask (H, W)."""
    pixels: NDArray[Any] = np.asarray(picture.convert("RGB")).copy()
    pixels[mask] = GREY
    return Image.fromarray(pixels)
