"""Mask guidance (OmniEdit, attribute modification): what is outside a mask stays the source's while an edit is drawn.

After each step

    x_t ← M ⊙ x_edited,t + (1 − M) ⊙ x_input,t

where x_input,t is the source at the noise of that step, with the noise that the edit began from.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor, nn
from torch.nn import functional as F

from tutelage.diffusion.disagreement import differing
from tutelage.diffusion.levels import Levels
from tutelage.diffusion.noise import keyed_generator
from tutelage.diffusion.sample import After
from tutelage.diffusion.schedule import noised
from tutelage.diffusion.text import TextConditions
from tutelage.errors import BadInput

NOISES: Final = 10
"""That the comparison is averaged over (Couairon et al. 2023, §3.2)."""
LEVEL: Final = 0.5
"""At which it is made, as a share of the noise levels."""
THRESHOLD: Final = 0.5
"""Of the difference, after it is brought to [0, 1]: from it on a place is edited."""

Find = Callable[[Image], NDArray[np.bool_]]
"""A source (RGB) → its mask (H, W): what may be edited."""


@dataclass(frozen=True, kw_only=True)
class MaskGuidance:
    """How strictly the source is kept outside a mask."""

    weight: float = 1.0
    """1 is the formula; less mixes: M is 1 − weight outside the mask; 0 is no mask guidance."""
    find: Find | None = None
    """Who finds the mask in a source. None: the editor itself; see `disputed`."""

    def __post_init__(self) -> None:
        if not 0 <= self.weight <= 1:
            raise BadInput(f"mask guidance is {self.weight}; give a weight from 0 (none) to 1 (nothing else changes)")


def kept_outside(scheduler: Any, clean: Tensor, seeds: Sequence[int], region: Tensor) -> After:
    """What brings latents (B, C, h, w) back to their sources' after a step of the pipeline.

    Args:
        scheduler: the pipeline's, whose timesteps are set when it is called.
        clean: (B, C, h, w), the sources as the denoiser knows them.
        seeds: B, of the noise that each edit begins from.
        region: M, (B, 1, h, w) in [0, 1].
    """

    @lru_cache(1)
    def noise(dtype: torch.dtype) -> Tensor:
        rows = [torch.randn(clean[:1].shape, generator=_generator(seed), dtype=dtype) for seed in seeds]
        return torch.cat(rows).to(clean.device)

    def after(step: int, latents: Tensor) -> Tensor:
        source = noised(scheduler, clean.to(latents), noise(latents.dtype), step + 1)
        mask = region.to(latents)
        return mask * latents + (1 - mask) * source

    return after


def region_of(mask: NDArray[np.bool_], weight: float, size: tuple[int, int]) -> Tensor:
    """M (1, 1, h, w) of a mask (H, W): 1 in cells of which any pixel is masked, elsewhere 1 − weight."""
    inside = F.adaptive_max_pool2d(torch.from_numpy(mask)[None, None].float(), size)
    return 1 - weight * (1 - inside)


@torch.no_grad()
def disputed(
    network: nn.Module,
    levels: Levels,
    clean: Tensor,
    source: Tensor,
    texts: tuple[TextConditions, TextConditions],
    seed: int,
) -> NDArray[np.bool_]:
    """Where an editor says different things of a noisy source with its instruction and without: (h, w).

    DiffEdit's rule (Couairon et al. 2023, step 1) between instruction and none, as an editor sees the source anyway.

    Args:
        network: an editor's, as `network(sample, times, text, sources)`.
        levels: it was trained at.
        clean: (1, C, h, w), the source as the denoiser knows it.
        source: (1, C, h, w), the source as the editor is shown it.
        texts: one row each: no instruction, and the instruction.
        seed: of the noises.
    """
    t = torch.tensor([round(LEVEL * (levels.count - 1))], device=clean.device)
    total = torch.zeros(clean.shape[2:], device=clean.device)
    for number in range(NOISES):
        noise = torch.randn(clean.shape, generator=keyed_generator(seed, number, "mask")).to(clean)
        seen = levels.noisy(clean, noise, t).to(network_dtype(network))
        without, told = (network(seen, levels.told(t), text, source).float() for text in texts)
        total += (told - without).abs().mean(dim=(0, 1))
    found: NDArray[np.bool_] = differing(total, THRESHOLD).cpu().numpy()
    return found


def network_dtype(network: nn.Module) -> torch.dtype:
    """Number format of its weights."""
    return next(network.parameters()).dtype


def _generator(seed: int) -> torch.Generator:
    """As `diffusion.sample` makes it."""
    return torch.Generator("cpu").manual_seed(seed)
