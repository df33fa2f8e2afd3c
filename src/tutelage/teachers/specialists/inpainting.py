"""Mask-conditioned inpainting: x_edit = q(x_src ⊙ (1 − M), M, c) (OmniEdit, object swap), on any UNet.

A UNet of text to image paints by blended latents (Avrahami et al. 2023): after each step what is outside the mask is
the source's, at that step's noise. A UNet for inpainting has more input channels and is told the mask and the masked
source's latents. A branch (see `branches`) sees the masked source too; it goes with either.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor

from tutelage.diffusion.latents import encode_pictures
from tutelage.diffusion.regions import hidden, latent_mask
from tutelage.diffusion.schedule import sampling_schedule
from tutelage.diffusion.text import TextConditions
from tutelage.editing.denoise import Denoiser, arguments, denoise
from tutelage.errors import BadInput
from tutelage.teachers.specialists.branches import Branch
from tutelage.teachers.specialists.settings import Drawing


@dataclass(frozen=True)
class Fill:
    """A region to be painted."""

    picture: Image
    """RGB, at the size that is drawn."""
    mask: NDArray[np.bool_]
    """(H, W): where."""
    prompt: str
    seed: int


@dataclass(frozen=True)
class Painter(Denoiser):
    """A denoiser that sees what is around the region."""

    beside: Tensor | None = None
    """(B, 1 + C, h, w): mask and masked latents, beside the noisy ones; None: the UNet has no such channels."""
    branch: Branch | None = None
    shown: Tensor | None = None
    """(B, ...): what the branch sees."""

    def _ask(self, latents: Tensor, t: Tensor, told: TextConditions, scores: Tensor) -> Tensor:
        unet = self.pipeline.unet
        given = arguments(unet, told, self.size, scores)
        seen = latents.to(unet.dtype)
        whole = seen
        if self.beside is not None:
            whole = torch.cat([seen, _repeated(self.beside, len(latents)).to(seen)], dim=1)
        hearing: AbstractContextManager[dict[str, Any]] = nullcontext({})
        if self.branch is not None and self.shown is not None:
            hearing = self.branch.beside(unet, seen, t, given, _repeated(self.shown, len(latents)))
        with hearing as added:
            answer: Tensor = unet(whole, t, return_dict=False, **given, **added)[0].float()
        return answer

    def noise(self, seeds: Sequence[int]) -> Tensor:
        """As of a denoiser, in the latents' channels alone."""
        shape = (1, self.pipeline.vae.config.latent_channels, *self.latent_size)
        rows = [torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed)) for seed in seeds]
        return torch.cat(rows).to(self.pipeline.device)


@torch.no_grad()
def inpaint(pipeline: Any, fills: Sequence[Fill], drawing: Drawing, branch: Branch | None = None) -> list[Image]:
    """Paint regions of pictures of one size; each picture depends on its own `Fill` alone.

    Raises:
        BadInput: the UNet has neither the latents' channels nor those of inpainting, or the scheduler or the branch
            does not fit.
    """
    size = (fills[0].picture.height, fills[0].picture.width)
    painter = Painter(pipeline, size)
    clean = encode_pictures(pipeline.vae, [one.picture for one in fills])
    mask = latent_mask([one.mask for one in fills], painter.latent_size).to(clean)
    painter = replace(painter, **_around(pipeline, fills, mask, branch))
    scheduler = sampling_schedule(drawing.scheduler, pipeline.scheduler)
    scheduler.set_timesteps(drawing.steps, device=pipeline.device)
    noise = painter.noise([one.seed for one in fills])
    untold = painter.untold(len(fills)) if drawing.guidance > 1 else None
    latents = denoise(
        painter,
        scheduler,
        noise * scheduler.init_noise_sigma,
        painter.told([one.prompt for one in fills]),
        lambda _: untold,
        torch.full((len(fills),), drawing.guidance),
        seeds=[one.seed for one in fills],
        after=_blend(scheduler, clean, noise, mask),
    )
    return painter.decode(latents)


def _around(pipeline: Any, fills: Sequence[Fill], mask: Tensor, branch: Branch | None) -> dict[str, Any]:
    """What the UNet and the branch are shown of the surroundings."""
    given, latent = pipeline.unet.config.in_channels, pipeline.vae.config.latent_channels
    if given not in (latent, 2 * latent + 1):
        wanted = f"{latent} or {2 * latent + 1}"
        raise BadInput(f"a UNet of {given} channels cannot inpaint latents of {latent}; it must have {wanted}")
    if given == latent and branch is None:
        return {}
    masked, told = encode_pictures(pipeline.vae, [hidden(one.picture, one.mask) for one in fills]), dict[str, Any]()
    if given != latent:
        told["beside"] = torch.cat([mask, masked], dim=1)
    if branch is not None:
        branch.check_fit(pipeline.unet)
        pictures, inside = [one.picture for one in fills], torch.from_numpy(np.stack([one.mask for one in fills]))
        told |= {"branch": branch, "shown": branch.shown(pictures, inside[:, None], masked, mask)}
    return told


def _blend(scheduler: Any, clean: Tensor, noise: Tensor, mask: Tensor) -> Callable[[int, Tensor], Tensor]:
    """M ⊙ x_t + (1 − M) ⊙ q(x_t | x_src) after each step, with one noise throughout."""
    times = scheduler.timesteps

    def after(step: int, latents: Tensor) -> Tensor:
        source = clean
        if step + 1 < len(times):
            source = scheduler.add_noise(clean, noise, times[step + 1].repeat(len(clean)))
        return mask * latents + (1 - mask) * source

    return after


def _repeated(rows: Tensor, count: int) -> Tensor:
    """Guidance asks about each row twice: first all untold, then all told."""
    return rows.repeat(count // len(rows), 1, 1, 1)
