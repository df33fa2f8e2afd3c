"""Where a network says different things: from differences to a region (DiffEdit, Couairon et al. 2023, step 1)."""

from typing import Final

import torch
from torch import Tensor

EXTREME: Final = 3.0
"""Differences of more than so many times their mean are cut to it, so that no single place sets the scale. The paper
says that extremes are removed; the number is that of diffusers."""


def differing(differences: Tensor, threshold: float) -> Tensor:
    """Where differences (h, w), at least 0, reach `threshold` of the greatest that counts: (h, w), bool."""
    most = torch.minimum(EXTREME * differences.mean(), differences.max())
    return (differences >= threshold * most) & (most > 0)
