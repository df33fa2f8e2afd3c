"""Where an edit may differ from its source: inside a given mask, or where its words look (local blend)."""

from collections.abc import Sequence

import numpy as np
import torch
from PIL.Image import Image, Resampling
from torch import Tensor
from torch.nn import functional as F


def mask_of(picture: Image, size: tuple[int, int]) -> Tensor:
    """A mask, white where it is edited → (1, h, w) in {0, 1} at `size` = (h, w): cells that are white by half."""
    covered = picture.convert("L").resize((size[1], size[0]), Resampling.BOX)
    return torch.from_numpy(np.asarray(covered) >= 128).float()[None]


def kept_outside(latents: Tensor, region: Tensor) -> Tensor:
    """Rows source, edit, source, edit, … (2B, C, h, w) with M ⊙ edit + (1 − M) ⊙ source for each edit.

    `region` is M, (B, 1, h, w) in [0, 1].
    """
    source, edit = latents[0::2], latents[1::2]
    blended = region * edit + (1 - region) * source
    return torch.stack([source, blended], dim=1).flatten(0, 1)


def attended(maps: dict[int, Tensor], words: Tensor, size: tuple[int, int], thresholds: Sequence[float]) -> Tensor:
    """Where any of the words of source or edit is looked at: (B, 1, h, w) in {0, 1}.

    Of each the maps of the coarsest layers are pooled by maximum over 3 × 3 places, brought to `size` = (h, w), divided
    by their maximum and compared with the threshold (Prompt-to-Prompt, local blend; 16 × 16 maps for Stable Diffusion).

    Args:
        maps: positions → (B, 2, positions, L), from `Control`.
        words: (B, 2, L), 1 at the words of source and edit.
        size: of the latents.
        thresholds: one a pair.
    """
    coarsest = maps[min(maps)]
    looked = (coarsest * words.to(coarsest)[:, :, None]).sum(-1)
    fold = (size[0] * size[1] / looked.shape[-1]) ** 0.5
    grid = looked.view(*looked.shape[:2], round(size[0] / fold), -1)
    grid = F.interpolate(F.max_pool2d(grid, 3, stride=1, padding=1), size=size)
    most = grid.amax(dim=(-1, -2), keepdim=True)
    limit = torch.tensor(thresholds, device=grid.device).view(-1, 1, 1, 1)
    return ((grid > limit * most) & (most > 0)).any(dim=1, keepdim=True).float()
