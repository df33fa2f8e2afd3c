"""Trains a BrushNet (Ju et al. 2024) to inpaint beside a frozen Stable Diffusion, text dropped now and then.

Noise levels are drawn as those of `toybox-sd` are, and what is around a region is shown as it is at drawing: the
latents of the picture with grey in the region, and the region at their size.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor

from tutelage.diffusion.brush_net import BrushNet, heard, surroundings
from tutelage.diffusion.device import pick_device
from tutelage.diffusion.latents import encode_pictures
from tutelage.diffusion.load import load_pipeline
from tutelage.diffusion.noise import denoising_target, training_schedule
from tutelage.diffusion.regions import hidden, latent_mask
from tutelage.diffusion.text import encode_text
from tutelage.errors import BadInput
from tutelage.training.brush_examples import draw_example
from tutelage.training.loop import fit
from tutelage.training.renders import Renders
from tutelage.training.sd import capped_snr, error_weights
from tutelage.training.settings import Emphasis, Schedule

OUTSIDE: Final = 0.1
"""Weight of what is said outside the region, beside 1 inside it. At drawing the source is put back there after every
step, so errors there reach no picture; but to get it right is to have read the surroundings, and easily learnt."""


def train_brush(
    renders: Renders,
    places: Renders,
    schedule: Schedule,
    base: str | Path,
    out: Path,
    device: str,
    bf16: bool,
    emphasis: Emphasis,
) -> BrushNet:
    """Train (or finish training) a branch for a base, a folder or Hub id, in `out`; `places` are `renders.emptied()`.

    Raises:
        BadInput: the base cannot be loaded, has no branches, or is not sampled over discrete steps.
    """
    where = pick_device(device)
    pipeline = frozen_base(base, device)
    unet, levels = pipeline.unet, training_schedule(pipeline.scheduler)
    branch: BrushNet = BrushNet.of(unet).to(memory_format=torch.channels_last)
    if where.type == "cpu":  # faster than the fused one there for so few positions
        unet.set_attn_processor(AttnProcessor())
        branch.twin.set_attn_processor(AttnProcessor())
    often = capped_snr(levels.alphas_cumprod)

    def loss(step: int, rng: np.random.Generator) -> Tensor:
        some = [draw_example(renders, places, rng) for _ in range(schedule.batch)]
        with torch.no_grad(), torch.autocast(where.type, torch.bfloat16, enabled=bf16):
            clean = encode_pictures(pipeline.vae, [one.picture for one in some])
            masked = encode_pictures(pipeline.vae, [hidden(one.picture, one.mask) for one in some])
            told = encode_text(pipeline, [one.caption for one in some]).arguments((renders.size, renders.size))
        cells = (clean.shape[-2], clean.shape[-1])
        mask = latent_mask([one.mask for one in some], cells).to(where)
        t = torch.from_numpy(rng.choice(len(often), size=len(some), p=often)).to(where)
        noise = torch.randn_like(clean)
        noisy = levels.add_noise(clean, noise, t).to(memory_format=torch.channels_last)
        with torch.autocast(where.type, torch.bfloat16, enabled=bf16):
            features = branch(noisy, t, surroundings(masked, mask), told)
            with heard(unet, features):
                drawn = unet(noisy, t, **told).sample
        error = (drawn.float() - denoising_target(levels, clean, noise, t)).square()
        weight = error_weights(np.stack([one.labels for one in some]), cells[0], emphasis).to(where)
        return region_error(error, mask, weight)

    fit(branch, loss, schedule, out)
    return branch


def frozen_base(base: str | Path, device: str) -> Any:
    """A Stable Diffusion or SDXL of text to image, in float32, of which nothing learns.

    Raises:
        BadInput: it cannot be loaded, or its UNet sees more than noisy latents.
    """
    pipeline: Any = load_pipeline(base, device, "fp32")
    unet = getattr(pipeline, "unet", None)
    if unet is None or unet.config.in_channels != unet.config.out_channels:
        raise BadInput(f"{base} has no UNet of text to image alone; give a Stable Diffusion or SDXL that has")
    for part in ("unet", "vae", "text_encoder", "text_encoder_2"):
        if network := getattr(pipeline, part, None):
            network.requires_grad_(False).eval()
    unet.to(memory_format=torch.channels_last)
    pipeline.vae.to(memory_format=torch.channels_last)
    return pipeline


def region_error(error: Tensor, mask: Tensor, weight: Tensor) -> Tensor:
    """Squared errors (B, C, h, w) as one number.

    Inside a region they are a mean by `weight` (B, 1, h, w), so that a hat counts as much as a background; the mean
    of those outside is added at `OUTSIDE`.
    """
    inside = _mean(error, mask * weight)
    return (inside + OUTSIDE * _mean(error, 1 - mask)).mean()


def _mean(error: Tensor, weight: Tensor) -> Tensor:
    """Means (B,) over channels and cells; 0 where there are none."""
    whole = weight.sum((1, 2, 3))
    mean: Tensor = (error.mean(1, keepdim=True) * weight).sum((1, 2, 3)) / whole.clamp(min=1e-6)
    return mean
