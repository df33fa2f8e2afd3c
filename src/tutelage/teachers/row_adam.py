"""AdamW (Loshchilov & Hutter 2019) without decay for a matrix whose rows are different experts."""

import math
from typing import Final

import torch
from torch import Tensor, nn

BETAS: Final = (0.9, 0.999)
EPSILON: Final = 1e-8
"""As in PyTorch."""


class RowAdam:
    """Each row has its own clipping, moments, count of steps and rate; no row can be told that there are others."""

    def __init__(self, values: nn.Parameter, clip: float) -> None:
        """Of `values` (K, N), whose gradient is there already; `clip` is the largest norm of a row's gradient."""
        self.values, self.clip = values, clip
        self.first, self.second = torch.zeros_like(values.data), torch.zeros_like(values.data)
        self.steps = torch.zeros(len(values), device=values.device)

    def restart(self, row: int) -> None:
        """Forget the row's past."""
        for state in (self.first, self.second, self.steps):
            state[row] = 0

    @torch.no_grad()
    def step(self, rates: Tensor) -> Tensor:
        """Move every row by its gradient, at its rate of `rates` (K,); then gradients are zero.

        A row with a rate of 0 does not move, nor does one whose gradient is not finite.

        Returns:
            Whose gradients were finite (K,).
        """
        gradients = self.values.grad
        assert gradients is not None
        finite = clip_rows(gradients, self.clip)
        moving = finite & (rates > 0)
        self.steps += moving
        beside = moving[:, None].float()
        since = self.steps.clamp(min=1)[:, None]
        first, second = (-torch.expm1(since * math.log(beta)) for beta in BETAS)  # 1 − βᵗ, exact for small t
        self.first.lerp_(gradients, (1 - BETAS[0]) * beside)
        self.second.lerp_(gradients.square_(), (1 - BETAS[1]) * beside)
        root = torch.sqrt(self.second, out=gradients).add_(EPSILON * second.sqrt())  # no memory of its own: it is slow
        self.values.addcdiv_(self.first * (-rates[:, None] * beside * second.sqrt() / first), root)
        gradients.zero_()
        return finite


def clip_rows(gradients: Tensor, limit: float) -> Tensor:
    """Scale each row (K, N) to a norm of at most `limit`, in place; says (K,) which are finite. Others become zero."""
    norms = torch.linalg.vector_norm(gradients, dim=1)
    finite: Tensor = norms.isfinite()
    scale = (limit / (norms + 1e-6)).clamp(max=1.0)  # as torch.nn.utils.clip_grad_norm_ has it
    gradients.mul_(torch.where(finite, scale, 1.0)[:, None])
    gradients.masked_fill_(~finite[:, None], 0.0)
    return finite
