"""Where in the demonstrations a student looks while it draws.

A position of a demonstration is looked at as much as all heads of all new layers, from all positions of the noisy
picture, at all steps, put their attention on it, on average; each layer counts the same.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tutelage.students.reference_attention import ReferenceAttention, ReferenceLayer, Remembered

CHUNK: Final = 256
"""Positions of the noisy picture at a time: all of them, of a large picture, would take gigabytes."""


class Attended:
    """What was looked at so far."""

    def __init__(self) -> None:
        self._sums: dict[int, Tensor] = {}
        """Number of positions of all demonstrations → sum of attention (T,)."""
        self._counts: dict[int, int] = {}

    def add(self, shares: Tensor) -> None:
        """Shares of attention (T,), which add up to 1."""
        size = len(shares)
        self._sums[size] = self._sums.get(size, torch.zeros(size)) + shares
        self._counts[size] = self._counts.get(size, 0) + 1

    def maps(self, demonstrations: int) -> Tensor:
        """Shares (K, s, s) of the K demonstrations' positions, on the finest grid looked at; they add up to 1.

        Raises:
            ValueError: nothing was looked at.
        """
        if not self._sums:
            raise ValueError("nothing was drawn with demonstrations")
        side = max(math.isqrt(size // demonstrations) for size in self._sums)
        total = torch.zeros(demonstrations, side, side)
        for size, summed in self._sums.items():
            own = math.isqrt(size // demonstrations)
            grid = summed.reshape(demonstrations, 1, own, own)
            fine = F.interpolate(grid, (side, side), mode="bilinear", align_corners=False)[:, 0]
            total += fine / fine.sum() * self._counts[size]
        return total / total.sum()


@contextmanager
def watched(attention: ReferenceAttention) -> Iterator[Attended]:
    """Within it, what the layers look at is added up; all rows of a batch must show the same demonstrations."""
    seen = Attended()

    def look(layer: nn.Module, inputs: tuple[Any, ...], _: Any) -> None:
        assert isinstance(layer, ReferenceLayer)
        seen.add(_shares(layer, *inputs))

    hooks = [layer.register_forward_hook(look) for layer in attention.layers.values()]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


@torch.no_grad()
def _shares(layer: ReferenceLayer, hidden: Tensor, remembered: Remembered) -> Tensor:
    """Mean attention (T,) of all rows, heads and positions."""
    queries = layer.queries(hidden).float()
    keys = remembered.keys.float()
    total, scale = torch.zeros(keys.shape[2], device=keys.device), keys.shape[-1] ** -0.5
    for part in queries.tensor_split(-(-queries.shape[2] // CHUNK), 2):
        scores = part @ keys.transpose(2, 3) * scale
        if remembered.mask is not None:
            scores = scores.masked_fill(~remembered.mask, -math.inf)
        total += scores.softmax(-1).sum((0, 1, 2))
    return (total / total.sum()).cpu()
