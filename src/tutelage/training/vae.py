"""Trains the picture codec of `toybox-sd`: diffusers' `AutoencoderTiny`, 128 × 128 × 3 → 16 × 16 × 16.

It has no normalisation and keeps its full-size levels down to one convolution, which makes it three times faster on a
CPU than `AutoencoderKL` of the same quality, and stock Stable Diffusion pipelines load it. Trained on crops: a quarter
picture teaches a convolution as much per pixel and more per step.
"""

from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from torch import Tensor

from tutelage.diffusion.device import pick_device
from tutelage.training.loop import fit
from tutelage.training.renders import Renders
from tutelage.training.settings import Schedule, VaeShape

CROP = 64


def build_vae(shape: VaeShape) -> AutoencoderTiny:
    """A fresh codec."""
    width = (shape.channels,) * len(shape.blocks)
    return AutoencoderTiny(
        encoder_block_out_channels=width,
        decoder_block_out_channels=width,
        num_encoder_blocks=shape.blocks,
        num_decoder_blocks=shape.blocks[::-1],
        latent_channels=shape.latents,
        scaling_factor=1.0,
    )


def train_vae(
    renders: Renders, schedule: Schedule, shape: VaeShape, out: Path, device: str, bf16: bool
) -> AutoencoderTiny:
    """Train (or finish training) a codec in `out`."""
    where = pick_device(device)
    vae = build_vae(shape).to(where, memory_format=torch.channels_last)

    def loss(step: int, rng: np.random.Generator) -> Tensor:
        pixels = crops(renders, rng, schedule.batch).to(where, memory_format=torch.channels_last)
        with torch.autocast(where.type, torch.bfloat16, enabled=bf16):
            latents = vae.encoder(pixels)
            noisy = latents + 0.03 * torch.randn_like(latents)
            drawn = vae.decoder(noisy)
        return reconstruction(drawn.float(), pixels) + 0.02 * standardised(latents.float())

    return fit(vae, loss, schedule, out)


def crops(renders: Renders, rng: np.random.Generator, count: int) -> Tensor:
    """Random 64 × 64 windows of training pictures, (count, 3, 64, 64) in [-1, 1]."""
    room = renders.size - CROP + 1
    picks = zip(rng.integers(len(renders), size=count), rng.integers(room, size=(count, 2)), strict=True)
    windows = [renders.images[index, y : y + CROP, x : x + CROP] for index, (y, x) in picks]
    return torch.from_numpy(np.stack(windows)).permute(0, 3, 1, 2).float() / 127.5 - 1


def reconstruction(drawn: Tensor, pixels: Tensor) -> Tensor:
    """Squared and absolute error, and absolute error of the slopes (edges stay sharp)."""
    error = drawn - pixels
    slopes = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
    return 4 * error.square().mean() + 0.5 * error.abs().mean() + 0.5 * slopes


def standardised(latents: Tensor) -> Tensor:
    """How far each channel is from mean 0 and spread 1: a diffusion model wants both, and pipelines do not shift."""
    spread, mean = torch.std_mean(latents, (0, 2, 3))
    return (mean.square() + (spread - 1).square()).mean()
